//! The local engine on real processes.
//!
//! What: the conformance suite with each kind of control groups, and what only this engine has: a supervisor that is
//! killed or renewed, a machine that restarts, the sandbox, users, limits. Why a `main` of its own: this program is also
//! the supervisor, which may have no other thread. Absent: other engines.

mod discovery;
mod fixture;
mod restart;
mod rules;

use eaf_engine::conformance;
use eaf_engine::local::{CgroupMode, SuperviseConfig, Version, supervise};
use fixture::Factory;
use libtest_mimic::{Arguments, Trial};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.get(1).is_some_and(|verb| verb == "supervise") {
        return be_the_supervisor(&args[2..]);
    }
    if args.get(1).is_some_and(|verb| verb == "engine-of") {
        return fixture::tell_of_cgroups(&args[2]);
    }
    let mut trials = Vec::new();
    for (kind, mode) in [("v1", CgroupMode::V1), ("v2", CgroupMode::V2), ("none", CgroupMode::None)] {
        for (name, case) in conformance::CASES {
            trials.push(Trial::test(format!("conformance, cgroups {kind}: {name}"), move || {
                Factory::with(|config| config.cgroups = mode).conforms(*case);
                Ok(())
            }));
        }
    }
    for pretended in ["1xH100", "2xMI300X"] {
        for (name, case) in conformance::CASES.iter().filter(|(name, _)| name.starts_with("a mode")) {
            trials.push(Trial::test(format!("conformance, {pretended} pretended: {name}"), move || {
                Factory::with(|config| config.pretend_accelerators = Some(pretended.to_owned())).conforms(*case);
                Ok(())
            }));
        }
    }
    for (name, test) in restart::TESTS.iter().chain(rules::TESTS).chain(discovery::TESTS) {
        trials.push(Trial::test(*name, move || {
            test();
            Ok(())
        }));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn be_the_supervisor(args: &[String]) {
    let mut config = SuperviseConfig::new("");
    for pair in args.chunks_exact(2) {
        let value = pair[1].clone();
        match pair[0].as_str() {
            "--data-dir" => config.data_dir = value.into(),
            "--as-release" => config.version = Version { release: value, ..Version::current() },
            "--boot-id" => config.boot_id = Some(value),
            other => panic!("no such argument: {other}"),
        }
    }
    tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_ansi(false).init();
    supervise(&config).expect("the supervisor ends well");
}
