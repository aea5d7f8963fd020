//! What a policy must be before it comes into force.
//!
//! What: each share, the tree that they make, and each window, against its bounds and, where there is a factory, against
//! its nodes and what runs on them. Why the first problem alone, with its place: a file is mended from the top.
//! Absent: what would follow from a policy that holds together.

use crate::State;
use crate::work::validate::is_project;
use eaf_model::{NodeId, Policy, PolicyProblem, PolicyWindow, Rejection, Share, Span, Time};
use std::collections::{BTreeMap, BTreeSet};

/// The most shares.
const SHARES_MAX: usize = 1_000;
/// How deep shares may lie.
const DEPTH_MAX: usize = 8;
/// The most models that a share names.
const MODELS_MAX: usize = 64;
/// The most windows of a kind.
const WINDOWS_MAX: usize = 1_000;
/// The most nodes of a window.
const NODES_MAX: usize = 10_000;
/// The most that a share may weigh.
const WEIGHT_MAX: u32 = 1_000_000;
/// The farthest that a priority may be from 0.
const PRIORITY_MAX: u32 = 1_000;
/// The longest half-life: a hundred years.
const HALF_LIFE_MAX: Span = Span::from_secs(100 * 366 * 24 * 3_600);

type Checked = Result<(), Rejection>;

fn wrong(place: String, problem: PolicyProblem) -> Checked {
    Err(Rejection::PolicyInvalid { place, problem })
}

/// What is wrong with a policy, whatever the factory; `None` where it holds together.
pub fn policy_problem(policy: &Policy) -> Option<Rejection> {
    check(policy, None).err()
}

pub(super) fn check(policy: &Policy, state: Option<&State>) -> Checked {
    if policy.half_life == Span::ZERO {
        return wrong("half_life".to_owned(), PolicyProblem::Zero);
    }
    if policy.half_life > HALF_LIFE_MAX {
        let (given, max) = (policy.half_life.0, HALF_LIFE_MAX.0);
        return wrong("half_life".to_owned(), PolicyProblem::Above { given, max });
    }
    at_most("shares", policy.shares.len(), SHARES_MAX)?;
    for (name, share) in &policy.shares {
        alone(name, share)?;
    }
    for name in policy.shares.keys() {
        is_in_the_tree(policy, name)?;
    }
    parts_within_the_whole(policy, state)?;
    windows(policy, state)
}

fn at_most(place: &str, given: usize, max: usize) -> Checked {
    let small = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    if given > max {
        return wrong(place.to_owned(), PolicyProblem::TooMany { given: small(given), max: small(max) });
    }
    Ok(())
}

/// One share by itself.
fn alone(name: &str, share: &Share) -> Checked {
    let place = format!("shares.{name}");
    if !is_project(name) {
        return wrong(place, PolicyProblem::Name);
    }
    if share.weight == 0 {
        return wrong(format!("{place}.weight"), PolicyProblem::Zero);
    }
    if share.weight > WEIGHT_MAX {
        let (given, max) = (share.weight.into(), WEIGHT_MAX.into());
        return wrong(format!("{place}.weight"), PolicyProblem::Above { given, max });
    }
    if share.priority.unsigned_abs() > PRIORITY_MAX {
        let (given, max) = (share.priority.unsigned_abs().into(), PRIORITY_MAX.into());
        return wrong(format!("{place}.priority"), PolicyProblem::Above { given, max });
    }
    at_most(&format!("{place}.accelerators"), share.accelerators.len(), MODELS_MAX)?;
    for (model, quota) in &share.accelerators {
        let above = |field: &str, given: u32, max: u32| {
            let place = format!("{place}.accelerators.{model}.{field}");
            let problem = PolicyProblem::Above { given: given.into(), max: max.into() };
            if given > max { wrong(place, problem) } else { Ok(()) }
        };
        above("borrowable", quota.borrowable.unwrap_or(0), quota.guaranteed)?;
        above("guaranteed", quota.guaranteed, quota.maximum.unwrap_or(u32::MAX))?;
    }
    Ok(())
}

/// The way from a share to the whole comes to an end, soon.
fn is_in_the_tree(policy: &Policy, name: &str) -> Checked {
    let place = || format!("shares.{name}.parent");
    let mut through = vec![name.to_owned()];
    let mut at = name;
    while let Some(parent) = policy.shares.get(at).and_then(|share| share.parent.as_deref()) {
        if !policy.shares.contains_key(parent) {
            return wrong(format!("shares.{at}.parent"), PolicyProblem::NoSuchShare { name: parent.to_owned() });
        }
        through.push(parent.to_owned());
        if parent == name {
            return wrong(place(), PolicyProblem::Cycle { through });
        }
        if through.len() > DEPTH_MAX {
            // A longer way that never comes back to this share goes round somewhere above it, and is told there.
            let is_round = through.iter().collect::<BTreeSet<_>>().len() < through.len();
            let max = u32::try_from(DEPTH_MAX).unwrap_or(u32::MAX);
            return if is_round { Ok(()) } else { wrong(place(), PolicyProblem::TooDeep { max }) };
        }
        at = parent;
    }
    Ok(())
}

