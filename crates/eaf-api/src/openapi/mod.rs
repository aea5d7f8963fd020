//! The OpenAPI 3.1 document of `/v1`.
//!
//! What: every operation with its parameters, bodies, and every status and content type that it can answer. Why written
//! out and not derived: patterns, bounds, links and the conditions between fields are what makes it worth reading, and
//! tests hold real answers and the routes against it. Absent: prose beyond a line an item.

mod operations;
mod parts;
mod requests;
mod views;

use serde_json::{Value, json};

/// The document as it is committed and served: `crates/eaf-api/openapi.json`.
pub const OPENAPI: &str = include_str!("../../openapi.json");

/// The document as this code describes it.
pub fn document() -> Value {
    let mut schemas = parts::schemas();
    schemas.extend(requests::schemas());
    schemas.extend(views::schemas());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Eco-AI Factory",
            "version": "1",
            "summary": "Submit workloads to a factory, follow them, and take their receipts.",
            "description": "Every instant is an integer, milliseconds since 1970-01-01T00:00:00Z; every span is an \
                integer number of milliseconds. CPU and accelerators count in thousandths, memory in bytes, money in \
                millionths of a won, energy in millijoules. Refusals are problem+json (RFC 9457) with a stable `code`; \
                `title` and `detail` are in the language of `Accept-Language` (`ko` or `en`). `traceparent` (W3C) is \
                taken into the factory's log.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" }
        },
        "servers": [{ "url": "http://127.0.0.1:7070", "description": "a factory on this machine" }],
        "security": [{ "token": [] }],
        "tags": [
            { "name": "factory", "description": "The factory as a whole" },
            { "name": "nodes", "description": "Where work runs" },
            { "name": "workloads", "description": "What runs" }
        ],
        "paths": operations::paths(),
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The file `token` of the data directory."
                }
            },
            "schemas": schemas,
            "responses": parts::responses(),
            "headers": parts::headers()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> String {
        let mut text = serde_json::to_string_pretty(&document()).unwrap();
        text.push('\n');
        text
    }

    /// `EAF_REGENERATE=1 cargo test -p eaf-api openapi` writes the file anew.
    #[test]
    fn the_committed_document_is_what_the_code_describes() {
        if std::env::var_os("EAF_REGENERATE").is_some() {
            std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json"), text()).unwrap();
            return;
        }
        assert!(OPENAPI == text(), "openapi.json is not what the code describes; run with EAF_REGENERATE=1");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(document: &Value, here: &Value, count: &mut u32) {
            match here {
                Value::Object(map) => {
                    if let Some(Value::String(to)) = map.get("$ref") {
                        assert!(document.pointer(to.trim_start_matches('#')).is_some(), "{to} leads nowhere");
                        *count += 1;
                    }
                    map.values().for_each(|value| walk(document, value, count));
                }
                Value::Array(items) => items.iter().for_each(|item| walk(document, item, count)),
                _ => {}
            }
        }
        let (document, mut count) = (document(), 0);
        walk(&document, &document, &mut count);
        assert!(count > 100, "{count} references");
    }
}
