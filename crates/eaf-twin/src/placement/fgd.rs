//! Fragmentation Gradient Descent (Weng et al., USENIX ATC 2023), exact and fast.
//!
//! What: the score of the artefact, int(100 * sigmoid(fall of expected fragmentation / 1000)), where the expectation is over
//! a mix of typical pods.
//! Why integers: a mix is counts, so fragmentation times the total count is an exact integer, and the score is how many of
//! a hundred integer thresholds the fall reaches. Why tables: what a GPU with g free contributes depends only on (model, CPU
//! step, g) when pods ask one GPU, so a node is eight look-ups and three for pods of several GPUs.
//! Why floats at exactly zero: there the artefact's sums of floats differ in the last bit from zero, which decides between
//! 49 and 50, so this one case is computed as the artefact computes it, in its order.
//! Absent: learning; the mix is given, as the paper has it.

use eaf_sched::policy::node::{GpuSet, Node, Shape};
use eaf_sched::policy::placer::Policy;

/// One entry of a mix: a shape (memory ignored) and how often it occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Typical {
    /// What is asked.
    pub shape: Shape,
    /// How often.
    pub count: u32,
}

/// Pods of several GPUs alike in all but CPU.
#[derive(Clone, Debug)]
struct Several {
    gpus: u8,
    milli: u16,
    /// Weight with CPU up to each step.
    weight: Vec<i64>,
}

/// What pods of the mix can use on nodes of one model.
#[derive(Clone, Debug, Default)]
struct ModelTable {
    /// `one[step * buckets + bucket]`: weight of one-GPU pods with CPU and milli up to there.
    one: Vec<i64>,
    several: Vec<Several>,
}

/// The policy.
#[derive(Clone, Debug)]
pub struct Fgd {
    /// The mix with shares as the artefact rounds them.
    mix: Vec<(Shape, f64)>,
    total: i64,
    /// Distinct CPU requests, ascending; a step is how many of them fit.
    cpu_steps: Vec<u32>,
    /// Bucket of every free share 0..=1000: how many distinct requests fit.
    bucket: Vec<u8>,
    buckets: usize,
    models: Vec<ModelTable>,
    /// `threshold[k - 1]` is the least fall with score k.
    threshold: Vec<i64>,
}

impl Fgd {
    /// For a mix in descending order of counts, cut from `all` pods; models are indices below `models`.
    pub fn new(mix: &[Typical], all: u32, models: usize) -> Self {
        let total: i64 = mix.iter().map(|entry| i64::from(entry.count)).sum();
        let asks = || mix.iter().filter(|entry| entry.shape.gpus > 0);
        let mut cpu_steps: Vec<u32> = asks().map(|entry| entry.shape.cpu).collect();
        cpu_steps.sort_unstable();
        cpu_steps.dedup();
        let mut sizes: Vec<u16> = asks().filter(|e| e.shape.gpus == 1).map(|e| e.shape.milli).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let bucket = (0..=1000).map(|free| sizes.partition_point(|&size| size <= free) as u8).collect();
        let buckets = sizes.len() + 1;
        let tables = (0..models).map(|model| {
            let allowed: Vec<Typical> = asks().filter(|e| e.shape.models >> model & 1 == 1).copied().collect();
            table(&allowed, &cpu_steps, &sizes)
        });
        Self {
            mix: shares(mix, all),
            total,
            models: tables.collect(),
            cpu_steps,
            bucket,
            buckets,
            threshold: thresholds(total),
        }
    }

    /// Total weight times the milli-GPU that the mix is expected to be able to use. Fragmentation is what is free less this.
    fn usable(&self, node: &Node, cpu: u32) -> i64 {
        let table = &self.models[usize::from(node.model)];
        let step = self.cpu_steps.partition_point(|&ask| ask <= cpu);
        let row = &table.one[step * self.buckets..(step + 1) * self.buckets];
        let one: i64 = node.free.iter().map(|&free| self.part(row, free)).sum();
        one + table.several.iter().map(|group| group.usable(&node.free, step)).sum::<i64>()
    }

    fn part(&self, row: &[i64], free: u16) -> i64 {
        i64::from(free) * row[usize::from(self.bucket[usize::from(free)])]
    }

    fn score_of(&self, fall: i64, before: &Node, after: &Node) -> u16 {
        if fall == 0 && before.gpus > 0 {
            return sigmoid((self.fragmentation(before) - self.fragmentation(after)) / 1000.0);
        }
        self.threshold.partition_point(|&least| least <= fall) as u16
    }

