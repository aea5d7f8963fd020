//! `Submit`: someone asks to run something.
//!
//! What: checked field by field, against the fleet at its emptiest, and against what it depends on; then queued. A second
//! submission with the same idempotency key makes nothing. Absent: placing it; that is the plan's.

use super::{depend, validate};
use crate::draft::Draft;
use crate::index::shape;
use eaf_model::{Event, Rejection, Submission, WorkloadId};
use std::sync::Arc;

/// The most models of the fleet that a refusal names.
const MODELS_NAMED_MAX: usize = 16;

pub(crate) fn submit(draft: &mut Draft<'_>, submission: &Submission) -> Result<(), Rejection> {
    validate::submission(submission, draft.settings())?;
    if let Some(list) = submission.key.as_deref().and_then(|key| draft.remembered_by_key(key)) {
        return same_request(draft, submission, list);
    }
    let limits = &draft.settings().limits;
    let members = submission.array.len().max(1) as u64;
    if draft.live().saturating_add(members) > limits.live_workloads_max {
        return Err(Rejection::QueueFull { max: limits.live_workloads_max });
    }
    if draft.fleet().is_empty() {
        return Err(Rejection::NoNodes);
    }
    let spec = &submission.spec;
    let wall = draft.wall_time_of(spec);
    let earliest = draft.now().after(wall);
    if let Some(deadline) = spec.deadline.filter(|deadline| *deadline <= earliest) {
        return Err(Rejection::DeadlineTooSoon { deadline, earliest });
    }
    let request = &spec.task.accelerators;
    let models = draft.fleet().models();
    if request.count > 0 && !models.iter().any(|model| request.suits(model)) {
        let offered = models.iter().take(MODELS_NAMED_MAX).cloned().collect();
        return Err(Rejection::ModelUnknown { models: request.models.clone(), offered });
    }
    draft.fleet().ever_fits(&shape(spec, wall)).map_err(|largest| Rejection::NeverFits { largest })?;
    let waits_for = depend::waits_for(draft, submission)?;
    let event = Event::WorkloadSubmitted {
        workload: draft.new_workload_id(),
        spec: Arc::new(spec.clone()),
        array: submission.array.clone(),
        waits_for,
        key: submission.key.clone(),
        by: submission.by.clone(),
    };
    draft.emit(event);
    Ok(())
}

/// A key that is known stands for its first request. Where none of it is alive any more, the caller compares the request
/// with the history.
fn same_request(draft: &Draft<'_>, submission: &Submission, list: WorkloadId) -> Result<(), Rejection> {
    let reused = Err(Rejection::KeyReused { workload: list });
    let Some(live) = draft.members(list).next() else {
        return Ok(());
    };
    let kind_differs = live.array_index.is_some() == submission.array.is_empty();
    if *live.spec != submission.spec || kind_differs {
        return reused;
    }
    let foreign = draft.members(list).any(|member| member.array_index.is_some_and(|v| !submission.array.contains(&v)));
    if foreign { reused } else { Ok(()) }
}
