//! A factory in this process: started, running, stopped.
//!
//! What: the order in which things come up and go down. Why a conductor thread: a stop may come from a signal, a request
//! or a dropped handle, and goes down one way. Absent: signals and exit codes of a clean end; the binary's.

use crate::clock::now;
use crate::config::{Site, embedded_settings};
use crate::driver::{self, Door, Driver, Errand, Link, Message, Readiness};
use crate::http;
use crate::metrics::Metrics;
use crate::view::View;
use crate::{Config, StartError, secrets};
use eaf_core::Machine;
use eaf_engine::local::LocalEngine;
use eaf_engine::{Engine, EngineError, Sink};
use eaf_model::{Input, Rejection, Settings, Span, Time};
use eaf_store::{OpenOptions, Recovered, SqliteReader, SqliteStore, recover};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tracing::{info, warn};

/// How long `start` waits for the engine before it opens the door without it.
const ENGINE_WAIT: Duration = Duration::from_secs(10);
/// The most threads that serve HTTP where their number is not set.
const HTTP_THREADS_MAX: usize = 8;
/// How often files are looked for that nobody needs any more.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);

/// How soon they are looked for again where there were too many for one go.
const FORGET_MORE: Duration = Duration::from_secs(5);

/// `run.json` in the data directory: where the running factory is. Written once it serves, removed when it stops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    /// Its process.
    pub pid: u32,
    /// Its door, such as `http://127.0.0.1:7070`.
    pub url: String,
    /// Its version.
    pub version: String,
}

impl RunFile {
    /// Its name in the data directory.
    pub const NAME: &'static str = "run.json";
}

/// The name of the token's file in the data directory: mode 0600, one line.
pub const TOKEN_FILE: &str = "token";

/// An engine, and how it is ended together with all of its work.
pub struct EngineParts {
    /// The engine.
    pub engine: Arc<dyn Engine>,
    /// Ends it and what still runs; called once the driver has ended.
    pub end: Box<dyn FnOnce() -> Result<(), EngineError> + Send>,
}

/// Starts factories.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Opens the data directory (making it where it is missing), recovers, starts the local engine, and serves. Returns
    /// once the door is open; blocks meanwhile. Call it from a plain thread.
    ///
    /// # Errors
    /// Everything that the operator must put right first; nothing is left running.
    pub fn start(config: Config) -> Result<RunningServer, StartError> {
        let local = config.local_engine();
        Self::start_with(config, |sink| {
            let engine = Arc::new(LocalEngine::start(local, sink)?);
            let ending = Arc::clone(&engine);
            Ok(EngineParts { engine, end: Box::new(move || ending.shutdown(true)) })
        })
    }

    /// The same with another engine, which is started with the sink for its observations.
    ///
    /// # Errors
    /// As `start`.
    pub fn start_with(
        config: Config,
        engine: impl FnOnce(Sink) -> Result<EngineParts, EngineError>,
    ) -> Result<RunningServer, StartError> {
        let listening = listen(&config)?;
        let address = listening.address();
        let url = format!("{}://{address}", listening.scheme());
        let site = site(config.site.as_deref())?;
        let settings = lawful(embedded_settings(config.settings.clone())?)?;

        let (store, recovered) = read_journal(&config.data_dir)?;
        let token = secrets::token(&config.data_dir)?;
        let receipt_key = receipt_key(&config.data_dir)?;
        let runtime = runtime(config.limits.http_threads)?;
        let reader = runtime.block_on(SqliteReader::open(&config.data_dir))?;

        let (messages, inbox) = sync_channel(config.limits.waiting_inputs_max.max(1) as usize);
        let view = Arc::new(View::new(recovered.state.clone(), recovered.head, config.limits.recent_events_max));
        let (metrics, readiness) = (Arc::new(Metrics::new()), Arc::new(Readiness::default()));
        let EngineParts { engine, end } = engine(sink(messages.clone()))?;
        let link = Link::start(Arc::clone(&engine), site, messages.clone());
        let link = Arc::new(link.map_err(|source| StartError::Thread { source })?);
        let around = Around { view, link, readiness, metrics };
        let driver = start_driver(&config, store, recovered, settings, &around, (messages.clone(), inbox))?;
        let Around { view, link, readiness, metrics } = around;
        readiness.wait_until_met(ENGINE_WAIT);
        let stopper = Stopper::default();
        let (close, closing) = watch::channel(false);
        let door = Door::new(messages);
        let shared = http::Shared {
            view: Arc::clone(&view),
            door: door.clone(),
            reader: reader.clone(),
            engine,
            readiness: Arc::clone(&readiness),
            metrics,
            receipt_key,
            factory: config.name.clone(),
            stopper: stopper.clone(),
            token,
            process: secrets::random_name(16).map_err(|source| StartError::Thread { source })?,
            body_bytes_max: config.limits.body_bytes_max,
            requests_per_second: config.limits.requests_per_second,
            rates: http::Rates::default(),
            explained: http::Explained::default(),
            closing,
        };
        let serving = serve(&runtime, listening, shared, config.limits.connections_max);
        let (data_dir, kept) = (config.data_dir.clone(), config.retention.logs);
        runtime.spawn(Forgetting { data_dir, view, reader: reader.clone(), link: Arc::clone(&link), kept }.run());
        let run = RunFile { pid: std::process::id(), url: url.clone(), version: env!("CARGO_PKG_VERSION").to_owned() };
        secrets::write_run_file(&config.data_dir, &run)?;
        info!(url, "the factory is up");
        let conductor = Conductor {
            stopper: stopper.clone(),
            readiness,
            door,
            driver,
            close,
            serving,
            link,
            end,
            reader,
            runtime,
            data_dir: config.data_dir,
        };
        let conductor = std::thread::Builder::new().name("eaf-conductor".to_owned()).spawn(move || conductor.run());
        let conductor = conductor.map_err(|source| StartError::Thread { source })?;
        Ok(RunningServer { address, url, stopper, conductor: Some(conductor) })
    }
}

