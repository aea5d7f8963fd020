//! Charges: what was held, times what it costs.
//!
//! Why by item and size: the tasks of a gang hold alike, so a gang of a thousand still has one line an item.
//! Absent: waivers; the bill shows what was waived.

use crate::arithmetic::{product, ratio, to_i64};
use crate::ran_since;
use eaf_model::{Charge, HeldTask, Item, MicroWon, PriceBook, Span, Time};
use std::collections::BTreeMap;

/// The charges of tasks that had all started at `from`.
pub(crate) fn charges(prices: &PriceBook, tasks: &[HeldTask], from: Time) -> Vec<Charge> {
    let mut held = BTreeMap::<(Item, u64), Span>::new();
    for task in tasks {
        let time = ran_since(task, from);
        let mut hold = |item, size: u64| {
            if size > 0 && time > Span::ZERO {
                let sum = held.entry((item, size)).or_default();
                *sum = sum.saturating_add(time);
            }
        };
        hold(Item::Cpu, task.cpu.0);
        hold(Item::Memory, task.memory.0.div_ceil(1 << 20));
        for (model, share) in &task.accelerators {
            hold(Item::Accelerator(model.clone()), share.0);
        }
    }
    held.into_iter().map(|((item, held), time)| charge(prices, item, held, time)).collect()
}

fn charge(prices: &PriceBook, item: Item, held: u64, time: Span) -> Charge {
    let rate = match &item {
        Item::Cpu => prices.cpu_hour,
        Item::Memory => prices.memory_gib_hour,
        Item::Accelerator(model) => *prices.accelerator_hour.get(model).unwrap_or(&prices.accelerator_hour_other),
    };
    let amount = ratio(product(held, time.0), rate.0.into(), item.per_hour().into());
    Charge { item, held, time, rate, amount: MicroWon(to_i64(amount)) }
}
