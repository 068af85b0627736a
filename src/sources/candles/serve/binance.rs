//! Binance's `/api/v3`.

use std::sync::PoisonError;

use axum::extract::{Query, Request, State};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{Exchange, Parameters, array, json_text};
use crate::clock::Clock;
use crate::sources::candles::market::Keep;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::period::MINUTE_MS;

const DEFAULT_LIMIT: usize = 500;
const MAX_LIMIT: usize = 1000;
const WEIGHT_HEADER: &str = "x-mbx-used-weight-1m";

pub(super) fn router(exchange: Exchange) -> Router {
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

async fn klines(State(exchange): State<Exchange>, Query(query): Query<Parameters>) -> Response {
    match answer(&exchange, &query) {
        Ok(body) => json_text(body),
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

fn answer(exchange: &Exchange, query: &Parameters) -> Result<String, Refusal> {
    let market = exchange.markets.get(mandatory(query, "symbol")?);
    let market = market.ok_or_else(|| Refusal { code: -1121, message: "Invalid symbol.".into() })?;
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
    Ok(write_klines(&market.seen(range_ms, limit, keep, exchange.clock.now_ms())))
}

fn mandatory<'a>(query: &'a Parameters, name: &str) -> Result<&'a str, Refusal> {
    query.get(name).map(String::as_str).filter(|value| !value.is_empty()).ok_or_else(|| Refusal {
        code: -1102,
        message: format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed."),
    })
}

fn whole_number(query: &Parameters, name: &str) -> Result<Option<i64>, Refusal> {
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
    array(candles.iter().map(|candle| {
        let [open, high, low, close, volume] =
            [candle.open, candle.high, candle.low, candle.close, candle.volume].map(decimal);
        format!(
            r#"[{},"{open}","{high}","{low}","{close}","{volume}",{},"0.00000000",0,"0.00000000","0.00000000","0"]"#,
            candle.open_time_ms,
            candle.close_time_ms() - 1,
        )
    }))
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
