//! Slices of one accelerator: which still fit, and where the next one goes.
//!
//! What: the partition book in the form that the arithmetic needs, the state of one accelerator (its mode and the places
//! that are taken), and the choice of a place. Why one word of bits: a mode has at most 32 places, and whether slices may
//! coexist is whether their places overlap. Absent: which accelerator (`capacity`) and when to change a mode (`modes`).

use eaf_model::{PartitionBook, PartitionMode, SliceProfile, WHOLE_MODE};
use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The modes of each model, besides whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Book(Arc<BTreeMap<String, Arc<[PartitionMode]>>>);

impl Book {
    pub(crate) fn of(book: &PartitionBook) -> Self {
        let models = book.models.iter().map(|(model, modes)| (model.clone(), modes.as_slice().into()));
        Self(Arc::new(models.collect()))
    }

    pub(crate) fn modes(&self, model: &str) -> Arc<[PartitionMode]> {
        self.0.get(model).cloned().unwrap_or_default()
    }
}

/// The modes of each accelerator of a node, by index. They follow from the models, so they take no part in comparing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cuts(pub(crate) Vec<Arc<[PartitionMode]>>);

impl PartialEq for Cuts {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Cuts {}
impl PartialOrd for Cuts {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Cuts {
    fn cmp(&self, _: &Self) -> Ordering {
        Ordering::Equal
    }
}

/// The mode of an accelerator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    #[default]
    Whole,
    /// By its place among the modes of the model.
    Cut(u8),
    /// One that the book does not have: it offers nothing.
    Unknown,
}

impl Mode {
    pub(crate) fn named(name: &str, modes: &[PartitionMode]) -> Self {
        if name == WHOLE_MODE {
            return Self::Whole;
        }
        let at = modes.iter().position(|mode| mode.name == name).and_then(|at| u8::try_from(at).ok());
        at.map_or(Self::Unknown, Self::Cut)
    }

    /// What the book says of it; `None` for whole.
    pub(crate) fn in_book(self, modes: &[PartitionMode]) -> Option<&PartitionMode> {
        match self {
            Self::Cut(at) => modes.get(usize::from(at)),
            Self::Whole | Self::Unknown => None,
        }
    }
}

/// One accelerator: its mode, and what is held of it where it is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Board {
    pub(crate) mode: Mode,
    /// True while it takes no work.
    pub(crate) closed: bool,
    /// The places that are taken, a bit each.
    pub(crate) taken: u32,
}

/// The bits of a slice that begins at a place.
pub(crate) const fn places(start: u8, slots: u8) -> u32 {
    let bits = if slots >= 32 { u32::MAX } else { (1 << slots) - 1 };
    if start >= 32 { 0 } else { bits << start }
}

/// How many slices of a profile can still be put where these places are taken. From the lowest start up is best, as they
/// are of one length.
pub(crate) fn room(profile: &SliceProfile, mut taken: u32) -> u32 {
    let mut room = 0;
    for start in &profile.starts {
        let wanted = places(*start, profile.slots);
        if taken & wanted == 0 {
            taken |= wanted;
            room += 1;
        }
    }
    room
}

/// The start at which a slice leaves the most others placeable; the lowest of several. What is left is counted as the
/// legal starts of every profile of the mode, each by its size: a seat for a half of a board is worth more than one for an
/// eighth. On an empty MIG board the first 1g goes to the last place, where no 2g could begin, as NVIDIA's own tools do.
pub(crate) fn best_start(mode: &PartitionMode, profile: &SliceProfile, taken: u32) -> Option<u8> {
    let free = profile.starts.iter().copied().filter(|start| taken & places(*start, profile.slots) == 0);
    free.min_by_key(|start| (Reverse(worth(mode, taken | places(*start, profile.slots))), *start))
}

/// What is still placeable: legal starts, each by the size of what begins there.
fn worth(mode: &PartitionMode, taken: u32) -> u32 {
    let of = |profile: &SliceProfile| {
        let starts = profile.starts.iter().filter(|start| taken & places(**start, profile.slots) == 0).count();
        u32::try_from(starts).unwrap_or(u32::MAX).saturating_mul(u32::from(profile.slots))
    };
    mode.slices.iter().map(of).fold(0, u32::saturating_add)
}

/// The profile of a mode that a request means.
pub(crate) fn offered<'a>(mode: &'a PartitionMode, slice: &str) -> Option<&'a SliceProfile> {
    mode.slices.iter().find(|profile| profile.is_meant_by(slice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use eaf_model::GpuMilli;

    fn mig() -> PartitionMode {
        let slice = |profile: &str, share, slots, starts: &[u8]| SliceProfile {
            profile: profile.to_owned(),
            share: GpuMilli(share),
            memory: None,
            slots,
            starts: starts.to_vec(),
        };
        let slices = vec![
            slice("1g", 142, 1, &[0, 1, 2, 3, 4, 5, 6]),
            slice("1g.double", 142, 2, &[0, 2, 4, 6]),
            slice("2g", 285, 2, &[0, 2, 4]),
            slice("3g", 428, 4, &[0, 4]),
            slice("4g", 571, 4, &[0]),
            slice("7g", 1_000, 8, &[0]),
        ];
        PartitionMode {
            name: "MIG".to_owned(),
            slots: 8,
            slices,
            scope: eaf_model::ModeScope::Accelerator,
            slices_per_task_max: 1,
        }
    }

    /// Puts these on an empty board, one after the other, and gives their starts.
    fn check(put: &[&str], expect: &[Option<u8>]) {
        let (mode, mut taken) = (mig(), 0);
        let mut got = Vec::new();
        for name in put {
            let profile = mode.slices.iter().find(|profile| profile.profile == *name).unwrap();
            let start = best_start(&mode, profile, taken);
            taken |= start.map_or(0, |start| places(start, profile.slots));
            got.push(start);
        }
        assert_eq!(got, expect, "{put:?}");
    }

    #[test]
    fn a_slice_goes_where_it_spoils_the_least() {
        // The last place serves nothing but a 1g and the double one; then the upper half fills, and a 4g still fits.
        check(&["1g", "1g", "1g", "4g"], &[Some(6), Some(4), Some(5), Some(0)]);
        check(&["3g", "4g"], &[Some(4), Some(0)]);
        check(&["3g", "3g", "1g"], &[Some(4), Some(0), None]);
        check(&["2g", "2g", "2g", "1g", "1g"], &[Some(4), Some(0), Some(2), Some(6), None]);
        check(&["7g", "1g"], &[Some(0), None]);
        check(&["1g", "7g"], &[Some(6), None]);
        check(&["1g"; 8], &[6, 4, 5, 0, 1, 2, 3].map(Some).into_iter().chain([None]).collect::<Vec<_>>());
    }

    #[test]
    fn what_still_fits_is_counted_by_places() {
        let mode = mig();
        let of = |taken| mode.slices.iter().map(|profile| room(profile, taken)).collect::<Vec<_>>();
        assert_eq!(of(0), [7, 4, 3, 2, 1, 1]);
        assert_eq!(of(places(6, 1)), [6, 3, 3, 1, 1, 0]);
        assert_eq!(of(places(0, 4)), [3, 2, 1, 1, 0, 0]);
        assert_eq!(of(places(0, 8)), [0; 6]);
    }
}
