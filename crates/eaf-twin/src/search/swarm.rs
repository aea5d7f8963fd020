//! What a seed may do: swarm style, each seed has its own few faults and features.
//!
//! What: a draw of what is on. Why not everything in every seed: faults hide each other, and a seed with few of them goes
//! deeper (Groce and others, "Swarm Testing", 2012). Absent: when each happens.

use crate::draw::Draw;

/// Something that a seed may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Fail,
    Destroy,
    Silence,
    Kill,
    EngineLost,
    Doubles,
    Delays,
    Loses,
    Slow,
    FailsModes,
    Foreign,
    CrashNow,
    CrashBeforeAppend,
    CrashAfterAppend,
    CrashAfterEffects,
    PowerNow,
    PowerInWrite,
    DiskError,
    DiskFull,
    ClockBack,
    ClockAhead,
    Cancel,
    Cordon,
    Remove,
    Join,
    Change,
    Set,
    Snapshot,
    Prune,
    Explain,
    WhatIf,
    Mode,
    Policy,
}

/// A trait that workloads of a seed may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trait {
    Gang,
    Array,
    AfterOk,
    AfterAny,
    Share,
    Model,
    Slice,
    Priority,
    Retries,
    Fails,
    Expires,
    Key,
    Wall,
    Endless,
    Stubborn,
    SlowStart,
    Preemptible,
    Odd,
    Checkpoints,
    Project,
}

const FAULTS: [Kind; 21] = [
    Kind::Fail,
    Kind::Destroy,
    Kind::Silence,
    Kind::Kill,
    Kind::EngineLost,
    Kind::Doubles,
    Kind::Delays,
    Kind::Loses,
    Kind::Slow,
    Kind::FailsModes,
    Kind::Foreign,
    Kind::CrashNow,
    Kind::CrashBeforeAppend,
    Kind::CrashAfterAppend,
    Kind::CrashAfterEffects,
    Kind::PowerNow,
    Kind::PowerInWrite,
    Kind::DiskError,
    Kind::DiskFull,
    Kind::ClockBack,
    Kind::ClockAhead,
];

const DEEDS: [Kind; 12] = [
    Kind::Cancel,
    Kind::Cordon,
    Kind::Remove,
    Kind::Join,
    Kind::Change,
    Kind::Set,
    Kind::Snapshot,
    Kind::Prune,
    Kind::Explain,
    Kind::WhatIf,
    Kind::Mode,
    Kind::Policy,
];

const TRAITS: [Trait; 20] = [
    Trait::Gang,
    Trait::Array,
    Trait::AfterOk,
    Trait::AfterAny,
    Trait::Share,
    Trait::Model,
    Trait::Slice,
    Trait::Priority,
    Trait::Retries,
    Trait::Fails,
    Trait::Expires,
    Trait::Key,
    Trait::Wall,
    Trait::Endless,
    Trait::Stubborn,
    Trait::SlowStart,
    Trait::Preemptible,
    Trait::Odd,
    Trait::Checkpoints,
    Trait::Project,
];

/// The fewest faults that a seed has on.
const FAULTS_MIN: usize = 4;

/// What is on.
#[derive(Clone, Debug)]
pub(super) struct Swarm {
    /// Faults and deeds.
    pub(super) kinds: Vec<Kind>,
    traits: Vec<Trait>,
}

impl Swarm {
    pub(super) fn draw(draw: &mut Draw) -> Self {
        // Some seeds have few faults, some nearly all of them.
        let (chance, of) = [(1, 4), (2, 4), (3, 4)][usize::try_from(draw.below(3)).unwrap_or(0)];
        let mut kinds: Vec<Kind> = FAULTS.into_iter().filter(|_| draw.below(of) < chance).collect();
        while kinds.len() < FAULTS_MIN {
            kinds.extend(draw.pick(&FAULTS).filter(|kind| !kinds.contains(kind)).copied());
        }
        kinds.extend(DEEDS.into_iter().filter(|_| draw.one_in(2)).collect::<Vec<_>>());
        Self { kinds, ..Self::plain(draw) }
    }

    /// Without faults and deeds.
    pub(super) fn plain(draw: &mut Draw) -> Self {
        Self { kinds: Vec::new(), traits: TRAITS.into_iter().filter(|_| draw.one_in(2)).collect() }
    }

    /// True where a trait is on.
    pub(super) fn is_on(&self, what: Trait) -> bool {
        self.traits.contains(&what)
    }

    /// True where a trait is on, once in so many times.
    pub(super) fn has(&self, what: Trait, draw: &mut Draw, chances: u64) -> bool {
        self.traits.contains(&what) && draw.one_in(chances)
    }
}
