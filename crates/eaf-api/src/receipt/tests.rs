//! Receipts: built, signed, verified, tampered with and rendered.

use super::*;
use crate::messages::Lang;
use eaf_model::{
    Basis, Bill, Bytes, CarbonSegment, Charge, CpuMicros, EnergyPart, Equivalent, Exit, GpuMilli, Item, LeaseId, Load,
    MicroGramsCo2, MicroWon, MilliJoules, Reason, Span, Time, Usage, Waiver, Watts, WorkloadId, WorkloadState,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const START: i64 = 1_795_441_234_567;

/// An attempt of 1.1 s with one thread and 256 MiB, as the meter bills it.
fn plain_bill() -> Bill {
    let charge = |item, held, rate, amount| Charge {
        item,
        held,
        time: Span(1_100),
        rate: MicroWon(rate),
        amount: MicroWon(amount),
    };
    Bill {
        granted_at: Time(START - 9),
        started_at: Some(Time(START)),
        ended_at: Time(START + 1_100),
        waiver: None,
        preempted: None,
        usage: Usage { cpu: CpuMicros(987_654), memory_peak: Some(Bytes(12_345_678)), ..Usage::default() },
        pretended: false,
        price_book: "example".into(),
        equivalent: None,
        charges: vec![charge(Item::Cpu, 1_000, 28_000_000, 8_556), charge(Item::Memory, 256, 7_000_000, 535)],
        energy: vec![
            EnergyPart::Cpu { busy: CpuMicros(987_654), milliwatts: 3_500, energy: Some(MilliJoules(3_457)) },
            EnergyPart::Memory { mib: 256, time: Span(1_100), milliwatts: 392, energy: Some(MilliJoules(108)) },
        ],
        pue_milli: 1_250,
        site_energy: Some(MilliJoules(4_456)),
        carbon_segments: vec![
            CarbonSegment { milligrams_per_kwh: 430_000, span: Span(1_000) },
            CarbonSegment { milligrams_per_kwh: 441_000, span: Span(100) },
        ],
        carbon: Some(MicroGramsCo2(533)),
        price: MicroWon(9_091),
    }
}

/// An attempt of two MI355X for half an hour, one of them unknown to the power model, lost to the factory.
fn lost_bill() -> Bill {
    let accelerator = |model: &str, figures: Option<(u64, Option<u64>)>, energy: Option<u64>| EnergyPart::Accelerator {
        model: model.into(),
        share: GpuMilli(500),
        time: Span(1_800_000),
        load: if energy.is_some() { Load::Assumed(760) } else { Load::Busy(Span(900_000)) },
        max_watts: figures.map(|(max, _)| Watts(max)),
        idle_watts: figures.and_then(|(_, idle)| idle.map(Watts)),
        energy: energy.map(MilliJoules),
    };
    let charge = |model: &str| Charge {
        item: Item::Accelerator(model.into()),
        held: 500,
        time: Span(1_800_000),
        rate: MicroWon(6_300_000_000),
        amount: MicroWon(1_575_000_000),
    };
    Bill {
        waiver: Some(Waiver::FactoryFault),
        pretended: true,
        ended_at: Time(START + 1_800_000),
        usage: Usage::default(),
        equivalent: Some(Equivalent {
            book: "example".into(),
            h100_milli: BTreeMap::from([("MI355X".into(), Some(2_500)), ("MI999X".into(), None)]),
            h100_micro_hours: None,
        }),
        charges: vec![charge("MI355X"), charge("MI999X")],
        energy: vec![
            accelerator("MI355X", Some((1_400, Some(238))), Some(1_009_008_000)),
            accelerator("MI999X", None, None),
        ],
        site_energy: None,
        carbon: None,
        price: MicroWon::ZERO,
        ..plain_bill()
    }
}

fn task(node: &str, exit: Exit) -> TaskFacts {
    TaskFacts { node: node.into(), exit }
}

fn facts(attempts: Vec<AttemptFacts>) -> ReceiptFacts {
    ReceiptFacts {
        factory: "포항 1".into(),
        journal: format!("1234:{}", "ab".repeat(32)),
        workload: WorkloadId::of_step(12),
        name: "train \"π\" 학습".into(),
        project: "default".into(),
        by: "admin".into(),
        submitted_at: Time(START - 20),
        ended_at: Time(START + 1_800_100),
        state: WorkloadState::Finished,
        reason: Reason::AllTasksExitedZero,
        attempts,
    }
}

fn sample() -> ReceiptFacts {
    let lost = Exit::Lost("the node is gone".into());
    let first = AttemptFacts {
        lease: LeaseId::of_step(13),
        checkpointed_at: None,
        tasks: vec![task("n1", lost.clone()), task("n1", lost.clone()), task("n2", lost)],
        bill: lost_bill(),
    };
    let second = AttemptFacts {
        lease: LeaseId::of_member(20, 3),
        checkpointed_at: None,
        tasks: vec![task("n1", Exit::Code(0))],
        bill: plain_bill(),
    };
    facts(vec![first, second])
}

fn plain() -> ReceiptFacts {
    let tasks = vec![task("n1", Exit::Code(0))];
    facts(vec![AttemptFacts { lease: LeaseId::of_step(13), checkpointed_at: None, tasks, bill: plain_bill() }])
}

fn key() -> KeyPair {
    KeyPair::from_seed(&[7; 32])
}

fn signed(facts: &ReceiptFacts) -> String {
    sign(&build(facts), &key())
}

fn check(text: &str) -> Result<VerifiedReceipt, ReceiptError> {
    verify(text.as_bytes(), &key().public())
}

/// The line, from 1, that contains this text.
fn line_with(text: &str, part: &str) -> usize {
    text.lines().position(|line| line.contains(part)).expect("the sample has this line") + 1
}

#[test]
fn figures_are_those_of_the_bill() {
    let receipt = build(&plain());
    let value = |name: &str| receipt.figure(name).unwrap_or_else(|| panic!("{name}")).value;
    let bill = plain_bill();
    assert_eq!(value("attempt_1.charge.cpu"), Some(bill.charges[0].amount.0));
    assert_eq!(value("attempt_1.charge.memory"), Some(bill.charges[1].amount.0));
    assert_eq!(value("attempt_1.energy.cpu"), Some(3_457));
    assert_eq!(value("attempt_1.energy.memory"), Some(108));
    assert_eq!(value("price"), Some(bill.price.0));
    assert_eq!(value("site_energy"), Some(4_456));
    assert_eq!(value("carbon"), Some(533));
    assert_eq!(value("wall"), Some(1_100));
    assert_eq!(receipt.figure("energy").unwrap().basis, Some(Basis::Estimated));
}

#[test]
fn waivers_unknowns_and_pretended_accelerators_are_shown() {
    let receipt = build(&sample());
    let figure = |name: &str| receipt.figure(name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(figure("attempt_1.charge.accelerator.MI355X").value, Some(1_575_000_000));
    assert_eq!(figure("attempt_1.waived").value, Some(-3_150_000_000));
    assert_eq!(figure("attempt_1.price").value, Some(0));
    assert_eq!(figure("price").value, Some(9_091), "the waived attempt costs nothing");
    assert_eq!(figure("attempt_1.energy.accelerator.MI355X").value, Some(1_009_008_000));
    // Half of it for half an hour, two and a half H100s strong.
    assert_eq!(figure("attempt_1.equivalent.accelerator.MI355X").value, Some(625_000));
    let unknown = |name: &str| (figure(name).value, figure(name).unknown);
    assert_eq!(unknown("attempt_1.equivalent.accelerator.MI999X"), (None, Some(Unknown::NoExchangeRate)));
    assert_eq!(unknown("attempt_1.energy.accelerator.MI999X"), (None, Some(Unknown::NoPowerFigure)));
    assert_eq!(unknown("attempt_1.accelerator_busy"), (None, Some(Unknown::NoCounter)));
    assert_eq!(unknown("site_energy"), (None, Some(Unknown::MadeFromUnknown)));
    assert_eq!(unknown("carbon"), (None, Some(Unknown::MadeFromUnknown)));
    assert_eq!(receipt.attempts.iter().map(|attempt| attempt.pretended).collect::<Vec<_>>(), [true, false]);
    assert!(receipt.pretended);
    assert_eq!(receipt.tasks.iter().map(|group| group.ranks).collect::<Vec<_>>(), [[0, 1], [2, 2], [0, 0]]);
}

#[test]
fn other_bases_and_absences_add_up() {
    let mut bill = plain_bill();
    bill.energy = vec![EnergyPart::Counter { energy: MilliJoules(5_000) }];
    bill.carbon_segments.clear();
    bill.charges[0].time = Span(777);
    let mut never = plain_bill();
    never.started_at = None;
    never.waiver = Some(Waiver::NeverStarted);
    never.charges.clear();
    never.energy.clear();
    never.pue_milli = 0;
    let attempt = |bill| AttemptFacts { lease: LeaseId::of_step(1), checkpointed_at: None, tasks: Vec::new(), bill };
    let receipt = check(&signed(&facts(vec![attempt(bill), attempt(never)]))).unwrap().receipt;
    let figure = |name: &str| receipt.figure(name).unwrap();
    assert_eq!(figure("attempt_1.energy").basis, Some(Basis::Measured));
    assert_eq!(figure("attempt_1.carbon").unknown, Some(Unknown::NoCarbonProfile));
    assert_eq!(figure("attempt_1.charge.cpu").value, Some(6_043));
    assert_eq!(figure("attempt_2.price").value, Some(0));
    assert_eq!((figure("attempt_2.wall").value, figure("attempt_2.carbon").value), (Some(0), Some(0)));
    assert_eq!(figure("site_energy").value, Some(6_250));
    let nothing = check(&signed(&facts(Vec::new()))).unwrap().receipt;
    assert_eq!(nothing.figure("price").unwrap().value, Some(0));
}

#[test]
fn huge_numbers_are_unknown_and_do_not_panic() {
    let mut bill = lost_bill();
    bill.charges[0].held = u64::MAX;
    bill.charges[1].rate = MicroWon::MAX;
    bill.usage.cpu = CpuMicros::MAX;
    bill.ended_at = Time::NEVER;
    bill.started_at = Some(Time(i64::MIN));
    let attempt = AttemptFacts { lease: LeaseId::of_step(1), checkpointed_at: None, tasks: Vec::new(), bill };
    let receipt = check(&signed(&facts(vec![attempt]))).unwrap().receipt;
    assert_eq!(receipt.figure("wall").unwrap().unknown, Some(Unknown::MadeFromUnknown));
    assert_eq!(receipt.figure("attempt_1.wall").unwrap().unknown, Some(Unknown::OutOfRange));
    assert_eq!(receipt.figure("price").unwrap().value, None);
}

#[test]
fn a_signed_receipt_reads_as_itself() {
    let text = signed(&sample());
    assert_eq!(check(&text).unwrap().receipt, build(&sample()));
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "it is JSON");
    assert_eq!(stated_key(text.as_bytes()), Some(key().public()));
    assert!(text.ends_with("}\n") && !text.ends_with("\n\n"));
    insta::assert_snapshot!("signed", signed(&plain()));
}

/// Every byte, with a few values for each: every change fails, and the error names its line.
#[test]
fn any_changed_byte_fails_on_its_line() {
    let text = signed(&plain());
    let mut line = 1;
    for at in 0..text.len() {
        let old = text.as_bytes()[at];
        for new in [old ^ 1, old ^ 0x20, b'\n', b'"', 0xff] {
            if new == old {
                continue;
            }
            let mut bytes = text.clone().into_bytes();
            bytes[at] = new;
            let error = verify(&bytes, &key().public()).expect_err("a changed receipt does not pass");
            let named = error.line().expect("a line is named");
            // A newline that comes or goes makes two lines of one, or one of two.
            let slack = usize::from(new == b'\n' || old == b'\n');
            assert!(named.abs_diff(line) <= slack, "byte {at} of line {line} to {new}: {error:?}");
        }
        line += usize::from(old == b'\n');
    }
}

#[test]
fn a_changed_figure_is_named_with_what_it_comes_to() {
    let text = signed(&plain());
    let line = line_with(&text, "\"name\": \"price\"");
    let error = check(&text.replace("\"price\", \"value\": 9091", "\"price\", \"value\": 9")).unwrap_err();
    assert_eq!(
        (error.line(), error.to_string().contains("price is stated as 9 and comes to 9091")),
        (Some(line), true)
    );
    // A changed input is named by its own line, though only a later figure no longer adds up.
    let line = line_with(&text, "\"name\": \"attempt_1.cpu_time\"");
    let error = check(&text.replace("\"reading\": 987654", "\"reading\": 987655")).unwrap_err();
    assert_eq!(error.line(), Some(line), "{error}");
    let error = check(&text.replace("\"state\": \"finished\"", "\"state\": \"failed\"")).unwrap_err();
    assert!(matches!(&error, ReceiptError::Changed { field, .. } if field == "workload.state"), "{error}");
    for lang in Lang::ALL {
        assert!(describe(lang, &error).contains("workload.state"));
    }
}

#[test]
fn another_key_is_named_by_its_line() {
    let other = KeyPair::from_seed(&[8; 32]);
    let text = sign(&build(&plain()), &other);
    let line = line_with(&text, "    \"key\": \"");
    let error = check(&text).unwrap_err();
    assert!(matches!(error, ReceiptError::ForeignKey { .. }) && error.line() == Some(line), "{error}");
    // With the expected key pasted in, it is the signature that does not hold.
    let pasted = text.replace(&other.public().to_string(), &key().public().to_string());
    let error = check(&pasted).unwrap_err();
    assert_eq!(error, ReceiptError::Signature { line: line_with(&text, "\"signature\": \"") });
}

#[test]
fn a_signature_does_not_make_a_wrong_receipt_right() {
    let body = build(&plain()).body();
    assert!(check(&seal::seal(body.clone(), &key())).is_ok());
    let error = |from: &str, to: &str| {
        let changed = body.replacen(from, to, 1);
        assert_ne!(changed, body);
        check(&seal::seal(changed, &key())).unwrap_err()
    };
    let wrong_sum = error("\"price\", \"value\": 9091", "\"price\", \"value\": 9092");
    assert!(matches!(wrong_sum, ReceiptError::DoesNotAddUp { .. }), "{wrong_sum}");
    let spaced = error("\"pretended\": false", "\"pretended\":  false");
    assert!(matches!(spaced, ReceiptError::NotCanonical { line: 5, .. }), "{spaced}");
    let extra = error("  \"pretended\"", "  \"bonus\": 1,\n  \"pretended\"");
    assert!(matches!(extra, ReceiptError::Malformed { line: 5, .. }), "{extra}");
    let twice = error("\"milliwatts\": 3500}", "\"milliwatts\": 1, \"milliwatts\": 3500}");
    assert!(matches!(twice, ReceiptError::NotCanonical { .. }), "{twice}");
    let huge = error("\"value\": 9091", "\"value\": 90910000000000000000000000");
    assert!(matches!(huge, ReceiptError::Malformed { .. }), "{huge}");
    let format = error("\"receipt\": 1", "\"receipt\": 2");
    assert!(matches!(format, ReceiptError::Malformed { line: 2, .. }), "{format}");
    let later = error("\"cpu_time\": \"attempt_1.cpu_time\"", "\"cpu_time\": \"price\"");
    assert!(matches!(later, ReceiptError::Formula { .. }), "{later}");
    let deep = error("\"formula\": \"reading\"", &format!("\"formula\": \"{}\"", "(".repeat(400)));
    assert!(matches!(deep, ReceiptError::Formula { .. }), "{deep}");
}

#[test]
fn cut_and_foreign_files_are_refused() {
    let text = signed(&plain());
    for end in 0..text.len() {
        let error = verify(&text.as_bytes()[..end], &key().public()).expect_err("a cut receipt does not pass");
        assert!(error.line().is_some_and(|line| line <= text.lines().count()), "{error:?}");
    }
    assert!(check(&format!("{text}\n")).is_err() && check(&format!("{text}x")).is_err());
    assert!(check(&format!("\u{feff}{text}")).is_err() && check(&text.replace('\n', "\r\n")).is_err());
    for garbage in
        [vec![b'{'; 10 << 20], vec![b'\n'; 10 << 20], vec![0xff; 10 << 20], vec![b' '; RECEIPT_BYTES_MAX + 1]]
    {
        let error = verify(&garbage, &key().public()).unwrap_err();
        for lang in Lang::ALL {
            assert!(!describe(lang, &error).contains("receipt-"));
        }
    }
}

#[test]
fn people_read_it_in_both_languages() {
    let verified = check(&signed(&sample())).unwrap();
    insta::assert_snapshot!("english", render(&verified, Lang::En));
    insta::assert_snapshot!("korean", render(&verified, Lang::Ko));
}

#[test]
fn every_error_has_words_in_both_languages() {
    let field = || "price".to_owned();
    let mismatch = || error::Mismatch { figure: field(), stated: Some(1), recomputed: None };
    let problem = FormulaProblem::UnknownName("x".into());
    let errors = [
        ReceiptError::TooLarge { bytes: 2, max: 1 },
        ReceiptError::NotUtf8 { line: 3 },
        ReceiptError::Seal { line: 3, field: field() },
        ReceiptError::ForeignKey { line: 3, stated: "a".into(), pinned: "b".into() },
        ReceiptError::Changed { line: 3, field: field(), mismatch: None },
        ReceiptError::Changed { line: 3, field: field(), mismatch: Some(mismatch()) },
        ReceiptError::SealChanged { line: 3, field: field() },
        ReceiptError::Signature { line: 3 },
        ReceiptError::Malformed { line: 3, problem: "x".into() },
        ReceiptError::NotCanonical { line: 3, field: field() },
        ReceiptError::Formula { line: 3, figure: field(), source: FormulaError { at: 1, problem } },
        ReceiptError::DoesNotAddUp { line: 3, mismatch: mismatch() },
    ];
    for error in errors {
        for lang in Lang::ALL {
            let words = describe(lang, &error);
            assert!(words.contains(' ') && !words.contains("receipt-") && !words.contains('{'), "{words}");
            assert!(error.line().is_none() || words.contains('3'), "{words}");
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(verify(&bytes, &key().public()).is_err());
    }

    /// A receipt in which some lines are swapped, doubled or dropped.
    #[test]
    fn no_rearranged_receipt_passes(from in 0_usize..60, to in 0_usize..60, keep: bool) {
        let text = signed(&plain());
        let mut lines: Vec<_> = text.lines().collect();
        let (from, to) = (from % lines.len(), to % lines.len());
        let line = lines[from];
        if !keep {
            lines.remove(from);
        }
        lines.insert(to.min(lines.len()), line);
        let changed = lines.join("\n") + "\n";
        prop_assert_eq!(check(&changed).is_ok(), changed == text);
    }
}
