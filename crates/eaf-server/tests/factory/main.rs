//! A whole factory in this process: real journal, real engine, real sockets.
//!
//! What: the HTTP door as clients see it, and a factory's life over restarts. Why a `main` of its own: this program is
//! also the engine's supervisor, which may have no other thread. Absent: single parts; they are tested beside their code.

mod api;
mod fixture;
mod life;

use eaf_engine::local::{SuperviseConfig, supervise};
use libtest_mimic::{Arguments, Trial};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let [_, verb, flag, dir] = args.as_slice()
        && verb == "supervise"
        && flag == "--data-dir"
    {
        tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_ansi(false).init();
        return supervise(&SuperviseConfig::new(dir)).expect("the supervisor ends well");
    }
    let tests = api::TESTS.iter().chain(life::TESTS);
    let trials = tests.map(|(name, test)| {
        Trial::test(*name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}
