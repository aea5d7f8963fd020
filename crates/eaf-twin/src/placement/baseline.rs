//! The published baselines: DotProd, GpuClustering, GpuPacking, BestFit.
//!
//! What: the integer scores of the FGD artefact, truncated toward zero as there.
//! Why in floats where the artefact has floats: the truncation decides ties, and ties decide placements.
//! Absent: Random, whose result depends on a generator that is not part of the data.

use eaf_sched::policy::node::{GPUS_MAX, GpuSet, Node, Shape, WHOLE};
use eaf_sched::policy::placer::Policy;

/// Which baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// The least alignment of what is asked with what is free.
    DotProd,
    /// Together with pods of the same class.
    Clustering,
    /// GPUs in use first, idle nodes last.
    Packing,
    /// The least left over.
    BestFit,
}

const CPU_SCALE: f64 = 128_000.0;
const GPU_SCALE: f64 = 8_000.0;

impl Policy for Baseline {
    fn score(&self, node: &Node, shape: &Shape) -> u16 {
        match self {
            Self::DotProd => dot_product(node, shape),
            Self::Clustering => clustering(node, shape),
            Self::Packing => packing(node, shape),
            Self::BestFit => best_fit(node, shape),
        }
    }

    fn pick(&self, node: &Node, shape: &Shape) -> GpuSet {
        if shape.is_shared() { node.tightest(shape) } else { node.lowest_index(shape) }
    }
}

fn dot_product(node: &Node, shape: &Shape) -> u16 {
    let cpu = f64::from(node.cpu) / CPU_SCALE * (f64::from(shape.cpu) / CPU_SCALE);
    let gpu = f64::from(node.free_total()) / GPU_SCALE * (f64::from(shape.demand()) / GPU_SCALE);
    (100.0 * (1.0 - 0.5 * (cpu + gpu))) as u16
}

fn best_fit(node: &Node, shape: &Shape) -> u16 {
    let cpu = f64::from(node.cpu - shape.cpu) / CPU_SCALE;
    let gpu = f64::from(node.free_total() - shape.demand()) / GPU_SCALE;
    (100.0 * (1.0 - (0.5 * cpu + 0.5 * gpu))) as u16
}

fn clustering(node: &Node, shape: &Shape) -> u16 {
    if shape.gpus == 0 {
        return 0;
    }
    let base = 25 * (8_000 - node.free_total()) / 8_000;
    let own = shape.class();
    let bonus = if node.classes == 0 {
        25
    } else if node.classes == own {
        75
    } else if node.classes & own == own {
        50
    } else {
        0
    };
    base as u16 + bonus
}

fn packing(node: &Node, shape: &Shape) -> u16 {
    if shape.gpus == 0 {
        return 0;
    }
    let idle = u16::from(node.count_at_least(WHOLE));
    if idle == u16::from(node.gpus) {
        return (33 - idle).max(idle);
    }
    let mut free = [0; GPUS_MAX];
    free.copy_from_slice(&node.free);
    free.sort_unstable();
    let used = free.iter().filter(|&&free| free >= shape.milli).take(usize::from(shape.gpus));
    let (whole, left) = used.fold((0, 0), |(whole, left), &free| (whole + u16::from(free == WHOLE), left + free / 10));
    if whole > 0 { (50 - whole).max(33) } else { (100 - left / 10).max(50) }
}
