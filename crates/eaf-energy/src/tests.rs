//! Bills of attempts, by hand and at random, and the figures that the project ships.

use super::*;
use eaf_model::{
    AcceleratorPower, Bytes, CarbonProfile, CarbonSegment, CpuMicros, CpuMilli, GpuMilli, PowerModel, PriceBook, Watts,
};
use proptest::prelude::*;

const WON: i64 = 1_000_000;
const HOUR: i64 = 3_600_000;

fn settings() -> Settings {
    let prices = PriceBook {
        name: "book".into(),
        cpu_hour: MicroWon(36 * WON),
        memory_gib_hour: MicroWon(4 * WON),
        accelerator_hour: [("MI355X".into(), MicroWon(5_000 * WON))].into(),
        accelerator_hour_other: MicroWon(1_000 * WON),
    };
    let carbon =
        CarbonProfile { source: "test".into(), utc_offset_minutes: 540, milligrams_per_kwh: (1_000..1_288).collect() };
    let mi355x = AcceleratorPower { max_watts: Watts(1_400), idle_watts: Some(Watts(200)) };
    let power = PowerModel {
        source: "test".into(),
        cpu_busy_milliwatts: 5_000,
        memory_gib_milliwatts: 400,
        accelerators: [("MI355X".into(), mi355x)].into(),
        accelerator_load_assumed_milli: 500,
        pue_milli: 1_200,
    };
    Settings { prices, carbon, power, ..Settings::default() }
}

/// A task with one thread and a GiB, busy all the time.
fn task(started_at: Option<i64>, ended_at: i64) -> HeldTask {
    let busy = started_at.map_or(0, |start| u64::try_from((ended_at - start) * 1_000).unwrap());
    HeldTask {
        cpu: CpuMilli(1_000),
        memory: Bytes(1 << 30),
        accelerators: Vec::new(),
        pretended: false,
        started_at: started_at.map(Time),
        ended_at: Time(ended_at),
        usage: Usage { cpu: CpuMicros(busy), ..Usage::default() },
    }
}

fn with_accelerators(mut task: HeldTask, model: &str, share: u64, count: usize) -> HeldTask {
    task.accelerators = vec![(model.into(), GpuMilli(share)); count];
    task.pretended = model == "X1";
    task
}

fn attempt(tasks: Vec<HeldTask>) -> HeldAttempt {
    HeldAttempt { granted_at: Time(0), factory_fault: false, tasks }
}

/// Checks price (µwon), energy of the site (mJ) and carbon (µg) of an attempt.
#[track_caller]
fn check(attempt: &HeldAttempt, price: i64, energy: Option<u64>, carbon: Option<u64>) -> Bill {
    let bill = bill(&settings(), attempt);
    let got = (bill.price, bill.site_energy, bill.carbon);
    assert_eq!(got, (MicroWon(price), energy.map(MilliJoules), carbon.map(eaf_model::MicroGramsCo2)), "{bill:#?}");
    bill
}

#[test]
fn an_hour_of_one_thread() {
    // 5 W and 0.4 W for an hour, times 1.2, at the 1,009 mg/kWh of January, nine in the morning.
    let bill = check(&attempt(vec![task(Some(0), HOUR)]), 40 * WON, Some(23_328_000), Some(6_538));
    assert_eq!(bill.carbon_segments, [CarbonSegment { milligrams_per_kwh: 1_009, span: Span(3_600_000) }]);
}

#[test]
fn a_millisecond_does_not_read_zero() {
    check(&attempt(vec![task(Some(5), 6)]), 11, Some(6), Some(0));
    let at_once = bill(&settings(), &attempt(vec![task(Some(5), 5)]));
    assert_eq!(at_once.price, MicroWon(11), "a process that ran is held for at least a millisecond");
}

#[test]
fn a_gang_is_charged_from_its_last_start_until_each_end() {
    // The third task was gone before the last had started.
    let gang = attempt(vec![task(Some(0), HOUR), task(Some(HOUR / 2), 2 * HOUR), task(Some(0), HOUR / 4)]);
    let bill = check(&gang, 80 * WON, Some(64_152_000), Some(17_989));
    assert_eq!(bill.started_at, Some(Time(HOUR / 2)));
    assert_eq!(bill.charges.len(), 2, "one line an item");
}

