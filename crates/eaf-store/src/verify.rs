//! Verify: is the journal what was written, and does it lead to what is stored?
//!
//! What: replays the journal read-only and checks the chain, the numbers, the invariants after every step, the snapshots
//! and the history; says at which step it breaks. Why beside a running factory: it reads at one moment and locks nothing.
//! Absent: repair, and the torn tail of the write-ahead log, which cannot be told from what was never acknowledged.

use crate::chain::Walk;
use crate::recover::parse_state;
use crate::sqlite::{self, Snapshots};
use crate::{Breach, Broken, EndedWorkload, Hash, Head, OpenError, StoreError};
use eaf_core::{State, Step, Violation, Workload, check_invariants, replay};
use eaf_model::Time;
use sha2::{Digest, Sha256};
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

/// Batches that are held at once.
const BATCHES: u32 = 64;

/// What to check beside the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerifyOptions {
    /// A place that the journal must have, for instance from a receipt.
    pub expect: Option<Head>,
    /// Check the invariants after every so many steps, and at the end. `None` paces itself: every step while few
    /// workloads live, then less often, so that checking costs a few times what replaying does. Whatever the pace, the
    /// step that broke an invariant is named.
    pub invariants_every: Option<NonZeroU64>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The step that was checked last.
    pub step: u64,
    /// The last step of the journal.
    pub last_step: u64,
}

/// What was found to be whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// The head of the journal.
    pub head: Head,
    /// Behind which the journal begins; the empty head where nothing was pruned.
    pub anchor: Head,
    /// Steps whose chain was checked.
    pub steps: u64,
    /// Steps that were replayed: those behind the oldest snapshot, where the journal was pruned.
    pub replayed: u64,
    /// Steps of the snapshots that equal the replayed state.
    pub snapshots: Vec<u64>,
    /// Ended workloads in the history.
    pub ended: u64,
    /// Of these, how many equal what the replay ended; the others ended in steps that were pruned.
    pub ended_replayed: u64,
    /// SHA-256 over the state at the head, as JSON.
    pub state_digest: Hash,
    /// SHA-256 over the history by id, as JSON.
    pub history_digest: Hash,
}

