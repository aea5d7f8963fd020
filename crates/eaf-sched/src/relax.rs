//! What would make a waiting workload start now.
//!
//! What: asks for less of one thing at a time, and gives the most of it with which the planner itself would start the
//! workload in this pass, found by halving. Why the planner: what it would not do is no advice. Absent: changes of two
//! things at once, and changes of others' work.

use crate::plan::{Snapshot, plan};
use crate::{Entry, Scores, Shape};
use eaf_model::{Bytes, Change, CpuMilli, GpuMilli, Span};
use std::collections::BTreeSet;

/// The most passes that are planned for one answer; what has not been tried by then is not said.
const PASSES_MAX: u32 = 128;
/// The most models of accelerators that are tried.
const MODELS_MAX: usize = 16;
const MIB: u64 = 1 << 20;

/// Everything that alone would make it start now.
pub(crate) fn changes(snapshot: &Snapshot, entry: &Entry, scores: &mut Scores) -> Vec<Change> {
    let mut without = snapshot.clone();
    without.queue.remove(entry);
    let mut trial = Trial { without, entry, scores, passes: 0 };
    let mut changes = Vec::new();
    let (shape, request) = (&entry.shape, &entry.shape.task.accelerators);
    changes.extend(trial.fewer_tasks());
    if request.count > 1 {
        let count = trial.most(request.count.into(), 1, |shape, n| shape.task.accelerators.count = small(n));
        changes.extend(count.map(|count| Change::FewerAccelerators { count: small(count) }));
    } else if request.count == 1 && request.share < GpuMilli(1_000) {
        let share = trial.most(request.share.0, 1, |shape, n| shape.task.accelerators.share = GpuMilli(n));
        changes.extend(share.map(|share| Change::SmallerShare { share: GpuMilli(share) }));
    }
    let unit = if shape.task.cpu.0 > 1_000 { 1_000 } else { 100 };
    let cpu = trial.most(shape.task.cpu.0, unit, |shape, n| shape.task.cpu = CpuMilli(n));
    changes.extend(cpu.map(|cpu| Change::LessCpu { cpu: CpuMilli(cpu) }));
    let unit = if shape.task.memory.0 > 1_024 * MIB { 1_024 * MIB } else { MIB };
    let memory = trial.most(shape.task.memory.0, unit, |shape, n| shape.task.memory = Bytes(n));
    changes.extend(memory.map(|memory| Change::LessMemory { memory: Bytes(memory) }));
    changes.extend(trial.other_models());
    if shape.tasks_per_node_max.is_some() && trial.starts(|shape| shape.tasks_per_node_max = None) {
        changes.push(Change::AnyTasksPerNode);
    }
    let unit = if shape.wall.0 > 3_600_000 { 60_000 } else { 1_000 };
    let wall = trial.most(shape.wall.0, unit, |shape, n| shape.wall = Span(n));
    changes.extend(wall.map(|wall| Change::ShorterWallTime { wall_time: Span(wall) }));
    changes
}

fn small(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Trials of one workload with other requests.
struct Trial<'a> {
    /// What the planner sees, without the workload.
    without: Snapshot,
    entry: &'a Entry,
    scores: &'a mut Scores,
    passes: u32,
}

impl Trial<'_> {
    /// Would it start in this pass if it asked for this instead?
    fn starts(&mut self, change: impl FnOnce(&mut Shape)) -> bool {
        if self.passes >= PASSES_MAX {
            return false;
        }
        self.passes += 1;
        let mut shape = Shape::clone(&self.entry.shape);
        change(&mut shape);
        let mut snapshot = self.without.clone();
        snapshot.queue.insert(Entry { shape: shape.into(), ..self.entry.clone() });
        plan(&snapshot, self.scores).grants.iter().any(|grant| grant.workload == self.entry.workload)
    }

    /// The most of something, in whole units and less than `asked`, with which it would start; `None` where not even one
    /// unit would do.
    fn most(&mut self, asked: u64, unit: u64, set: impl Fn(&mut Shape, u64)) -> Option<u64> {
        let (mut fits, mut too_much) = (1, asked.div_ceil(unit));
        if too_much <= fits || !self.starts(|shape| set(shape, unit)) {
            return None;
        }
        while too_much - fits > 1 {
            let half = fits.midpoint(too_much);
            if self.starts(|shape| set(shape, half * unit)) {
                fits = half;
            } else {
                too_much = half;
            }
        }
        Some(fits * unit)
    }

    fn fewer_tasks(&mut self) -> Option<Change> {
        let tasks = self.most(self.entry.shape.tasks.into(), 1, |shape, n| shape.tasks = small(n));
        tasks.map(|tasks| Change::FewerTasks { tasks: small(tasks) })
    }

    /// The models of the fleet that it did not name and with which it would start.
    fn other_models(&mut self) -> Option<Change> {
        let entry = self.entry;
        let named = &entry.shape.task.accelerators.models;
        if named.is_empty() {
            return None;
        }
        let nodes = self.without.fleet.nodes();
        let models: BTreeSet<&str> = nodes.flat_map(|(_, node)| node.accelerators().map(|(model, _)| model)).collect();
        let others = models.into_iter().filter(|model| !named.iter().any(|named| named == model)).take(MODELS_MAX);
        let mut models: Vec<String> = others.map(str::to_owned).collect();
        models.retain(|model| self.starts(|shape| shape.task.accelerators.models = vec![model.clone()]));
        (!models.is_empty()).then_some(Change::OtherModels { models })
    }
}
