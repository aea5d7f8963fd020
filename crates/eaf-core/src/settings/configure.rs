//! `Configure`: an operator's settings come into force.
//!
//! What: a change is an event, so that history keeps the figures that it was made with. Absent: a change that history
//! would notice; a bill keeps its own rates.

use crate::draft::Draft;
use eaf_model::{Event, PartitionMode, Rejection, Settings, SliceProfile, Span, WHOLE_MODE};

pub(crate) fn configure(draft: &mut Draft<'_>, settings: &Settings) -> Result<(), Rejection> {
    if let Some(field) = settings_problem(settings) {
        return Err(Rejection::SettingsInvalid { field: field.to_owned() });
    }
    if *draft.settings() != *settings {
        draft.emit(Event::Configured(Box::new(settings.clone())));
    }
    Ok(())
}

/// The most that an accelerator may be worth, in thousandths of an H100.
const EXCHANGE_MAX: u64 = 1_000_000_000;
/// The most planned starts that one pass keeps.
const HOLDS_MAX: u32 = 64;
/// The most places of a mode.
const SLOTS_MAX: u8 = 32;

/// A mode has a name of its own, slices lie within its places, and no way of filling it comes to more than a whole.
fn is_lawful(mode: &PartitionMode, all: &[PartitionMode]) -> bool {
    let alone = all.iter().filter(|other| other.name == mode.name).count() == 1;
    let named = |name: &str| (1..=64).contains(&name.len()) && !name.chars().any(char::is_control);
    let fits = |slice: &SliceProfile| {
        let rising = slice.starts.windows(2).all(|pair| pair[0] < pair[1]);
        let within = slice.starts.iter().all(|start| u32::from(*start) + u32::from(slice.slots) <= mode.slots.into());
        named(&slice.profile) && slice.slots > 0 && !slice.share.is_zero() && rising && within
    };
    let lawful = alone && named(&mode.name) && mode.name != WHOLE_MODE && (1..=SLOTS_MAX).contains(&mode.slots);
    lawful && mode.slices.iter().all(fits) && fullest(mode) <= 1_000
}

/// The most that slices which may coexist come to, in thousandths: from place to place, the best so far.
fn fullest(mode: &PartitionMode) -> u64 {
    let mut best = vec![0_u64; usize::from(mode.slots) + 1];
    for start in 0..mode.slots {
        let at = usize::from(start);
        best[at + 1] = best[at + 1].max(best[at]);
        for slice in mode.slices.iter().filter(|slice| slice.starts.contains(&start)) {
            let end = at + usize::from(slice.slots);
            best[end] = best[end].max(best[at].saturating_add(slice.share.0));
        }
    }
    best[usize::from(mode.slots)]
}

/// The setting that cannot be used as it is; `None` where all hold together.
pub fn settings_problem(settings: &Settings) -> Option<&'static str> {
    let (limits, timing) = (&settings.limits, &settings.timing);
    if limits.array_max > u32::from(eaf_model::MEMBER_MAX) || limits.array_max == 0 {
        return Some("limits.array_max");
    }
    if limits.grants_per_plan_max == 0 || limits.grants_per_plan_max > u32::from(eaf_model::MEMBER_MAX) {
        return Some("limits.grants_per_plan_max");
    }
    if limits.shapes_per_plan_max == 0 {
        return Some("limits.shapes_per_plan_max");
    }
    if timing.wall_time_default > timing.wall_time_max || timing.wall_time_default == Span::ZERO {
        return Some("timing.wall_time_default");
    }
    if timing.stop_grace_default > timing.stop_grace_max {
        return Some("timing.stop_grace_default");
    }
    if timing.start_timeout == Span::ZERO {
        return Some("timing.start_timeout");
    }
    if timing.mode_change_timeout == Span::ZERO {
        return Some("timing.mode_change_timeout");
    }
    if !settings.partitions.models.values().all(|modes| modes.iter().all(|mode| is_lawful(mode, modes))) {
        return Some("partitions");
    }
    if settings.exchange.h100_milli.values().any(|milli| *milli > EXCHANGE_MAX) {
        return Some("exchange.h100_milli");
    }
    if settings.queue.level_service == Span::ZERO {
        return Some("queue.level_service");
    }
    if settings.queue.level_ratio < 2 {
        return Some("queue.level_ratio");
    }
    if !(1..=HOLDS_MAX).contains(&settings.queue.holds) {
        return Some("queue.holds");
    }
    if !matches!(settings.carbon.milligrams_per_kwh.len(), 0 | 288) {
        return Some("carbon.milligrams_per_kwh");
    }
    None
}