/// Opens the socket, which on an address that others can reach is encrypted unless the operator says otherwise.
fn listen(config: &Config) -> Result<http::Listening, StartError> {
    let address = config.address();
    if !config.bind.is_loopback() && config.tls.is_none() && !config.insecure_http {
        return Err(StartError::NeedsTls { address });
    }
    http::listen(address, config.tls.as_ref())
}

/// What the driver shares with the door.
struct Around {
    view: Arc<View>,
    link: Arc<Link>,
    readiness: Arc<Readiness>,
    metrics: Arc<Metrics>,
}

/// Starts the driver's thread on the state that the journal gave, with these settings in force.
fn start_driver(
    config: &Config,
    store: SqliteStore,
    recovered: Recovered,
    settings: Settings,
    around: &Around,
    (own, inbox): (SyncSender<Message>, Receiver<Message>),
) -> Result<JoinHandle<()>, StartError> {
    assert_eq!(recovered.state.step_number(), recovered.head.step, "the state is the one at the journal's head");
    let check = config.check_invariants || cfg!(debug_assertions);
    let mut driver = Driver {
        machine: Machine::new(recovered.state, check),
        head: recovered.head,
        snapshots: store.snapshots_handle(),
        store: Box::new(store),
        policy: recovered.policy,
        view: Arc::clone(&around.view),
        link: Arc::clone(&around.link),
        readiness: Arc::clone(&around.readiness),
        metrics: Arc::clone(&around.metrics),
        retention: config.retention.clone(),
        batch_max: config.limits.batch_inputs_max.max(1) as usize,
        inbox,
        own,
    };
    configure(&mut driver, settings)?;
    driver::start(driver).map_err(|source| StartError::Thread { source })
}

fn read_journal(data_dir: &Path) -> Result<(SqliteStore, Recovered), StartError> {
    let mut store = SqliteStore::open(data_dir, OpenOptions::default())?;
    let recovered = recover(&mut store)?;
    for damaged in &recovered.passed_over {
        warn!(%damaged, "a snapshot was passed over");
    }
    let (step, replayed) = (recovered.head.step, recovered.replayed);
    info!(step, replayed, workloads = recovered.state.live(), "the journal was read");
    Ok((store, recovered))
}

/// Where an engine's observations go. A driver that has ended observes nothing more; the engine keeps what is not
/// settled.
fn sink(messages: SyncSender<Message>) -> Sink {
    Box::new(move |observation| drop(messages.send(Message::Observed(observation))))
}

/// Settings that hold together. Asked before anything is started, so that nothing must be stopped again.
fn lawful(settings: Settings) -> Result<Settings, StartError> {
    match eaf_core::settings_problem(&settings) {
        Some(field) => Err(StartError::Settings { field: field.to_owned() }),
        None => Ok(settings),
    }
}

/// Makes these the settings in force, where they are not.
fn configure(driver: &mut Driver, settings: Settings) -> Result<(), StartError> {
    if *driver.machine.state().settings() == settings {
        return Ok(());
    }
    let result = driver.take_now(vec![Input::Configure(Box::new(settings))])?;
    match result.into_iter().next() {
        Some(Err(Rejection::SettingsInvalid { field })) => Err(StartError::Settings { field }),
        _ => Ok(()),
    }
}

/// Opens the door.
fn serve(
    runtime: &Runtime,
    listening: http::Listening,
    shared: http::Shared,
    connections_max: u32,
) -> tokio::task::JoinHandle<()> {
    let (metrics, closing) = (Arc::clone(&shared.metrics), shared.closing.clone());
    runtime.spawn(http::serve(listening, http::router(Arc::new(shared)), metrics, connections_max, closing))
}

fn site(path: Option<&Path>) -> Result<Site, StartError> {
    let Some(path) = path else { return Ok(Site::default()) };
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|source| StartError::File { what: "read the site file", path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|source| StartError::Site { path: path.to_owned(), source: Box::new(source) })
}