#[test]
fn nothing_is_charged_for_a_fault_or_before_the_start() {
    let check_waiver = |attempt: &HeldAttempt, waiver, charges| {
        let bill = bill(&settings(), attempt);
        assert_eq!((bill.waiver, bill.price, bill.charges.len()), (Some(waiver), MicroWon(0), charges));
        bill
    };
    let lost = HeldAttempt { factory_fault: true, ..attempt(vec![task(Some(0), HOUR)]) };
    let bill = check_waiver(&lost, Waiver::FactoryFault, 2);
    assert_eq!(bill.charges[0].amount, MicroWon(36 * WON), "what is waived is shown");
    assert!(bill.site_energy > Some(MilliJoules(0)), "and what was drawn was drawn");
    check_waiver(&attempt(vec![task(Some(0), HOUR), task(None, HOUR)]), Waiver::NeverStarted, 0);
    check_waiver(&attempt(Vec::new()), Waiver::NeverStarted, 0);
}

#[test]
fn accelerators_are_estimated_from_their_load() {
    let hour = |model| attempt(vec![with_accelerators(task(Some(0), HOUR), model, 1_000, 2)]);
    // Two at half load draw 2 x (200 + 600) W.
    check(&hour("MI355X"), 10_040 * WON, Some(1_605_400 * 3_600 * 12 / 10), Some(1_943_818));
    let mut measured = hour("MI355X");
    measured.tasks[0].usage.accelerator_busy = Some(Span(3_600_000));
    let bill = bill(&settings(), &measured);
    // One of the two was busy: 2 x 200 + 1,200 W.
    assert_eq!(bill.site_energy, Some(MilliJoules(1_605_400 * 3_600 * 12 / 10)));
    assert!(matches!(bill.energy[2], EnergyPart::Accelerator { load: eaf_model::Load::Busy(Span(3_600_000)), .. }));
    let slice = attempt(vec![with_accelerators(task(Some(0), HOUR), "MI355X", 250, 1)]);
    check(&slice, 1_290 * WON, Some(205_400 * 3_600 * 12 / 10), Some(248_698));
}

#[test]
fn what_is_unknown_stays_unknown() {
    let strange = attempt(vec![with_accelerators(task(Some(0), HOUR), "X1", 1_000, 1)]);
    let bill = check(&strange, 1_040 * WON, None, None);
    assert!(bill.pretended, "and what is pretended is said to be");
    let known: Vec<_> = bill.energy.iter().map(|part| part.energy().is_some()).collect();
    assert_eq!(known, [true, true, false]);
    let without_figures = eaf_model::Settings { power: PowerModel::default(), ..settings() };
    assert_eq!(super::bill(&without_figures, &attempt(vec![task(Some(0), HOUR)])).site_energy, None);
    let without_profile = eaf_model::Settings { carbon: CarbonProfile::default(), ..settings() };
    let bill = super::bill(&without_profile, &attempt(vec![task(Some(0), HOUR)]));
    assert_eq!((bill.carbon, bill.carbon_segments.len()), (None, 0));
}

#[test]
fn counters_are_used_where_every_task_has_one() {
    let mut gang = attempt(vec![task(Some(0), HOUR), task(Some(0), HOUR)]);
    gang.tasks[0].usage.energy = Some(MilliJoules(1_000));
    assert_eq!(bill(&settings(), &gang).energy.len(), 2, "estimated");
    gang.tasks[1].usage.energy = Some(MilliJoules(2_000));
    let bill = check(&gang, 80 * WON, Some(3_600), Some(1));
    assert_eq!(bill.energy, [EnergyPart::Counter { energy: MilliJoules(3_000) }]);
}

#[test]
fn a_year_is_summed_by_its_hours() {
    // From 2026-01-01T00:00 to 2027-01-01T00:00 in local time: every cell once for each day of its month.
    let start = 1_767_225_600_000 - 9 * HOUR;
    let year = bill(&settings(), &attempt(vec![task(Some(start), start + 8_760 * HOUR)]));
    let hours: Vec<_> = year.carbon_segments.iter().map(|segment| segment.span.0 / 3_600_000).collect();
    let days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    assert_eq!(hours, days.iter().flat_map(|days| [*days; 24]).collect::<Vec<_>>());
    let for_ever = bill(&settings(), &attempt(vec![HeldTask { ended_at: Time::NEVER, ..task(Some(start), start) }]));
    assert_eq!(for_ever.carbon_segments.len(), 288, "every hour of the day is visited alike");
}

