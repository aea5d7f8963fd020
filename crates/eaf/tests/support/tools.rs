//! Programs that the tests need beside `eaf`: installed where that is possible, named loudly where it is not.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Makes sure that a program is there; as root it is installed from the package of the same name.
pub(crate) fn ensure(program: &str) {
    if found(program) {
        return;
    }
    let install = format!("apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq {program}");
    let output = Command::new("sh").args(["-c", &install]).output().expect("a shell can be run");
    assert!(found(program), "this test needs `{program}`, and `{install}` did not bring it:\n{}", text(&output));
}

fn found(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A program from PyPI, in a virtual environment below the build folder that later runs find again.
pub(crate) fn from_pypi(package: &str, version: &str, program: &str) -> PathBuf {
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("venv-{package}-{version}"));
    let program = venv.join("bin").join(program);
    let ready = venv.join("ready");
    if ready.exists() {
        return program;
    }
    let create = || Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv).output();
    if !create().is_ok_and(|output| output.status.success()) {
        let install =
            "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3 python3-venv";
        let installed = Command::new("sh").args(["-c", install]).output().expect("a shell can be run");
        let output = create().expect("python3 can be run once it is installed");
        assert!(
            output.status.success(),
            "this test needs python3 with venv, and `{install}` did not bring it:\n{}{}",
            text(&installed),
            text(&output)
        );
    }
    let pip = Command::new(venv.join("bin/pip"))
        .args(["install", "--quiet", "--disable-pip-version-check", &format!("{package}=={version}")])
        .output()
        .expect("pip can be run");
    assert!(pip.status.success(), "this test needs {package} {version} from PyPI:\n{}", text(&pip));
    std::fs::write(&ready, "").expect("the build folder can be written");
    program
}

/// Everything that a program wrote.
pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
