//! The placement benchmark on shipped traces: the published policies to the digit, and ours above them.

use eaf_twin::placement::{
    Machines, Order, Outcome, Pods, PolicyName, Run, Wanted, bounds, machines, orders, pods, published,
};
use std::fs::File;

const TRACES: [&str; 3] = ["default", "gpuspec20", "multigpu30"];

fn open(name: &str) -> File {
    let path = format!("{}/../../data/traces/openb/{name}", env!("CARGO_MANIFEST_DIR"));
    File::open(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn read(trace: &str) -> (Machines, Pods, Vec<Order>) {
    let fleet = machines(open("openb_node_list_gpu_node.csv")).expect("nodes");
    let pods = pods(open(&format!("openb_pod_list_{trace}.csv")), &fleet.models).expect("pods");
    let wanted = Wanted { trace, seed: None, pods: pods.pods.len(), nodes: fleet.nodes.len() };
    let orders = orders(open("orders.tsv.gz"), &wanted).expect("orders");
    (fleet, pods, orders)
}

#[test]
fn the_published_policies_are_met_at_every_load() {
    let expected = published(open("expected_allocation.csv")).expect("results");
    for trace in TRACES {
        let (fleet, pods, orders) = read(trace);
        assert_eq!(orders.len(), 10);
        for order in &orders {
            for policy in PolicyName::ALL {
                let Some(label) = policy.published() else { continue };
                let outcome = Run::new(&fleet, &pods, order, policy).run();
                let want = &expected[&(trace.to_owned(), label.to_owned(), order.seed)];
                assert_eq!(want.len(), 131);
                assert!(outcome.equals(want), "{label} on {trace} with seed {} differs", order.seed);
            }
        }
    }
}

#[test]
fn ours_allocates_more_and_no_more_than_is_possible() {
    for trace in TRACES {
        let (fleet, pods, orders) = read(trace);
        let runs = |policy| -> Vec<Outcome> {
            orders[..3].iter().map(|order| Run::new(&fleet, &pods, order, policy).run()).collect()
        };
        let (ours, fgd, random) = (runs(PolicyName::Eaf), runs(PolicyName::Fgd), runs(PolicyName::Random));
        assert_eq!(ours, runs(PolicyName::Eaf), "a run is a function of its order");
        for load in [100, 130] {
            let mean = |runs: &[Outcome]| runs.iter().filter_map(|run| run.at(load)).sum::<f64>() / 3.0;
            assert!(mean(&ours) > mean(&fgd) + 0.4, "{trace} at {load}: {} and {}", mean(&ours), mean(&fgd));
            assert!(mean(&random) < mean(&fgd), "{trace} at {load}: {}", mean(&random));
        }
    }
}

#[test]
fn bounds_hold() {
    let (fleet, pods, orders) = read("default");
    let bounds = bounds(&fleet, &pods, &orders[0]);
    let ours = Run::new(&fleet, &pods, &orders[0], PolicyName::Eaf).run();
    assert!(bounds.reference <= bounds.served && bounds.served <= bounds.at_100, "{bounds:?}");
    assert!(ours.at(100) <= Some(bounds.at_100) && ours.at(130) <= Some(bounds.at_130), "{bounds:?}");
}
