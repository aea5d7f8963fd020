//! Workloads wherever they are: in the state, or in the history.
//!
//! What: one, the members of an array, and pages of both merged. Why the state is read first: a workload that ends in
//! between is then found twice and shown once, and never missed. Absent: keys and dependencies; `submit` has those.

use super::answer::Refused;
use super::{App, views};
use crate::view::Published;
use eaf_api::{ListQuery, PAGE_DEFAULT, PAGE_MAX, Refusal, WorkloadPage, WorkloadView};
use eaf_core::{State, Workload};
use eaf_model::{WorkloadId, WorkloadState};
use eaf_store::{EndedFilter, EndedWorkload, LIST_MAX};
use std::sync::Arc;

/// A workload, live or ended.
pub(super) enum Found {
    /// Alive in this snapshot.
    Live(Arc<Workload>),
    /// From the history.
    Ended(Box<EndedWorkload>),
}

impl Found {
    pub(super) fn record(&self) -> &Workload {
        match self {
            Self::Live(workload) => workload,
            Self::Ended(ended) => &ended.workload,
        }
    }
}

/// One workload; an id without a member that names an array gives `None`.
pub(super) async fn find(app: &App, at: &Published, id: WorkloadId) -> Result<Option<Found>, Refused> {
    if let Some(live) = at.state.workload(id) {
        return Ok(Some(Found::Live(live.clone())));
    }
    let ended = app.reader.ended(id).await?;
    Ok(ended.map(|ended| Found::Ended(Box::new(ended))))
}

/// Every known member of an array, live and ended.
pub(super) async fn members(app: &App, at: &Published, list: WorkloadId) -> Result<Vec<WorkloadView>, Refused> {
    let live = at.state.members(list).map(|member| views::workload(&at.state, member));
    let mut members: Vec<WorkloadView> = live.collect();
    let mut below = None;
    loop {
        let filter = EndedFilter { list: Some(list), below, limit: LIST_MAX, ..EndedFilter::default() };
        let page = app.reader.list_ended(&filter).await?;
        below = page.last().map(|ended| ended.workload.id);
        let full = page.len() >= LIST_MAX as usize;
        members.extend(page.iter().map(|ended| views::workload(&at.state, &ended.workload)));
        if !full {
            break;
        }
    }
    // What ended in between comes last and counts: its end is the later news.
    members.reverse();
    members.sort_by_key(|member| member.id);
    members.dedup_by_key(|member| member.id);
    Ok(members)
}

/// One workload, or an array as a whole.
pub(super) async fn show(app: &App, id: WorkloadId) -> Result<WorkloadView, Refused> {
    let at = app.view.latest();
    if let Some(found) = find(app, &at, id).await? {
        return Ok(views::workload(&at.state, found.record()));
    }
    let members = if id.member().is_none() { members(app, &at, id).await? } else { Vec::new() };
    views::array(&members).ok_or_else(|| Refusal::NoSuchWorkload { workload: id.to_string() }.into())
}

/// The refusal of something that only one workload has: of an array, that it is one; else that there is none.
pub(super) async fn absent(app: &App, at: &Published, id: WorkloadId) -> Refused {
    let is_array = id.member().is_none() && {
        let filter = EndedFilter { list: Some(id), limit: 1, ..EndedFilter::default() };
        at.state.members(id).next().is_some() || app.reader.list_ended(&filter).await.is_ok_and(|page| !page.is_empty())
    };
    if is_array {
        Refusal::IsArray { workload: id }.into()
    } else {
        Refusal::NoSuchWorkload { workload: id.to_string() }.into()
    }
}

/// The place behind which a page begins, as it is handed out.
pub(super) fn cursor_text(id: WorkloadId) -> String {
    format!("c{:x}", id.to_bits())
}

fn cursor(text: &str) -> Result<WorkloadId, Refused> {
    let digits = text.strip_prefix('c').filter(|digits| (1..=16).contains(&digits.len()));
    let digits = digits.filter(|digits| digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
    let bits = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    bits.map(WorkloadId::from_bits).ok_or_else(|| {
        let problem = "cursor is not the next of a page".to_owned();
        Refusal::QueryMalformed { problem }.into()
    })
}

fn wanted(query: &ListQuery, workload: &Workload) -> bool {
    (query.states.is_empty() || query.states.contains(&workload.state))
        && query.project.as_ref().is_none_or(|project| *project == workload.spec.project)
        && query.name.as_ref().is_none_or(|name| *name == workload.spec.name)
}

fn live(state: &State, query: &ListQuery, below: Option<WorkloadId>, limit: usize) -> Vec<Arc<Workload>> {
    let below = below.unwrap_or(WorkloadId::from_bits(u64::MAX));
    let pick = |workload: &&Arc<Workload>| workload.id < below && wanted(query, workload);
    match query.list {
        Some(list) => state.members(list).rev().filter(pick).take(limit).cloned().collect(),
        None => state.workloads_below(below).rev().filter(pick).take(limit).cloned().collect(),
    }
}

/// One page of workloads, newest first.
pub(super) async fn page(app: &App, query: &ListQuery) -> Result<WorkloadPage, Refused> {
    let limit = query.limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
    let below = query.cursor.as_deref().map(cursor).transpose()?;
    let at = app.view.latest();
    let one_more = limit as usize + 1;
    let asks_live = query.states.is_empty() || query.states.iter().any(|state| !state.is_ended());
    let mut rows = if asks_live { live(&at.state, query, below, one_more) } else { Vec::new() };
    let ended_states: Vec<WorkloadState> = query.states.iter().copied().filter(|state| state.is_ended()).collect();
    if (query.all && query.states.is_empty()) || !ended_states.is_empty() {
        let filter = EndedFilter {
            below,
            list: query.list,
            states: ended_states,
            project: query.project.clone(),
            name: query.name.clone(),
            limit: limit + 1,
        };
        let ended = app.reader.list_ended(&filter).await?;
        rows.extend(ended.into_iter().map(|ended| ended.workload));
        // Stable: of a workload that ended in between, its end comes second and is kept.
        rows.reverse();
        rows.sort_by_key(|row| std::cmp::Reverse(row.id));
        rows.dedup_by_key(|row| row.id);
    }
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|last| cursor_text(last.id));
    Ok(WorkloadPage { items: rows.iter().map(|row| views::workload(&at.state, row)).collect(), next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_read_back_and_nothing_else_passes() {
        let id = WorkloadId::of_member(77, 3);
        assert_eq!(cursor(&cursor_text(id)).unwrap(), id);
        for bad in ["", "c", "cg", "1", "cABC", "c11111111111111111"] {
            assert!(cursor(bad).is_err(), "{bad:?}");
        }
    }
}