#[test]
fn a_bill_is_short_in_the_journal() {
    let start = 1_795_441_234_567;
    let mut attempt = attempt(vec![task(Some(start), start + 1_234)]);
    attempt.granted_at = Time(start - 8);
    attempt.tasks[0].usage.memory_peak = Some(Bytes(12_345_678));
    let text = serde_json::to_string(&bill(&settings(), &attempt)).unwrap();
    assert!(text.len() < 600, "{} bytes: {text}", text.len());
    assert_eq!(serde_json::from_str::<Bill>(&text).unwrap(), bill(&settings(), &attempt));
}

#[test]
fn the_shipped_figures_are_of_the_right_shape() {
    let prices: PriceBook = toml::from_str(include_str!("../../../data/prices.toml")).unwrap();
    let power: PowerModel = toml::from_str(include_str!("../../../data/power.toml")).unwrap();
    let carbon: CarbonProfile = toml::from_str(include_str!("../../../data/carbon/kr_2021-2024.toml")).unwrap();
    assert!(prices.cpu_hour > MicroWon(0) && prices.accelerator_hour.values().all(|price| *price > MicroWon(0)));
    assert_eq!(carbon.milligrams_per_kwh.len(), 288);
    assert!(carbon.milligrams_per_kwh.iter().all(|cell| (200_000..700_000).contains(cell)), "Korea, in mg/kWh");
    assert!((1_000..2_000).contains(&power.pue_milli));
    assert_eq!(power.accelerators["MI355X"].max_watts, Watts(1_400));
    let catalogue: toml::Table = include_str!("../../../data/accelerators.toml").parse().unwrap();
    for entry in catalogue["model"].as_array().unwrap() {
        let figures = power.accelerators.get(entry["name"].as_str().unwrap());
        let watts = figures.map(|figures| i64::try_from(figures.max_watts.0).unwrap());
        assert_eq!(watts, entry.get("max_watts").and_then(toml::Value::as_integer), "{entry:?}");
    }
    for (model, figures) in &power.accelerators {
        assert!(figures.idle_watts.is_none_or(|idle| idle < figures.max_watts), "{model}");
        assert!(prices.accelerator_hour.contains_key(model), "{model} has no price");
    }
}

fn any_task() -> impl Strategy<Value = HeldTask> {
    let usage = (any::<u64>(), any::<Option<u64>>(), any::<Option<u64>>(), any::<Option<u64>>());
    let accelerators = prop::collection::vec((prop_oneof!["MI355X", "X1"], any::<u64>()), 0..3);
    (any::<u64>(), any::<u64>(), accelerators, any::<Option<i64>>(), any::<i64>(), usage).prop_map(
        |(cpu, memory, accelerators, started_at, ended_at, (busy, peak, accelerator, energy))| HeldTask {
            cpu: CpuMilli(cpu),
            memory: Bytes(memory),
            pretended: cpu % 2 == 0,
            accelerators: accelerators.into_iter().map(|(model, share)| (model, GpuMilli(share))).collect(),
            started_at: started_at.map(Time),
            ended_at: Time(ended_at),
            usage: Usage {
                cpu: CpuMicros(busy),
                memory_peak: peak.map(Bytes),
                accelerator_busy: accelerator.map(Span),
                energy: energy.map(MilliJoules),
            },
        },
    )
}

proptest! {
    #[test]
    fn no_input_panics_or_charges_below_zero(
        tasks in prop::collection::vec(any_task(), 0..4),
        granted_at: i64,
        factory_fault: bool,
        figures: [u64; 6],
        offset: i32,
    ) {
        let mut settings = settings();
        settings.prices.cpu_hour = MicroWon(i64::try_from(figures[0] >> 1).unwrap());
        settings.power.cpu_busy_milliwatts = figures[1];
        settings.power.memory_gib_milliwatts = figures[2];
        settings.power.accelerator_load_assumed_milli = figures[3];
        settings.power.pue_milli = figures[4];
        settings.power.accelerators.get_mut("MI355X").unwrap().max_watts = Watts(figures[5]);
        settings.carbon.utc_offset_minutes = offset;
        let all_started = tasks.iter().all(|task| task.started_at.is_some()) && !tasks.is_empty();
        let attempt = HeldAttempt { granted_at: Time(granted_at), factory_fault, tasks };
        let bill = bill(&settings, &attempt);
        prop_assert!(bill.price >= MicroWon(0));
        prop_assert_eq!(bill.waiver.is_none(), all_started && !factory_fault);
        prop_assert!(bill.waiver.is_none() || bill.price == MicroWon(0));
        prop_assert!(bill.carbon_segments.len() <= 288);
    }
}
