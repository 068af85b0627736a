//! Bybit's `/v5/market/kline` and `/v5/market/time`.

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;

use super::{Exchange, Parameters, array, json_text};
use crate::sources::candles::market::Keep;
use veriregime_core::types::candle::Candle;

const DEFAULT_LIMIT: usize = 200;
const MAX_LIMIT: usize = 1000;

pub(super) fn router(exchange: Exchange) -> Router {
    Router::new().route("/v5/market/time", get(time)).route("/v5/market/kline", get(kline)).with_state(exchange)
}

async fn time(State(exchange): State<Exchange>) -> Response {
    let now_ms = exchange.clock.now_ms();
    let result = format!(r#"{{"timeSecond":"{}","timeNano":"{now_ms}000000"}}"#, now_ms / 1000);
    envelope(&exchange, 0, "OK", &result)
}

async fn kline(State(exchange): State<Exchange>, Query(query): Query<Parameters>) -> Response {
    let text = |name: &str| query.get(name).map(String::as_str);
    let market = text("symbol").and_then(|symbol| exchange.markets.get(symbol));
    let Some(market) = market.filter(|_| text("category") == Some("spot")) else {
        return envelope(&exchange, 10_001, "Not supported symbols", "{}");
    };
    if text("interval") != Some("1") {
        return envelope(&exchange, 10_001, "Invalid period!", "{}");
    }
    let number = |name: &str, default: i64| text(name).map_or(Ok(default), str::parse::<i64>);
    let (Ok(start_ms), Ok(last_ms), Ok(limit)) =
        (number("start", 0), number("end", i64::MAX - 1), number("limit", DEFAULT_LIMIT as i64))
    else {
        return envelope(&exchange, 10_001, "params error", "{}");
    };
    let limit = usize::try_from(limit).unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let now_ms = exchange.clock.now_ms();
    let seen = market.seen(start_ms..last_ms.saturating_add(1), limit, Keep::Newest, now_ms);
    let symbol = market.symbol();
    let rows = array(seen.iter().rev().map(row));
    envelope(&exchange, 0, "OK", &format!(r#"{{"category":"spot","symbol":"{symbol}","list":{rows}}}"#))
}

fn row(candle: &Candle) -> String {
    let Candle { open_time_ms, open, high, low, close, volume } = candle;
    format!(r#"["{open_time_ms}","{open}","{high}","{low}","{close}","{volume}","{}"]"#, volume * close)
}

/// Every answer, good or bad, has status 200.
fn envelope(exchange: &Exchange, code: i64, message: &str, result: &str) -> Response {
    let now_ms = exchange.clock.now_ms();
    json_text(format!(
        r#"{{"retCode":{code},"retMsg":"{message}","result":{result},"retExtInfo":{{}},"time":{now_ms}}}"#
    ))
}