/// Where the journal, or what is stored beside it, is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The journal could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The journal is not what was written.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The journal has another hash at the step that was expected.
    #[error("at step {} the journal has hash {found}, and {} was expected", expected.step, expected.hash)]
    OtherHash {
        /// What was expected.
        expected: Head,
        /// What is there.
        found: Hash,
    },
    /// The step that was expected is no longer, or not as the end of a step, in the journal.
    #[error("step {} was pruned, the journal begins behind step {}", expected.step, anchor.step)]
    Pruned {
        /// What was expected.
        expected: Head,
        /// Where the journal begins.
        anchor: Head,
    },
    /// A step leads to a state that must not be.
    #[error("step {step} breaks an invariant: {violation}")]
    Invariant {
        /// The step.
        step: u64,
        /// What it breaks.
        violation: Violation,
    },
    /// A step cannot have happened in the state that it met.
    #[error("step {step} cannot be replayed: {why}")]
    Impossible {
        /// The step.
        step: u64,
        /// What the state machine said.
        why: String,
    },
    /// A snapshot is damaged, or is not the state that the journal leads to.
    #[error("the snapshot at step {step} is not the state of that step: {why}")]
    Snapshot {
        /// Its step.
        step: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The journal was pruned, and there is no snapshot to start from.
    #[error("the journal begins behind step {}, and there is no snapshot to start from", anchor.step)]
    NoSnapshot {
        /// Where the journal begins.
        anchor: Head,
    },
    /// The history is not what the journal ended.
    #[error("the history does not hold {workload} as step {step} ended it")]
    History {
        /// The workload.
        workload: eaf_model::WorkloadId,
        /// The step that ended it.
        step: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Verifies the journal of a data directory, calling `progress` between batches. The factory may run meanwhile.
///
/// # Errors
/// See [`VerifyError`]; the first thing that is wrong is named.
pub fn verify(
    dir: &Path,
    options: VerifyOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<VerifyReport, VerifyError> {
    let runtime = sqlite::blocking()?;
    runtime.block_on(async {
        let (mut conn, _) = sqlite::read_only(dir).await?;
        let result = Verifier::run(&mut conn, dir, options, progress).await;
        // Only reading was done, so a failure to close takes nothing from the result.
        let _ = conn.close().await;
        result
    })
}

struct Verifier<'a> {
    conn: &'a mut SqliteConnection,
    options: VerifyOptions,
    snapshots: Snapshots,
    /// Steps of snapshots that are still ahead, oldest first.
    ahead: Vec<u64>,
    anchor: Head,
    /// Once replay has begun.
    state: Option<State>,
    checked: Vec<u64>,
    replayed: u64,
    ended_replayed: u64,
    expected_seen: bool,
    pace: Pace,
    /// What ended before this may have left the history.
    history_from: Time,
}

impl<'a> Verifier<'a> {
    async fn run(
        conn: &'a mut SqliteConnection,
        dir: &Path,
        options: VerifyOptions,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<VerifyReport, VerifyError> {
        // Snapshots are listed first: one that is listed is never ahead of the journal that is read after it.
        let snapshots = Snapshots::of(dir);
        let mut ahead = snapshots.steps()?;
        ahead.reverse();
        // One transaction sees one moment, however long the reading takes.
        sqlx::query("BEGIN").execute(&mut *conn).await.map_err(sqlite::failed("reading the journal"))?;
        let anchor = sqlite::anchor(conn).await?;
        ahead.retain(|step| *step >= anchor.step);
        let state = (anchor.step == 0).then(State::new);
        if state.is_none() && ahead.is_empty() {
            return Err(VerifyError::NoSnapshot { anchor });
        }
        let expected_seen = options.expect.is_none();
        let (checked, replayed, ended_replayed) = (Vec::new(), 0, 0);
        let history_from = sqlite::history_from(conn).await?;
        let mut this = Self {
            conn,
            options,
            snapshots,
            ahead,
            anchor,
            state,
            checked,
            replayed,
            ended_replayed,
            expected_seen,
            pace: Pace::new(options.invariants_every),
            history_from,
        };
        let head = this.walk(progress).await?;
        this.report(head).await
    }

    async fn walk(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<Head, VerifyError> {
        let mut walk = Walk { head: self.anchor };
        let unreadable = |step| move |error: StoreError| Broken { step, breach: Breach::Unreadable(error.into()) };
        let end = sqlite::head(self.conn).await.map_err(unreadable(self.anchor.step + 1))?;
        self.at_place(walk.head)?;
        while walk.head.step < end.step {
            let after = walk.head.step;
            let batches = sqlite::batches(self.conn, after, BATCHES).await.map_err(unreadable(after + 1))?;
            if batches.is_empty() {
                let breach = Breach::CutOff { witness: "the journal's head", known: end.step };
                return Err(Broken { step: after + 1, breach }.into());
            }
            let mut ended = Vec::new();
            for batch in &batches {
                walk.batch(batch, |step, head| self.step(step, head, &mut ended))?;
            }
            self.compare_history(&ended).await?;
            progress(Progress { step: walk.head.step, last_step: end.step });
        }
        let witness = |witness, known| Broken { step: end.step + 1, breach: Breach::CutOff { witness, known } };
        if let Some(step) = self.ahead.first() {
            return Err(witness("a snapshot", *step).into());
        }
        if let (Some(expected), false) = (self.options.expect, self.expected_seen) {
            return Err(witness("what was expected", expected.step).into());
        }
        Ok(walk.head)
    }

    fn step(&mut self, step: Step, head: Head, ended: &mut Vec<EndedWorkload>) -> Result<(), VerifyError> {
        if let Some(state) = &mut self.state {
            let gone = catch_unwind(AssertUnwindSafe(|| replay(state, &step)))
                .map_err(|panic| VerifyError::Impossible { step: head.step, why: said(panic.as_ref()) })?;
            ended.extend(gone.into_iter().map(|workload| EndedWorkload { workload, head }));
            self.replayed += 1;
            self.pace.stepped(step, state)?;
        }
        self.at_place(head)
    }

    /// Compares what others say of this place: a snapshot, and the caller.
    fn at_place(&mut self, head: Head) -> Result<(), VerifyError> {
        if self.ahead.first() == Some(&head.step) {
            self.ahead.remove(0);
            self.compare_snapshot(head)?;
        }
        match self.options.expect {
            Some(expected) if expected.step == head.step => {
                self.expected_seen = true;
                if expected.hash != head.hash {
                    return Err(VerifyError::OtherHash { expected, found: head.hash });
                }
            }
            Some(expected) if expected.step < self.anchor.step => {
                return Err(VerifyError::Pruned { expected, anchor: self.anchor });
            }
            _ => {}
        }
        Ok(())
    }

    fn compare_snapshot(&mut self, head: Head) -> Result<(), VerifyError> {
        let step = head.step;
        let wrong = |why: String| VerifyError::Snapshot { step, why };
        let snapshot = match self.snapshots.load(step) {
            Ok(Some(snapshot)) => snapshot,
            // The running factory has let go of it since it was listed. Where replay was to begin with it, the next one
            // will do.
            Ok(None) if self.state.is_some() || !self.ahead.is_empty() => return Ok(()),
            Ok(None) => return Err(VerifyError::NoSnapshot { anchor: self.anchor }),
            Err(StoreError::SnapshotDamaged { why, .. }) => return Err(wrong(why)),
            Err(error) => return Err(error.into()),
        };
        if snapshot.head != head {
            return Err(wrong(format!("it was made at {}, and the journal is at {head}", snapshot.head)));
        }
        let stored = parse_state(&snapshot.body, step).map_err(|error| wrong(error.to_string()))?;
        match &self.state {
            Some(state) if *state != stored => return Err(wrong("it differs from the replayed state".to_owned())),
            Some(_) => {}
            None => {
                check_invariants(&stored).map_err(|violation| VerifyError::Invariant { step, violation })?;
                self.pace.start(&stored);
                self.state = Some(stored);
            }
        }
        self.checked.push(step);
        Ok(())
    }

    async fn compare_history(&mut self, ended: &[EndedWorkload]) -> Result<(), VerifyError> {
        let ids = ended.iter().map(|ended| ended.workload.id);
        let stored = sqlite::ended_within(self.conn, ids).await?;
        for EndedWorkload { workload, head } in ended {
            match stored.get(&workload.id) {
                Some(found) if found.head == *head && same(&found.workload, workload) => self.ended_replayed += 1,
                // History has a bound of its own, and forgets what the journal may still have.
                None if workload.state_since < self.history_from => {}
                _ => return Err(VerifyError::History { workload: workload.id, step: head.step }),
            }
        }
        Ok(())
    }

    async fn report(mut self, head: Head) -> Result<VerifyReport, VerifyError> {
        let state = self.state.ok_or(VerifyError::NoSnapshot { anchor: self.anchor })?;
        self.pace.check(&state)?;
        sqlite::integrity(self.conn).await?;
        let mut history = Sha256::new();
        let mut ended = 0;
        sqlite::each_ended(self.conn, |record| {
            ended += 1;
            history.update(record.head.to_string());
            history.update(serde_json::to_vec(&record.workload).expect("a record is JSON and memory takes it"));
        })
        .await?;
        let state = serde_json::to_vec(&state).expect("a state is JSON and memory takes it");
        Ok(VerifyReport {
            head,
            anchor: self.anchor,
            steps: head.step - self.anchor.step,
            replayed: self.replayed,
            snapshots: self.checked,
            ended,
            ended_replayed: self.ended_replayed,
            state_digest: Hash(Sha256::digest(&state).into()),
            history_digest: Hash(history.finalize().into()),
        })
    }
}

/// Live workloads for which one more step goes unchecked where the pace is free.
const LIVE_PER_STEP: u64 = 4;

/// Steps that are remembered between two checks at most.
const UNCHECKED_MAX: u64 = 4_096;

/// When invariants are checked, and what is needed to name the step that broke one.
struct Pace {
    every: Option<NonZeroU64>,
    /// The state at the last check.
    checked: State,
    /// The steps since then.
    since: Vec<Step>,
}

impl Pace {
    fn new(every: Option<NonZeroU64>) -> Self {
        Self { every, checked: State::new(), since: Vec::new() }
    }

    /// Replay begins with this state, which has been checked.
    fn start(&mut self, state: &State) {
        self.checked = state.clone();
    }

    /// A step was replayed, and led to this state.
    fn stepped(&mut self, step: Step, state: &State) -> Result<(), VerifyError> {
        self.since.push(step);
        let due = match self.every {
            Some(every) => every.get(),
            None => (state.live() / LIVE_PER_STEP).clamp(1, UNCHECKED_MAX),
        };
        if (self.since.len() as u64) < due { Ok(()) } else { self.check(state) }
    }

    /// Checks the state; where it breaks a rule, goes back to the last check and on from there step by step.
    fn check(&mut self, state: &State) -> Result<(), VerifyError> {
        let Err(violation) = check_invariants(state) else {
            self.checked = state.clone();
            self.since.clear();
            return Ok(());
        };
        let mut state = std::mem::take(&mut self.checked);
        for step in &self.since {
            replay(&mut state, step);
            if let Err(violation) = check_invariants(&state) {
                return Err(VerifyError::Invariant { step: step.number, violation });
            }
        }
        Err(VerifyError::Invariant { step: state.step_number(), violation })
    }
}

fn same(stored: &Workload, replayed: &Arc<Workload>) -> bool {
    *stored == **replayed
}

/// What a panic said.
fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("the state machine stopped").to_owned()
}
