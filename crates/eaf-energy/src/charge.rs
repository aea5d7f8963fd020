//! Charges: what was held, times what it costs.
//!
//! Why by item and size: the tasks of a gang hold alike, so a gang of a thousand still has one line an item.
//! Absent: waivers; the bill shows what was waived.

use crate::arithmetic::{product, ratio, to_i64, to_u64};
use crate::ran_since;
use eaf_model::{Charge, Equivalent, ExchangeBook, HeldTask, Item, MicroWon, PriceBook, Span, Time};
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

/// What was charged of accelerators, in H100s; `None` where nothing was, or there is no book.
pub(crate) fn equivalent(book: &ExchangeBook, charges: &[Charge]) -> Option<Equivalent> {
    let held: Vec<(&String, &Charge)> = charges
        .iter()
        .filter_map(|charge| match &charge.item {
            Item::Accelerator(model) => Some((model, charge)),
            Item::Cpu | Item::Memory => None,
        })
        .collect();
    if held.is_empty() || *book == ExchangeBook::default() {
        return None;
    }
    let rate = |model: &String| book.h100_milli.get(model).copied();
    let worth = |(model, charge): &(&String, &Charge)| {
        Some(to_u64(ratio(product(charge.held, charge.time.0), rate(model)?.into(), 3_600_000)))
    };
    let worths = held.iter().map(worth).collect::<Option<Vec<u64>>>();
    Some(Equivalent {
        book: book.name.clone(),
        h100_milli: held.iter().map(|(model, _)| ((*model).clone(), rate(model))).collect(),
        h100_micro_hours: worths.map(|worths| worths.into_iter().fold(0, u64::saturating_add)),
    })
}
