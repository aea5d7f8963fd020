//! The quiet end: faults are over, and everything that was promised must come to its end.
//!
//! What: mends what is broken, lets time pass, and asks whether anything waits for ever. Why what is impossible is
//! cancelled: a node that left may have been the only one that could hold it, and nobody owes it an end. Absent: force.

use super::engine::Reach;
use super::{Modes, World};
use eaf_core::Violation;
use eaf_model::{Input, NodeState, Policy, Span, WorkloadId, WorkloadState};

/// How long, in virtual time, a drain may take.
const PATIENCE: Span = Span::from_secs(400 * 86_400);
/// How long, in virtual time, the world is watched when nothing is left.
const AFTERMATH: Span = Span::from_secs(300);

/// The most turns of a drain: whoever wants more of them goes round in circles.
const TURNS_MAX: u32 = 20_000;
/// How often an operator brings back accelerators that are out of service; after that, what waits for them is given up.
const REPAIRS_MAX: u32 = 8;

impl World {
    /// Ends every fault and lets everything come to its end.
    pub(super) fn drain(&mut self) -> Result<(), Violation> {
        self.mend()?;
        let until = self.now.after(PATIENCE);
        let mut repairs = 0;
        loop {
            let mut turns = 0;
            while self.reference.unended().next().is_some() && self.next(until)? {
                turns += 1;
                if turns == TURNS_MAX {
                    let what = format!("more than {TURNS_MAX} turns, the last at {}", self.now.0);
                    return Err(Violation { rule: "nothing waits for ever", what });
                }
            }
            if self.reference.unended().next().is_none() {
                break;
            }
            repairs += 1;
            if self.now >= until || repairs > REPAIRS_MAX || !self.repair_modes()? {
                self.give_up_the_impossible()?;
            }
        }
        self.advance(AFTERMATH)?;
        self.nothing_is_left()
    }

    fn mend(&mut self) -> Result<(), Violation> {
        self.armed = None;
        self.modes = Modes::default();
        self.restart()?;
        self.disk_is_well();
        self.engine.unreachable = false;
        let down: Vec<String> = self.nodes().filter(|(_, up)| !up).map(|(name, _)| name.to_owned()).collect();
        for name in down {
            let acts = self.bring_up(&name);
            self.act(acts)?;
        }
        self.reachable();
        self.settle_down()?;
        let cordoned = self.state().nodes().filter(|(_, node)| node.cordoned.is_some()).map(|(id, _)| *id);
        for node in cordoned.collect::<Vec<_>>() {
            self.ask(Input::Uncordon { node })?;
        }
        self.let_all_start()
    }

    /// The policy in force stays, with the order between shares and all that they may ask back of each other, without what may
    /// keep a workload from ever starting: nobody owes an end to one that asks for more than a maximum, or for nodes that are
    /// kept for others. Where so much has left that guarantees no longer fit into the fleet, they go as well.
    fn let_all_start(&mut self) -> Result<(), Violation> {
        let mut policy = self.state().policy().clone();
        policy.reservations.clear();
        policy.maintenance.clear();
        for quota in policy.shares.values_mut().flat_map(|share| share.accelerators.values_mut()) {
            (quota.maximum, quota.borrowable) = (None, None);
        }
        if !self.apply_policy(policy.clone())? {
            policy.shares.values_mut().for_each(|share| share.accelerators.clear());
            if !self.apply_policy(policy)? {
                let what = "a policy without quotas and windows is refused".to_owned();
                return Err(Violation { rule: "a policy that binds nobody can be applied", what });
            }
        }
        Ok(())
    }

    /// False where the policy is refused.
    fn apply_policy(&mut self, policy: Policy) -> Result<bool, Violation> {
        let refusals = self.refusals;
        self.ask(Input::ApplyPolicy { policy: Box::new(policy), by: "the quiet end".to_owned() })?;
        self.settle_down()?;
        Ok(self.refusals == refusals)
    }

    /// Nothing happens any more and something waits: either it can never start, or it waits for ever.
    fn give_up_the_impossible(&mut self) -> Result<(), Violation> {
        let up = self.engine.nodes.values().filter(|node| node.reach == Reach::Up).count();
        let impossible: Vec<WorkloadId> = {
            let waits = |id: &WorkloadId| self.state().workload(*id).is_some_and(|w| w.state == WorkloadState::Queued);
            let free = |id: &WorkloadId| self.state().waits_for(*id).next().is_none();
            self.reference.unended().filter(|id| waits(id) && free(id) && !self.reference.could_hold(*id)).collect()
        };
        if impossible.is_empty() {
            let stuck = self.reference.unended().next();
            let state = stuck.and_then(|id| self.state().workload(id)).map(|w| (w.state, w.state_reason.clone()));
            let what = format!("{stuck:?} is {state:?}, {up} nodes are up, and nothing more happens");
            return Err(Violation { rule: "nothing waits for ever", what });
        }
        for workload in impossible {
            self.ask(Input::Cancel { workload, by: "what left made it impossible".to_owned() })?;
        }
        self.settle_down()
    }

    fn nothing_is_left(&mut self) -> Result<(), Violation> {
        self.check(true)?;
        let state = self.state();
        let (leases, abandoned) = (state.leases().count(), state.abandoned().count());
        // A node that left while it was being announced may still be in the books, as lost.
        let lost = state.nodes().filter(|(_, node)| node.state() == NodeState::Lost).count();
        let present = self.reference.present();
        if leases + present > 0 || (abandoned > 0 && lost == 0) {
            let what = format!("{leases} leases, {abandoned} abandoned tasks and {present} running tasks are left");
            return Err(Violation { rule: "everything comes to its end", what });
        }
        Ok(())
    }
}
