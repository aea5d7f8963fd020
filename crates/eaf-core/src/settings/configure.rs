//! `Configure`: an operator's settings come into force.
//!
//! What: a change is an event, so that history keeps the figures that it was made with. Absent: a change that history
//! would notice; a bill keeps its own rates.

use crate::draft::Draft;
use eaf_model::{Event, Rejection, Settings, Span};

pub(crate) fn configure(draft: &mut Draft, settings: &Settings) -> Result<(), Rejection> {
    check(settings)?;
    if *draft.settings() != *settings {
        draft.emit(Event::Configured(Box::new(settings.clone())));
    }
    Ok(())
}

fn check(settings: &Settings) -> Result<(), Rejection> {
    let invalid = |field: &str| Err(Rejection::SettingsInvalid { field: field.to_owned() });
    let (limits, timing) = (&settings.limits, &settings.timing);
    if limits.array_max > u32::from(eaf_model::MEMBER_MAX) || limits.array_max == 0 {
        return invalid("limits.array_max");
    }
    if limits.grants_per_plan_max == 0 || limits.grants_per_plan_max > u32::from(eaf_model::MEMBER_MAX) {
        return invalid("limits.grants_per_plan_max");
    }
    if limits.shapes_per_plan_max == 0 {
        return invalid("limits.shapes_per_plan_max");
    }
    if timing.wall_time_default > timing.wall_time_max || timing.wall_time_default == Span::ZERO {
        return invalid("timing.wall_time_default");
    }
    if timing.stop_grace_default > timing.stop_grace_max {
        return invalid("timing.stop_grace_default");
    }
    if timing.start_timeout == Span::ZERO {
        return invalid("timing.start_timeout");
    }
    if settings.queue.level_service == Span::ZERO {
        return invalid("queue.level_service");
    }
    if settings.queue.level_ratio < 2 {
        return invalid("queue.level_ratio");
    }
    if !matches!(settings.carbon.milligrams_per_kwh.len(), 0 | 288) {
        return invalid("carbon.milligrams_per_kwh");
    }
    Ok(())
}
