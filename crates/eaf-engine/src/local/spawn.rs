//! Starting processes and seeing them end: the one place of the house with unsafe code.
//!
//! What: one `clone` and one `execve` a task, with everything that must happen between the two (session, cgroups, user,
//! directory, sandbox); reaping with resource usage; the exit of a process that is not our child. Why not
//! `std::process::Command`: the child shares our memory until it executes (as in `vfork`), so that a start costs the
//! same however large we are, and a failure comes back as a step and an error number without a pipe.
//! Absent: any choice. The caller has decided and allocated everything; the child only makes system calls.
#![allow(unsafe_code)]

use crate::local::Identity;
use libc::{c_char, c_int, c_void};
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

/// The child's stack; it makes some twenty system calls a few frames deep.
const STACK_BYTES: usize = 128 << 10;

/// `CLONE_INTO_CGROUP`, which does not fit the type that the C library's header gives it.
const INTO_CGROUP: u64 = 0x2_0000_0000;

/// Everything that a start needs, made before the child exists.
pub(crate) struct Plan<'a> {
    /// What to try to execute, in order.
    pub(crate) programs: Vec<CString>,
    /// Arguments, the program's name first.
    pub(crate) args: Vec<CString>,
    /// `NAME=value`.
    pub(crate) environment: Vec<CString>,
    /// The working directory.
    pub(crate) directory: BorrowedFd<'a>,
    /// A directory to make below the workload's own, as the task's user.
    pub(crate) temporary: (BorrowedFd<'a>, CString),
    /// Standard input, output and error.
    pub(crate) stdio: [BorrowedFd<'a>; 3],
    /// The files by which groups are entered.
    pub(crate) cgroups: &'a [OwnedFd],
    /// The group to be born in (version 2), in place of entering `cgroups`, which takes the kernel some milliseconds.
    pub(crate) born_in: Option<BorrowedFd<'a>>,
    /// The user to become, if another one.
    pub(crate) identity: Option<&'a Identity>,
    /// Groups beside the user's own, for device files.
    pub(crate) extra_groups: Vec<u32>,
    /// The Landlock ruleset to enter.
    pub(crate) ruleset: Option<BorrowedFd<'a>>,
    /// The soft limit of open files to give back; the supervisor has raised its own.
    pub(crate) open_files: (u64, u64),
    /// The limit of address space, where no cgroup limits memory.
    pub(crate) address_space: Option<u64>,
}

/// What the child was doing when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Step {
    /// Creating the child.
    Clone,
    /// Binding its life to ours until it is in its cgroup.
    Parent,
    /// Making a session.
    Session,
    /// Entering a cgroup.
    Cgroup,
    /// Standard input, output and error.
    Stdio,
    /// Limits.
    Limits,
    /// Becoming the task's user.
    User,
    /// Making the directory for temporary files.
    Temporary,
    /// Entering the working directory.
    Directory,
    /// Giving up new privileges and entering the sandbox.
    Sandbox,
    /// Executing the program.
    Execute,
}

impl Step {
    /// Every step, in the order of their numbers.
    const ALL: [Self; 11] = [
        Self::Clone,
        Self::Parent,
        Self::Session,
        Self::Cgroup,
        Self::Stdio,
        Self::Limits,
        Self::User,
        Self::Temporary,
        Self::Directory,
        Self::Sandbox,
        Self::Execute,
    ];
}

/// Why a process was not started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failure {
    /// At which step.
    pub(crate) step: Step,
    /// With which error.
    pub(crate) errno: i32,
}

/// Raw pointers and numbers for the child, which may not allocate.
struct ChildOrders {
    programs: Vec<*const c_char>,
    args: Vec<*const c_char>,
    environment: Vec<*const c_char>,
    directory: RawFd,
    temporary: (RawFd, *const c_char),
    stdio: [RawFd; 3],
    cgroups: Vec<RawFd>,
    user: Option<(u32, u32)>,
    groups: Vec<u32>,
    ruleset: RawFd,
    open_files: libc::rlimit,
    address_space: Option<libc::rlimit>,
    parent: libc::pid_t,
    failed: Option<(Step, c_int)>,
    /// Where a child that does not share our memory writes what failed; -1 for one that does.
    report: RawFd,
}

fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

/// Starts processes; keeps the stack that children run on until they execute.
pub(crate) struct Spawner {
    stack: Vec<u8>,
}

impl Spawner {
    pub(crate) fn new() -> Self {
        Self { stack: vec![0; STACK_BYTES] }
    }

