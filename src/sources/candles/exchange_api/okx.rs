//! OKX's v5 API: `/api/v5/market/history-candles`. Newest first, 100 rows at most, every answer in an envelope with a
//! code, each row with a mark whether it is complete.

use std::ops::Range;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use url::Url;

use super::{ExchangeApi, Limits, Paging, endpoint, is_plain_symbol, malformed, number, sane_time_ms, unknown, weight};
use crate::sources::candles::error::CandleError;
use veriregime_core::types::candle::Candle;

const PAGE_ROWS: usize = 100;
/// The instrument does not exist.
const UNKNOWN_INSTRUMENT: &str = "51001";
/// Too many requests.
const RATE_LIMITED: &str = "50011";
const RATE_PAUSE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Okx;

impl ExchangeApi for Okx {
    fn base_url(&self) -> &'static str {
        "https://www.okx.com"
    }

    fn bitcoin(&self) -> &'static str {
        "BTC-USDT"
    }

    fn limits(&self) -> Limits {
        Limits {
            page_rows: PAGE_ROWS,
            paging: Paging::WholeRange,
            sends_earlier_rows: false,
            page_weight: weight(1),
            time_weight: weight(1),
            // 20 requests in two seconds are allowed for an address.
            weight_per_minute: weight(360),
            burst_weight: weight(8),
        }
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        is_plain_symbol(symbol, true)
    }

    fn time_url(&self, base_url: &Url) -> Url {
        endpoint(base_url, &["api", "v5", "public", "time"])
    }

    fn time_ms(&self, body: &[u8]) -> Result<i64, CandleError> {
        #[derive(Deserialize)]
        struct ServerTime<'a> {
            ts: &'a str,
        }
        match envelope::<ServerTime<'_>>("", body)?.as_slice() {
            [time] => sane_time_ms(number(time.ts)?),
            _ => Err(malformed("it tells no time")),
        }
    }

    fn page_url(&self, base_url: &Url, symbol: &str, range_ms: &Range<i64>) -> Url {
        let mut url = endpoint(base_url, &["api", "v5", "market", "history-candles"]);
        url.query_pairs_mut()
            .append_pair("instId", symbol)
            .append_pair("bar", "1m")
            // Rows before one moment and after another, neither included.
            .append_pair("after", &range_ms.end.to_string())
            .append_pair("before", &(range_ms.start - 1).to_string())
            .append_pair("limit", &PAGE_ROWS.to_string());
        url
    }

    fn candles(&self, symbol: &str, body: &[u8]) -> Result<Vec<Candle>, CandleError> {
        let rows: Vec<Row<'_>> = envelope(symbol, body)?;
        rows.iter().rev().filter_map(|row| complete(row).transpose()).collect()
    }

    fn refusal(&self, symbol: &str, _status: u16, body: &[u8]) -> Option<CandleError> {
        let error = envelope::<IgnoredAny>(symbol, body).err();
        error.filter(|error| !matches!(error, CandleError::Malformed { .. }))
    }
}

#[derive(Deserialize)]
struct Envelope<'a, T> {
    code: &'a str,
    #[serde(default)]
    msg: String,
    /// Refusals may go without.
    data: Option<Vec<T>>,
}

fn envelope<'a, T: Deserialize<'a>>(symbol: &str, body: &'a [u8]) -> Result<Vec<T>, CandleError> {
    let envelope: Envelope<'a, T> = serde_json::from_slice(body).map_err(malformed)?;
    match envelope.code {
        "0" => envelope.data.ok_or_else(|| malformed("it has no data")),
        UNKNOWN_INSTRUMENT if !symbol.is_empty() => Err(unknown(symbol, &envelope.msg)),
        RATE_LIMITED => Err(CandleError::RateLimited { retry_after: RATE_PAUSE }),
        code => Err(CandleError::refused(code, &envelope.msg)),
    }
}

