//! What many operations share: ids, units, problems, headers.

use serde_json::{Map, Value, json};

/// A reference to a schema.
pub(super) fn schema(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// An object with these properties and no other.
#[expect(clippy::needless_pass_by_value, reason = "schemas are written where they are passed")]
pub(super) fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}

/// The schemas of a JSON object, as a map.
pub(super) fn entries(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Text without control characters.
pub(super) const PRINTABLE: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f]+$";

pub(super) fn schemas() -> Map<String, Value> {
    let integer = |min: i64, max: u64, description: &str| json!({ "type": "integer", "format": "int64", "minimum": min, "maximum": max, "description": description });
    let exact = (1u64 << 63) - 1;
    entries(json!({
        "Time": { "type": "integer", "format": "int64", "description": "Milliseconds since 1970-01-01T00:00:00Z." },
        "Span": integer(0, exact, "Milliseconds."),
        "CpuMilli": integer(0, exact, "Thousandths of a CPU thread."),
        "GpuMilli": integer(0, exact, "Thousandths of an accelerator."),
        "Bytes": integer(0, exact, "Bytes."),
        "Step": integer(0, exact, "The number of a step of the journal."),
        "WorkloadId": {
            "type": "string",
            "pattern": "^wl-(0|[1-9][0-9]{0,13})(\\.(0|[1-9][0-9]{0,3}))?$",
            "description": "A workload, an array as a whole, or with a number behind the dot a member of an array.",
            "examples": ["wl-12", "wl-12.0"]
        },
        "LeaseId": { "type": "string", "pattern": "^ls-[0-9]+(\\.[0-9]+)?$" },
        "NodeId": {
            "type": "string",
            "pattern": "^nd-(0|[1-9][0-9]{0,13})(\\.(0|[1-9][0-9]{0,3}))?$",
            "examples": ["nd-2"]
        },
        "EventId": {
            "type": "string",
            "pattern": "^(0|[1-9][0-9]{0,13})(\\.(0|[1-9][0-9]{0,6}))?$",
            "description": "STEP.INDEX, or STEP for behind all of that step.",
            "examples": ["12.0", "12"]
        },
        "Labels": {
            "type": "object",
            "description": "Free labels.",
            "propertyNames": { "pattern": PRINTABLE, "minLength": 1, "maxLength": 253 },
            "additionalProperties": { "type": "string", "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$", "maxLength": 253 },
            "maxProperties": 64
        },
        "Problem": {
            "type": "object",
            "description": "Why a request was refused (RFC 9457). The numbers behind it are further members.",
            "required": ["type", "title", "status", "detail", "code"],
            "properties": {
                "type": { "type": "string", "pattern": "^urn:eaf:problem:[a-z_]+$" },
                "title": { "type": "string", "minLength": 1 },
                "status": { "type": "integer", "minimum": 400, "maximum": 599 },
                "detail": { "type": "string", "minLength": 1 },
                "code": { "type": "string", "pattern": "^[a-z_]+$", "description": "Stable between releases." }
            },
            "additionalProperties": true
        },
        "Exit": {
            "description": "How a task ended.",
            "oneOf": [
                object(&["code"], json!({ "code": { "type": "integer" } })),
                object(&["signal"], json!({ "signal": { "type": "integer" } })),
                { "const": "out_of_memory" },
                object(&["cannot_start"], json!({ "cannot_start": { "type": "string" } })),
                object(&["lost"], json!({ "lost": { "type": "string" } }))
            ]
        },
        "Usage": object(&["cpu"], json!({
            "cpu": { "type": "integer", "minimum": 0, "description": "Microseconds of processor time." },
            "memory_peak": schema("Bytes"),
            "accelerator_busy": schema("Span"),
            "energy": { "type": "integer", "minimum": 0, "description": "Millijoules, measured." }
        }))
    }))
}

/// The problems that an operation may answer with, by status.
const PROBLEMS: [(&str, &str, &str); 12] = [
    ("400", "Malformed", "The body, a parameter or a header is not what is asked for."),
    ("401", "Unauthorized", "No token, or one that is not this factory's."),
    ("404", "NotFound", "There is no such thing."),
    ("405", "MethodNotAllowed", "Not with this method; `Allow` names those that pass."),
    ("409", "Conflict", "It conflicts with what the factory is or does now."),
    ("410", "Gone", "It has left the journal."),
    ("413", "TooLarge", "The body is above the bound."),
    ("415", "NotJson", "The body is not said to be `application/json`."),
    ("422", "Invalid", "A field has a value that does not pass."),
    ("429", "TooMany", "More requests than the bound."),
    ("500", "Internal", "A fault of the factory; its log has more."),
    ("503", "Unavailable", "Too much waits, a bound is reached, or the factory is stopping."),
];

/// The named responses of the document.
pub(super) fn responses() -> Map<String, Value> {
    let mut responses = Map::new();
    for (status, name, description) in PROBLEMS {
        let header = match status {
            "401" => json!({ "WWW-Authenticate": { "schema": { "type": "string" } } }),
            "405" => json!({ "Allow": { "schema": { "type": "string" } } }),
            "429" | "503" => json!({ "Retry-After": { "schema": { "type": "integer" } } }),
            _ => json!({}),
        };
        let response = json!({
            "description": description,
            "headers": header,
            "content": { "application/problem+json": { "schema": schema("Problem") } }
        });
        responses.insert(name.to_owned(), response);
    }
    responses
}

/// References to the problems of these statuses, and to those that every operation has.
pub(super) fn problems(statuses: &[&str]) -> Map<String, Value> {
    let always = ["401", "405", "429", "500", "503"];
    let mut map = Map::new();
    for (status, name, _) in PROBLEMS {
        if always.contains(&status) || statuses.contains(&status) {
            map.insert(status.to_owned(), json!({ "$ref": format!("#/components/responses/{name}") }));
        }
    }
    map
}

/// The named headers of the document.
pub(super) fn headers() -> Value {
    let position = json!({ "type": "integer", "minimum": 0 });
    json!({
        "Eaf-Process": {
            "description": "This start of the factory; `POST /v1/stop` asks for it.",
            "schema": { "type": "string", "pattern": "^[0-9a-f]{32}$" }
        },
        "Eaf-Log-Offset": {
            "description": "The position of the first byte; above what was asked for where older bytes are gone.",
            "schema": position
        },
        "Eaf-Log-Next": { "description": "The position to ask for next.", "schema": position },
        "Eaf-Log-End": {
            "description": "`true` where the task is over and nothing comes behind this.",
            "schema": { "type": "string", "enum": ["true", "false"] }
        }
    })
}
