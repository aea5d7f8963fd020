//! The factory's own placement under the protocol of the benchmark.
//!
//! What: the fleet, the mix, the valuations and the choice of the scheduler (`eaf_sched`), driven as the core drives them when
//! one workload arrives at a time. Why not a copy of the policy in the benchmark's loop: what is measured must be what the
//! factory runs. Absent: queues, leases and time.

use super::Machines;
use eaf_model::{
    Accelerator, AcceleratorRequest, Bytes, CpuMilli, GpuMilli, NodeId, NodeSpec, Span, TaskRequest, Valuation,
};
use eaf_sched::policy::{Node, Shape};
use eaf_sched::{Basis, Fleet, Mix, Scores, due, place};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A fleet that is filled by the scheduler.
pub(super) struct Factory {
    fleet: Fleet,
    mix: Mix,
    basis: Option<Arc<Basis>>,
    scores: Scores,
    /// The shapes of the pods, as the scheduler has them.
    shapes: Vec<eaf_sched::Shape>,
}

impl Factory {
    /// Nodes in tie-break order; a node's number is its id.
    pub(super) fn new(machines: &Machines, nodes: &[usize], shapes: &[Shape]) -> Self {
        let mut fleet = Fleet::new();
        for (id, at) in (1..).zip(nodes) {
            fleet.add(NodeId::of_step(id), &spec(&machines.nodes[*at], &machines.models));
        }
        let shapes = shapes.iter().map(|shape| request(shape, &machines.models)).collect();
        Self { fleet, mix: Mix::default(), basis: None, scores: Scores::default(), shapes }
    }

    /// One pod arrives. False where it fits nowhere.
    pub(super) fn arrive(&mut self, shape: usize) -> bool {
        self.mix.record(&self.shapes[shape], 1);
        if let Some(due) = due(&self.fleet, self.basis.as_deref(), || self.mix.clone()) {
            self.value(due.valuation, due.forget);
        }
        let shape = &self.shapes[shape];
        let Some(placement) = place(&self.fleet, shape, self.basis.as_ref(), &mut self.scores) else { return false };
        placement.tasks.iter().for_each(|task| self.fleet.hold(task));
        true
    }

    fn value(&mut self, valuation: Valuation, forget: bool) {
        if forget {
            self.mix.forget();
        }
        self.basis = Some(Arc::new(Basis { mix: self.mix.clone(), valuation }));
    }
}

fn spec(node: &Node, models: &[String]) -> NodeSpec {
    let model = &models[usize::from(node.model)];
    let one = || Accelerator { model: model.clone(), memory: None, uuid: None };
    NodeSpec {
        name: String::new(),
        cpu: CpuMilli(u64::from(node.cpu)),
        memory: Bytes(node.memory),
        accelerators: (0..node.gpus).map(|_| one()).collect(),
        fabric: Vec::new(),
        pretended: false,
        labels: BTreeMap::new(),
    }
}

fn request(shape: &Shape, models: &[String]) -> eaf_sched::Shape {
    let allowed =
        models.iter().zip(0..).filter(|(_, bit)| shape.models >> bit & 1 == 1).map(|(model, _)| model.clone());
    let names = match shape.models {
        u32::MAX => Vec::new(),
        // No node has a model without a name.
        0 => vec![String::new()],
        _ => allowed.collect(),
    };
    let share = if shape.gpus == 0 { GpuMilli(1_000) } else { GpuMilli(u64::from(shape.milli)) };
    let accelerators = AcceleratorRequest { count: u32::from(shape.gpus), share, models: names, slice: None };
    let task = TaskRequest { cpu: CpuMilli(u64::from(shape.cpu)), memory: Bytes(shape.memory), accelerators };
    eaf_sched::Shape { tasks: 1, tasks_max: 1, tasks_per_node_max: None, task, wall: Span::from_secs(1), project: None }
}
