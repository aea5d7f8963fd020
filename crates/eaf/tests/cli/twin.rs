//! `eaf twin`: replays and what-ifs through the built program.

use super::{err, factory, json, out};
use crate::support::factory::eaf;
use crate::support::wait_for;
use std::fs;
use std::process::Output;
use std::time::Duration;

fn twin(words: &[&str]) -> Output {
    eaf().arg("twin").args(words).output().expect("eaf runs")
}

/// A refusal: its exit code, and words that it says.
fn refuses(words: &[&str], code: i32, says: &[&str]) {
    let output = twin(words);
    let text = err(&output);
    assert_eq!(output.status.code(), Some(code), "{words:?}: {text}");
    for word in says {
        assert!(text.contains(word), "{words:?} does not say {word:?}: {text}");
    }
}

#[test]
fn the_carried_traces_replay_to_one_digest_and_a_page() {
    let folder = tempfile::tempdir().expect("a directory");
    let page = folder.path().join("page.html");
    let page = page.to_str().expect("UTF-8");
    let words = ["replay", "--format", "openb", "--rate", "200", "--json"];
    let first = json(&out(&twin(&words)));
    let again = json(&out(&twin(&words)));
    assert_eq!(first["digest"], again["digest"]);
    assert_eq!((first["workloads"].as_u64(), first["dropped"].as_u64()), (Some(8_152), Some(0)));
    assert_eq!(first["without_start"], 897);
    let seconds = ["mean_wait_s", "mean_jct_s", "p99_jct_s", "makespan_s", "allocated_mean", "wall_s", "peak_rss_mb"];
    assert!(seconds.iter().all(|name| first[*name].is_number()), "{first}");

    let fleets = ["--nodes", "16x8", "--nodes", "8x8xH200"];
    let both = out(&twin(&[&["replay", "--format", "philly", "--html", page][..], &fleets].concat()));
    assert!(both.contains("16x8") && both.contains("8x8xH200") && both.contains("mean wait"), "{both}");
    let html = fs::read_to_string(page).expect("a page");
    assert!(html.contains("<svg") && html.contains("8x8xH200") && !html.contains("<script"), "{html}");
    let korean = out(&eaf().args(["--lang", "ko", "twin", "replay", "--format", "philly"]).output().expect("eaf runs"));
    assert!(korean.contains("평균 대기") && korean.contains("단편화"), "{korean}");
}

#[test]
fn a_trace_that_is_none_is_refused_with_its_place() {
    let folder = tempfile::tempdir().expect("a directory");
    let file = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("a file");
        path.to_str().expect("UTF-8").to_owned()
    };
    let head = "job_id,submit_s,gpus,duration_s,vc\n";
    let empty = file("empty.csv", b"");
    refuses(&["replay", "--format", "philly", "--jobs", &empty], 6, &["it is empty"]);
    let missing = file("missing.csv", b"job_id,submit_s\n1,2\n");
    refuses(&["replay", "--format", "philly", "--jobs", &missing], 6, &["no column gpus"]);
    let negative = file("negative.csv", format!("{head}1,-5,1,1,a\n").as_bytes());
    refuses(&["replay", "--format", "philly", "--jobs", &negative], 6, &["line 2, column 2 (submit_s)", "below zero"]);
    let broken = file("broken.csv", &[head.as_bytes(), b"1,5,1,1,\xff\n"].concat());
    refuses(&["replay", "--format", "philly", "--jobs", &broken], 6, &["line 2, column 5", "UTF-8"]);
    let huge = file("huge.csv", format!("{head}1,0,900,1,a\n1,0,1,1,a\n2,0,1,5,a\n").as_bytes());
    let report = out(&twin(&["replay", "--format", "philly", "--jobs", &huge, "--nodes", "1x8"]));
    assert!(report.contains("the fleet could never hold it: line 2 (1)"), "{report}");
    assert!(report.contains("an earlier row has its name: line 3 (1)"), "{report}");
    refuses(&["replay", "--format", "philly", "--nodes", "16y8"], 2, &["16y8", "16x8xMI355X"]);
    refuses(&["replay", "--format", "philly", "--rate", "0"], 2, &["no rate"]);
    refuses(&["replay", "--format", "philly", "--begins", "soon"], 2, &["no date"]);
    refuses(&["replay", "--format", "openb", "--jobs", "x"], 2, &["--jobs says nothing", "openb"]);
    refuses(&["replay", "--format", "philly", "--seed", "7"], 2, &["--seed says nothing"]);
    refuses(&["replay", "--format", "philly", "--from", "900d"], 6, &["No workload is left"]);
}

