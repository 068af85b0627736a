//! The listener: so many connections and no more, heads and answers in time, and a stop that lets answers finish.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_service::Service;
use tracing::{debug, info, warn};

use super::Shared;
use super::limits::Client;
use super::write_timeout::WriteTimeout;
use crate::api::error::ApiError;

/// Bytes of a request's head.
const MAX_HEAD_BYTES: usize = 16 << 10;
/// Pause after a connection that could not be taken, such as where file handles have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Answers get so long to finish once the server stops.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// Listens on `address`; port 0 takes any free one.
///
/// # Errors
/// [`ApiError::Listen`].
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ApiError> {
    TcpListener::bind(address).await.map_err(|source| ApiError::Listen { address, source })
}

/// Serves on the calling thread, apart from everything else that runs: no number of requests stands in the cycle's way. Blocks
/// until `stop` is cancelled.
pub fn serve_apart(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let begun = listener.into_std().and_then(|listener| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener)?
        };
        Ok((listener, runtime))
    });
    match begun {
        Ok((listener, runtime)) => runtime.block_on(serve(listener, shared, stop)),
        Err(error) => warn!(%error, "the API does not start"),
    }
}

/// Serves until `stop` is cancelled, and then until the running answers have been given, for two seconds at most.
async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let router = super::router(&shared);
    let settings = shared.limits.settings();
    let mut http = http1::Builder::new();
    // Between two requests of a connection, too: an idle one is closed.
    http.timer(TokioTimer::new()).header_read_timeout(settings.request_timeout).max_buf_size(MAX_HEAD_BYTES);
    let (connections, graceful) = (Arc::new(Semaphore::new(settings.max_connections)), GracefulShutdown::new());
    if let Ok(address) = listener.local_addr() {
        info!(%address, "api listening");
    }
    while let Some((stream, client)) = next(&listener, &stop).await {
        let Ok(place) = connections.clone().try_acquire_owned() else {
            debug!(%client, "too many connections");
            continue;
        };
        let router = router.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Client(client.ip()));
            router.clone().call(request)
        });
        let stream = TokioIo::new(WriteTimeout::new(stream, settings.request_timeout));
        let connection = graceful.watch(http.serve_connection(stream, service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(%error, "connection broken off");
            }
            drop(place);
        });
    }
    drop(listener);
    shared.events.end();
    let _late = tokio::time::timeout(STOP_GRACE, graceful.shutdown()).await;
}

/// The next connection, or nothing once `stop` is cancelled.
async fn next(listener: &TcpListener, stop: &CancellationToken) -> Option<(TcpStream, SocketAddr)> {
    loop {
        tokio::select! {
            () = stop.cancelled() => return None,
            accepted = listener.accept() => match accepted {
                Ok((stream, client)) => {
                    // Small answers go out at once.
                    let _unchanged = stream.set_nodelay(true);
                    return Some((stream, client));
                }
                Err(error) => {
                    warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
}
