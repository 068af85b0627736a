//! A server that speaks as much of Binance's REST API as a candle client needs: `/api/v3/klines`, `/api/v3/time` and
//! `/api/v3/ping`. For demos, tests and development; it counts request weight but never refuses for it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::error::CandleError;
use super::market::{Keep, Market};
use crate::clock::Clock;
use crate::types::candle::Candle;
use crate::types::period::MINUTE_MS;
use crate::types::time::END_MS;

const DEFAULT_LIMIT: usize = 500;
const MAX_LIMIT: usize = 1000;
const MAX_BODY_BYTES: usize = 1024;
const WEIGHT_HEADER: &str = "x-mbx-used-weight-1m";

/// Listens on `address`; port 0 takes any free one.
///
/// # Errors
/// [`CandleError::Listen`], for instance where the port is in use.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, CandleError> {
    TcpListener::bind(address).await.map_err(|source| CandleError::Listen { address, source })
}

/// Serves `market` as it looks at `clock`'s time until `shutdown`.
///
/// # Errors
/// [`CandleError::Serve`].
pub async fn serve(
    market: Market,
    clock: Clock,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<(), CandleError> {
    run(router(market, clock), listener, shutdown).await
}

/// As [`serve`], and lets anybody who can connect set the clock: `POST /clock {"now_ms": …}`. For development only.
///
/// # Errors
/// As [`serve`].
pub async fn serve_settable(
    market: Market,
    clock: Clock,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<(), CandleError> {
    let setter = Router::new().route("/clock", post(set_clock)).with_state(clock.clone());
    run(router(market, clock).merge(setter), listener, shutdown).await
}

async fn run(router: Router, listener: TcpListener, shutdown: CancellationToken) -> Result<(), CandleError> {
    axum::serve(listener, router.layer(DefaultBodyLimit::max(MAX_BODY_BYTES)))
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
        .map_err(|source| CandleError::Serve { source })
}

#[derive(Clone)]
struct Exchange {
    market: Market,
    clock: Clock,
    /// The current minute and the weight that was used in it, shared by all connections.
    used: Arc<Mutex<(i64, u64)>>,
}

fn router(market: Market, clock: Clock) -> Router {
    let exchange = Exchange { market, clock, used: Arc::default() };
    Router::new()
        .route("/api/v3/ping", get(|| async { Json(json!({})) }))
        .route("/api/v3/time", get(time))
        .route("/api/v3/klines", get(klines))
        .layer(middleware::from_fn_with_state(exchange.clone(), count_weight))
        .with_state(exchange)
}

async fn time(State(exchange): State<Exchange>) -> Json<Value> {
    Json(json!({ "serverTime": exchange.clock.now_ms() }))
}

async fn klines(State(exchange): State<Exchange>, Query(query): Query<HashMap<String, String>>) -> Response {
    match answer(&exchange, &query) {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// What Binance answers to a request it does not accept: status 400 with a code and a message.
struct Refusal {
    code: i32,
    message: String,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, Json(json!({ "code": self.code, "msg": self.message }))).into_response()
    }
}

fn answer(exchange: &Exchange, query: &HashMap<String, String>) -> Result<String, Refusal> {
    if mandatory(query, "symbol")? != exchange.market.symbol() {
        return Err(Refusal { code: -1121, message: "Invalid symbol.".into() });
    }
    if mandatory(query, "interval")? != "1m" {
        return Err(Refusal { code: -1120, message: "Invalid interval.".into() });
    }
    let start_ms = whole_number(query, "startTime")?;
    let end_ms = whole_number(query, "endTime")?;
    let limit = match whole_number(query, "limit")?.map(usize::try_from) {
        None => DEFAULT_LIMIT,
        Some(Ok(limit @ 1..)) => limit.min(MAX_LIMIT),
        Some(_) => {
            return Err(Refusal { code: -1130, message: "Data sent for parameter 'limit' is not valid.".into() });
        }
    };
    let keep = if start_ms.is_some() { Keep::Oldest } else { Keep::Newest };
    let range_ms = start_ms.unwrap_or(0)..end_ms.map_or(i64::MAX, |end_ms| end_ms.saturating_add(1));
    Ok(write_klines(&exchange.market.seen(range_ms, limit, keep, exchange.clock.now_ms())))
}

fn mandatory<'a>(query: &'a HashMap<String, String>, name: &str) -> Result<&'a str, Refusal> {
    query.get(name).map(String::as_str).filter(|value| !value.is_empty()).ok_or_else(|| Refusal {
        code: -1102,
        message: format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed."),
    })
}

