//! Scratch.
#![allow(missing_docs, clippy::all, clippy::pedantic)]
fn main() {
    let args: Vec<u64> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    let t = std::time::Instant::now();
    std::panic::set_hook(Box::new(|_| {}));
    let report = eaf_twin::search::search(args[0], args[1], &mut |_| {});
    let s = t.elapsed().as_secs_f64();
    let t = &report.tally;
    println!(
        "{} seeds in {s:.1}s = {:.1}/s; {} ops {} steps {} workloads {} starts, {:.0} h/s",
        t.seeds,
        t.seeds as f64 / s,
        t.ops,
        t.steps,
        t.workloads,
        t.starts,
        t.simulated.0 as f64 / 3.6e6 / s
    );
    println!("missing {:?}", t.coverage.missing());
    if let Some(f) = report.failure {
        println!("FAIL seed {} {} after {} ops", f.seed, f.violation, f.ops.len());
        let small = eaf_twin::search::shrink(&f);
        println!("{}", small.script());
    }
}
