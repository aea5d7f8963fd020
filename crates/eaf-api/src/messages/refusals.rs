//! The words for what the HTTP door refuses.
//!
//! What: a title, what happened and what to do, for each `Refusal`. Absent: the core's rejections, which have words of
//! their own in `codes`.

use super::{Lang, Rejected, Value, bytes, text};
use crate::Refusal;
use eaf_model::Bytes;

fn args(refusal: &Refusal) -> Vec<(&'static str, Value<'static>)> {
    let shown = |value: &dyn std::fmt::Display| Value::from(value.to_string());
    match refusal {
        Refusal::BodyMalformed { problem } | Refusal::QueryMalformed { problem } => {
            vec![("problem", Value::from(sentence(problem)))]
        }
        Refusal::HeaderMalformed { header, expected } => vec![("header", shown(header)), ("expected", shown(expected))],
        Refusal::NoSuchPath { path } | Refusal::NoSuchFile { path } => vec![("path", shown(path))],
        Refusal::NoSuchWorkload { workload } => vec![("workload", shown(workload))],
        Refusal::NoSuchNode { node } => vec![("node", shown(node))],
        Refusal::NoSuchLog { workload } | Refusal::NotEnded { workload } | Refusal::IsArray { workload } => {
            vec![("workload", shown(workload))]
        }
        Refusal::MethodNotAllowed { method, allow } => {
            vec![("method", shown(method)), ("allow", allow.join(", ").into())]
        }
        Refusal::EventsGone { oldest } => vec![("oldest", shown(oldest))],
        Refusal::BodyTooLarge { max } => vec![("max", bytes(Bytes(*max)).into())],
        Refusal::RateLimited { per_second } => vec![("perSecond", shown(per_second))],
        Refusal::Unauthorized
        | Refusal::WrongToken
        | Refusal::OtherProcess
        | Refusal::UnsupportedMediaType
        | Refusal::Internal
        | Refusal::Overloaded
        | Refusal::Stopping => Vec::new(),
    }
}

/// What a reader of JSON said, ended with a full stop so that another sentence can follow.
fn sentence(problem: &str) -> String {
    if problem.ends_with('.') { problem.to_owned() } else { format!("{problem}.") }
}

/// Why the HTTP door refused, and what would make it pass.
pub fn refusal(lang: Lang, refusal: &Refusal) -> Rejected {
    let id = format!("refusal-{}", refusal.code().replace('_', "-"));
    let args = args(refusal);
    let say = |part: &str| text(lang, &format!("{id}{part}"), &args);
    Rejected { title: say(""), detail: format!("{} {}", say(".detail"), say(".next")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eaf_model::WorkloadId;

    #[test]
    fn every_refusal_has_a_title_what_happened_and_what_to_do() {
        let workload = WorkloadId::of_step(7);
        let all = [
            Refusal::BodyMalformed { problem: "a comma is missing".into() },
            Refusal::QueryMalformed { problem: "a number is wanted.".into() },
            Refusal::HeaderMalformed { header: "x".into(), expected: "a number".into() },
            Refusal::Unauthorized,
            Refusal::WrongToken,
            Refusal::OtherProcess,
            Refusal::NoSuchPath { path: "/x".into() },
            Refusal::NoSuchWorkload { workload: "wl-1".into() },
            Refusal::NoSuchNode { node: "nd-1".into() },
            Refusal::NoSuchLog { workload },
            Refusal::NoSuchFile { path: "x".into() },
            Refusal::MethodNotAllowed { method: "PUT".into(), allow: vec!["GET".into(), "POST".into()] },
            Refusal::NotEnded { workload },
            Refusal::IsArray { workload },
            Refusal::EventsGone { oldest: 9 },
            Refusal::BodyTooLarge { max: 1 << 20 },
            Refusal::UnsupportedMediaType,
            Refusal::RateLimited { per_second: 100 },
            Refusal::Internal,
            Refusal::Overloaded,
            Refusal::Stopping,
        ];
        for lang in Lang::ALL {
            for case in &all {
                let Rejected { title, detail } = refusal(lang, case);
                assert!(title.contains(' ') && !title.ends_with('.') && detail.ends_with('.'), "{title:?} {detail:?}");
                assert!(!detail.contains('{') && !detail.contains("refusal-") && !detail.contains(".."), "{detail:?}");
            }
        }
        let say = refusal(Lang::Ko, &Refusal::BodyTooLarge { max: 1 << 20 });
        assert_eq!(say.detail, "이 공장은 1 MiB까지의 본문을 받습니다. 더 작게 보내거나 설정에서 한도를 올리십시오.");
    }
}