/// What the parts of a share are guaranteed together is no more than the share is; of the whole, no more than there is. The
/// first share that goes beyond is named.
fn parts_within_the_whole(policy: &Policy, state: Option<&State>) -> Checked {
    let mut parts: BTreeMap<(Option<&str>, &str), u64> = BTreeMap::new();
    let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    for (name, share) in &policy.shares {
        for (model, quota) in &share.accelerators {
            let place = || format!("shares.{name}.accelerators.{model}");
            let all = state.map(|state| state.fleet().all_of(model) / 1_000);
            if all == Some(0) {
                return wrong(place(), PolicyProblem::NoSuchModel { model: model.clone() });
            }
            let parent = share.parent.as_deref();
            let of_parent = |parent: &str| policy.shares[parent].accelerators.get(model);
            let whole = parent.map_or(all, |parent| Some(of_parent(parent).map_or(0, |quota| quota.guaranteed.into())));
            let sum = parts.entry((parent, model)).or_default();
            *sum += u64::from(quota.guaranteed);
            if let Some(whole) = whole.filter(|whole| *sum > *whole) {
                let (model, parts, whole) = (model.clone(), small(*sum), small(whole));
                return wrong(place(), PolicyProblem::AboveTheWhole { model, parts, whole });
            }
        }
    }
    Ok(())
}

fn windows(policy: &Policy, state: Option<&State>) -> Checked {
    at_most("reservations", policy.reservations.len(), WINDOWS_MAX)?;
    at_most("maintenance", policy.maintenance.len(), WINDOWS_MAX)?;
    let now = state.map_or(Time(i64::MIN), State::last_time);
    let mut by_node: BTreeMap<&str, Vec<(Time, Time, String)>> = BTreeMap::new();
    for window in policy.windows() {
        one_window(&window)?;
        if window.until <= now {
            continue;
        }
        for node in window.nodes {
            let others = by_node.entry(node).or_default();
            let overlap = others.iter().find(|(from, until, _)| *from < window.until && window.from < *until);
            if let Some((.., with)) = overlap {
                let (node, with) = (node.clone(), with.clone());
                return wrong(format!("{}.nodes", window.place()), PolicyProblem::Overlaps { node, with });
            }
            others.push((window.from, window.until, window.place()));
            if let Some(state) = state {
                is_free(&window, node, state)?;
            }
        }
    }
    Ok(())
}

fn one_window(window: &PolicyWindow<'_>) -> Checked {
    if !is_project(window.name) {
        return wrong(window.place(), PolicyProblem::Name);
    }
    if window.project.is_some_and(|project| !is_project(project)) {
        return wrong(format!("{}.project", window.place()), PolicyProblem::Name);
    }
    if window.from >= window.until {
        return wrong(window.place(), PolicyProblem::Over);
    }
    let place = format!("{}.nodes", window.place());
    if window.nodes.is_empty() {
        return wrong(place, PolicyProblem::Zero);
    }
    at_most(&place, window.nodes.len(), NODES_MAX)?;
    let mut seen = BTreeSet::new();
    match window.nodes.iter().find(|node| !seen.insert(*node)) {
        Some(node) => wrong(place, PolicyProblem::Twice { node: node.clone() }),
        None => Ok(()),
    }
}

/// Nothing that runs on a node may still run when the window begins, unless it may run in it.
fn is_free(window: &PolicyWindow<'_>, name: &str, state: &State) -> Checked {
    let place = || format!("{}.nodes", window.place());
    let Some(node) = state.node_named(name).map(|node| node.id) else {
        return wrong(place(), PolicyProblem::NoSuchNode { name: name.to_owned() });
    };
    // One that is in force, as it is, was free when it came.
    if state.policy().windows().any(|known| known == *window) {
        return Ok(());
    }
    let longest =
        holders(state, node).filter(|(project, _, until)| Some(*project) != window.project && *until > window.from);
    match longest.max_by_key(|(.., until)| *until) {
        Some((_, workload, until)) => {
            wrong(place(), PolicyProblem::Occupied { node: name.to_owned(), workload, until })
        }
        None => Ok(()),
    }
}

/// Whose leases are on a node, and until when each may run.
fn holders(state: &State, node: NodeId) -> impl Iterator<Item = (&str, eaf_model::WorkloadId, Time)> {
    let on_it = move |tasks: &[eaf_model::Allotment]| tasks.iter().any(|task| task.node == node);
    let there = state.index.releases.iter().filter(move |(_, _, tasks)| on_it(tasks));
    there.filter_map(|(until, lease, _)| {
        let workload = state.workload(state.lease(lease)?.workload)?;
        Some((workload.spec.project.as_str(), workload.id, until))
    })
}
