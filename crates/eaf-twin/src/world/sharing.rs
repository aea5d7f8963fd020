//! What the reference model says of shares and windows.
//!
//! What: no grant brings a share above its maximum, and whoever makes room for another share's work held more than its own
//! guarantee; nothing may run into a window that is
//! not its own. Why counted anew each time: the model has no index that could be wrong. Absent: who goes first.

use super::reference::{Checked, Reference, broken};
use eaf_core::Step;
use eaf_model::{Allotment, Event, LeaseId, NodeId, Policy, PolicyWindow, Reason, WorkloadId};
use std::collections::BTreeMap;

/// A share and those that it is a part of.
fn way_up<'a>(policy: &'a Policy, project: &'a str) -> Vec<&'a str> {
    let mut way = Vec::new();
    let mut at = policy.shares.contains_key(project).then_some(project);
    while let Some(name) = at.filter(|_| way.len() < policy.shares.len()) {
        way.push(name);
        at = policy.shares.get(name).and_then(|share| share.parent.as_deref());
    }
    way
}

/// Whose share gives where one project makes room for another: the one below the share that both are a part of. `None` where that is
/// the same; a project without a share is guaranteed nothing.
fn giver(policy: &Policy, (theirs, ours): (String, String)) -> Option<String> {
    let ours = way_up(policy, &ours);
    way_up(policy, &theirs).into_iter().rfind(|share| !ours.contains(share)).map(str::to_owned)
}

/// Who was told to leave for whom.
pub(super) fn told(step: &Step) -> Vec<(LeaseId, WorkloadId)> {
    let told = step.events.iter().filter_map(|event| match event {
        Event::LeaseStopping { lease, reason: Reason::Preempted { by }, .. } => Some((*lease, *by)),
        _ => None,
    });
    told.collect()
}

impl Reference {
    fn model_of(&self, node: NodeId, board: u16) -> Option<String> {
        let spec = self.spec_of(node)?;
        spec.accelerators.get(usize::from(board)).map(|one| one.model.clone())
    }

    /// What each share holds of each model, in thousandths, without leases that were told to leave for others.
    fn held_by_share(&self) -> BTreeMap<(String, String), u64> {
        let mut held = BTreeMap::new();
        for (key, part) in self.held_parts() {
            let Some(project) = self.project_of(key.lease).filter(|_| !self.is_leaving(key.lease)) else { continue };
            for one in &part.accelerators {
                let Some(model) = self.model_of(part.node, one.index) else { continue };
                for share in way_up(&self.policy, &project) {
                    *held.entry((share.to_owned(), model.clone())).or_default() += one.share.0;
                }
            }
        }
        held
    }

    /// Behind a grant no share holds more than its maximum of a model that the grant is of.
    pub(super) fn within_maximum(&self, lease: LeaseId, parts: &[Allotment]) -> Checked {
        if !self.policy.has_shares() {
            return Ok(());
        }
        let (held, project) = (self.held_by_share(), self.project_of(lease).unwrap_or_default());
        for part in parts {
            for model in part.accelerators.iter().filter_map(|one| self.model_of(part.node, one.index)) {
                for share in way_up(&self.policy, &project) {
                    let quota = self.policy.shares[share].accelerators.get(&model);
                    let Some(maximum) = quota.and_then(|quota| quota.maximum) else { continue };
                    let has = held.get(&(share.to_owned(), model.clone())).copied().unwrap_or(0);
                    if has > u64::from(maximum) * 1_000 {
                        let what = format!("{lease} brings {share} to {has} of {model}, and {maximum}000 is its most");
                        return broken("no share is granted more than its maximum", what);
                    }
                }
            }
        }
        Ok(())
    }

    /// Nothing is granted that may still run on a node while that is kept for others.
    pub(super) fn outside_windows(&self, step: &Step) -> Checked {
        let windows: Vec<_> = self.policy.windows().collect();
        for event in step.events.iter().filter(|_| !windows.is_empty()) {
            let Event::LeaseGranted { lease, workload, placement, .. } = event else { continue };
            let (project, until) = (self.project_of_workload(*workload), step.at.after(self.wall_of(*workload)));
            for part in &placement.tasks {
                let name = self.spec_of(part.node).map(|spec| spec.name.as_str()).unwrap_or_default();
                let is_kept = |window: &PolicyWindow<'_>| {
                    let meets = window.from < until && window.until > step.at;
                    let theirs = window.project.is_none() || window.project != project.as_deref();
                    meets && theirs && window.nodes.iter().any(|node| node == name)
                };
                if windows.iter().any(is_kept) {
                    let what =
                        format!("{lease} of {workload} may run on {name} until {until:?}, which is kept for others");
                    return broken("no reservation is broken", what);
                }
            }
        }
        Ok(())
    }

    /// Those that are told to leave for another share's work leave a share that has more than it is guaranteed.
    pub(super) fn only_what_is_borrowed(&self, told: &[(LeaseId, WorkloadId)]) -> Checked {
        if !self.policy.has_shares() || told.is_empty() {
            return Ok(());
        }
        let mut held = self.held_by_share();
        let projects = |lease: LeaseId, by: WorkloadId| {
            (self.project_of(lease).unwrap_or_default(), self.project_of_workload(by).unwrap_or_default())
        };
        // What makes room for work of its own share leaves that as much as before.
        for (lease, _) in told.iter().filter(|(lease, by)| giver(&self.policy, projects(*lease, *by)).is_none()) {
            for share in way_up(&self.policy, &self.project_of(*lease).unwrap_or_default()) {
                for (model, has) in self.held_with(&held, share, *lease) {
                    held.insert((share.to_owned(), model), has);
                }
            }
        }
        // Put back from the last to the first, each finds what there was when it was told.
        for (lease, by) in told.iter().rev() {
            let Some(giver) = giver(&self.policy, projects(*lease, *by)) else { continue };
            let models: Vec<String> =
                held.keys().filter(|(share, _)| *share == giver).map(|(_, model)| model.clone()).collect();
            let before = self.held_with(&held, &giver, *lease);
            let is_beyond = models.iter().chain(before.keys()).any(|model| {
                let quota = self.policy.shares[&giver].accelerators.get(model);
                let guaranteed = quota.map_or(0, |quota| u64::from(quota.guaranteed) * 1_000);
                before.get(model).is_some_and(|has| *has > guaranteed)
            });
            if !is_beyond {
                let what = format!("{lease} of {giver}, which holds no more than its own, leaves for {by}");
                return broken("a share within its guarantee is not disturbed", what);
            }
            for (model, has) in before {
                held.insert((giver.clone(), model), has);
            }
        }
        Ok(())
    }

    /// What a share holds of each model, with a lease that was told to leave.
    fn held_with(&self, held: &BTreeMap<(String, String), u64>, share: &str, lease: LeaseId) -> BTreeMap<String, u64> {
        let mut of: BTreeMap<String, u64> =
            held.iter().filter(|((name, _), _)| name == share).map(|((_, model), has)| (model.clone(), *has)).collect();
        for (_, part) in self.held_parts().filter(|(key, _)| key.lease == lease) {
            for one in &part.accelerators {
                if let Some(model) = self.model_of(part.node, one.index) {
                    *of.entry(model).or_default() += one.share.0;
                }
            }
        }
        of
    }
}
