//! Sockets: listening, TLS, keep-alive, and closing in good order.
//!
//! What: one task a connection on a small runtime of its own. Why not a ready-made server: the bound on connections, the
//! handshake's time limit and the order of closing are this door's. Absent: routes.

use super::gate::Peer;
use crate::StartError;
use crate::config::TlsFiles;
use crate::metrics::Metrics;
use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tower::Service;
use tracing::{debug, warn};

/// How long a client may take for the head of a request, or for the handshake.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long requests in flight may take once the door closes.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// A socket that was bound, and how it is spoken to.
pub(crate) struct Listening {
    listener: std::net::TcpListener,
    tls: Option<TlsAcceptor>,
    address: SocketAddr,
}

impl Listening {
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) const fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

/// Binds the address and reads the certificate. Nobody is served yet.
pub(crate) fn listen(address: SocketAddr, tls: Option<&TlsFiles>) -> Result<Listening, StartError> {
    let tls = tls.map(acceptor).transpose()?;
    let bind = |source| StartError::Bind { address, source };
    let listener = std::net::TcpListener::bind(address).map_err(bind)?;
    listener.set_nonblocking(true).map_err(bind)?;
    let address = listener.local_addr().map_err(bind)?;
    Ok(Listening { listener, tls, address })
}

fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, StartError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| StartError::Tls {
        certificate: files.certificate.clone(),
        source,
    };
    let chain = CertificateDer::pem_file_iter(&files.certificate).map_err(|e| failed(e.into()))?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(|e| failed(e.into()))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|e| failed(e.into()))?;
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
    let mut config = config.map_err(|e| failed(e.into()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Serves until `closing` turns true, and then until requests in flight are answered.
pub(crate) async fn serve(
    listening: Listening,
    router: Router,
    metrics: Arc<Metrics>,
    connections_max: u32,
    mut closing: watch::Receiver<bool>,
) {
    let listener = match TcpListener::from_std(listening.listener) {
        Ok(listener) => listener,
        Err(error) => return warn!(%error, "the door cannot be opened"),
    };
    let places = Arc::new(Semaphore::new(connections_max as usize));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => match place {
                Ok(place) => tokio::select! {
                    accepted = listener.accept() => accepted.map(|(socket, peer)| (socket, peer, place)),
                    () = closed(&mut closing) => break,
                },
                Err(_) => break,
            },
            () = closed(&mut closing) => break,
        };
        let (socket, peer, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, as a rule: a pause lets connections end.
                warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (router, tls, closing) = (router.clone(), listening.tls.clone(), closing.clone());
        let metrics = Arc::clone(&metrics);
        connections.spawn(async move {
            metrics.connections.inc();
            connection(socket, peer, tls, router, closing).await;
            metrics.connections.dec();
            drop(place);
        });
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(CLOSE_TIMEOUT, all).await.is_err() {
        warn!("some requests were cut off: they took too long to end");
    }
}

/// Waits for the door to close; a sender that is gone has closed it.
async fn closed(closing: &mut watch::Receiver<bool>) {
    drop(closing.wait_for(|closing| *closing).await);
}

async fn connection(
    socket: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    closing: watch::Receiver<bool>,
) {
    if let Err(error) = socket.set_nodelay(true) {
        debug!(%error, "no delay cannot be turned off");
    }
    match tls {
        None => talk(socket, peer, router, closing).await,
        Some(tls) => match tokio::time::timeout(HEAD_TIMEOUT, tls.accept(socket)).await {
            Ok(Ok(socket)) => talk(socket, peer, router, closing).await,
            Ok(Err(error)) => debug!(%error, %peer, "no TLS handshake"),
            Err(_) => debug!(%peer, "the TLS handshake took too long"),
        },
    }
}

async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    socket: S,
    peer: SocketAddr,
    router: Router,
    mut closing: watch::Receiver<bool>,
) {
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer.ip()));
        // The router is always ready: it has no back-pressure of its own.
        router.clone().call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).pipeline_flush(true);
    let mut serving = std::pin::pin!(http.serve_connection(TokioIo::new(socket), service));
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = closed(&mut closing) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, %peer, "a connection broke");
    }
}
