//! Coinbase Exchange's `/products/<id>/candles` and `/time`.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{Exchange, Parameters, array, json_text};
use crate::sources::candles::market::Keep;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::time::{format_utc, parse_utc_ms};

const MAX_ROWS: usize = 300;

pub(super) fn router(exchange: Exchange) -> Router {
    Router::new().route("/time", get(time)).route("/products/{product}/candles", get(candles)).with_state(exchange)
}

async fn time(State(exchange): State<Exchange>) -> Json<Value> {
    let now_ms = exchange.clock.now_ms();
    Json(json!({ "iso": format_utc(now_ms), "epoch": now_ms as f64 / 1000.0 }))
}

async fn candles(
    State(exchange): State<Exchange>,
    Path(product): Path<String>,
    Query(query): Query<Parameters>,
) -> Response {
    let Some(market) = exchange.markets.get(&product) else {
        return refusal(StatusCode::NOT_FOUND, "NotFound");
    };
    if query.get("granularity").map(String::as_str) != Some("60") {
        return refusal(StatusCode::BAD_REQUEST, "Unsupported granularity");
    }
    let now_ms = exchange.clock.now_ms();
    let moment = |name: &str| query.get(name).map(|text| parse_utc_ms(text));
    // Without both ends neither counts.
    let (start_ms, last_ms) = match (moment("start"), moment("end")) {
        (Some(Ok(start_ms)), Some(Ok(last_ms))) => (start_ms, last_ms),
        (Some(Err(_)), _) => return refusal(StatusCode::BAD_REQUEST, "invalid start"),
        (_, Some(Err(_))) => return refusal(StatusCode::BAD_REQUEST, "invalid end"),
        _ => (now_ms - MAX_ROWS as i64 * MINUTE_MS, now_ms),
    };
    if (last_ms - start_ms) / MINUTE_MS > MAX_ROWS as i64 {
        return refusal(
            StatusCode::BAD_REQUEST,
            "granularity too small for the requested time range. Count of aggregations requested exceeds 300",
        );
    }
    let seen = market.seen(start_ms..last_ms.saturating_add(1), MAX_ROWS, Keep::Newest, now_ms);
    // Minutes without a trade are not there.
    json_text(array(seen.iter().rev().filter(|candle| candle.volume > 0.0).map(row)))
}

fn row(candle: &Candle) -> String {
    let Candle { open_time_ms, open, high, low, close, volume } = candle;
    format!("[{},{low},{high},{open},{close},{volume}]", open_time_ms / 1000)
}

fn refusal(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}
