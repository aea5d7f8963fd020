//! What handlers take from a request.
//!
//! What: bodies, queries, ids and headers, each refused with a problem of its own. Absent: defaults; the shapes have
//! them.

use super::App;
use super::answer::Refused;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use eaf_api::Refusal;
use eaf_model::{NodeId, WorkloadId};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

/// How much of a body that is too large is read and thrown away, so that its sender hears the answer.
const DRAIN_BYTES_MAX: u64 = 64 << 20;

/// A JSON body.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refused> {
        let is_json = is_json(request.headers());
        let bytes = read(request.into_body(), app.body_bytes_max).await?;
        if !is_json {
            return Err(Refusal::UnsupportedMediaType.into());
        }
        // Serde would take a list of the fields as well.
        if bytes.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| *byte == b'[') {
            return Err(Refusal::BodyMalformed { problem: "a list where an object is expected".to_owned() }.into());
        }
        let value = serde_json::from_slice(&bytes).or_else(|error| match whole_numbers(&bytes) {
            Some(rewritten) => serde_json::from_slice(&rewritten).map_err(|_| error),
            None => Err(error),
        });
        value.map(Self).map_err(|error| Refusal::BodyMalformed { problem: error.to_string() }.into())
    }
}

/// The same JSON with whole numbers written as such (`2.0` and `1e3` are integers to JSON Schema and not to serde);
/// `None` where there are none to rewrite.
fn whole_numbers(json: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(json.len());
    let (mut at, mut changed) = (0, false);
    while at < json.len() {
        let rest = &json[at..];
        let length = match rest[0] {
            b'"' => text_length(rest),
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len())
            }
            _ => 1,
        };
        let token = &rest[..length];
        match whole(token) {
            Some(number) => {
                changed = true;
                out.extend_from_slice(number.as_bytes());
            }
            None => out.extend_from_slice(token),
        }
        at += length;
    }
    changed.then_some(out)
}

/// The length of a JSON text, with its quotes.
fn text_length(json: &[u8]) -> usize {
    let mut at = 1;
    while at < json.len() {
        match json[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    json.len()
}

/// A number with a fraction or an exponent that is whole all the same, and small enough to be exact where it has an exponent.
fn whole(token: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(token).ok().filter(|text| !text.starts_with('"'))?;
    if !text.contains(['.', 'e', 'E']) {
        return None;
    }
    // Noughts alone behind the point take nothing of it, however large it is.
    if let Some((whole, _)) = text.split_once('.').filter(|(_, fraction)| fraction.bytes().all(|digit| digit == b'0')) {
        return Some(whole.to_owned());
    }
    let number: f64 = text.parse().ok()?;
    let exact = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
    exact.then(|| format!("{number:.0}"))
}

fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = given.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

async fn read(body: Body, max: u64) -> Result<Bytes, Refused> {
    let broken = |error: axum::Error| Refused::from(Refusal::BodyMalformed { problem: error.to_string() });
    let mut stream = body.into_data_stream();
    // Nearly every body is one chunk, which is used as it is.
    let Some(first) = stream.next().await else { return Ok(Bytes::new()) };
    let mut first = first.map_err(broken)?;
    let mut rest: Vec<u8> = Vec::new();
    let mut total = first.len() as u64;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(broken)?;
        total += chunk.len() as u64;
        if total > DRAIN_BYTES_MAX.max(max) {
            break;
        }
        if total <= max {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
                first = Bytes::new();
            }
            rest.extend_from_slice(&chunk);
        }
    }
    if total > max {
        return Err(Refusal::BodyTooLarge { max }.into());
    }
    Ok(if rest.is_empty() { first } else { rest.into() })
}

/// The query, with no parameter unknown or doubled.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refused> {
        match axum::extract::Query::<T>::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(error) => Err(Refusal::QueryMalformed { problem: error.body_text() }.into()),
        }
    }
}

async fn id_text(parts: &mut Parts, app: &App) -> Result<String, Refused> {
    let path = parts.uri.path().chars().take(200).collect();
    let Ok(params) = RawPathParams::from_request_parts(parts, app).await else {
        return Err(Refusal::NoSuchPath { path }.into());
    };
    let text = params.iter().find(|(name, _)| *name == "id").map(|(_, text)| text.chars().take(200).collect());
    text.ok_or_else(|| Refusal::NoSuchPath { path }.into())
}

/// The workload (or array) that the path names. A text that is no id names none.
pub(super) struct WorkloadPath(pub(super) WorkloadId);

impl FromRequestParts<App> for WorkloadPath {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let text = id_text(parts, app).await?;
        text.parse().map(Self).map_err(|_| Refusal::NoSuchWorkload { workload: text }.into())
    }
}

/// The node that the path names.
pub(super) struct NodePath(pub(super) NodeId);

impl FromRequestParts<App> for NodePath {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let text = id_text(parts, app).await?;
        text.parse().map(Self).map_err(|_| Refusal::NoSuchNode { node: text }.into())
    }
}

/// The idempotency key, if there is one.
pub(super) struct IdempotencyKey(pub(super) Option<String>);

impl FromRequestParts<App> for IdempotencyKey {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refused> {
        let name = "idempotency-key";
        let mut values = parts.headers.get_all(name).iter();
        let Some(value) = values.next() else { return Ok(Self(None)) };
        let plain = value.as_bytes().iter().all(u8::is_ascii_graphic) && (1..=255).contains(&value.len());
        match value.to_str() {
            Ok(text) if plain && values.next().is_none() => Ok(Self(Some(text.to_owned()))),
            _ => {
                let expected = "1 to 255 visible ASCII characters, once".to_owned();
                Err(Refusal::HeaderMalformed { header: "Idempotency-Key".to_owned(), expected }.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::whole_numbers;

    #[test]
    fn whole_numbers_are_written_as_such_and_texts_stay() {
        let check = |json: &str, expect: Option<&str>| {
            let got = whole_numbers(json.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(got.as_deref(), expect, "{json}");
        };
        check(r#"{"a":2.0,"b":[1e3,-1.0,7],"c":"2.0 \" 3.0"}"#, Some(r#"{"a":2,"b":[1000,-1,7],"c":"2.0 \" 3.0"}"#));
        check(r#"{"a":2.5,"b":1e300,"c":5}"#, None);
        check("[-9007199254740992.0,9007199254740993.00]", Some("[-9007199254740992,9007199254740993]"));
        check("{\"a\": \"2.0", None);
        check("-", None);
        check("\\", None);
    }
}
