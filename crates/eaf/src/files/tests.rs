//! What people write into files, and what they are told.

use super::*;
use eaf_api::messages::Lang;
use eaf_model::{AcceleratorRequest, Bytes, CpuMilli, GpuMilli, OnLoss, Run, Span};

fn told(problem: &FileProblem) -> String {
    let say = problem.say.in_lang(Lang::En);
    match problem.line {
        Some(line) => format!("{line}: {say}"),
        None => say,
    }
}

/// A file of this name and text is refused with these words; and there are words in Korean.
fn refused(name: &str, text: &str, expect: &str) {
    let problem = read(Path::new(name), text.as_bytes()).expect_err(text);
    assert_eq!(told(&problem), expect, "{text}");
    assert_ne!(problem.say.in_lang(Lang::Ko), problem.say.in_lang(Lang::En), "{text}");
}

fn taken(name: &str, text: &str) -> WorkloadFile {
    match read(Path::new(name), text.as_bytes()) {
        Ok(file) => file,
        Err(problem) => panic!("{}\n{text}", told(&problem)),
    }
}

const FULL_TOML: &str = r#"
name = "train"
project = "lab"
command = ["python3", "train.py"]
tasks = 4
tasks_per_node_max = 2
cpu = 1.5
memory = "1.5GiB"
wall_time = "1h30m"
priority = -5
retries = 2
on_loss = "fail"
after_ok = ["wl-1", "wl-2.3"]
after_any = []
expires_after = "1d"
stop_grace = "30s"
working_directory = "run"
array = "1-5:2"

[accelerators]
count = 1
share = 0.25
models = ["MI355X", "MI300X"]

[environment]
SEED = 7
DEBUG = "no"

[labels]
team = "vision"
"#;

const FULL_YAML: &str = r#"
name: train
project: lab
command: [python3, train.py]
tasks: 4
tasks_per_node_max: 2
cpu: 1.5
memory: 1.5GiB
wall_time: 1h30m
priority: -5
retries: 2
on_loss: fail
after_ok:
  - wl-1
  - wl-2.3
after_any: []
expires_after: 1d
stop_grace: 30s
working_directory: run
array: [1, 3, 5]
accelerators:
  count: 1
  share: 0.25
  models: [MI355X, MI300X]
environment:
  SEED: 7
  DEBUG: "no"
labels: {team: vision}
"#;

#[test]
fn toml_and_yaml_say_the_same() {
    let toml = taken("train.toml", FULL_TOML);
    assert_eq!(toml, taken("train.yaml", FULL_YAML));
    let spec = &toml.spec;
    assert_eq!((spec.task.cpu, spec.task.memory), (CpuMilli(1_500), Bytes(3 << 29)));
    assert_eq!((spec.wall_time, spec.priority, spec.on_loss), (Some(Span(5_400_000)), -5, OnLoss::Fail));
    assert_eq!(spec.task.accelerators.share, GpuMilli(250));
    assert_eq!(spec.environment["SEED"], "7");
    assert_eq!(toml.array, [1, 3, 5]);
    assert_eq!(spec.after_ok.len(), 2);
}

