//! `Reported`: an engine observed a task.
//!
//! What: the lease id fences; a report of a task that has moved on, or of a lease that is closed, changes nothing. Times
//! of engines are held between the grant and now. Absent: trust in the order of reports.

use super::settle;
use crate::draft::Draft;
use crate::{Lease, TaskState};
use eaf_model::{CHECKPOINT_LABEL_MAX, Checkpoint, Event, Exit, Rejection, TaskKey, TaskReport, Time, Usage};
use std::sync::Arc;

pub(crate) fn reported(draft: &mut Draft<'_>, key: TaskKey, report: &TaskReport) -> Result<(), Rejection> {
    if let Some(task) = draft.abandoned.get(&key) {
        let node = task.allotment.node;
        return match report {
            TaskReport::Exited { .. } | TaskReport::Unknown => {
                draft.emit(Event::AbandonedTaskGone { key, node });
                Ok(())
            }
            // It still runs there; its stop is owed by state.
            _ => Err(Rejection::StaleReport { lease: key.lease }),
        };
    }
    let stale = Rejection::StaleReport { lease: key.lease };
    let lease = draft.lease(key.lease).cloned().ok_or_else(|| stale.clone())?;
    let task = lease.tasks.get(key.task as usize).ok_or_else(|| stale.clone())?;
    let floor = task.state.started_at().unwrap_or(lease.granted_at);
    match (report, &task.state) {
        (_, TaskState::Exited { .. } | TaskState::Abandoned { .. }) => return Err(stale),
        (TaskReport::Accepted, TaskState::Ordered) => draft.emit(Event::TaskAccepted { key }),
        (TaskReport::Started { at }, TaskState::Ordered | TaskState::Accepted) => {
            started(draft, &lease, key, hold_between(*at, floor, draft.now()));
        }
        (TaskReport::Used { usage }, TaskState::Started { .. }) => {
            let usage = grown(task.usage, *usage);
            if usage == task.usage {
                return Err(stale);
            }
            draft.emit(Event::TaskUsed { key, usage });
        }
        (TaskReport::Checkpointed(checkpoint), TaskState::Started { at: started }) => {
            let at = hold_between(checkpoint.at, *started, draft.now());
            // One that is told late, or again, is older than what is known.
            if task.checkpoint.as_ref().is_some_and(|known| known.at >= at) {
                return Err(stale);
            }
            let label = checkpoint.label.as_deref().map(short_label).filter(|label| !label.is_empty());
            let checkpoint = Checkpoint { at, label, whole_gang: checkpoint.whole_gang };
            draft.emit(Event::TaskCheckpointed { key, checkpoint });
        }
        (TaskReport::Exited { at, exit, usage }, _) => {
            let at = hold_between(*at, floor, draft.now());
            let usage = grown(task.usage, *usage);
            draft.emit(Event::TaskExited { key, at, exit: exit.clone(), usage });
            settle::settle(draft, key.lease);
        }
        // The order has not reached the engine, and is still owed.
        (TaskReport::Unknown, TaskState::Ordered) if lease.stopping.is_none() => {}
        (TaskReport::Unknown, _) => {
            let exit = Exit::Lost("its engine knows nothing of it".to_owned());
            draft.emit(Event::TaskExited { key, at: draft.now(), exit, usage: task.usage });
            settle::settle(draft, key.lease);
        }
        (TaskReport::Accepted | TaskReport::Started { .. }, _) => return Err(stale),
        (TaskReport::Used { .. } | TaskReport::Checkpointed(_), _) => return Err(stale),
    }
    Ok(())
}

fn started(draft: &mut Draft<'_>, lease: &Arc<Lease>, key: TaskKey, at: Time) {
    let others = lease.tasks.iter().zip(0u32..).filter(|(_, rank)| *rank != key.task);
    let starts: Vec<Option<Time>> = others.map(|(task, _)| task.state.started_at()).collect();
    // The wall time runs from the start of the last task: then the gang is whole.
    let run_until = starts.iter().all(Option::is_some).then(|| {
        let whole = starts.iter().flatten().copied().fold(at, Time::max);
        let wall = draft.workload(lease.workload).map(|workload| draft.wall_time(workload));
        whole.after(wall.unwrap_or_default())
    });
    draft.emit(Event::TaskStarted { key, at, run_until });
}

/// What a task says of its checkpoint: a line of printable text, cut where it is too long.
fn short_label(label: &str) -> String {
    label.chars().filter(|letter| !letter.is_control()).take(CHECKPOINT_LABEL_MAX).collect()
}

fn hold_between(at: Time, floor: Time, ceiling: Time) -> Time {
    at.max(floor).min(ceiling.max(floor))
}

/// Counters only grow: a late reading never takes anything back.
fn grown(old: Usage, new: Usage) -> Usage {
    Usage {
        cpu: old.cpu.max(new.cpu),
        memory_peak: old.memory_peak.max(new.memory_peak),
        accelerator_busy: old.accelerator_busy.max(new.accelerator_busy),
        energy: old.energy.max(new.energy),
    }
}