#[test]
fn a_living_factory_is_asked_what_if_and_only_read() {
    let factory = factory();
    let id = factory.cli_ok(&["run", "--detach", "-g", "8", "--wall-time", "10m", "--", "sleep", "60"]);
    factory.cli_ok(&["run", "--detach", "-g", "8", "--wall-time", "10m", "--", "sleep", "60"]);
    wait_for("the first to run", Duration::from_secs(30), || {
        let shown = json(&factory.cli_ok(&["show", id.trim(), "--json"]));
        (shown["state"] == "running").then_some(())
    });
    let before = json(&factory.cli_ok(&["verify", "--json"]))["head"].clone();
    let name = json(&factory.cli_ok(&["node", "list", "--json"]))[0]["name"].as_str().expect("a name").to_owned();
    let more = format!("1*{name}");
    let answer = json(&factory.cli_ok(&["twin", "what-if", "--add-nodes", &more, "--json"]));
    let wait = |future: &str| answer[future]["mean_wait_ms"].as_u64().expect("a wait");
    assert!(wait("as_it_is") > 500_000 && wait("changed") == 0, "{answer}");
    assert_eq!(json(&factory.cli_ok(&["verify", "--json"]))["head"], before, "nothing was written");
    let text = factory.cli_ok(&["twin", "what-if", "--remove-nodes", &name, "--last", "0.5"]);
    assert!(text.contains("never") && text.contains("50.0 %"), "{text}");
    let refused = factory.cli(&["twin", "what-if", "--remove-nodes", "nope"]);
    assert_eq!(refused.status.code(), Some(5), "{}", err(&refused));
    factory.cli_ok(&["cancel", id.trim()]);
}

#[test]
fn scenarios_are_played_and_say_where_they_are_wrong() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("story.eafs");
    let name = path.to_str().expect("UTF-8");
    let write = |text: &str| fs::write(&path, text).expect("a file");
    write("# A story.\nfleet 1 node: 4 cpu, 8 GiB\nsubmit a: runs 1m\nadvance 2s\nexpect a running on node-1\n");
    let told = out(&twin(&["run", name, "--update"]));
    assert!(told.contains("ok a running on node-1") && told.contains("1 expectations hold"), "{told}");
    assert_eq!(fs::read_to_string(path.with_extension("out")).expect("an output"), told);
    write("# Another.\nfleet 1 node: 4 cpu, 8 GiB\n");
    refuses(&["run", name], 1, &["--update accepts it"]);
    write("fleet 1 node: 4 cpu, 8 GiB\nsubmit a\nexpect a failed\n");
    refuses(&["run", name], 1, &["story.eafs:3:1", "expected a failed"]);
    refuses(&["--lang", "ko", "run", name], 1, &["기대한 것: a failed"]);
    write("fly\n");
    refuses(&["run", name], 6, &["story.eafs:1:1", "there is no verb “fly”"]);
    refuses(&["run", "/nowhere.eafs"], 5, &["Cannot read"]);
}

#[test]
fn a_search_says_what_it_met_and_a_seed_tells_its_story() {
    // So few seeds do not meet everything, and that alone fails a search.
    let output = twin(&["search", "--seeds", "2", "--from", "12", "--json"]);
    let report = json(&String::from_utf8_lossy(&output.stdout));
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert_eq!((report["seeds"].as_u64(), &report["failure"]), (Some(2), &serde_json::Value::Null));
    assert!(report["steps"].as_u64() >= Some(1_000) && report["missing"].as_array().is_some(), "{report}");
    let story = out(&twin(&["search", "--seed", "12"]));
    assert!(story.contains("> drain") && story.contains("Every rule held in seed 12"), "{story}");
    refuses(&["search", "--seed", "12", "--seeds", "2"], 2, &["cannot be used"]);
}
