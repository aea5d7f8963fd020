//! Queue policies by name, for replays side by side.
//!
//! What: each name stands for settings of the core and for what the core is told of durations. Why settings alone: a
//! policy that is measured here is one that a factory can be run by. Absent: rules; they are the scheduler's.

use super::{Options, WallTimes};
use eaf_model::{MEMBER_MAX, Order, Passing, Placing, QueueSettings, Span};

/// A queue policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    /// By age; the head blocks.
    Fifo,
    /// By age; what fits passes.
    FifoSkip,
    /// The shortest wall time first; the head blocks. Durations are known.
    Sjf,
    /// The shortest wall time first; what fits passes. Durations are known.
    SjfSkip,
    /// The least attained service; what fits passes, and everybody may be stopped for others at any time.
    Las,
    /// The factory's default, with everybody preemptible.
    Eaf,
}

impl Policy {
    /// Every policy, with the name that it is asked for by.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Fifo, "fifo"),
        (Self::FifoSkip, "fifo-skip"),
        (Self::Sjf, "sjf"),
        (Self::SjfSkip, "sjf-skip"),
        (Self::Las, "las"),
        (Self::Eaf, "eaf"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(policy, _)| *policy == self).map_or("", |(_, name)| name)
    }

    /// Sets a replay up for it. Nobody becomes the head by waiting long, and a pass is as long as it need be, so that
    /// figures are those of the policy alone.
    pub fn apply(self, placing: Placing, options: &mut Options) {
        let (order, passing) = match self {
            Self::Fifo => (Order::Fifo, Passing::Strict),
            Self::FifoSkip => (Order::Fifo, Passing::Skip),
            Self::Sjf => (Order::Sjf, Passing::Strict),
            Self::SjfSkip => (Order::Sjf, Passing::Skip),
            Self::Las => (Order::Las, Passing::Skip),
            Self::Eaf => (Order::default(), Passing::default()),
        };
        let queue = QueueSettings { order, passing, placing, head_after: Span::ZERO, ..QueueSettings::default() };
        options.settings.queue = queue;
        if self == Self::Las {
            options.settings.queue.preempt_after = Span::ZERO;
        }
        options.preemptible = matches!(self, Self::Las | Self::Eaf);
        options.settings.limits.preemptions_max = u32::MAX;
        options.settings.limits.grants_per_plan_max = MEMBER_MAX.into();
        options.settings.limits.shapes_per_plan_max = u32::MAX;
        if matches!(self, Self::Sjf | Self::SjfSkip) {
            options.wall_times = WallTimes::Exact;
        }
    }
}