    /// Starts a process and returns its id once it executes its program.
    pub(crate) fn spawn(&mut self, plan: &Plan) -> Result<u32, Failure> {
        let limit = |soft, hard| libc::rlimit { rlim_cur: soft, rlim_max: hard };
        let mut orders = ChildOrders {
            programs: pointers(&plan.programs),
            args: pointers(&plan.args),
            environment: pointers(&plan.environment),
            directory: plan.directory.as_raw_fd(),
            temporary: (plan.temporary.0.as_raw_fd(), plan.temporary.1.as_ptr()),
            stdio: plan.stdio.map(|fd| fd.as_raw_fd()),
            cgroups: plan.cgroups.iter().map(AsRawFd::as_raw_fd).collect(),
            user: plan.identity.map(|identity| (identity.uid, identity.gid)),
            groups: plan.identity.iter().flat_map(|id| id.groups.iter()).chain(&plan.extra_groups).copied().collect(),
            ruleset: plan.ruleset.map_or(-1, |fd| fd.as_raw_fd()),
            open_files: limit(plan.open_files.0, plan.open_files.1),
            address_space: plan.address_space.map(|bytes| limit(bytes, bytes)),
            parent: rustix::process::getpid().as_raw_nonzero().get(),
            failed: None,
            report: -1,
        };
        if let Some(group) = plan.born_in {
            match spawn_in(&mut orders, group) {
                // Some containers forbid the call; then the group is entered like any other.
                Err(Failure { step: Step::Clone, errno: libc::ENOSYS | libc::EPERM | libc::EINVAL }) => {}
                outcome => return outcome,
            }
        }
        self.spawn_sharing(&mut orders)
    }

    /// Starts a child that shares our memory until it executes.
    fn spawn_sharing(&mut self, orders: &mut ChildOrders) -> Result<u32, Failure> {
        let top = self.stack.as_mut_ptr_range().end;
        let top = top.wrapping_sub(top as usize % 16);
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        // SAFETY: with CLONE_VFORK this thread sleeps until the child has executed or ended, so the child is the only
        // user of the stack and of `orders`, both of which outlive it; the supervisor has no other thread.
        let pid = unsafe { libc::clone(child, top.cast(), flags, ptr::from_mut(orders).cast()) };
        if pid < 0 {
            return Err(Failure { step: Step::Clone, errno: errno() });
        }
        settle(pid, orders.failed)
    }
}

/// The id of a child that executes, or why it does not; that one is reaped.
fn settle(pid: libc::pid_t, failed: Option<(Step, c_int)>) -> Result<u32, Failure> {
    if let Some((step, errno)) = failed {
        // SAFETY: plain system call on our own child; a null status is allowed.
        unsafe { libc::waitpid(pid, ptr::null_mut(), 0) };
        return Err(Failure { step, errno });
    }
    Ok(pid.cast_unsigned())
}

/// Starts a child that is born in a group of version 2. It has a copy of our memory, since the C library offers no
/// stack for this call, and so tells of a failure by a pipe.
fn spawn_in(orders: &mut ChildOrders, group: BorrowedFd) -> Result<u32, Failure> {
    use rustix::pipe::{PipeFlags, pipe_with};
    let failed = |errno| Failure { step: Step::Clone, errno };
    let pipe = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK);
    let (told, report) = pipe.map_err(|error| failed(error.raw_os_error()))?;
    orders.report = report.as_raw_fd();
    let entered = std::mem::take(&mut orders.cgroups);
    // SAFETY: all-zero is a valid `clone_args`. Without CLONE_VM this is a fork of a process with one thread; the child
    // only runs `child`, which never returns.
    let pid = unsafe {
        let mut args = std::mem::zeroed::<libc::clone_args>();
        args.flags = libc::CLONE_VFORK as u64 | INTO_CGROUP;
        args.exit_signal = libc::SIGCHLD as u64;
        args.cgroup = u64::from(group.as_raw_fd().cast_unsigned());
        let pid = libc::syscall(libc::SYS_clone3, &raw const args, size_of::<libc::clone_args>());
        if pid == 0 {
            child(ptr::from_mut(orders).cast());
        }
        pid
    };
    let error = errno();
    orders.report = -1;
    orders.cgroups = entered;
    let Some(pid) = libc::pid_t::try_from(pid).ok().filter(|pid| *pid > 0) else { return Err(failed(error)) };
    // The child has executed or ended, so what it had to say is there.
    let mut said = [0; 5];
    let failed = rustix::io::read(&told, &mut said).is_ok_and(|length| length == said.len());
    let [step, number @ ..] = said;
    let step = Step::ALL.get(usize::from(step)).copied().unwrap_or(Step::Clone);
    settle(pid, failed.then(|| (step, i32::from_ne_bytes(number))))
}

