//! Writes the golden journal of the present format: a short history in which everything happens once.
//!
//! `cargo run -p eaf-store --example golden -- crates/eaf-store/tests/golden/format-1`
//!
//! Run this only before a format has been released, or for a new one in a folder of its own: every later version must
//! open what an earlier one has written, so a golden journal that was released is never written again.

use eaf_core::State;
use eaf_model::{
    Accelerator, AcceleratorRequest, AllottedAccelerator, Bytes, CpuMicros, CpuMilli, Effect, Exit, GpuMilli, Input,
    MicroWon, MilliJoules, NodeId, NodeSpec, PriceBook, Settings, Span, StartOrder, Submission, TaskKey, TaskReport,
    TaskRequest, Time, Usage, WorkloadId, WorkloadSpec,
};
use eaf_store::sample::{Factory, spec};
use eaf_store::{Batch, JOURNAL_FILE, OpenOptions, SqliteStore, Store, VerifyOptions, verify};
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: golden FOLDER")?;
    let folder = Path::new(&folder);
    let _ = std::fs::remove_dir_all(folder);
    let mut store = SqliteStore::open(folder, OpenOptions::default())?;
    for (number, batch, factory) in History::write() {
        store.append(&batch)?;
        if number == 4 {
            store.save_snapshot(&factory.snapshot())?;
        }
    }
    drop(store);
    let report = verify(folder, VerifyOptions::default(), &mut |_| {})?;
    for left in ["lock", "journal.db-wal", "journal.db-shm"] {
        let _ = std::fs::remove_file(folder.join(left));
    }
    let expected = format!("head {}\nhistory {}\nstate {}\n", report.head, report.history_digest, report.state_digest);
    std::fs::write(folder.join("EXPECTED"), expected)?;
    assert!(folder.join(JOURNAL_FILE).exists());
    Ok(())
}

/// A factory whose steps go into a batch at the end of each chapter.
struct History {
    factory: Factory,
    batches: Vec<(usize, Batch, Factory)>,
}

impl History {
    fn write() -> Vec<(usize, Batch, Factory)> {
        let mut this = Self { factory: Factory::new(Time(1_764_000_000_000)), batches: Vec::new() };
        this.nodes_come();
        this.work_ends_well_and_badly();
        this.gangs_and_arrays();
        this.someone_changes_their_mind();
        this.a_node_is_lost_and_given_up();
        this.nodes_go();
        this.batches
    }

    fn input(&mut self, input: &Input) {
        self.factory.wait(Span(250));
        self.factory.input(input).unwrap_or_else(|rejection| panic!("{input:?}: {rejection:?}"));
    }

    fn end_chapter(&mut self) {
        let batch = self.factory.batch();
        self.batches.push((self.batches.len() + 1, batch, self.factory.clone()));
    }

    fn state(&self) -> &State {
        self.factory.state()
    }

    fn node(&self, name: &str) -> NodeId {
        self.state().nodes().find(|(_, node)| node.spec.name == name).map(|(id, _)| *id).expect("the node is there")
    }

    fn submit(&mut self, spec: WorkloadSpec, array: Vec<u16>, key: Option<&str>) -> WorkloadId {
        let id = WorkloadId::of_step(self.state().step_number() + 1);
        let (key, by) = (key.map(str::to_owned), "student".to_owned());
        self.input(&Input::Submit(Box::new(Submission { spec, array, key, by, ended: Vec::new() })));
        id
    }

    /// Places what waits, and gives the orders that are owed for this workload.
    fn placed(&mut self, workload: WorkloadId) -> Vec<StartOrder> {
        self.input(&Input::Plan);
        let owed = eaf_core::outstanding(self.state()).into_iter();
        let starts = owed.filter_map(|effect| match effect {
            Effect::Start(order) if order.workload.list() == workload => Some(order),
            _ => None,
        });
        let starts: Vec<StartOrder> = starts.collect();
        assert!(!starts.is_empty(), "{workload} is placed");
        starts
    }

    fn report(&mut self, key: TaskKey, report: TaskReport) {
        self.input(&Input::Reported { key, report });
    }

    fn started(&mut self, key: TaskKey) {
        self.report(key, TaskReport::Accepted);
        let at = self.state().last_time();
        self.report(key, TaskReport::Started { at });
    }

    fn exited(&mut self, key: TaskKey, exit: Exit) {
        let at = self.state().last_time();
        let usage = Usage {
            cpu: CpuMicros(2_000_000),
            memory_peak: Some(Bytes(64 << 20)),
            accelerator_busy: Some(Span(900)),
            energy: Some(MilliJoules(5_000)),
        };
        self.report(key, TaskReport::Exited { at, exit, usage });
    }

