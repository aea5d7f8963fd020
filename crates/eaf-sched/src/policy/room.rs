//! What CPU leaves of the GPUs of a node.
//!
//! What: a table U(h, c): of h free GPUs (by worth, in tenths) with c free CPU, how much is expected to be used when pods of
//! the mix come in random order and those that do not fit go elsewhere. Patience is finite: when hardly any pod of the mix
//! still fits, the rest may never come.
//! Why: looking one pod ahead, eight free GPUs with CPU for five are as good as with CPU for eight. This sees the difference,
//! so pods heavy in CPU go where CPU is plenty and light ones where it is scarce.
//! Absent: which GPU of the node (see `value`) and memory.

/// Steps of a GPU.
const TENTHS: usize = 10;
/// The most GPUs of a node, in tenths.
const HIGH: usize = 8 * TENTHS;
/// Milli-CPU of one step.
const CPU_STEP: f64 = 500.0;
/// CPU beyond this many steps is plenty.
const WIDE: usize = 256;
const WIDTH: usize = WIDE + 1;

/// The table.
#[derive(Clone, Debug)]
pub struct Room {
    table: Vec<f32>,
}

/// One kind of pod: GPUs by worth, milli-CPU, weight.
pub type Ask = (f64, u32, f64);

impl Room {
    /// For a mix; `impatience` is the share of the mix below which waiting for a pod that fits is hardly worth it.
    pub fn new(asks: &[Ask], impatience: f64) -> Self {
        let items = on_grid(asks);
        let mut table = vec![0.0_f32; (HIGH + 1) * WIDTH];
        for high in 1..=HIGH {
            let (below, row) = table.split_at_mut(high * WIDTH);
            let row = &mut row[..WIDTH];
            let mut fits = [0.0_f32; WIDTH];
            for &(ask, cpu, weight) in items.iter().filter(|item| item.0 <= high && item.1 <= WIDE) {
                let rest = &below[(high - ask) * WIDTH..(high - ask + 1) * WIDTH];
                for ((gain, fits), rest) in row[cpu..].iter_mut().zip(&mut fits[cpu..]).zip(rest) {
                    *gain += weight * (ask as f32 + rest);
                    *fits += weight;
                }
            }
            row.iter_mut().zip(fits).for_each(|(gain, fits)| *gain /= fits + impatience as f32);
        }
        Self { table }
    }

    /// Tenths of a GPU expected to be used, between grid points by straight lines.
    #[inline]
    pub fn used(&self, worth: f64, cpu: u32) -> f64 {
        let h = (worth * TENTHS as f64).clamp(0.0, HIGH as f64 - 1e-6);
        let c = (f64::from(cpu) / CPU_STEP).min(WIDE as f64 - 1e-6);
        let (h0, c0) = (h as usize, c as usize);
        let (hf, cf) = (h - h0 as f64, c - c0 as f64);
        let at = h0 * WIDTH + c0;
        let line = |at: usize| f64::from(self.table[at]) * (1.0 - cf) + f64::from(self.table[at + 1]) * cf;
        line(at) * (1.0 - hf) + line(at + WIDTH) * hf
    }
}

/// Asks rounded to the grid, equal ones together, weights summing to 1.
fn on_grid(asks: &[Ask]) -> Vec<(usize, usize, f32)> {
    let total: f64 = asks.iter().map(|ask| ask.2).sum();
    let grid = |&(worth, cpu, weight): &Ask| {
        let high = (libm::round(worth * TENTHS as f64) as usize).max(1);
        (high, libm::round(f64::from(cpu) / CPU_STEP) as usize, (weight / total) as f32)
    };
    let mut items: Vec<(usize, usize, f32)> = asks.iter().map(grid).collect();
    items.sort_unstable_by_key(|&(high, cpu, _)| (high, cpu));
    items.dedup_by(|next, kept| {
        let same = (next.0, next.1) == (kept.0, kept.1);
        kept.2 += if same { next.2 } else { 0.0 };
        same
    });
    items
}
