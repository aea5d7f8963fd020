//! One planning pass.
//!
//! What: who starts now and where, and the promise to the first who cannot. The order is that of the queue. The first
//! workload that does not fit becomes the head and gets a hold: the earliest time at which enough comes back, with a
//! placement. Others may start now only where they delay that by nothing: they end before it, or leave what it needs
//! (EASY backfill; Lifka, "The ANL/IBM SP scheduling system", 1995). Why that bounds starvation: every workload becomes
//! the head in its turn, and a head's time never moves back.
//! Why it is cheap: a shape that finds no place is passed over whole, so a pass costs what it grants and the shapes it
//! meets, never the length of the queue. A pass that meets a bound ends early rather than out of order.
//! Where the settings say so, nobody passes the first that cannot start, or whatever fits does; but one that has waited too
//! long is promised its start even then.
//! Absent: the order (`order`), who stops for whom (`preempt`), and memory of the last pass.

use crate::capacity::NodeCapacity;
use crate::forecast::{Forecast, forecast_between};
use crate::order::Place;
use crate::place::Chooser;
use crate::preempt::{Claim, Soon};
use crate::scores::{Scores, Side};
use crate::shares::{Admitted, Shares};
use crate::turns::Turns;
use crate::valuation::Basis;
use crate::{Fleet, Queue, Releases, Running, Shape, Windows};
use eaf_model::{Allotment, NodeId, Passing, Placement, Placing, Time, WorkloadId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most classes of nodes that are alike that one pass looks at, over all shapes; it ends after the shape that goes
/// beyond. Only fleets where nearly every node differs and nearly nothing fits come near it.
const LOOKS_MAX: u32 = 65_536;

/// Everything that a pass looks at. A clone is O(1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The time of the pass.
    pub now: Time,
    /// What is free.
    pub fleet: Fleet,
    /// Who waits.
    pub queue: Queue,
    /// When what is held is expected back.
    pub releases: Releases,
    /// What placement reasons from; without it, nodes with the least left are taken.
    pub basis: Option<Arc<Basis>>,
    /// What may be stopped for others.
    pub running: Running,
    /// Who has which part of the fleet.
    pub shares: Arc<Shares>,
    /// Which nodes are kept for somebody, and when.
    pub windows: Windows,
    /// The most grants of one pass.
    pub grants_max: u32,
    /// The most shapes that one pass meets. Shapes beyond it are not tried for backfill.
    pub shapes_max: u32,
    /// Who may go before one that cannot start.
    pub passing: Passing,
    /// By which rule nodes are chosen.
    pub placing: Placing,
}

/// What a pass decided. It was cut short at `grants_max` where there are that many grants; another pass goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Who starts now, in queue order.
    pub grants: Vec<Grant>,
    /// The promise to the first who cannot start now.
    pub hold: Option<Hold>,
    /// For whom others must stop, or are stopping already, in queue order.
    pub claims: Vec<Claim>,
}

/// A workload starts now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whose.
    pub workload: WorkloadId,
    /// Where.
    pub placement: Placement,
}

/// The planned start of a waiting workload, which backfill may not delay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Whose.
    pub workload: WorkloadId,
    /// When, at the latest, if everything that runs ends within its wall time and nothing of a higher priority comes.
    pub at: Time,
    /// Where.
    pub placement: Placement,
}

/// Plans one pass. The same snapshot gives the same plan. O(shapes met + grants), logarithmic in nodes and in waiting
/// workloads; the hold adds the leases that it waits for.
/// `scores` is what the caller remembers from pass to pass; an empty one gives the same plan.
pub fn plan(snapshot: &Snapshot, scores: &mut Scores) -> Plan {
    pass(snapshot, scores, false).0
}

/// The first workload that cannot start, and the time before which it does not, whether or not that is a promise.
pub(crate) type Head = Option<(WorkloadId, Time)>;

/// The same with what is only for people: the head of a queue in which nobody passes.
pub(crate) fn plan_with_head(snapshot: &Snapshot, scores: &mut Scores) -> (Plan, Head) {
    pass(snapshot, scores, true)
}

