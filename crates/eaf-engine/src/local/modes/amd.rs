//! CPX, DPX and NPS by `amd-smi`.
//!
//! What: compute and memory partitions of a board, read and set. Why the memory mode goes first: some compute modes are lawful
//! in some memory modes only, and setting it puts the driver's compute mode back. Absent: which mode suits which board; the
//! partition book says that, and the tool refuses what is not.

use super::tool;
use crate::local::MachinePaths;
use eaf_model::WHOLE_MODE;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a board is in when it is whole.
const WHOLE: (&str, &str) = ("SPX", "NPS1");

/// The mode of each board, in the order of the tool.
pub(super) fn modes(paths: &MachinePaths) -> BTreeMap<u32, String> {
    let text = tool::run(&paths.amd_smi, &["partition", "--current", "--json"]).unwrap_or_default();
    let boards = serde_json::from_str(&text).ok().and_then(|answer: Value| read_boards(&answer)).unwrap_or_default();
    let mode = |board: Board| match (board.compute.as_str(), board.memory.as_str()) {
        whole if whole == WHOLE => WHOLE_MODE.to_owned(),
        (compute, memory) => format!("{compute}/{memory}"),
    };
    (0..).zip(boards.into_iter().map(mode)).collect()
}

/// A board as the tool tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Board {
    /// The number that the tool takes for it: that of its first partition.
    number: u64,
    compute: String,
    memory: String,
}

/// One line a partition, of which the first of each board (partition 0) tells for all of it.
fn read_boards(answer: &Value) -> Option<Vec<Board>> {
    let list = answer.get("current_partition").unwrap_or(answer).as_array()?;
    let board = |one: &Value| {
        let text =
            |name: &str| one.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        let first = text("partition_id").is_none_or(|id| id.split(',').next().is_some_and(|id| id.trim() == "0"));
        let (compute, memory) = (text("accelerator_type")?, text("memory")?);
        let told = compute != "N/A" && memory != "N/A";
        (first && told).then(|| Some(Board { number: one.get("gpu_id")?.as_u64()?, compute, memory }))?
    };
    Some(list.iter().filter_map(board).collect())
}

/// Brings a board into a mode: `whole`, or `COMPUTE/MEMORY`.
pub(super) fn change(paths: &MachinePaths, board: u32, mode: &str) -> Result<(), String> {
    let (compute, memory) = if mode == WHOLE_MODE {
        WHOLE
    } else {
        mode.split_once('/').ok_or_else(|| format!("{mode:?} is not of the form COMPUTE/MEMORY"))?
    };
    let now = || {
        let text = tool::run(&paths.amd_smi, &["partition", "--current", "--json"])?;
        let answer: Value =
            serde_json::from_str(&text).map_err(|error| format!("amd-smi did not print JSON: {error}"))?;
        let boards = read_boards(&answer).unwrap_or_default();
        boards.into_iter().nth(board as usize).ok_or_else(|| format!("amd-smi knows no board {board}"))
    };
    if now()?.memory != memory {
        // It asks whether the driver may be loaded again; all boards of the node follow.
        tool::run(&paths.amd_smi, &["set", "--memory-partition", memory, "--yes"])?;
    }
    let board = now()?;
    if board.compute != compute {
        let number = board.number.to_string();
        tool::run(&paths.amd_smi, &["set", "--gpu", &number, "--compute-partition", compute])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(number: u64, compute: &str, memory: &str) -> Board {
        Board { number, compute: compute.to_owned(), memory: memory.to_owned() }
    }

    #[test]
    fn what_the_tool_prints_is_read() {
        let whole = r#"{"current_partition": [
            {"gpu_id": 0, "memory": "NPS1", "accelerator_type": "SPX", "accelerator_profile_index": "0", "partition_id": "0"},
            {"gpu_id": 1, "memory": "NPS1", "accelerator_type": "SPX", "accelerator_profile_index": "0", "partition_id": "0"}]}"#;
        let cut = r#"[
            {"gpu_id": 0, "memory": "NPS4", "accelerator_type": "CPX", "accelerator_profile_index": "3", "partition_id": "0"},
            {"gpu_id": 1, "memory": "N/A", "accelerator_type": "N/A", "accelerator_profile_index": "N/A", "partition_id": "1"},
            {"gpu_id": 8, "memory": "NPS4", "accelerator_type": "SPX", "accelerator_profile_index": "0", "partition_id": "0"}]"#;
        let older =
            r#"[{"gpu_id": 0, "memory": "NPS1", "accelerator_type": "CPX", "partition_id": "0,1,2,3,4,5,6,7"}]"#;
        let read = |text: &str| read_boards(&serde_json::from_str(text).expect("JSON")).expect("a list");
        assert_eq!(read(whole), [board(0, "SPX", "NPS1"), board(1, "SPX", "NPS1")]);
        assert_eq!(read(cut), [board(0, "CPX", "NPS4"), board(8, "SPX", "NPS4")]);
        assert_eq!(read(older), [board(0, "CPX", "NPS1")]);
        assert_eq!(read_boards(&Value::from(7)), None);
    }
}