fn errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// What runs in the child. It shares the parent's memory, so it must not allocate, lock or unwind.
extern "C" fn child(orders: *mut c_void) -> c_int {
    // SAFETY: the pointer is to the parent's `orders`, which nobody else touches while the parent sleeps.
    let orders = unsafe { &mut *orders.cast::<ChildOrders>() };
    // SAFETY: only system calls on numbers and pointers that the parent prepared and keeps alive.
    let failed = unsafe { prepare(orders).err().unwrap_or_else(|| execute(orders)) };
    let error = errno();
    orders.failed = Some((failed, error));
    if orders.report >= 0 {
        let [a, b, c, d] = error.to_ne_bytes();
        let said = [failed as u8, a, b, c, d];
        // SAFETY: writes an array of ours to a file that is open.
        unsafe { libc::write(orders.report, said.as_ptr().cast(), said.len()) };
    }
    // SAFETY: ends this process without running the parent's exit handlers.
    unsafe { libc::_exit(127) }
}

fn ok(result: impl Into<i64>, step: Step) -> Result<(), Step> {
    if result.into() < 0 { Err(step) } else { Ok(()) }
}

/// Everything before `execve`.
unsafe fn prepare(orders: &ChildOrders) -> Result<(), Step> {
    // SAFETY: the caller's promise: prepared numbers and pointers, and no other thread.
    unsafe {
        // Dies with the supervisor until it is in its cgroup, where the next supervisor finds it: a start is never
        // repeated behind the back of a child that nobody knows of.
        ok(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL), Step::Parent)?;
        ok(if libc::getppid() == orders.parent { 0 } else { -1 }, Step::Parent)?;
        ok(libc::setsid(), Step::Session)?;
        for &cgroup in &orders.cgroups {
            ok(libc::write(cgroup, c"0".as_ptr().cast(), 1) as i64, Step::Cgroup)?;
        }
        ok(libc::prctl(libc::PR_SET_PDEATHSIG, 0), Step::Parent)?;
        for (target, &source) in (0..).zip(&orders.stdio) {
            ok(libc::dup2(source, target), Step::Stdio)?;
        }
        ok(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const orders.open_files), Step::Limits)?;
        if let Some(limit) = &orders.address_space {
            ok(libc::setrlimit(libc::RLIMIT_AS, limit), Step::Limits)?;
        }
        if let Some((uid, gid)) = orders.user {
            // The system calls themselves: the C library's functions would signal the parent's threads.
            ok(libc::syscall(libc::SYS_setgroups, orders.groups.len(), orders.groups.as_ptr()), Step::User)?;
            ok(libc::syscall(libc::SYS_setresgid, gid, gid, gid), Step::User)?;
            ok(libc::syscall(libc::SYS_setresuid, uid, uid, uid), Step::User)?;
        }
        if libc::mkdirat(orders.temporary.0, orders.temporary.1, 0o700) < 0 && errno() != libc::EEXIST {
            return Err(Step::Temporary);
        }
        ok(libc::fchdir(orders.directory), Step::Directory)?;
        libc::umask(0o022);
        ok(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), Step::Sandbox)?;
        if orders.ruleset >= 0 {
            ok(libc::syscall(libc::SYS_landlock_restrict_self, orders.ruleset, 0), Step::Sandbox)?;
        }
        // Ignored and blocked signals would be inherited by the program; the supervisor ignores this one alone.
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        let mut none = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
    }
    Ok(())
}

/// Tries the programs in order; comes back only where none could be executed, with the most telling error in `errno`.
unsafe fn execute(orders: &ChildOrders) -> Step {
    let mut telling = libc::ENOENT;
    for &program in &orders.programs {
        if program.is_null() {
            break;
        }
        // SAFETY: null-terminated arrays of null-terminated strings that the parent keeps alive.
        unsafe { libc::execve(program, orders.args.as_ptr(), orders.environment.as_ptr()) };
        match errno() {
            libc::ENOENT | libc::ENOTDIR => {}
            other => telling = other,
        }
    }
    // SAFETY: writes this thread's error number.
    unsafe { *libc::__errno_location() = telling };
    Step::Execute
}