#[test]
fn little_is_enough() {
    let file = taken("dir/hello.toml", "command = ['true']");
    assert_eq!((file.spec.name.as_str(), file.spec.tasks), ("hello", 1));
    assert_eq!(file.spec.task.accelerators, AcceleratorRequest::none());
    let file = taken("x.yaml", "script: |\n  echo one\naccelerators: 4:MI355X\n");
    assert_eq!(file.spec.run, Run::Script("echo one\n".into()));
    assert_eq!(file.spec.task.accelerators.count, 4);
    let file = taken("x.json", r#"{"command": ["true"], "tasks": 2}"#);
    assert_eq!(file.spec.tasks, 2);
    let file = taken("-", "command = ['true']\naccelerators = 2");
    assert_eq!((file.spec.name.as_str(), file.spec.task.accelerators.count), ("unnamed", 2));
}

#[test]
fn a_wrong_field_is_told_with_its_line() {
    let with = |line: &str| format!("name = 'x'\n{line}\ncommand = ['true']");
    let check = |line: &str, expect: &str| refused("x.toml", &with(line), &format!("2: {expect}"));
    check("memroy = '1GiB'", "there is no field “memroy”; did you mean “memory”?");
    check("wall-time = '1h'", "there is no field “wall-time”; did you mean “wall_time”?");
    check("memory = 512", "memory: “512” has no unit; write it like 512MiB");
    check("memory = '-1GiB'", "memory: “-1GiB” is below zero; write it like 512MiB");
    check("cpu = 'two'", "cpu: “two” is not a number; write it like 1.5");
    check("cpu = 0.0001", "cpu: “0.0001” is finer than what is kept; write it like 1.5");
    check(
        "wall_time = '5 fortnights'",
        "wall_time: “5 fortnights” has an unknown unit, “fortnights”; write it like 1h30m",
    );
    check("tasks = 'many'", "tasks must be a whole number");
    check("tasks = 1.5", "tasks must be a whole number");
    check("tasks = -1", "tasks is a whole number that is out of range");
    check("tasks = 99999999999", "tasks is a whole number that is out of range");
    check("after_ok = ['7']", "after_ok must be a list of workload ids, such as [\"wl-12\"]");
    check("accelerators = { cout = 1 }", "there is no field “cout”; did you mean “count”?");
    check("environment = 'A=1'", "environment must be a table");
    check("array = '1-3%2'", "array: a limit on how many run at once (%) is not supported; leave it out");
    check("on_loss = 'retry'", "on_loss must be “requeue” or “fail”");
    check("tasks_min = 3", "tasks_min is 3 and tasks is 1: give at most as many, or leave tasks_min out");
    check("name = 'y'", "this is not well-formed: duplicate key");
    let fields = "name, project, command, script, tasks, tasks_min, tasks_per_node_max, cpu, memory, accelerators, wall_time, \
                  priority, preemptible, keeps_progress, retries, on_loss, after_ok, after_any, expires_after, \
                  deadline, stop_grace, environment, working_directory, labels, array";
    check("colour = 'red'", &format!("there is no field “colour”; the fields are: {fields}"));
}

#[test]
fn a_file_that_says_nothing_or_too_much_is_refused() {
    let nothing = "nothing is to be run: give a command or a script";
    refused("x.toml", "name = 'x'", nothing);
    refused("x.toml", "", nothing);
    refused("x.sh", "#!/bin/sh\n#SBATCH -n 1\n", nothing);
    refused("x.toml", "command = ['a']\nscript = 'b'", "2: a command and a script cannot both be run");
    refused(
        "x.toml",
        "command = 'echo hello'",
        "1: command must be a list of words, such as [\"python3\", \"train.py\"]; a line for the shell goes into script",
    );
    let problem = read(Path::new("x.toml"), b"name = 'x'\n# \xff\n").unwrap_err();
    assert_eq!(told(&problem), "2: the file is not UTF-8 text");
}

#[test]
fn wrong_yaml_is_told_with_its_line() {
    refused("x.yaml", "name: x\nmemroy: 1GiB\n", "2: there is no field “memroy”; did you mean “memory”?");
    refused("x.yaml", "- a\n- b\n", "1: file must be a table");
    for text in ["name: [x\n", "a: 1\na: 2\n", "a: *nowhere\n", "\t- x: :\n"] {
        let problem = read(Path::new("x.yaml"), text.as_bytes()).unwrap_err();
        assert!(told(&problem).contains("this is not well-formed: "), "{}", told(&problem));
    }
}

#[test]
fn an_sbatch_script_is_understood() {
    let text = "#!/bin/bash\n\
                #SBATCH --job-name=\"my run\" -t 1-2:03  # a day and a bit\n\
                #SBATCH --nodes 2 --ntasks=8 -c2\n\
                # a comment\n\
                ##SBATCH --exclusive\n\
                #SBATCH --mem=8G --gres=gpu:MI355X:4\n\
                #SBATCH --array=0-3 --dependency=afterok:12,afterany:wl-9.1\n\
                #SBATCH -o out-%j.txt\n\
                #SBATCH -A lab --chdir=run\n\
                \n\
                srun-less work\n\
                #SBATCH --time=5\n";
    let file = taken("job.sh", text);
    let spec = &file.spec;
    assert_eq!((spec.name.as_str(), spec.project.as_str()), ("my run", "lab"));
    assert_eq!((spec.tasks, spec.tasks_per_node_max), (8, Some(4)));
    assert_eq!((spec.task.cpu, spec.task.memory), (CpuMilli(2_000), Bytes(2 << 30)));
    let wanted = AcceleratorRequest { count: 1, models: vec!["MI355X".into()], ..AcceleratorRequest::none() };
    assert_eq!(spec.task.accelerators, wanted);
    assert_eq!(spec.wall_time, Some(Span((26 * 3_600 + 180) * 1_000)));
    assert_eq!((spec.after_ok.len(), spec.after_any.len()), (1, 1));
    assert_eq!(spec.working_directory.as_deref(), Some("run"));
    assert_eq!((file.array.len(), &spec.run), (4, &Run::Script(text.into())));
    let notes: Vec<_> = file.notes.iter().map(|note| (note.line, note.say.in_lang(Lang::En))).collect();
    let output = "--output=out-%j.txt: output is kept by the factory; read it with “eaf logs”";
    let below = "this line is below the first command, so it has no effect (as in Slurm)";
    assert_eq!(notes, [(8, output.to_owned()), (12, below.to_owned())]);
}

#[test]
fn an_sbatch_line_that_cannot_be_kept_is_named() {
    let check = |line: &str, expect: &str| {
        refused("job.sh", &format!("#!/bin/sh\n#SBATCH {line}\ntrue\n"), &format!("2: {expect}"));
    };
    check("--exclusive", "#SBATCH --exclusive is not supported; remove it, or say it otherwise");
    check("--partition=gpu", "#SBATCH --partition is not supported; remove it, or say it otherwise");
    check("--ntask=4", "#SBATCH --ntask is not known; did you mean --ntasks?");
    check("-p gpu", "#SBATCH -p is not supported; remove it, or say it otherwise");
    check("ntasks=4", "“ntasks=4” is no option; #SBATCH options begin with - or --");
    check("--ntasks", "--ntasks needs a value");
    check("--ntasks=0", "--ntasks=0: expected a whole number above zero");
    check("--nodes=2-4", "--nodes=2-4: expected a whole number above zero");
    check("--mem=0", "--mem=0: expected a size, such as 512, 4G or 100K (a number alone is in MiB)");
    check("--time=UNLIMITED", "--time=UNLIMITED: expected a time, such as 30, 30:00, 1:30:00 or 2-12:00:00");
    check("--array=0-9%2", "--array: a limit on how many run at once (%) is not supported; leave it out");
    check("--dependency=singleton", "the dependency “singleton” is not supported; afterok and afterany are");
    check("--dependency=afterok:job1", "“job1” is not a workload id; expected something like wl-12 or 12");
    check("--dependency=afterok:1?afterok:2", "“any of these” (?) is not supported; all dependencies must hold");
    check("--gres=fpga:1", "--gres=fpga:1: expected accelerators, such as gpu:4 or gpu:MI355X:4");
    check("--nodes=3 --ntasks=4", "4 tasks cannot be spread evenly over 3 nodes");
    check("--nodes=2 --ntasks=4 --gres=gpu:3", "3 accelerators cannot be divided evenly among 2 tasks");
    check("--gres=gpu:1 --gpus=1", "accelerators are asked for in more than one way; name them once");
    check("--nodes=1 --ntasks=4 --ntasks-per-node=2", "the tasks need 4 on each node; --ntasks-per-node allows fewer");
}
