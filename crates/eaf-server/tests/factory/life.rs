//! A factory's life: starts, stops, restarts, and what it refuses to start with.

use crate::fixture::{Factory, refused, request, until};
use eaf_api::client::Client;
use eaf_model::{Exit, WorkloadState};
use eaf_server::{Config, RunFile, Server, StartError, TlsFiles};
use std::net::{IpAddr, Ipv4Addr};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("work outlives a stopped factory, and its exit is not lost", work_outlives_the_factory),
    ("a supervisor that was killed is brought back, and work goes on", a_killed_supervisor_comes_back),
    ("a stop of all work ends it", all_work_is_stopped),
    ("a factory stops when it is asked by its process id", a_stop_by_request),
    ("an address that others reach needs encryption", addresses_need_encryption),
    ("a second factory on the same directory is refused", a_second_factory_is_refused),
    ("TLS is spoken with the certificate that is configured", tls_is_spoken),
    ("logs and directories go when their time is over, and receipts stay", files_are_forgotten),
    ("a site file bounds the node", a_site_file_bounds_the_node),
];

fn work_outlives_the_factory() {
    let mut factory = Factory::new();
    let id = factory.script("echo before; while [ ! -e go ]; do sleep 0.02; done; echo after; exit 5");
    let client = factory.client();
    until("the task to run", || client.workload(id).ok().filter(|view| view.state == WorkloadState::Running));
    factory.stop();
    assert!(!factory.data_dir().join(RunFile::NAME).exists());
    let work = factory.data_dir().join("work").join(id.to_string());
    std::fs::write(work.join("go"), "").unwrap();
    factory.start();
    let view = factory.ended(id);
    assert_eq!(view.status.attempts.last().unwrap().exits, [Exit::Code(5)]);
    assert_eq!(view.status.attempts.len(), 1);
    let log = factory.client().log(id, &eaf_api::LogQuery::default()).unwrap();
    assert_eq!(log.bytes, b"before\nafter\n");
}

fn a_killed_supervisor_comes_back() {
    let factory = Factory::new();
    let id = factory.script("while [ ! -e go ]; do sleep 0.02; done");
    let client = factory.client();
    until("the task to run", || client.workload(id).ok().filter(|view| view.state == WorkloadState::Running));
    let killed = factory.kill_supervisor();
    until("another supervisor", || factory.supervisor().filter(|pid| *pid != killed));
    until("the engine to be met again", || client.ready().ok().filter(|ready| ready.ready));
    std::fs::write(factory.data_dir().join("work").join(id.to_string()).join("go"), "").unwrap();
    assert_eq!(factory.ended(id).state, WorkloadState::Finished);
    let after = factory.script("exit 4");
    assert_eq!(factory.ended(after).status.attempts[0].exits, [Exit::Code(4)]);
}

fn all_work_is_stopped() {
    let mut factory = Factory::new();
    let running = factory.script("sleep 600");
    let client = factory.client();
    until("the task to run", || client.workload(running).ok().filter(|view| view.state == WorkloadState::Running));
    let server = factory.take_server();
    server.stopper().stop(true);
    server.wait();
    factory.start();
    assert_eq!(factory.ended(running).state, WorkloadState::Cancelled);
}

fn a_stop_by_request() {
    let mut factory = Factory::new();
    let run: RunFile = serde_json::from_slice(&std::fs::read(factory.data_dir().join(RunFile::NAME)).unwrap()).unwrap();
    assert_eq!((run.pid, run.url), (std::process::id(), factory.server().url()));
    let client = factory.client();
    let server = factory.take_server();
    assert!(!client.stop(false).unwrap().stop_work);
    server.wait();
    assert!(client.health().is_err());
}

fn addresses_need_encryption() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config {
        data_dir: dir.path().join("data"),
        bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        port: 0,
        ..Config::default()
    };
    assert!(matches!(Server::start(config), Err(StartError::NeedsTls { .. })));
    assert!(!dir.path().join("data").exists());
}

fn a_second_factory_is_refused() {
    let mut factory = Factory::new();
    let second = Server::start(factory.config().clone());
    assert!(matches!(second, Err(StartError::Open(eaf_store::OpenError::Locked { .. }))), "{second:?}");
    assert!(factory.client().health().is_ok());
}

fn tls_is_spoken() {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let factory = Factory::with(|config| config.tls = Some(TlsFiles { certificate, key }));
    let url = factory.server().url();
    assert!(url.starts_with("https://"));
    let client = Client::trusting(&url, Some(factory.token()), made.cert.pem().as_bytes()).unwrap();
    assert_eq!(client.nodes().unwrap().items.len(), 1);
    assert!(Client::new(&url, Some(factory.token())).nodes().is_err(), "nobody has signed this certificate");
}

fn files_are_forgotten() {
    let mut factory = Factory::new();
    let id = factory.script("echo out");
    factory.ended(id);
    let folders = ["logs", "work"].map(|folder| factory.data_dir().join(folder).join(id.to_string()));
    assert!(folders.iter().all(|folder| folder.exists()));
    factory.stop();
    factory.config().retention.logs = eaf_model::Span(0);
    factory.start();
    until("the files to be forgotten", || folders.iter().all(|folder| !folder.exists()).then_some(()));
    assert!(factory.client().receipt(id).is_ok());
    assert_eq!(refused(factory.client().file(id, "").map(|_| ())), "no_such_file");
}

fn a_site_file_bounds_the_node() {
    let mut factory = Factory::new();
    let name = factory.client().nodes().unwrap().items[0].name.clone();
    factory.stop();
    let site = factory.root().join("site.toml");
    std::fs::write(&site, format!("[nodes.\"{name}\"]\ncpu_max = 500\nlabels = {{ rack = \"r1\" }}\n")).unwrap();
    factory.config().site = Some(site);
    factory.start();
    let node = factory.client().nodes().unwrap().items.remove(0);
    assert_eq!((node.spec.cpu.0, node.labels["rack"].as_str()), (500, "r1"));
    let mut large = request("true");
    large.spec.task.cpu = eaf_model::CpuMilli(501);
    assert_eq!(refused(factory.client().submit(&large, None)), "never_fits");
}