fn pass(snapshot: &Snapshot, scores: &mut Scores, is_explained: bool) -> (Plan, Head) {
    let mut pass = Pass {
        snapshot,
        is_explained,
        fleet: snapshot.fleet.clone(),
        shares: Shares::clone(&snapshot.shares),
        plan: Plan::default(),
        ends: Vec::new(),
        head: None,
        shadow: None,
        soon: None,
        chooser: Chooser { rule: snapshot.placing, basis: snapshot.basis.as_ref(), scores, looks: 0 },
    };
    let mut turns = Turns::new(&snapshot.queue, &snapshot.fleet, &snapshot.shares, snapshot.shapes_max);
    let is_open = |pass: &Pass<'_>| {
        let made = pass.plan.grants.len() + pass.plan.claims.len();
        made < snapshot.grants_max as usize && pass.chooser.looks < LOOKS_MAX
    };
    while is_open(&pass) {
        let Some((turn, shape)) = turns.next(&snapshot.fleet, &pass.shares) else { break };
        match pass.consider(&turn, shape) {
            Verdict::Starts => turns.again(),
            Verdict::Waits => {}
            Verdict::LetsNobodyPass => break,
        }
    }
    (pass.plan, pass.head)
}

enum Verdict {
    /// It does, or will as soon as others have stopped for it; the next of its shape has its turn.
    Starts,
    Waits,
    LetsNobodyPass,
}

struct Pass<'a> {
    snapshot: &'a Snapshot,
    is_explained: bool,
    /// What is free once the grants so far are made.
    fleet: Fleet,
    /// What projects have once they are.
    shares: Shares,
    plan: Plan,
    /// When each grant so far ends.
    ends: Vec<Time>,
    head: Head,
    shadow: Option<Shadow>,
    /// Set once somebody was looked at for whom others may stop.
    soon: Option<Soon>,
    chooser: Chooser<'a>,
}

/// What the head's hold leaves to workloads that would still run when it begins.
struct Shadow {
    /// When the hold begins.
    at: Time,
    /// What will be left beside the hold, at that time, on the nodes that it needs.
    left: BTreeMap<NodeId, NodeCapacity>,
    /// What is free both now and beside the hold.
    fleet: Fleet,
}