    /// Expected fragmentation as the artefact sums it: by kind of fragment, and the kinds last.
    fn fragmentation(&self, node: &Node) -> f64 {
        let total = node.free_total();
        let mut kinds = [0.0; 6];
        for (shape, share) in &self.mix {
            let cpu = node.cpu >= shape.cpu;
            let gpu = node.count_at_least(shape.milli) >= shape.gpus;
            let (kind, milli) = if shape.gpus == 0 {
                (if cpu { 3 } else { 4 }, total)
            } else if shape.models >> node.model & 1 == 0 {
                (5, total)
            } else if cpu && gpu {
                (1, node.free.iter().filter(|&&free| free < shape.milli).map(|&free| u32::from(free)).sum())
            } else {
                (
                    if cpu {
                        1
                    } else if gpu {
                        2
                    } else {
                        0
                    },
                    total,
                )
            };
            kinds[kind] += share * f64::from(milli);
        }
        kinds.iter().fold(0.0, |sum, kind| sum + kind)
    }

    /// The best score over the GPUs of the node, and the lowest-index GPU with it.
    fn shared(&self, node: &Node, shape: &Shape) -> (u16, GpuSet) {
        let before = self.usable(node, node.cpu);
        let free_fall = self.total * i64::from(shape.milli);
        let mut best = (0, 0);
        let mut seen = [u16::MAX; 8];
        for (index, &free) in node.free.iter().enumerate() {
            // An equal GPU further down scores the same and loses the tie.
            if free < shape.milli || seen[..index].contains(&free) {
                continue;
            }
            seen[index] = free;
            let mut next = *node;
            next.free[index] -= shape.milli;
            next.cpu -= shape.cpu;
            let score = self.score_of(free_fall - before + self.usable(&next, next.cpu), node, &next);
            if best.1 == 0 || score > best.0 {
                best = (score, 1 << index);
            }
        }
        best
    }
}

impl Policy for Fgd {
    fn score(&self, node: &Node, shape: &Shape) -> u16 {
        if shape.is_shared() {
            return self.shared(node, shape).0;
        }
        let next = node.after(shape, self.pick(node, shape));
        let fall = self.total * i64::from(shape.demand()) - self.usable(node, node.cpu) + self.usable(&next, next.cpu);
        self.score_of(fall, node, &next)
    }

    fn pick(&self, node: &Node, shape: &Shape) -> GpuSet {
        if shape.is_shared() { self.shared(node, shape).1 } else { node.lowest_index(shape) }
    }
}

impl Several {
    fn usable(&self, free: &[u16; 8], step: usize) -> i64 {
        let (mut count, mut sum) = (0, 0);
        for &free in free {
            if free >= self.milli {
                count += 1;
                sum += i64::from(free);
            }
        }
        if count >= self.gpus { self.weight[step] * sum } else { 0 }
    }
}

fn table(mix: &[Typical], cpu_steps: &[u32], sizes: &[u16]) -> ModelTable {
    let weight = |cpu: u32, keep: &dyn Fn(&Shape) -> bool| -> i64 {
        mix.iter().filter(|e| e.shape.cpu <= cpu && keep(&e.shape)).map(|e| i64::from(e.count)).sum()
    };
    // Step 0 is less CPU than any pod asks.
    let steps = || std::iter::once(None).chain(cpu_steps.iter().copied().map(Some));
    let mut one = Vec::new();
    for step in steps() {
        for size in std::iter::once(None).chain(sizes.iter().copied().map(Some)) {
            let part = step.zip(size);
            one.push(part.map_or(0, |(cpu, milli)| weight(cpu, &|s| s.gpus == 1 && s.milli <= milli)));
        }
    }
    let mut kinds: Vec<(u8, u16)> =
        mix.iter().filter(|e| e.shape.gpus > 1).map(|e| (e.shape.gpus, e.shape.milli)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let several = kinds.iter().map(|&(gpus, milli)| Several {
        gpus,
        milli,
        weight: steps()
            .map(|step| step.map_or(0, |cpu| weight(cpu, &|s| s.gpus == gpus && s.milli == milli)))
            .collect(),
    });
    ModelTable { one, several: several.collect() }
}

/// The least fall with each score 1..=100, by bisection of a monotone function.
fn thresholds(total: i64) -> Vec<i64> {
    let score = |fall: i64| sigmoid(fall as f64 / (total as f64 * 1000.0));
    let most = 64_000 * total.max(1);
    let least = |wanted: u16| {
        let (mut low, mut high) = (-most, most);
        while low < high {
            let middle = low + (high - low) / 2;
            if score(middle) >= wanted { high = middle } else { low = middle + 1 }
        }
        low
    };
    (1..=100).map(least).collect()
}

fn sigmoid(fall: f64) -> u16 {
    (100.0 * (1.0 / (1.0 + libm::exp(-fall)))) as u16
}

/// Shares that sum to 1, by the same two divisions as the artefact.
fn shares(mix: &[Typical], all: u32) -> Vec<(Shape, f64)> {
    let covered: u32 = mix.iter().map(|entry| entry.count).sum();
    let part = f64::from(covered) / f64::from(all);
    mix.iter().map(|entry| (entry.shape, f64::from(entry.count) / f64::from(all) / part)).collect()
}