fn receipt_key(data_dir: &Path) -> Result<eaf_api::receipt::KeyPair, StartError> {
    let path = data_dir.join("keys");
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
    made.map_err(|source| StartError::File { what: "make", path: path.clone(), source })?;
    eaf_api::receipt::keys::load_or_create(&path)
        .map_err(|source| StartError::ReceiptKey { path, source: Box::new(source) })
}

fn runtime(threads: u32) -> Result<Runtime, StartError> {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = if threads == 0 { (processors / 2).clamp(1, HTTP_THREADS_MAX) } else { threads as usize };
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("eaf-http")
        .enable_all()
        .build()
        .map_err(|source| StartError::Thread { source })
}

/// Looks for files that nobody needs any more, now and then.
struct Forgetting {
    data_dir: PathBuf,
    view: Arc<View>,
    reader: SqliteReader,
    link: Arc<Link>,
    kept: Span,
}

impl Forgetting {
    async fn run(self) {
        loop {
            let before = Time(now().0.saturating_sub(i64::try_from(self.kept.0).unwrap_or(i64::MAX)));
            let mut pause = FORGET_EVERY;
            match driver::stale_files(&self.data_dir, &self.view, &self.reader, before).await {
                Ok(stale) if stale.is_empty() => {}
                Ok(stale) => {
                    info!(workloads = stale.len(), "logs and directories are forgotten");
                    if stale.len() == driver::FORGET_MAX {
                        pause = FORGET_MORE;
                    }
                    self.link.give(Errand::Forget(stale));
                }
                Err(error) => warn!(%error, "old files could not be looked for"),
            }
            tokio::time::sleep(pause).await;
        }
    }
}

/// What a stop was asked to be.
#[derive(Debug, Default)]
struct Asked {
    stop_work: Mutex<Option<bool>>,
    rung: Condvar,
}

/// Stops a running factory. Cheap to clone; the first call counts.
#[derive(Clone, Debug, Default)]
pub struct Stopper(Arc<Asked>);

impl Stopper {
    /// Begins a graceful stop and returns at once. False leaves tasks running; true ends them and their supervisor.
    pub fn stop(&self, stop_work: bool) {
        self.0.stop_work.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(stop_work);
        self.0.rung.notify_all();
    }

    fn wait(&self) -> bool {
        let asked = self.0.stop_work.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = self.0.rung.wait_while(asked, |asked| asked.is_none()).unwrap_or_else(PoisonError::into_inner);
        asked.unwrap_or(false)
    }
}

/// Takes everything down, in order.
struct Conductor {
    stopper: Stopper,
    readiness: Arc<Readiness>,
    door: Door,
    driver: JoinHandle<()>,
    close: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<()>,
    link: Arc<Link>,
    end: Box<dyn FnOnce() -> Result<(), EngineError> + Send>,
    reader: SqliteReader,
    runtime: Runtime,
    data_dir: PathBuf,
}

impl Conductor {
    fn run(self) {
        let Self { stopper, readiness, door, driver, close, serving, link, end, reader, runtime, data_dir } = self;
        let stop_work = stopper.wait();
        info!(stop_work, "the factory stops");
        readiness.stop();
        if stop_work {
            // The door stays open for questions until all work has ended.
            door.stop(true);
            joined(driver);
            close_door(&runtime, &close, serving);
        } else {
            // What was asked before is still answered: the driver ends after the door.
            close_door(&runtime, &close, serving);
            door.stop(false);
            joined(driver);
        }
        runtime.block_on(reader.close());
        runtime.shutdown_timeout(Duration::from_secs(1));
        drop(link);
        if stop_work {
            if let Err(error) = end() {
                warn!(%error, "the engine did not end all of its work");
            }
        }
        secrets::remove_run_file(&data_dir);
        info!("the factory has stopped");
    }
}

fn close_door(runtime: &Runtime, close: &watch::Sender<bool>, serving: tokio::task::JoinHandle<()>) {
    close.send_replace(true);
    if runtime.block_on(serving).is_err() {
        warn!("the door did not close in good order");
    }
}

fn joined(driver: JoinHandle<()>) {
    // The driver's thread catches its own panics and ends the process then.
    let _ = driver.join();
}

/// A running factory. Dropping it stops it as `Stopper::stop(false)` does.
#[derive(Debug)]
pub struct RunningServer {
    address: SocketAddr,
    url: String,
    stopper: Stopper,
    conductor: Option<JoinHandle<()>>,
}

impl RunningServer {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its door, such as `http://127.0.0.1:7070`.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Stops it from another thread, such as a signal's.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Blocks until it has stopped, by a `Stopper` or by `POST /v1/stop`. A failed append does not return: the process
    /// exits with a code of `exit_code`.
    pub fn wait(mut self) {
        self.join();
    }

    fn join(&mut self) {
        if let Some(conductor) = self.conductor.take() {
            let _ = conductor.join();
        }
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        self.stopper.stop(false);
        self.join();
    }
}
