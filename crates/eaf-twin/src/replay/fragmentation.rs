//! Fragmentation: how much of what is free is free in pieces that whole accelerators cannot be made of.
//!
//! What: of the free accelerator share of ready nodes, the part that a task for one whole accelerator (with its equal part
//! of an empty node's threads and memory) could not take: slivers of shared accelerators, and whole ones whose node has
//! no threads or memory left. Absent: the mix of requests; this is a property of the fleet alone.

use eaf_core::State;
use eaf_model::NodeState;

/// The free share of ready nodes, and how much of it is in unusable pieces; thousandths of an accelerator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Free {
    pub(super) milli: u64,
    pub(super) unusable_milli: u64,
}

/// Looks at every node.
pub(super) fn free(state: &State) -> Free {
    let mut sum = Free::default();
    for (_, node) in state.fleet().nodes() {
        if node.state() != NodeState::Ready {
            continue;
        }
        let (mut boards, mut free, mut whole) = (0_u64, 0_u64, 0_u64);
        for (_, share) in node.accelerators() {
            boards += 1;
            free += share.0;
            whole += u64::from(share.0 == 1_000);
        }
        if boards == 0 {
            continue;
        }
        let by = |free: u64, total: u64| (free * boards).checked_div(total).unwrap_or(boards);
        let usable = whole
            .min(by(node.cpu_free().0, node.cpu_total().0))
            .min(by(node.memory_free().0 >> 20, node.memory_total().0 >> 20));
        sum.milli += free;
        sum.unusable_milli += free - usable * 1_000;
    }
    sum
}
