//! How far apart gangs land on a real network of 847 hosts.
//!
//! What: the domains of each level that a gang of several hosts touches, in the mean, by the factory's planner and by
//! three simpler choices that meet the same gangs in the same order. Absent: speed; `cargo bench -p eaf-sched` has that.

use super::BenchError;
use super::figures::{Report, Unit};
use eaf_twin::topology::{Chooser, Host, LARGE_MIX, Mix, PHILLY_MIX, hosts, run};

const NAME: &str = "topology";
/// The network that the program carries.
const LINGJUN: &[u8] = include_bytes!("../../../../data/topology/lingjun_topo.csv");
/// Gangs of a run, and the share of the hosts that is held at the most.
const GANGS: usize = 4_000;
const FULL_MILLI: usize = 900;
const SEEDS: std::ops::Range<u64> = 1..4;

/// A mix with the figures that it makes: access switches, then aggregation switches.
type Names = [(Chooser, [&'static str; 2]); 4];

const PHILLY: Names = [
    (Chooser::Fabric, ["philly-leaf", "philly-spine"]),
    (Chooser::BestFit, ["philly-leaf-best", "philly-spine-best"]),
    (Chooser::FirstFit, ["philly-leaf-first", "philly-spine-first"]),
    (Chooser::Random, ["philly-leaf-random", "philly-spine-random"]),
];

const LARGE: Names = [
    (Chooser::Fabric, ["large-leaf", "large-spine"]),
    (Chooser::BestFit, ["large-leaf-best", "large-spine-best"]),
    (Chooser::FirstFit, ["large-leaf-first", "large-spine-first"]),
    (Chooser::Random, ["large-leaf-random", "large-spine-random"]),
];

pub(super) fn measure(report: &mut Report) -> Result<(), BenchError> {
    let hosts = hosts(LINGJUN).map_err(|error| BenchError::factory("reading the network", error.to_string()))?;
    mix(&hosts, &PHILLY_MIX, &PHILLY, report);
    mix(&hosts, &LARGE_MIX, &LARGE, report);
    Ok(())
}

fn mix(hosts: &[Host], mix: &Mix, names: &Names, report: &mut Report) {
    for (chooser, [leaf, spine]) in names {
        let runs = SEEDS.map(|seed| run(hosts, mix, *chooser, GANGS, FULL_MILLI, seed).domains_mean);
        let runs: Vec<Vec<f64>> = runs.collect();
        // The levels of this network: one core, three aggregation switches, 48 access switches.
        let level = |level: usize| runs.iter().map(|means| means[level]).collect::<Vec<f64>>();
        report.median(NAME, leaf, Unit::Count, &level(2));
        report.median(NAME, spine, Unit::Count, &level(1));
    }
}
