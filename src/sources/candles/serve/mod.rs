//! A server that speaks as much of an exchange's API as a candle client needs: candles and the clock. For demos, tests and
//! development; it never refuses for being asked too often.

mod binance;
mod bybit;
mod coinbase;
mod okx;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::error::CandleError;
use super::market::Markets;
use crate::clock::Clock;
use veriregime_core::types::time::END_MS;
use veriregime_core::types::venue::Venue;

const MAX_BODY_BYTES: usize = 1024;
/// How often a clock that runs faster moves.
const TICK: Duration = Duration::from_millis(50);

/// Listens on `address`; port 0 takes any free one.
///
/// # Errors
/// [`CandleError::Listen`], for instance where the port is in use.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, CandleError> {
    TcpListener::bind(address).await.map_err(|source| CandleError::Listen { address, source })
}

/// Serves `markets` as `venue` would, as it looks at `clock`'s time, until `shutdown`.
///
/// # Errors
/// [`CandleError::Serve`].
pub async fn serve(
    venue: Venue,
    markets: impl Into<Markets>,
    clock: Clock,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<(), CandleError> {
    run(router(venue, markets.into(), clock), listener, shutdown).await
}

/// As [`serve`], and counts the requests for anything but the time, which a replay's clock is read from all the while.
///
/// # Errors
/// As [`serve`].
pub async fn serve_counted(
    venue: Venue,
    markets: impl Into<Markets>,
    clock: Clock,
    listener: TcpListener,
    requests: Arc<AtomicU64>,
    shutdown: CancellationToken,
) -> Result<(), CandleError> {
    let count = middleware::map_request(move |request: Request| {
        if !request.uri().path().ends_with("/time") {
            requests.fetch_add(1, Ordering::Relaxed);
        }
        std::future::ready(request)
    });
    run(router(venue, markets.into(), clock).layer(count), listener, shutdown).await
}

/// As [`serve`], and lets anybody who can connect set the clock: `POST /clock {"now_ms": …}`. For development only.
///
/// # Errors
/// As [`serve`].
pub async fn serve_settable(
    venue: Venue,
    markets: impl Into<Markets>,
    clock: Clock,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<(), CandleError> {
    let setter = Router::new().route("/clock", post(set_clock)).with_state(clock.clone());
    run(router(venue, markets.into(), clock).merge(setter), listener, shutdown).await
}

async fn run(router: Router, listener: TcpListener, shutdown: CancellationToken) -> Result<(), CandleError> {
    axum::serve(listener, router.layer(DefaultBodyLimit::max(MAX_BODY_BYTES)))
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
        .map_err(|source| CandleError::Serve { source })
}

#[derive(Clone)]
struct Exchange {
    markets: Markets,
    clock: Clock,
    /// The current minute and the weight that was used in it, shared by all connections.
    used: Arc<Mutex<(i64, u64)>>,
}

fn router(venue: Venue, markets: Markets, clock: Clock) -> Router {
    let exchange = Exchange { markets, clock, used: Arc::default() };
    match venue {
        Venue::Binance => binance::router(exchange),
        Venue::Coinbase => coinbase::router(exchange),
        Venue::Bybit => bybit::router(exchange),
        Venue::Okx => okx::router(exchange),
    }
}

/// A request's parameters.
type Parameters = HashMap<String, String>;

fn json_text(body: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

/// Rows between brackets.
fn array(rows: impl Iterator<Item = String>) -> String {
    format!("[{}]", rows.collect::<Vec<_>>().join(","))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetClock {
    now_ms: i64,
}

async fn set_clock(State(clock): State<Clock>, Json(wanted): Json<SetClock>) -> Response {
    if !(0..END_MS).contains(&wanted.now_ms) {
        return (StatusCode::BAD_REQUEST, Json(json!({ "msg": "now_ms is out of range." }))).into_response();
    }
    clock.set_ms(wanted.now_ms);
    Json(json!({ "now_ms": clock.now_ms() })).into_response()
}

/// Moves a manual clock `speed` times as fast as time passes, from wherever it is set to meanwhile.
pub async fn run_clock(clock: Clock, speed: f64) {
    let mut ticks = tokio::time::interval(TICK);
    let mut before = ticks.tick().await;
    loop {
        let tick = ticks.tick().await;
        let passed_ms = (tick - before).as_secs_f64() * 1000.0 * speed;
        clock.set_ms(clock.now_ms().saturating_add(passed_ms.round() as i64));
        before = tick;
    }
}
