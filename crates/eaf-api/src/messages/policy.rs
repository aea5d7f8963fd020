//! What is wrong with a policy, in words.
//!
//! What: one message a problem. Absent: the place in a file; whoever read the file knows the line.

use super::codes::shown;
use super::{Lang, Value, instant, text};
use eaf_model::PolicyProblem;

pub(super) fn policy_problem(lang: Lang, place: &str, problem: &PolicyProblem) -> String {
    let mut args: Vec<(&'static str, Value<'_>)> = vec![("place", shown(place))];
    let id = match problem {
        PolicyProblem::TooMany { given, max } => {
            args.extend([("given", shown(given)), ("max", shown(max))]);
            "policy-too-many"
        }
        PolicyProblem::Name => "policy-name",
        PolicyProblem::Zero => "policy-zero",
        PolicyProblem::NoSuchShare { name } => {
            args.push(("name", shown(name)));
            "policy-no-such-share"
        }
        PolicyProblem::Cycle { through } => {
            args.push(("through", through.join(" → ").into()));
            "policy-cycle"
        }
        PolicyProblem::TooDeep { max } => {
            args.push(("max", shown(max)));
            "policy-too-deep"
        }
        PolicyProblem::AboveTheWhole { model, parts, whole } => {
            args.extend([("model", shown(model)), ("parts", shown(parts)), ("whole", shown(whole))]);
            "policy-above-the-whole"
        }
        PolicyProblem::Above { given, max } => {
            args.extend([("given", shown(given)), ("max", shown(max))]);
            "policy-above"
        }
        PolicyProblem::Twice { node } => {
            args.push(("node", shown(node)));
            "policy-twice"
        }
        PolicyProblem::Over => "policy-over",
        PolicyProblem::NoSuchModel { model } => {
            args.push(("model", shown(model)));
            "policy-no-such-model"
        }
        PolicyProblem::NoSuchNode { name } => {
            args.push(("name", shown(name)));
            "policy-no-such-node"
        }
        PolicyProblem::Overlaps { node, with } => {
            args.extend([("node", shown(node)), ("with", shown(with))]);
            "policy-overlaps"
        }
        PolicyProblem::Occupied { node, workload, until } => {
            args.extend([("node", shown(node)), ("workload", shown(workload)), ("until", instant(*until).into())]);
            "policy-occupied"
        }
    };
    text(lang, id, &args)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use eaf_model::{Time, WorkloadId};

    pub(in crate::messages) fn every_problem() -> Vec<PolicyProblem> {
        let name = || "vision".to_owned();
        vec![
            PolicyProblem::TooMany { given: 2_000, max: 1_000 },
            PolicyProblem::Name,
            PolicyProblem::Zero,
            PolicyProblem::NoSuchShare { name: name() },
            PolicyProblem::Cycle { through: vec![name(), "acme".to_owned(), name()] },
            PolicyProblem::TooDeep { max: 8 },
            PolicyProblem::AboveTheWhole { model: "H100".to_owned(), parts: 9, whole: 8 },
            PolicyProblem::Above { given: 9, max: 8 },
            PolicyProblem::Twice { node: "gaon".to_owned() },
            PolicyProblem::Over,
            PolicyProblem::NoSuchModel { model: "H1OO".to_owned() },
            PolicyProblem::NoSuchNode { name: name() },
            PolicyProblem::Overlaps { node: "gaon".to_owned(), with: "maintenance.pumps".to_owned() },
            PolicyProblem::Occupied { node: "gaon".to_owned(), workload: WorkloadId::of_step(7), until: Time(9) },
        ]
    }
}
