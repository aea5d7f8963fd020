//! `eaf up`: start a factory on this machine, and stay until it is told to stop.
//!
//! What: settings from flags, the environment and `eaf.toml`; the door; a first workload where one is named. Why work
//! goes on after a stop: its supervisor is a process of its own. Absent: installing a service; `examples/eaf.service`.

mod detach;
mod failed;
mod settings;

use super::{Context, read_workload, receipt};
use crate::connect;
use crate::exit;
use crate::failure::Failure;
use crate::follow;
use crate::say::Say;
use crate::screen::Paint;
use eaf_api::SubmitRequest;
use eaf_api::client::Client;
use eaf_model::WorkloadId;
use eaf_server::{RunningServer, Server};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::IsTerminal;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use tracing_subscriber::EnvFilter;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The port to listen on; 0 takes a free one. Otherwise EAF_PORT, then 7070.
    #[arg(short, long, value_name = "PORT", env = "EAF_PORT", hide_env = true)]
    port: Option<u16>,
    /// The address to listen on. Otherwise 127.0.0.1; any but loopback needs TLS or --insecure-http.
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<IpAddr>,
    /// A site file that names nodes and their labels. Otherwise EAF_SITE.
    #[arg(long, value_name = "FILE", env = "EAF_SITE", hide_env = true)]
    site: Option<PathBuf>,
    /// The settings file. Otherwise EAF_CONFIG, then eaf.toml here, then /etc/eaf/eaf.toml.
    #[arg(long, value_name = "FILE", env = "EAF_CONFIG", hide_env = true)]
    config: Option<PathBuf>,
    /// Go on in the background; stop with “eaf down”.
    #[arg(short, long, conflicts_with = "run")]
    detach: bool,
    /// Accelerators that are not there, such as 8xMI355X, for trying things out. Shown as pretended everywhere.
    #[arg(long, value_name = "NxMODEL")]
    pretend_accelerators: Option<String>,
    /// Serve plain HTTP on an address that others can reach.
    #[arg(long)]
    insecure_http: bool,
    /// The chain of certificates for HTTPS, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key for HTTPS, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Check every invariant after every step; slower.
    #[arg(long)]
    check_invariants: bool,
    /// Submit this workload file once the factory is up, follow it, show its receipt, and stay up.
    #[arg(long, value_name = "FILE")]
    run: Option<PathBuf>,
    /// The form of the log: text or json. What is logged is set by EAF_LOG, such as warn or eaf_server=debug.
    #[arg(long, value_name = "FORM", env = "EAF_LOG_FORMAT", hide_env = true, default_value = "text")]
    log_format: LogFormat,
    /// Set by --detach in the process that goes on.
    #[arg(long, hide = true)]
    detached: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

fn log_to_stderr(format: LogFormat, quiet: bool) {
    let default = if quiet { "warn" } else { "info" };
    let filter = EnvFilter::try_from_env("EAF_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let terminal = std::io::stderr().is_terminal();
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(terminal);
    match format {
        LogFormat::Json => subscriber.json().init(),
        LogFormat::Text => subscriber.compact().with_target(false).init(),
    }
}

/// Stops the factory when the process is told to end. Running work goes on.
fn stop_on_signals(server: &RunningServer) -> Result<(), Failure> {
    let signals = Signals::new([SIGINT, SIGTERM, SIGHUP]);
    let mut signals = signals.map_err(|error| Failure::because(exit::FAILED, Say::new("fail-signals"), &error))?;
    let stopper = server.stopper();
    std::thread::spawn(move || signals.forever().for_each(|_| stopper.stop(false)));
    Ok(())
}

/// Says what is up, and where.
fn introduce(url: &str, dir: &Path, pretended: Option<&str>, context: &mut Context) -> Result<(), Failure> {
    let line = context.say(&Say::new("up").with("url", url));
    context.screen.painted(Paint::Good, &line)?;
    let mut facts = vec![
        Say::new("up-data").with("dir", dir.display()),
        Say::new("up-token").with("path", dir.join("token").display()),
    ];
    facts.extend(pretended.map(|accelerators| Say::new("up-pretended").with("accelerators", accelerators)));
    facts.push(Say::new("up-next"));
    for fact in facts {
        context.screen.line(&format!("  {}", context.say(&fact)))?;
    }
    context.screen.flush()
}

fn client(url: &str, dir: &Path, certificate: Option<&Path>, context: &Context) -> Result<Client, Failure> {
    let token = connect::token(dir)?;
    let client = match certificate {
        None => Client::new(url, token),
        Some(path) => {
            let pem = std::fs::read(path).map_err(|error| Failure::file("fail-read", path, &error))?;
            Client::trusting(url, token, &pem)?
        }
    };
    Ok(client.with_language(context.lang.tag()))
}

fn heading(say: &Say, context: &mut Context) -> Result<(), Failure> {
    let line = context.say(say);
    context.screen.line("")?;
    context.screen.painted(Paint::Bold, &line)?;
    context.screen.flush()
}

/// Runs a first workload to its end and shows its receipt.
fn run_first(client: &Client, request: &SubmitRequest, context: &mut Context) -> Result<(), Failure> {
    let id: WorkloadId = client.submit(request, None)?.id;
    heading(&Say::new("up-runs").with("id", id).with("name", &request.spec.name), context)?;
    let (view, first) = if request.array.is_empty() {
        (follow::to_the_end(client, id)?, id)
    } else {
        (follow::wait_ended(client, id)?, WorkloadId::of_member(id.step(), 0))
    };
    super::run::tell_end(&view, context);
    heading(&Say::new("up-receipt"), context)?;
    receipt::print(&client.receipt(first)?, context)?;
    context.screen.flush()
}

/// What is shown after the first workload, so that its reader can go on.
fn invite(id: &'static str, url: &str, context: &mut Context) -> Result<(), Failure> {
    heading(&Say::new(id).with("url", url), context)
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    let (config, from) = settings::read(args, context)?;
    let first = args.run.as_deref().map(|path| read_workload(path, context)).transpose()?;
    if args.detach && !args.detached {
        return detach::run(&config, context);
    }
    if args.detached {
        // The terminal that started this process may go away; this process stays. It fails only where that is so already.
        let _ = rustix::process::setsid();
    }
    log_to_stderr(args.log_format, std::io::stderr().is_terminal() || first.is_some());
    if let Some(path) = from {
        context.screen.note(&context.say(&Say::new("up-settings").with("path", path.display())));
    }
    let (dir, pretended) = (config.data_dir.clone(), config.pretend_accelerators.clone());
    let certificate = config.tls.as_ref().map(|tls| tls.certificate.clone());
    let server = Server::start(config).map_err(|error| failed::to_start(&error, &dir, context.lang))?;
    stop_on_signals(&server)?;
    let url = server.url();
    introduce(&url, &dir, pretended.as_deref(), context)?;
    if let Some(file) = first {
        context.data_dir = Some(dir.clone());
        let request = SubmitRequest { spec: file.spec, array: file.array };
        let client = client(&url, &dir, certificate.as_deref(), context)?;
        match run_first(&client, &request, context) {
            Ok(()) => invite("up-stays", &url, context)?,
            // The factory is up all the same; only its reader's output being gone is a reason to end.
            Err(failure @ Failure::Silent(_)) => return Err(failure),
            Err(failure) => {
                crate::screen::report(context.lang, &failure);
                invite("up-stays-after-failure", &url, context)?;
            }
        }
    }
    server.wait();
    context.screen.note(&context.say(&Say::new("up-stopped")));
    Ok(exit::OK)
}