    fn nodes_come(&mut self) {
        let mut settings = Settings::default();
        let (name, cpu_hour) = ("golden 2026".to_owned(), MicroWon(45_000_000));
        settings.prices = PriceBook { name, cpu_hour, ..PriceBook::default() };
        settings.power.pue_milli = 1_300;
        settings.power.cpu_busy_milliwatts = 4_000;
        self.input(&Input::Configure(Box::new(settings)));
        let accelerator =
            || Accelerator { model: "MI355X".to_owned(), memory: Some(Bytes(288 << 30)), uuid: Some("u".to_owned()) };
        let node = |name: &str, accelerators: usize| NodeSpec {
            name: name.to_owned(),
            cpu: CpuMilli(16_000),
            memory: Bytes(64 << 30),
            accelerators: (0..accelerators).map(|_| accelerator()).collect(),
            fabric: Vec::new(),
            pretended: accelerators > 0,
            labels: BTreeMap::from([("rack".to_owned(), "r1".to_owned())]),
        };
        self.input(&Input::NodeSeen(node("가온", 4)));
        self.input(&Input::NodeSeen(node("나래", 0)));
        self.input(&Input::NodeSeen(node("나래", 2)));
        let gaon = self.node("가온");
        self.input(&Input::Cordon { node: gaon, why: "a fan is loud".to_owned() });
        self.input(&Input::Uncordon { node: gaon });
        self.end_chapter();
    }

    fn work_ends_well_and_badly(&mut self) {
        let request =
            AcceleratorRequest { count: 1, share: GpuMilli(500), models: vec!["MI355X".to_owned()], slice: None };
        let task = TaskRequest { cpu: CpuMilli(2_000), memory: Bytes(1 << 30), accelerators: request };
        let good = self.submit(WorkloadSpec { task, ..spec("좋은 일", "physics") }, Vec::new(), Some("key-good"));
        let order = self.placed(good).remove(0);
        let [AllottedAccelerator { .. }] = order.allotment.accelerators[..] else { panic!("half an accelerator") };
        self.started(order.key);
        let usage = Usage { cpu: CpuMicros(1_000_000), memory_peak: Some(Bytes(32 << 20)), ..Usage::default() };
        self.report(order.key, TaskReport::Used { usage });
        self.exited(order.key, Exit::Code(0));
        let bad = self.submit(WorkloadSpec { retries: 1, ..spec("bad", "physics") }, Vec::new(), None);
        let order = self.placed(bad).remove(0);
        self.started(order.key);
        self.exited(order.key, Exit::Code(3));
        self.factory.wait(Span::from_secs(5));
        self.input(&Input::Wake);
        let order = self.placed(bad).remove(0);
        self.started(order.key);
        self.exited(order.key, Exit::Signal(9));
        self.end_chapter();
    }

    fn gangs_and_arrays(&mut self) {
        let gang = WorkloadSpec { tasks: 2, tasks_per_node_max: Some(1), ..spec("gang", "physics") };
        let gang = self.submit(gang, Vec::new(), None);
        let orders = self.placed(gang);
        for order in &orders {
            self.started(order.key);
        }
        for order in &orders {
            self.exited(order.key, Exit::Code(0));
        }
        let array = self.submit(spec("array", "biology"), (0..3).collect(), Some("key-array"));
        let after = WorkloadSpec { after_ok: vec![array], ..spec("after", "biology") };
        self.submit(after, Vec::new(), None);
        for (order, code) in self.placed(array).into_iter().zip([0, 0, 7]) {
            self.started(order.key);
            self.exited(order.key, Exit::Code(code));
        }
        self.end_chapter();
    }

    fn someone_changes_their_mind(&mut self) {
        let long = WorkloadSpec { stop_grace: Some(Span::from_secs(3)), ..spec("long", "biology") };
        let long = self.submit(long, Vec::new(), None);
        let order = self.placed(long).remove(0);
        self.started(order.key);
        self.input(&Input::Cancel { workload: long, by: "student".to_owned() });
        self.exited(order.key, Exit::Signal(15));
        let late = WorkloadSpec { expires_after: Some(Span::from_secs(10)), ..spec("late", "biology") };
        self.submit(late, Vec::new(), None);
        self.factory.wait(Span::from_secs(11));
        self.input(&Input::Wake);
        self.submit(spec("waits", "biology"), Vec::new(), Some("key-waits"));
        self.end_chapter();
    }

    fn a_node_is_lost_and_given_up(&mut self) {
        let narae = self.node("나래");
        self.input(&Input::Cordon { node: self.node("가온"), why: "to be lonely".to_owned() });
        let lost = self.submit(spec("lost", "physics"), Vec::new(), None);
        let order = self.placed(lost).remove(0);
        self.started(order.key);
        self.input(&Input::NodeLost { node: narae, why: "no heartbeat".to_owned() });
        self.factory.wait(Span::from_secs(61));
        self.input(&Input::Wake);
        let spec = self.state().node(narae).expect("it is lost and known").spec.clone();
        self.input(&Input::NodeSeen(NodeSpec::clone(&spec)));
        self.exited(order.key, Exit::Signal(9));
        self.end_chapter();
    }

    fn nodes_go(&mut self) {
        let gaon = self.node("가온");
        self.input(&Input::RemoveNode { node: gaon });
        self.submit(spec("still here", "physics"), vec![5, 7], None);
        self.input(&Input::Plan);
        self.end_chapter();
    }
}