/// A row: open time, open, high, low, close, volume in base units, in another and in quote units, and whether it is
/// complete.
#[derive(Deserialize)]
struct Row<'a>(#[serde(borrow)] &'a str, &'a str, &'a str, &'a str, &'a str, &'a str, IgnoredAny, IgnoredAny, &'a str);

/// The row's candle, unless it still forms.
fn complete(row: &Row<'_>) -> Result<Option<Candle>, CandleError> {
    let &Row(open_time_ms, open, high, low, close, volume, _, _, confirm) = row;
    match confirm {
        "0" => Ok(None),
        "1" => Ok(Some(Candle {
            open_time_ms: number(open_time_ms)?,
            open: number(open)?,
            high: number(high)?,
            low: number(low)?,
            close: number(close)?,
            volume: number(volume)?,
        })),
        _ => Err(malformed(format!("the row of {open_time_ms} is neither complete nor not"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::types::diagnostic::{Diagnostic, Retry};
    use veriregime_core::types::period::MINUTE_MS;

    /// Answers as the exchange sends them, see `tests/fixtures/exchanges/README.md`.
    const PAGE: &str = include_str!("../../../../tests/fixtures/exchanges/okx-history-candles.json");
    const TIME: &str = include_str!("../../../../tests/fixtures/exchanges/okx-time.json");
    const UNKNOWN: &str = include_str!("../../../../tests/fixtures/exchanges/okx-unknown-instrument.json");

    fn candles(body: &str) -> Result<Vec<Candle>, CandleError> {
        Okx.candles("BTC-USDT", body.as_bytes())
    }

    #[test]
    fn complete_rows_are_turned_round_and_read_exactly() {
        let candles = candles(PAGE).unwrap();
        let minutes: Vec<i64> = candles.iter().map(|candle| candle.open_time_ms / MINUTE_MS).collect();
        assert_eq!(minutes, [28_713_600, 28_713_601], "the newest row still forms");
        let [open, high, low, close, volume] = [58_159.9, 58_189.9, 58_113.3, 58_153.1, 21.304_877_91];
        assert_eq!(candles[0], Candle { open_time_ms: 1_722_816_000_000, open, high, low, close, volume });
        assert_eq!(Okx.time_ms(TIME.as_bytes()).unwrap(), 1_597_026_383_085);
    }

    #[test]
    fn codes_are_understood_with_any_status() {
        assert_eq!(candles(UNKNOWN).expect_err("unknown").code(), "VR-CANDLE-010");
        let bare = r#"{"code":"51001","msg":"Instrument ID does not exist."}"#;
        assert_eq!(candles(bare).expect_err("unknown").code(), "VR-CANDLE-010");
        assert_eq!(Okx.refusal("BTC-USDT", 400, UNKNOWN.as_bytes()).unwrap().code(), "VR-CANDLE-010");
        let with = |code: &str| PAGE.replace("\"code\":\"0\"", &format!("\"code\":\"{code}\""));
        assert_eq!(candles(&with("50011")).expect_err("too many").code(), "VR-CANDLE-003");
        assert_eq!(candles(&with("50001")).expect_err("their fault").code(), "VR-CANDLE-005");
        assert!(Okx.refusal("BTC-USDT", 502, b"<html>").is_none());
        let busy = br#"{"code":"50004","msg":"API endpoint request timeout","data":[]}"#;
        let busy = Okx.refusal("BTC-USDT", 400, busy).unwrap();
        assert_eq!(busy.to_string(), "the exchange refuses: code 50004: API endpoint request timeout");
        assert!(matches!(busy.retry(), Retry::Later(_)));
    }

    #[test]
    fn anything_else_is_malformed() {
        for wrong in [
            "",
            "[]",
            "{}",
            &PAGE[..PAGE.len() / 2],
            &PAGE.replace("\"1\"]", "\"2\"]"),
            &PAGE.replace("\"58159.9\"", "58159.9"),
        ] {
            assert_eq!(candles(wrong).expect_err(wrong).code(), "VR-CANDLE-006");
        }
    }
}
