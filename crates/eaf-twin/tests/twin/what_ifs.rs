//! Futures of a small factory, as it is and with a change.

use super::fleet;
use eaf_core::{State, step};
use eaf_model::{
    AcceleratorRequest, Bytes, CpuMilli, Effect, GpuMilli, Input, NodeSpec, Span, Submission, TaskReport, TaskRequest,
    Time, WorkloadSpec, WorkloadState,
};
use eaf_twin::what_if::{Change, WhatIf, WhatIfError, what_if};

const NOW: Time = Time(1_767_225_600_000);

fn must(state: &mut State, at: Time, input: &Input) {
    step(state, at, input).unwrap_or_else(|rejection| panic!("{input:?} is refused: {rejection:?}"));
}

fn submission(count: u32, wall_s: u64) -> Submission {
    let mut spec = WorkloadSpec::command(&["train"]);
    spec.name = format!("train-{count}");
    spec.wall_time = Some(Span::from_secs(wall_s));
    let accelerators = AcceleratorRequest { count, share: GpuMilli(1_000), models: Vec::new(), slice: None };
    spec.task = TaskRequest { cpu: CpuMilli(1), memory: Bytes(1 << 20), accelerators };
    Submission { spec, array: Vec::new(), key: None, by: "ann".to_owned(), ended: Vec::new() }
}

/// One node of four accelerators, taken since 100 s by a workload of 1,000 s, and two that wait for it.
fn factory() -> State {
    let mut state = State::new();
    let begin = Time(NOW.0 - 100_000);
    must(&mut state, begin, &Input::NodeSeen(fleet("1x4").remove(0)));
    must(&mut state, begin, &Input::Submit(Box::new(submission(4, 1_000))));
    must(&mut state, begin, &Input::Plan);
    let Some(Effect::Start(order)) = eaf_core::outstanding(&state).pop() else { panic!("a start is owed") };
    must(&mut state, begin, &Input::Reported { key: order.key, report: TaskReport::Started { at: begin } });
    must(&mut state, NOW, &Input::Submit(Box::new(submission(2, 600))));
    must(&mut state, NOW, &Input::Submit(Box::new(submission(4, 600))));
    must(&mut state, NOW, &Input::Plan);
    state
}

fn ask(change: &Change, load_milli: u32) -> WhatIf {
    what_if(&factory(), NOW, change, load_milli).expect("there is an answer")
}

/// Seconds from now until what waits starts, in order of submission.
fn starts(future: &eaf_twin::what_if::Future) -> Vec<Option<u64>> {
    future.waiting().map(|fate| fate.starts_at.map(|at| at.since(NOW).0.div_ceil(1_000))).collect()
}

fn like_the_first(times: usize) -> Vec<NodeSpec> {
    let mut nodes = vec![fleet("1x4").remove(0); times];
    for (n, node) in nodes.iter_mut().enumerate() {
        node.name = format!("new-{n}");
    }
    nodes
}

#[test]
fn work_goes_on_for_its_share_of_the_wall_time() {
    let whole = ask(&Change::default(), 1_000);
    assert_eq!(whole.as_it_is, whole.changed, "no change, no difference");
    assert_eq!(starts(&whole.as_it_is), [Some(900), Some(1_500)]);
    let half = ask(&Change::default(), 500);
    assert_eq!(starts(&half.as_it_is), [Some(400), Some(700)]);
    let running = half.as_it_is.fates.values().next().expect("the first workload");
    assert_eq!(running.was, Some(WorkloadState::Running));
    assert_eq!((running.starts_at, running.ends_at), (Some(Time(NOW.0 - 100_000)), Some(Time(NOW.0 + 400_000))));
}

#[test]
fn more_nodes_mean_sooner_and_fewer_mean_never() {
    let more = ask(&Change { add: like_the_first(1), ..Change::default() }, 1_000);
    assert_eq!(starts(&more.changed), [Some(0), Some(600)]);
    assert_eq!(more.changed.mean_wait(NOW), Some(Span(299_999)));
    let fewer = ask(&Change { remove: vec!["node-0".to_owned()], ..Change::default() }, 1_000);
    assert_eq!(starts(&fewer.changed), [None, None]);
    assert_eq!((fewer.changed.stranded(), fewer.as_it_is.stranded()), (2, 0));
    assert!(fewer.changed.fates.values().next().is_some_and(|first| first.ends_at.is_some()), "what runs ends");
}

#[test]
fn submitted_work_shows_what_it_delays() {
    let mut urgent = submission(2, 300);
    urgent.spec.priority = 5;
    let answer = ask(&Change { submit: vec![urgent], ..Change::default() }, 1_000);
    assert_eq!(answer.changed.fates.len(), 4);
    let new = answer.changed.fates.values().find(|fate| fate.was.is_none()).expect("the new one");
    assert_eq!(new.starts_at.map(|at| at.since(NOW).0.div_ceil(1_000)), Some(900));
    assert_eq!(starts(&answer.changed), [Some(900), Some(1_500)], "it fits beside the first that waits");
}

#[test]
fn what_is_not_there_is_named() {
    let state = factory();
    let gone = Change { remove: vec!["node-9".to_owned()], ..Change::default() };
    assert!(matches!(what_if(&state, NOW, &gone, 1_000), Err(WhatIfError::UnknownNode { name }) if name == "node-9"));
    let huge = Change { submit: vec![submission(64, 60)], ..Change::default() };
    assert!(matches!(what_if(&state, NOW, &huge, 1_000), Err(WhatIfError::Submission { .. })));
    let mut nameless = like_the_first(1);
    nameless[0].name.clear();
    let nameless = Change { add: nameless, ..Change::default() };
    assert!(matches!(what_if(&state, NOW, &nameless, 1_000), Err(WhatIfError::Node { .. })));
}

#[test]
fn a_lost_node_stays_lost_and_its_work_is_tried_elsewhere() {
    let mut state = factory();
    let node = state.node_named("node-0").expect("the node").id;
    must(&mut state, NOW, &Input::NodeLost { node, why: "silent".to_owned() });
    let answer = what_if(&state, NOW, &Change { add: like_the_first(1), ..Change::default() }, 1_000);
    let answer = answer.expect("there is an answer");
    assert_eq!(answer.as_it_is.stranded(), 3);
    assert_eq!(answer.changed.stranded(), 0, "{:?}", answer.changed);
}