impl Pass<'_> {
    fn consider(&mut self, turn: &Place, shape: &Shape) -> Verdict {
        match self.shares.admit(&self.snapshot.fleet, shape) {
            Admitted::As(shape) => self.seat(turn, shape),
            Admitted::On(shape) => self.seat(turn, &shape),
            // What its share does not give it comes back from its own work, and keeps nobody else from starting.
            Admitted::No => Verdict::Waits,
        }
    }

    /// Starts one that its share lets start, or promises it a start.
    fn seat(&mut self, turn: &Place, shape: &Shape) -> Verdict {
        let end = self.snapshot.now.after(shape.wall);
        let (side, free) = match &self.shadow {
            Some(shadow) if end > shadow.at => (Side::Beside, &shadow.fleet),
            _ => (Side::Free, &self.fleet),
        };
        let closed = self.snapshot.windows.close(free, shape.project.as_deref(), self.snapshot.now, end);
        if let Some(placement) = self.chooser.place(side, closed.as_ref().unwrap_or(free), shape) {
            self.grant(turn.workload(), shape, placement, end);
            return Verdict::Starts;
        }
        if self.claim(turn, shape) {
            return Verdict::Starts;
        }
        match self.snapshot.passing {
            Passing::Strict => self.block(turn.workload(), shape),
            _ if self.shadow.is_some() => Verdict::Waits,
            Passing::Skip if !turn.is_aged() => Verdict::Waits,
            // What is claimed comes back within a grace, and then there is another pass to promise in.
            _ if !self.plan.claims.is_empty() && self.fleet.ready_fit(shape) => Verdict::LetsNobodyPass,
            _ => self.promise(turn.workload(), shape),
        }
    }

    /// Others stop for it, or are stopping already. What it will take is kept for it.
    fn claim(&mut self, turn: &Place, shape: &Shape) -> bool {
        let snapshot = self.snapshot;
        let is_idle = if self.shares.is_empty() {
            snapshot.running.is_idle_for(turn.class(snapshot.queue.order()))
        } else {
            snapshot.running.is_idle()
        };
        if is_idle {
            return false;
        }
        let soon = self.soon.get_or_insert_with(|| Soon::new(snapshot, &self.fleet));
        let kept = self.shadow.iter().flat_map(|shadow| shadow.left.keys());
        let Some(claim) = soon.claim(snapshot, &mut self.shares, self.plan.grants.len(), turn, shape, kept) else {
            return false;
        };
        self.shares.take(shape.project.as_deref(), &self.fleet, &claim.placement);
        for task in &claim.placement.tasks {
            let left = soon.fleet.get(task.node).expect("a claimed node is in the fleet");
            self.fleet.limit(task.node, left);
            if let Some(shadow) = &mut self.shadow {
                shadow.fleet.limit(task.node, left);
            }
        }
        self.plan.claims.push(claim);
        true
    }

    /// Nobody passes the first workload that does not fit.
    fn block(&mut self, workload: WorkloadId, shape: &Shape) -> Verdict {
        if !self.fleet.ready_fit(shape) {
            return Verdict::Waits;
        }
        if self.is_explained {
            self.head = match self.forecast(shape) {
                Forecast::Fits { at, .. } | Forecast::NotBefore(at) => Some((workload, at)),
                Forecast::Never => Some((workload, Time::NEVER)),
            };
        }
        Verdict::LetsNobodyPass
    }

    fn grant(&mut self, workload: WorkloadId, shape: &Shape, placement: Placement, end: Time) {
        self.shares.take(shape.project.as_deref(), &self.fleet, &placement);
        for task in &placement.tasks {
            self.fleet.hold(task);
            if let Some(soon) = &mut self.soon {
                soon.fleet.hold(task);
            }
            if let Some(shadow) = &mut self.shadow {
                shadow.hold(task, end, &self.fleet);
            }
        }
        self.ends.push(end);
        self.plan.grants.push(Grant { workload, placement });
    }

    /// Makes the first workload that does not fit the head of the queue.
    fn promise(&mut self, workload: WorkloadId, shape: &Shape) -> Verdict {
        // What the ready nodes could not hold even empty waits for nodes, and keeps nobody from starting.
        if !self.fleet.ready_fit(shape) {
            return Verdict::Waits;
        }
        match self.forecast(shape) {
            Forecast::Fits { at, placement, left } => {
                let mut fleet = self.fleet.clone();
                for (node, left) in &left {
                    fleet.limit(*node, left);
                }
                self.shadow = Some(Shadow { at, left, fleet });
                self.head = Some((workload, at));
                self.plan.hold = Some(Hold { workload, at, placement });
                Verdict::Waits
            }
            Forecast::NotBefore(at) => {
                self.head = Some((workload, at));
                Verdict::LetsNobodyPass
            }
            // Held by something that no lease gives back; there is no time to keep free for it.
            Forecast::Never => Verdict::Waits,
        }
    }

    fn forecast(&self, shape: &Shape) -> Forecast {
        let (windows, now) = (&self.snapshot.windows, self.snapshot.now);
        forecast_between(windows, &self.fleet, now, || self.returns(), shape)
    }

    /// What comes back, by rising time: what was held before the pass, and what the pass has granted.
    fn returns(&self) -> impl Iterator<Item = (Time, &[Allotment])> {
        let mut granted: Vec<_> = self.ends.iter().copied().zip(&self.plan.grants).collect();
        granted.sort_by_key(|(end, _)| *end);
        let mut granted = granted.into_iter().map(|(end, grant)| (end, grant.placement.tasks.as_slice())).peekable();
        let mut held = self.snapshot.releases.iter().map(|(at, _, tasks)| (at, tasks.as_ref())).peekable();
        std::iter::from_fn(move || match (held.peek(), granted.peek()) {
            (Some((held_at, _)), Some((end, _))) if end < held_at => granted.next(),
            (None, _) => granted.next(),
            _ => held.next(),
        })
    }
}

impl Shadow {
    /// A grant takes its part of what is free now (`fleet`, where it is already held) and, where it lasts beyond the
    /// beginning of the hold, of what is left beside that.
    fn hold(&mut self, task: &Allotment, end: Time, fleet: &Fleet) {
        let Some(left) = self.left.get_mut(&task.node) else {
            self.fleet.hold(task);
            return;
        };
        if end > self.at {
            left.hold(task);
        }
        self.fleet.limit(task.node, fleet.get(task.node).expect("a granted node is in the fleet"));
        self.fleet.limit(task.node, left);
    }
}
