//! Bills and receipts agree: what the core has charged is what anyone computes again from the receipt.
//!
//! Why here: the meter and the receipt are two crates that do not know each other, and this is the first that knows both.

use eaf_api::receipt::{AttemptFacts, KeyPair, ReceiptFacts, build, sign, verify};
use eaf_model::{
    AcceleratorPower, Bytes, CarbonProfile, CpuMicros, CpuMilli, GpuMilli, HeldAttempt, HeldTask, LeaseId, MicroWon,
    MilliJoules, PowerModel, PriceBook, Reason, Settings, Span, Time, Usage, Watts, WorkloadId, WorkloadState,
};
use proptest::prelude::*;

fn settings() -> impl Strategy<Value = Settings> {
    let prices = (0..100_000_000_i64, 0..10_000_000_i64, 0..10_000_000_000_i64, 0..10_000_000_000_i64);
    let power = (0..10_000_u64, 0..1_000_u64, 0..1_500_u64, 0..2_000_u64, 0..2_000_u64, any::<Option<u8>>());
    (prices, power, any::<bool>()).prop_map(|((cpu, memory, accelerator, other), power, profile)| {
        let (thread, gib, load, pue, max, idle) = power;
        let figures = AcceleratorPower { max_watts: Watts(max), idle_watts: idle.map(|idle| Watts(idle.into())) };
        Settings {
            prices: PriceBook {
                name: "book".into(),
                cpu_hour: MicroWon(cpu),
                memory_gib_hour: MicroWon(memory),
                accelerator_hour: [("A".into(), MicroWon(accelerator))].into(),
                accelerator_hour_other: MicroWon(other),
            },
            carbon: CarbonProfile {
                source: "test".into(),
                utc_offset_minutes: 540,
                milligrams_per_kwh: if profile { (400_000..400_288).collect() } else { Vec::new() },
            },
            power: PowerModel {
                source: "test".into(),
                cpu_busy_milliwatts: thread,
                memory_gib_milliwatts: gib,
                accelerators: [("A".into(), figures)].into(),
                accelerator_load_assumed_milli: load,
                pue_milli: pue,
            },
            ..Settings::default()
        }
    })
}

fn task() -> impl Strategy<Value = HeldTask> {
    let held = (0..64_000_u64, 0..1_u64 << 40, prop::collection::vec((prop_oneof!["A", "B"], 1..=1_000_u64), 0..4));
    let times = (proptest::option::weighted(0.9, 0..1_000_000_i64), 0..100_000_000_i64);
    let used = (0..100_000_000_u64, any::<Option<u32>>(), any::<Option<u32>>(), any::<Option<u32>>());
    (held, times, used).prop_map(|((cpu, memory, accelerators), (start, ran), (busy, peak, accelerator, energy))| {
        let start = start.map(|start| 1_795_441_000_000 + start);
        HeldTask {
            cpu: CpuMilli(cpu),
            memory: Bytes(memory),
            accelerators: accelerators.into_iter().map(|(model, share)| (model, GpuMilli(share))).collect(),
            pretended: cpu % 2 == 0,
            started_at: start.map(Time),
            ended_at: Time(start.unwrap_or(1_795_441_000_000) + ran),
            usage: Usage {
                cpu: CpuMicros(busy),
                memory_peak: peak.map(|peak| Bytes(peak.into())),
                accelerator_busy: accelerator.map(|busy| Span(busy.into())),
                energy: energy.map(|energy| MilliJoules(energy.into())),
            },
        }
    })
}

fn facts(attempts: Vec<AttemptFacts>) -> ReceiptFacts {
    ReceiptFacts {
        factory: "test".into(),
        journal: "1:00".into(),
        workload: WorkloadId::of_step(1),
        name: "name".into(),
        project: "default".into(),
        by: "admin".into(),
        submitted_at: Time(0),
        ended_at: Time(1),
        state: WorkloadState::Finished,
        reason: Reason::AllTasksExitedZero,
        attempts,
    }
}

proptest! {
    #[test]
    fn a_receipt_comes_to_what_was_billed(
        settings in settings(),
        gangs in prop::collection::vec((prop::collection::vec(task(), 0..4), any::<bool>()), 0..3),
    ) {
        let bills: Vec<_> = gangs
            .into_iter()
            .map(|(tasks, factory_fault)| HeldAttempt { granted_at: Time(0), factory_fault, tasks })
            .map(|attempt| eaf_energy::bill(&settings, &attempt))
            .collect();
        let attempt = |bill| AttemptFacts { lease: LeaseId::of_step(1), checkpointed_at: None, tasks: Vec::new(), bill };
        let key = KeyPair::from_seed(&[1; 32]);
        let signed = sign(&build(&facts(bills.iter().cloned().map(attempt).collect())), &key);
        let receipt = verify(signed.as_bytes(), &key.public()).expect("a factory's own receipt passes").receipt;
        let value = |name: String| receipt.figure(&name).expect("every receipt has this figure").value;
        for (number, bill) in (1..).zip(&bills) {
            prop_assert_eq!(value(format!("attempt_{number}.price")), Some(bill.price.0));
            let site_energy = value(format!("attempt_{number}.site_energy"));
            prop_assert_eq!(site_energy, bill.site_energy.map(|energy| energy.0.cast_signed()));
            let carbon = value(format!("attempt_{number}.carbon"));
            prop_assert_eq!(carbon, bill.carbon.map(|carbon| carbon.0.cast_signed()));
        }
        prop_assert_eq!(value("price".into()), Some(bills.iter().map(|bill| bill.price.0).sum::<i64>()));
    }
}
