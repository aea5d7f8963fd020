//! Others beside us: Slurm where it is installed, and the figures of others where it is not.
//!
//! Why: a figure says something beside another. What is quoted says so, with its source; nothing quoted is mixed with
//! what was measured.

use super::BenchError;
use super::figures::{Report, Unit};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Where the quoted figures come from.
pub(super) const MEASURED: &str = "measured by the project in 2026 on two quiet cores, not in this run";
/// Jobs that are submitted to a Slurm that is there.
const JOBS: u32 = 100;

/// Submissions: `sbatch` one by one, where a Slurm answers.
pub(super) fn submit(report: &mut Report) -> Result<(), BenchError> {
    if slurm_answers() {
        let begun = Instant::now();
        for _ in 0..JOBS {
            let output = Command::new("sbatch")
                .args(["--parsable", "--output=/dev/null", "--hold", "--wrap=true"])
                .stdin(Stdio::null())
                .output()
                .map_err(BenchError::io("running sbatch"))?;
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                return Err(BenchError::factory("sbatch refused a job", said));
            }
        }
        report.value("submit", "slurm-here", Unit::PerSecond, f64::from(JOBS) / begun.elapsed().as_secs_f64());
    }
    report.quoted("submit", "slurm-one", Unit::PerSecond, 132.0, MEASURED);
    report.quoted("submit", "slurm-eight", Unit::PerSecond, 264.0, MEASURED);
    report.quoted("submit", "slurm-rest", Unit::PerSecond, 851.0, MEASURED);
    report.quoted("submit", "spur", Unit::PerSecond, 300.0, MEASURED);
    Ok(())
}

fn slurm_answers() -> bool {
    // A dead controller lets its clients wait for minutes.
    let ping = Command::new("timeout").args(["5", "scontrol", "ping"]).stdin(Stdio::null()).output();
    ping.is_ok_and(|output| output.status.success() && String::from_utf8_lossy(&output.stdout).contains("UP"))
}

/// From submission to start.
pub(super) fn start(report: &mut Report) {
    report.quoted("start", "slurm-tuned", Unit::Milliseconds, 514.0, MEASURED);
    report.quoted("start", "slurm-default", Unit::Milliseconds, 2_004.0, MEASURED);
    report.quoted("start", "srun", Unit::Milliseconds, 40.0, MEASURED);
    report.quoted("start", "hyperqueue", Unit::Milliseconds, 24.0, MEASURED);
    report.quoted("start", "spur", Unit::Milliseconds, 36.0, MEASURED);
}

/// Trivial workloads to their end.
pub(super) fn throughput(report: &mut Report) {
    report.quoted("throughput", "hyperqueue", Unit::PerSecond, 835.0, MEASURED);
    report.quoted("throughput", "slurm", Unit::PerSecond, 49.0, MEASURED);
    report.quoted("throughput", "spur", Unit::PerSecond, 1.0, MEASURED);
    report.quoted("throughput", "xargs", Unit::PerSecond, 1_180.0, MEASURED);
}
