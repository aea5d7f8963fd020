//! Finding the control groups that we may use.
//!
//! What: reads where hierarchies are mounted and where we are in them, and tries to make our own group there. Why try:
//! only a write tells whether a group is delegated to us. Absent: mounting anything, or touching groups that are not
//! below our own.

use super::{Controller, Flavour, Hierarchy};
use crate::local::CgroupMode;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The leaf that the factory's own processes live in, so that its group may have other children (version 2 allows
/// processes only in leaves). The systemd unit names it as well.
const CONTROL_LEAF: &str = "control";

/// The hierarchies that were found.
pub(super) struct Hierarchies {
    pub(super) flavour: Flavour,
    pub(super) hierarchies: Vec<Hierarchy>,
}

/// One line of `mountinfo` that is a cgroup file system.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    root: PathBuf,
    at: PathBuf,
    v2: bool,
    options: Vec<String>,
}

/// Finds what `mode` allows and makes the group `name` in it.
pub(super) fn hierarchies(mode: CgroupMode, name: &str) -> Option<Hierarchies> {
    let mounts = mounts(&fs::read_to_string("/proc/self/mountinfo").ok()?);
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let v2 = |all_needed| find_v2(&mounts, &own, name, all_needed);
    match mode {
        CgroupMode::None => None,
        CgroupMode::V2 => v2(false),
        CgroupMode::V1 => find_v1(&mounts, &own, name),
        CgroupMode::Auto => v2(true).or_else(|| find_v1(&mounts, &own, name)),
    }
}

fn mounts(mountinfo: &str) -> Vec<Mount> {
    let mount = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        let left: Vec<&str> = left.split(' ').collect();
        let mut right = right.split(' ');
        let v2 = match right.next()? {
            "cgroup2" => true,
            "cgroup" => false,
            _ => return None,
        };
        let options = right.nth(1)?.split(',').map(str::to_owned).collect();
        Some(Mount { root: left.get(3)?.into(), at: left.get(4)?.into(), v2, options })
    };
    mountinfo.lines().filter_map(mount).collect()
}

/// Our place in the hierarchy of these controllers; version 2 has an empty name.
fn own_place(own: &str, controller: &str) -> Option<PathBuf> {
    own.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let names = parts.next()?;
        let path = parts.next()?;
        let here = if controller.is_empty() { names.is_empty() } else { names.split(',').any(|n| n == controller) };
        here.then(|| path.into())
    })
}

/// Where the group of that path is in the file system.
fn directory(mount: &Mount, place: &Path) -> PathBuf {
    let below = place.strip_prefix(&mount.root).or_else(|_| place.strip_prefix("/")).unwrap_or(place);
    mount.at.join(below)
}

fn find_v1(mounts: &[Mount], own: &str, name: &str) -> Option<Hierarchies> {
    let wanted = [
        (Controller::Memory, "memory"),
        (Controller::Cpu, "cpu"),
        (Controller::CpuAccount, "cpuacct"),
        (Controller::Pids, "pids"),
    ];
    let mut hierarchies: Vec<Hierarchy> = Vec::new();
    for (controller, word) in wanted {
        let Some(mount) = mounts.iter().find(|mount| !mount.v2 && mount.options.iter().any(|option| option == word))
        else {
            continue;
        };
        let Some(place) = own_place(own, word) else { continue };
        let base = directory(mount, &place).join(name);
        if let Some(known) = hierarchies.iter_mut().find(|hierarchy| hierarchy.base == base) {
            known.controllers.insert(controller);
        } else if make(&base) {
            hierarchies.push(Hierarchy { base, controllers: BTreeSet::from([controller]) });
        }
    }
    // Without the pids hierarchy the processes of a task could not be found again.
    let finds = hierarchies.iter().any(|hierarchy| hierarchy.controllers.contains(&Controller::Pids));
    finds.then_some(Hierarchies { flavour: Flavour::V1, hierarchies })
}

fn find_v2(mounts: &[Mount], own: &str, name: &str, all_needed: bool) -> Option<Hierarchies> {
    let mount = mounts.iter().find(|mount| mount.v2)?;
    let mut place = directory(mount, &own_place(own, "")?);
    if place.file_name().is_some_and(|leaf| leaf == CONTROL_LEAF) {
        place.pop();
    }
    let words = [(Controller::Memory, "memory"), (Controller::Cpu, "cpu"), (Controller::Pids, "pids")];
    let offered = fs::read_to_string(place.join("cgroup.controllers")).ok()?;
    let offered = |word: &str| offered.split_whitespace().any(|name| name == word);
    if all_needed && !words.iter().all(|(_, word)| offered(word)) {
        return None;
    }
    let usable: Vec<_> = words.into_iter().filter(|(_, word)| offered(word)).collect();
    let enable: Vec<String> = usable.iter().map(|(_, word)| format!("+{word}")).collect();
    let enable = enable.join(" ");
    let base = place.join(name);
    if !make(&base) || !delegate(&place, &enable) || !delegate(&base, &enable) {
        return None;
    }
    let controllers = usable.into_iter().map(|(controller, _)| controller).collect();
    Some(Hierarchies { flavour: Flavour::V2, hierarchies: vec![Hierarchy { base, controllers }] })
}

/// Hands controllers down to the children of a group; our own processes move out of its way where they must.
fn delegate(group: &Path, enable: &str) -> bool {
    if enable.is_empty() {
        return true;
    }
    let subtree = group.join("cgroup.subtree_control");
    if super::write(&subtree, enable).is_ok() {
        return true;
    }
    let leaf = group.join(CONTROL_LEAF);
    if !make(&leaf) {
        return false;
    }
    let Ok(pids) = fs::read_to_string(group.join("cgroup.procs")) else { return false };
    for pid in pids.lines() {
        // A process that ended meanwhile cannot be moved and need not be.
        let _ = super::write(&leaf.join("cgroup.procs"), pid);
    }
    super::write(&subtree, enable).is_ok()
}

fn make(group: &Path) -> bool {
    match fs::create_dir(group) {
        Ok(()) => true,
        Err(error) => error.kind() == std::io::ErrorKind::AlreadyExists && writable(group),
    }
}

fn writable(group: &Path) -> bool {
    fs::OpenOptions::new().write(true).open(group.join("cgroup.procs")).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTINFO: &str = "\
24 1 0:22 / /proc rw,relatime - proc proc rw
30 29 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
31 29 0:27 /docker/x /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct
32 29 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
";
    const OWN: &str = "3:cpu,cpuacct:/docker/x/y\n2:memory:/a/b\n1:name=systemd:/\n0::/user.slice/z\n";

    fn check(controller: &str, expect: Option<&str>) {
        let mounts = mounts(MOUNTINFO);
        let mount = mounts.iter().find(|mount| {
            if controller.is_empty() { mount.v2 } else { mount.options.iter().any(|option| option == controller) }
        });
        let got = mount.and_then(|mount| Some(directory(mount, &own_place(OWN, controller)?)));
        assert_eq!(got, expect.map(PathBuf::from), "{controller}");
    }

    #[test]
    fn our_own_group_is_found_below_each_mount() {
        check("memory", Some("/sys/fs/cgroup/memory/a/b"));
        check("cpuacct", Some("/sys/fs/cgroup/cpu,cpuacct/y"));
        check("pids", None);
        check("", Some("/sys/fs/cgroup/unified/user.slice/z"));
    }
}
