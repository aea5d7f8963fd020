//! Start-up: the state as the journal has it.
//!
//! What: the newest snapshot that is whole, and the journal behind it. Why by batches: memory holds a snapshot and a few
//! batches, however long the journal is. Absent: repair; a journal that breaks is refused, and the operator decides.

use crate::chain::Walk;
use crate::{Breach, Broken, Head, SnapshotPolicy, Source, StoreError};
use eaf_core::{State, replay};

/// Batches that are held at once.
const BATCHES: u32 = 64;

/// The state at the head of the journal.
#[derive(Debug)]
pub struct Recovered {
    /// The state.
    pub state: State,
    /// The head.
    pub head: Head,
    /// Counts towards the next snapshot.
    pub policy: SnapshotPolicy,
    /// Steps that were replayed.
    pub replayed: u64,
    /// Snapshots that were passed over because they are damaged, each with what is wrong: to be said to the operator.
    pub passed_over: Vec<StoreError>,
}

/// Why there is no state.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The journal is not what was written.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The journal was pruned up to `anchor`, and no snapshot behind it is whole.
    #[error("the journal begins behind step {}, and no snapshot from there on is whole; restore a backup", anchor.step)]
    NoSnapshot {
        /// Where the journal begins.
        anchor: Head,
        /// What is wrong with those that are there.
        passed_over: Vec<StoreError>,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Loads the newest whole snapshot and replays the journal behind it.
///
/// # Errors
/// See [`RecoverError`]; nothing is changed.
pub fn recover(store: &mut dyn Source) -> Result<Recovered, RecoverError> {
    let (end, anchor) = (store.head()?, store.anchor()?);
    let mut passed_over = Vec::new();
    let (mut state, mut walk, snapshot_bytes) = match newest_whole(store, anchor, &mut passed_over)? {
        Some((state, head, bytes)) => (state, Walk { head }, bytes),
        None if anchor.step == 0 => (State::new(), Walk { head: anchor }, 0),
        None => return Err(RecoverError::NoSnapshot { anchor, passed_over }),
    };
    let start = walk.head.step;
    if start > end.step {
        let breach = Breach::CutOff { witness: "a snapshot", known: start };
        return Err(Broken { step: end.step + 1, breach }.into());
    }
    let mut policy = SnapshotPolicy::new(snapshot_bytes, 0);
    while walk.head.step < end.step {
        let after = walk.head.step;
        let unreadable = |error: StoreError| Broken { step: after + 1, breach: Breach::Unreadable(error.into()) };
        let batches = store.batches(after, BATCHES).map_err(unreadable)?;
        if batches.is_empty() {
            let breach = Breach::CutOff { witness: "the journal's head", known: end.step };
            return Err(Broken { step: after + 1, breach }.into());
        }
        for batch in &batches {
            policy.appended(batch.body.len() as u64);
            walk.batch(batch, |step, _| {
                replay(&mut state, &step);
                Ok::<(), RecoverError>(())
            })?;
        }
    }
    if walk.head.hash != end.hash {
        let breach = Breach::Chain { last: end.step, computed: walk.head.hash, stored: end.hash };
        return Err(Broken { step: end.step, breach }.into());
    }
    Ok(Recovered { state, head: end, policy, replayed: end.step - start, passed_over })
}

fn newest_whole(
    store: &mut dyn Source,
    anchor: Head,
    passed_over: &mut Vec<StoreError>,
) -> Result<Option<(State, Head, u64)>, StoreError> {
    for step in store.snapshots()? {
        // One from before the anchor is of no use: the journal behind it is gone.
        if step < anchor.step {
            continue;
        }
        let snapshot = match store.snapshot(step) {
            Ok(Some(snapshot)) => snapshot,
            Ok(None) => continue,
            Err(damaged @ StoreError::SnapshotDamaged { .. }) => {
                passed_over.push(damaged);
                continue;
            }
            Err(error) => return Err(error),
        };
        match parse_state(&snapshot.body, step) {
            Ok(state) => return Ok(Some((state, snapshot.head, snapshot.body.len() as u64))),
            Err(damaged) => passed_over.push(damaged),
        }
    }
    Ok(None)
}

/// The state of a snapshot.
pub(crate) fn parse_state(body: &[u8], step: u64) -> Result<State, StoreError> {
    let state: State = serde_json::from_slice(body)
        .map_err(|error| StoreError::SnapshotDamaged { step, why: format!("it is not a state: {error}") })?;
    if state.step_number() != step {
        let why = format!("it holds the state at step {}", state.step_number());
        return Err(StoreError::SnapshotDamaged { step, why });
    }
    Ok(state)
}