/// A child that has ended and is reaped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reaped {
    /// Which.
    pub(crate) pid: u32,
    /// As of `wait`.
    pub(crate) status: i32,
    /// Processor time of it and of the children that it has waited for, in microseconds.
    pub(crate) cpu_micros: u64,
    /// The most memory of one of them, in bytes.
    pub(crate) memory_peak: u64,
}

/// Reaps one child that has ended; `None` where none has.
pub(crate) fn reap() -> Option<Reaped> {
    let mut status = 0;
    // SAFETY: all-zero is a valid `rusage`; the call fills what the pointers name.
    let (pid, usage) = unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        (libc::wait4(-1, &raw mut status, libc::WNOHANG, &raw mut usage), usage)
    };
    let pid = u32::try_from(pid).ok().filter(|pid| *pid > 0)?;
    let micros = |time: libc::timeval| (time.tv_sec * 1_000_000 + time.tv_usec).cast_unsigned();
    let cpu_micros = micros(usage.ru_utime) + micros(usage.ru_stime);
    Some(Reaped { pid, status, cpu_micros, memory_peak: usage.ru_maxrss.cast_unsigned() << 10 })
}

/// Blocks the signals that the supervisor waits for and returns the file that they are read from.
pub(crate) fn signal_file() -> io::Result<OwnedFd> {
    // SAFETY: the set is made by the calls that are there for it, an action of zeros is the kernel's default action, and
    // the result is a new file of ours.
    unsafe {
        // What our own starter ignored, we and our tasks do not. The C library hides two of the numbers, the kernel does not.
        for signal in (1..=64).filter(|signal| *signal != libc::SIGPIPE) {
            libc::syscall(libc::SYS_rt_sigaction, signal, [0_u64; 4].as_ptr(), ptr::null_mut::<c_void>(), 8);
        }
        let mut set = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&raw mut set);
        for signal in [libc::SIGCHLD, libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
            libc::sigaddset(&raw mut set, signal);
        }
        if libc::sigprocmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut()) < 0 {
            return Err(io::Error::last_os_error());
        }
        let file = libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        if file < 0 { Err(io::Error::last_os_error()) } else { Ok(OwnedFd::from_raw_fd(file)) }
    }
}

/// Marks every open file but the first three to be closed in what we execute: whoever started us may have been careless.
pub(crate) fn close_on_execute() {
    // SAFETY: changes a flag of files; closes none.
    unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
}

/// Takes over a file that the program before us left open under this number; `None` where nothing is open there.
pub(crate) fn inherited(number: RawFd) -> Option<OwnedFd> {
    // SAFETY: asks for a flag; fails where nothing is open.
    if number < 3 || unsafe { libc::fcntl(number, libc::F_GETFD) } < 0 {
        return None;
    }
    // SAFETY: it is open, and the program that opened it is gone and has handed it over.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Adds a file to a Landlock ruleset. The landlock crate asks for the kind of each file first, which for some sixty
/// rules a task costs as much as the rules; the caller has asked once and kept the answer.
pub(crate) fn allow_path(ruleset: BorrowedFd, file: BorrowedFd, access: u64) -> io::Result<()> {
    #[repr(C, packed)]
    struct PathBeneath {
        allowed_access: u64,
        parent_fd: i32,
    }
    const PATH_BENEATH: c_int = 1;
    let rule = PathBeneath { allowed_access: access, parent_fd: file.as_raw_fd() };
    // SAFETY: the structure is the kernel's `landlock_path_beneath_attr`, and is only read.
    let added =
        unsafe { libc::syscall(libc::SYS_landlock_add_rule, ruleset.as_raw_fd(), PATH_BENEATH, &raw const rule, 0) };
    if added < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// How a process ended that is not our child, by the kernel's memory of it (Linux 6.15); `None` where it has none.
pub(crate) fn exit_status(pidfd: BorrowedFd) -> Option<i32> {
    // SAFETY: all-zero is a valid `pidfd_info`; the call fills at most its size.
    let info = unsafe {
        let mut info = std::mem::zeroed::<libc::pidfd_info>();
        info.mask = u64::from(libc::PIDFD_INFO_EXIT);
        if libc::ioctl(pidfd.as_raw_fd(), libc::PIDFD_GET_INFO, &raw mut info) < 0 {
            return None;
        }
        info
    };
    (info.mask & u64::from(libc::PIDFD_INFO_EXIT) != 0).then_some(info.exit_code)
}
