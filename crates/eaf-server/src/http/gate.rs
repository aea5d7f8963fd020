//! What every request passes on its way in and out.
//!
//! What: the bound on requests, the token, the reader's language, the trace of the caller, metrics, and the words of a
//! refusal. Absent: anything that one route alone needs.

use super::answer::{Carried, Refused};
use super::{App, PATHS};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use eaf_api::Refusal;
use eaf_api::messages::Lang;
use std::net::IpAddr;
use tracing::debug;

/// Where a request came from.
#[derive(Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// The gate.
pub(super) async fn pass(State(app): State<App>, request: Request, next: Next) -> Response {
    let lang = language(request.headers());
    let method = method_word(request.method());
    let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let route = matched.and_then(|path| PATHS.iter().find(|known| **known == path)).copied().unwrap_or("other");
    if let Some(trace) = request.headers().get("traceparent").and_then(|value| value.to_str().ok()) {
        debug!(traceparent = trace, method, route, "a traced request");
    }
    let allowed = within_rate(&app, &request).and_then(|()| with_token(&app, route, request.headers()));
    let response = match allowed {
        Ok(()) => next.run(request).await,
        Err(refusal) => Refused::Door(refusal).into_response(),
    };
    let response = in_words(response, lang);
    app.metrics.answered(method, route, response.status().as_u16());
    response
}

/// Gives a refusal its words; every other answer passes as it is.
fn in_words(mut response: Response, lang: Lang) -> Response {
    let Some(Carried(refused)) = response.extensions_mut().remove::<Carried>() else { return response };
    let allow = response.headers_mut().remove(header::ALLOW);
    let refused = match (&*refused, &allow) {
        (Refused::Door(Refusal::MethodNotAllowed { method, .. }), Some(allow)) => {
            let allow = allow.to_str().unwrap_or_default().split(',').map(str::to_owned).collect();
            Refused::Door(Refusal::MethodNotAllowed { method: method.clone(), allow })
        }
        (refused, _) => refused.clone(),
    };
    let mut answer = refused.answer(lang);
    answer.headers_mut().extend(allow.map(|allow| (header::ALLOW, allow)));
    answer
}

fn within_rate(app: &App, request: &Request) -> Result<(), Refusal> {
    if app.requests_per_second == 0 {
        return Ok(());
    }
    let Some(Peer(peer)) = request.extensions().get::<Peer>().copied() else { return Ok(()) };
    let taken = app.rates.take(peer, app.requests_per_second);
    if taken { Ok(()) } else { Err(Refusal::RateLimited { per_second: app.requests_per_second }) }
}

fn with_token(app: &App, route: &str, headers: &HeaderMap) -> Result<(), Refusal> {
    if route == "/v1/health" {
        return Ok(());
    }
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = given.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match token {
        Some((_, token)) if same(token.trim().as_bytes(), app.token.as_bytes()) => Ok(()),
        Some(_) => Err(Refusal::WrongToken),
        None => Err(Refusal::Unauthorized),
    }
}

/// Compares in a time that depends on the lengths alone.
fn same(given: &[u8], expected: &[u8]) -> bool {
    let differs = given.iter().zip(expected).fold(0u8, |differs, (a, b)| differs | (a ^ b));
    given.len() == expected.len() && std::hint::black_box(differs) == 0
}

fn language(headers: &HeaderMap) -> Lang {
    let header = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    header.map(Lang::of_header).unwrap_or_default()
}

fn method_word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Nothing is at this path.
pub(super) async fn no_such_path(request: Request) -> Refused {
    Refusal::NoSuchPath { path: request.uri().path().chars().take(200).collect() }.into()
}

/// Something is there, but not for this method; the router adds what is.
pub(super) async fn method_not_allowed(request: Request) -> Refused {
    let method = request.method().as_str().chars().take(40).collect();
    Refusal::MethodNotAllowed { method, allow: Vec::new() }.into()
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn tokens_are_the_same_or_not() {
        assert!(same(b"abc", b"abc"));
        for other in [&b"abd"[..], b"ab", b"abcd", b""] {
            assert!(!same(other, b"abc"));
        }
    }
}