fn whole_number(query: &HashMap<String, String>, name: &str) -> Result<Option<i64>, Refusal> {
    let is_digits = |text: &String| (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    match query.get(name) {
        None => Ok(None),
        Some(text) if is_digits(text) => Ok(Some(text.parse().unwrap_or(i64::MAX))),
        Some(_) => Err(Refusal {
            code: -1100,
            message: format!("Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'."),
        }),
    }
}

/// The API's array of arrays. What candles do not hold (quote volume, trades, the takers' part) is zero.
fn write_klines(candles: &[Candle]) -> String {
    let mut body = String::with_capacity(2 + 160 * candles.len());
    for candle in candles {
        body.push(if body.is_empty() { '[' } else { ',' });
        let [open, high, low, close, volume] =
            [candle.open, candle.high, candle.low, candle.close, candle.volume].map(decimal);
        write!(
            body,
            r#"[{},"{open}","{high}","{low}","{close}","{volume}",{},"0.00000000",0,"0.00000000","0.00000000","0"]"#,
            candle.open_time_ms,
            candle.close_time_ms() - 1,
        )
        .expect("a string takes everything");
    }
    body.push_str(if candles.is_empty() { "[]" } else { "]" });
    body
}

/// Eight decimals, as the exchange writes, or as many as it takes to read the same number back.
fn decimal(value: f64) -> String {
    let short = format!("{value:.8}");
    if short.parse() == Ok(value) { short } else { value.to_string() }
}

/// Adds a request's weight to the running minute of the machine's clock and reports the sum.
async fn count_weight(State(exchange): State<Exchange>, request: Request, next: Next) -> Response {
    let weight = if request.uri().path().ends_with("/klines") { 2 } else { 1 };
    let minute = Clock::System.now_ms() / MINUTE_MS;
    let used = {
        let mut used = exchange.used.lock().unwrap_or_else(PoisonError::into_inner);
        let before = if used.0 == minute { used.1 } else { 0 };
        *used = (minute, before + weight);
        used.1
    };
    let mut response = next.run(request).await;
    response.headers_mut().insert(WEIGHT_HEADER, HeaderValue::from(used));
    response
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetClock {
    now_ms: i64,
}

async fn set_clock(State(clock): State<Clock>, Json(wanted): Json<SetClock>) -> Response {
    if !(0..END_MS).contains(&wanted.now_ms) {
        return Refusal { code: -1100, message: "now_ms is out of range.".into() }.into_response();
    }
    clock.set_ms(wanted.now_ms);
    Json(json!({ "now_ms": clock.now_ms() })).into_response()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_is_read_back_as_it_was(value in any::<f64>().prop_filter("JSON has no others", |value| value.is_finite())) {
            prop_assert_eq!(decimal(value).parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
    }

    #[test]
    fn rows_look_like_the_exchange_s() {
        let candle = Candle {
            open_time_ms: 60_000,
            open: 58_161.0,
            high: 58_200.5,
            low: 58_160.99,
            close: 58_199.0,
            volume: 3.1,
        };
        let row = r#"[60000,"58161.00000000","58200.50000000","58160.99000000","58199.00000000","3.10000000",119999,"0.00000000",0,"0.00000000","0.00000000","0"]"#;
        assert_eq!(write_klines(&[]), "[]");
        assert_eq!(write_klines(&[candle, candle]), format!("[{row},{row}]"));
    }
}
