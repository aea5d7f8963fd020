//! The HTTP API against its own OpenAPI document, by schemathesis.
//!
//! What: every operation with 200 examples and the phases that schemathesis has (examples, coverage, fuzzing, stateful),
//! all of its checks on. Absent: the event stream and following logs, which do not end. The stop of the factory is among
//! the operations: it names a process, and nobody guesses it.

use crate::support::factory::Factory;
use crate::support::{machine, tools, wait_for};
use eaf_model::WorkloadSpec;
use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::time::Duration;

const VERSION: &str = "4.32.5";
const EXAMPLES: u32 = 200;
/// A following log ends with its task, so it is asked for without.
const CONFIGURATION: &str = r#"
[[operations]]
include-path = "/v1/workloads/{id}/logs"
parameters = { "query.follow" = "false" }

# A body that is too large is refused before it is read, whatever is in it.
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx"]
"#;
/// A run that takes longer hangs.
const END: Duration = Duration::from_secs(900);

#[test]
fn the_openapi_document_passes_schemathesis() {
    let _machine = machine();
    let schemathesis = tools::from_pypi("schemathesis", VERSION, "schemathesis");
    let factory = Factory::start("");
    // Something of each kind is there to be found: one that ended, one that runs.
    let ended = factory.submit(WorkloadSpec::command(&["/bin/echo", "done"]));
    factory.wait_ended(ended);
    factory.submit(WorkloadSpec::command(&["/bin/sleep", "3600"]));

    let configuration = factory.folder().join("schemathesis.toml");
    fs::write(&configuration, CONFIGURATION).expect("a file can be written");
    let report = factory.folder().join("schemathesis.txt");
    let out = File::create(&report).expect("a file can be made");
    let mut run = Command::new(schemathesis)
        .arg("--config-file")
        .arg(&configuration)
        .args(["--no-color", "run", "--checks=all", "--phases=examples,coverage,fuzzing,stateful"])
        .args(["--max-examples", &EXAMPLES.to_string(), "--request-timeout=30"])
        .args(["--exclude-path=/v1/events"])
        .args(["-H", &format!("Authorization: Bearer {}", factory.token())])
        .arg(format!("{}/v1/openapi.json", factory.url()))
        .current_dir(factory.folder())
        .stdin(Stdio::null())
        .stdout(out.try_clone().expect("a file can be shared"))
        .stderr(out)
        .spawn()
        .expect("schemathesis can be started");
    let status = wait_for("schemathesis to end", END, || run.try_wait().expect("a child can be asked"));
    let text = fs::read_to_string(&report).expect("the report was written");
    assert!(status.success(), "schemathesis: {status}\n{text}");
    println!("{text}");
    // The factory is as sound behind the run as before it.
    factory.cli_ok(&["verify"]);
}
