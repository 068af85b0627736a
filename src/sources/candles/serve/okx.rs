//! OKX's `/api/v5/market/history-candles` and `/api/v5/public/time`.

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;

use super::{Exchange, Parameters, array, json_text};
use crate::sources::candles::market::Keep;
use veriregime_core::types::candle::Candle;

const MAX_LIMIT: usize = 100;

pub(super) fn router(exchange: Exchange) -> Router {
    Router::new()
        .route("/api/v5/public/time", get(time))
        .route("/api/v5/market/history-candles", get(history_candles))
        .with_state(exchange)
}

async fn time(State(exchange): State<Exchange>) -> Response {
    envelope("0", "", &format!(r#"[{{"ts":"{}"}}]"#, exchange.clock.now_ms()))
}

async fn history_candles(State(exchange): State<Exchange>, Query(query): Query<Parameters>) -> Response {
    let text = |name: &str| query.get(name).map(String::as_str);
    let Some(market) = text("instId").and_then(|symbol| exchange.markets.get(symbol)) else {
        return envelope("51001", "Instrument ID doesn't exist.", "[]");
    };
    if text("bar") != Some("1m") {
        return envelope("51000", "Parameter bar error", "[]");
    }
    let number = |name: &str, default: i64| text(name).map_or(Ok(default), str::parse::<i64>);
    let (Ok(after_ms), Ok(before_ms), Ok(limit)) =
        (number("after", i64::MAX), number("before", -1), number("limit", MAX_LIMIT as i64))
    else {
        return envelope("51000", "Parameter error", "[]");
    };
    let limit = usize::try_from(limit).unwrap_or(MAX_LIMIT).clamp(1, MAX_LIMIT);
    let now_ms = exchange.clock.now_ms();
    let seen = market.seen(before_ms.saturating_add(1)..after_ms, limit, Keep::Newest, now_ms);
    envelope("0", "", &array(seen.iter().rev().map(|candle| row(candle, now_ms))))
}

fn row(candle: &Candle, now_ms: i64) -> String {
    let Candle { open_time_ms, open, high, low, close, volume } = candle;
    let confirm = u8::from(candle.close_time_ms() <= now_ms);
    let quote = volume * close;
    format!(r#"["{open_time_ms}","{open}","{high}","{low}","{close}","{volume}","{quote}","{quote}","{confirm}"]"#)
}

fn envelope(code: &str, message: &str, data: &str) -> Response {
    json_text(format!(r#"{{"code":"{code}","msg":"{message}","data":{data}}}"#))
}
