//! `eaf bench placement`: lines for programs, and what is said of files that do not fit.

use super::{err, json, out};
use crate::support::factory::eaf;
use std::fs;
use std::path::PathBuf;
use std::process::Output;

fn shipped(name: &str) -> String {
    format!("{}/../../data/traces/openb/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn place(trace: &str, nodes: &str, orders: &str, more: &[&str]) -> Output {
    let files = ["bench", "placement", "--trace", trace, "--nodes", nodes, "--orders", orders];
    eaf().args(files).args(more).output().expect("eaf runs")
}

/// Files of a small benchmark: two nodes, three pods, one order.
struct Small {
    folder: tempfile::TempDir,
}

impl Small {
    fn new() -> Self {
        let small = Self { folder: tempfile::tempdir().expect("a directory") };
        small.write("nodes.csv", "sn,cpu_milli,memory_mib,gpu,model\na,8000,1000,2,T4\nb,8000,1000,1,T4\n");
        small.write(
            "openb_pod_list_tiny.csv",
            "name,cpu_milli,memory_mib,num_gpu,gpu_milli\n\
            x,1000,0,1,500\ny,1000,10,2,1000\nz,1000,10,0,0\n",
        );
        small.write("orders.tsv", "# trace\tseed\tarrivals\tnodes\ntiny\t1\t0 1 2 0 1\t1 0\n");
        small
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    fn run(&self, language: &str, more: &[&str]) -> Output {
        let path = |name: &str| self.path(name).to_str().expect("UTF-8").to_owned();
        let more = [&["--lang", language], more].concat();
        place(&path("openb_pod_list_tiny.csv"), &path("nodes.csv"), &path("orders.tsv"), &more)
    }

    /// Refused with the exit code of a bad file, in both languages.
    #[track_caller]
    fn refuses(&self, english: &str, korean: &str) {
        for (language, words) in [("en", english), ("ko", korean)] {
            let output = self.run(language, &[]);
            let text = err(&output);
            assert_eq!(output.status.code(), Some(6), "{text}");
            assert!(text.contains(words), "{words:?} is not in {text}");
        }
    }
}

#[test]
fn a_line_for_every_seed() {
    let pods = shipped("openb_pod_list_default.csv");
    let (nodes, orders) = (shipped("openb_node_list_gpu_node.csv"), shipped("orders.tsv.gz"));
    let told = out(&place(&pods, &nodes, &orders, &["--policy", "bestfit", "--json"]));
    let lines: Vec<_> = told.lines().map(json).collect();
    assert_eq!(lines.len(), 10, "{told}");
    for (line, seed) in lines.iter().zip(42_u64..) {
        assert_eq!((line["trace"].as_str(), line["policy"].as_str()), (Some("default"), Some("bestfit")));
        assert_eq!(line["seed"].as_u64(), Some(seed));
        assert!(line["allocated_at_100"].as_f64().is_some_and(|share| (92.0..94.0).contains(&share)), "{line}");
        assert!(line["allocated_at_130"].is_number() && line["mean_decision_us"].is_number(), "{line}");
        assert!(line["decisions"].as_u64() > Some(10_000) && line.get("columns").is_none(), "{line}");
    }
    let told = out(&place(&pods, &nodes, &orders, &["--seed", "43", "--json", "--columns"]));
    let line = json(&told);
    assert_eq!((line["policy"].as_str(), line["seed"].as_u64()), (Some("eaf"), Some(43)));
    assert_eq!(line["columns"].as_array().map(Vec::len), Some(131));
    assert_eq!(line["columns"][100], line["allocated_at_100"]);
}

#[test]
fn files_of_ones_own_are_read_and_shown() {
    let small = Small::new();
    let table = out(&small.run("en", &["--policy", "fgd"]));
    for word in ["tiny, fgd", "offline reference", "gap closed @100", "bound @130", "ø"] {
        assert!(table.contains(word), "{word:?} is not in {table}");
    }
    assert!(out(&small.run("ko", &[])).contains("오프라인 기준"));
    let page = small.path("page.md");
    let page = page.to_str().expect("UTF-8");
    assert_eq!(small.run("en", &["--policy", "random", "--markdown", page]).status.code(), Some(0));
    assert!(fs::read_to_string(page).expect("a page").contains("| seed | @100 |"));
}

#[test]
fn files_that_do_not_fit_are_refused_with_the_place() {
    let small = Small::new();
    small.write("orders.tsv", "tiny\t1\t0 3\t0 1\n");
    small.refuses("line 1, column 3 (arrivals): entry 2, “3”", "1행 3열(arrivals): 2번째 “3”");
    small.write("orders.tsv", "tiny\t1\t0\t1 1\n");
    small.refuses("line 1, column 4 (nodes): entry 2, 1, stands there already", "1행 4열(nodes)");
    small.write("orders.tsv", "tiny\t1\t0\t1\n");
    small.refuses("0 is missing; there are 1 of 2", "2개 중 1개만 있습니다");
    small.write("orders.tsv", "other\t1\t0\t1\n");
    small.refuses("no orders for the trace tiny; it has orders for: other", "tiny 트레이스의 순서가 없습니다");

    let small = Small::new();
    let output = small.run("en", &["--seed", "9"]);
    assert!(err(&output).contains("no order for tiny with seed 9; its seeds are: 1"), "{}", err(&output));
    small.write("nodes.csv", "sn,cpu_milli,memory_mib,gpu,model\na,,1000,2,T4\n");
    small.refuses("line 2, column 2 (cpu_milli): “” is empty", "2행 2열(cpu_milli)");
    let small = Small::new();
    small.write("openb_pod_list_tiny.csv", "name,cpu_milli,memory_mib,num_gpu,gpu_milli\nx,1,1,1,\n");
    small.refuses("line 2, column 5 (gpu_milli): “” is empty", "2행 5열(gpu_milli)");
    small.write("openb_pod_list_tiny.csv", "name,cpu_milli,memory_mib,num_gpu\nx,1,1,1\n");
    small.refuses("no column gpu_milli", "gpu_milli 열이 없습니다");
}

#[test]
fn a_command_line_that_makes_no_sense_is_refused() {
    let check = |words: &[&str], says: &str| {
        let output = eaf().arg("bench").args(words).output().expect("eaf runs");
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(err(&output).contains(says), "{words:?}: {}", err(&output));
    };
    check(&["placement"], "What is to be placed?");
    check(&["--lang", "ko", "placement"], "무엇을 배치할지");
    check(&["placement", "--trace", "x.csv"], "--nodes");
    check(&["placement", "--trace", "x", "--nodes", "y", "--orders", "z", "--policy", "best"], "invalid value 'best'");
    check(&["--lang", "ko", "placement", "--policy", "best"], "쓸 수 있는 값: random");
    check(&["placement", "--all", "--trace", "x", "--nodes", "y", "--orders", "z"], "cannot be used with");
    check(&["floor", "--all"], "--all is for “eaf bench placement” alone");
    let gone = place("/nowhere.csv", "/nowhere.csv", "/nowhere.tsv", &[]);
    assert_eq!(gone.status.code(), Some(5), "{}", err(&gone));
}
