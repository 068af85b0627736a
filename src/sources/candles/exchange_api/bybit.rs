//! Bybit's v5 API, spot market: `/v5/market/kline`. Newest first, 1000 rows at most, every answer in an envelope with a
//! return code and HTTP status 200.

use std::ops::Range;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use url::Url;

use super::{ExchangeApi, Limits, Paging, endpoint, is_plain_symbol, malformed, number, sane_time_ms, unknown, weight};
use crate::sources::candles::error::CandleError;
use veriregime_core::types::candle::Candle;

const PAGE_ROWS: usize = 1000;
/// A parameter that makes no sense, for unknown symbols and much else: only its words say which.
const INVALID_PARAMETER: i64 = 10_001;
/// Words beside "symbol" that say that there is no such one.
const UNKNOWN_WORDS: [&str; 5] = ["invalid", "not support", "not exist", "unknown", "illegal"];
/// Too many visits.
const RATE_LIMITED: i64 = 10_006;
const RATE_PAUSE: Duration = Duration::from_secs(5);
/// How long an address is shut out that asked too often (status 403).
const BAN: Duration = Duration::from_mins(10);

#[derive(Debug)]
pub(super) struct Bybit;

impl ExchangeApi for Bybit {
    fn base_url(&self) -> &'static str {
        "https://api.bybit.com"
    }

    fn bitcoin(&self) -> &'static str {
        "BTCUSDT"
    }

    fn limits(&self) -> Limits {
        Limits {
            page_rows: PAGE_ROWS,
            paging: Paging::WholeRange,
            sends_earlier_rows: false,
            page_weight: weight(1),
            time_weight: weight(1),
            // 600 requests in five seconds are allowed for an address.
            weight_per_minute: weight(1200),
            burst_weight: weight(50),
        }
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        is_plain_symbol(symbol, false)
    }

    fn time_url(&self, base_url: &Url) -> Url {
        endpoint(base_url, &["v5", "market", "time"])
    }

    fn time_ms(&self, body: &[u8]) -> Result<i64, CandleError> {
        sane_time_ms(Envelope::open("", body)?.time)
    }

    fn page_url(&self, base_url: &Url, symbol: &str, range_ms: &Range<i64>) -> Url {
        let mut url = endpoint(base_url, &["v5", "market", "kline"]);
        url.query_pairs_mut()
            .append_pair("category", "spot")
            .append_pair("symbol", symbol)
            .append_pair("interval", "1")
            .append_pair("start", &range_ms.start.to_string())
            .append_pair("end", &(range_ms.end - 1).to_string())
            .append_pair("limit", &PAGE_ROWS.to_string());
        url
    }

    fn candles(&self, symbol: &str, body: &[u8]) -> Result<Vec<Candle>, CandleError> {
        #[derive(Deserialize)]
        struct Page<'a> {
            #[serde(borrow)]
            list: Vec<Row<'a>>,
        }
        let result = Envelope::open(symbol, body)?.result.ok_or_else(|| malformed("it has no result"))?;
        let page: Page<'_> = serde_json::from_str(result.get()).map_err(malformed)?;
        page.list.iter().rev().map(candle).collect()
    }

    fn refusal(&self, symbol: &str, status: u16, body: &[u8]) -> Option<CandleError> {
        if status == 403 {
            return Some(CandleError::Banned { retry_after: BAN });
        }
        Envelope::open(symbol, body).err().filter(|error| !matches!(error, CandleError::Malformed { .. }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    ret_code: i64,
    #[serde(default)]
    ret_msg: String,
    /// Refusals may go without the rest.
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(default)]
    time: i64,
}

impl<'a> Envelope<'a> {
    fn open(symbol: &str, body: &'a [u8]) -> Result<Self, CandleError> {
        let envelope: Self = serde_json::from_slice(body).map_err(malformed)?;
        match envelope.ret_code {
            0 => Ok(envelope),
            INVALID_PARAMETER if !symbol.is_empty() && denies_symbol(&envelope.ret_msg) => {
                Err(unknown(symbol, &envelope.ret_msg))
            }
            RATE_LIMITED => Err(CandleError::RateLimited { retry_after: RATE_PAUSE }),
            code => Err(CandleError::refused(code, &envelope.ret_msg)),
        }
    }
}

/// Whether a message says in so many words that there is no such symbol.
fn denies_symbol(message: &str) -> bool {
    let message = message.to_lowercase();
    message.contains("symbol") && UNKNOWN_WORDS.iter().any(|word| message.contains(word))
}

/// A row: open time, open, high, low, close, volume, turnover.
#[derive(Deserialize)]
struct Row<'a>(#[serde(borrow)] &'a str, &'a str, &'a str, &'a str, &'a str, &'a str, IgnoredAny);

fn candle(row: &Row<'_>) -> Result<Candle, CandleError> {
    let &Row(open_time_ms, open, high, low, close, volume, _) = row;
    Ok(Candle {
        open_time_ms: number(open_time_ms)?,
        open: number(open)?,
        high: number(high)?,
        low: number(low)?,
        close: number(close)?,
        volume: number(volume)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::types::diagnostic::{Diagnostic, Retry};
    use veriregime_core::types::period::MINUTE_MS;

    /// Answers as the exchange sends them, see `tests/fixtures/exchanges/README.md`.
    const PAGE: &str = include_str!("../../../../tests/fixtures/exchanges/bybit-kline.json");
    const TIME: &str = include_str!("../../../../tests/fixtures/exchanges/bybit-time.json");
    const UNKNOWN: &str = include_str!("../../../../tests/fixtures/exchanges/bybit-unknown-symbol.json");

    fn candles(body: &str) -> Result<Vec<Candle>, CandleError> {
        Bybit.candles("BTCUSDT", body.as_bytes())
    }

    #[test]
    fn rows_are_turned_round_and_read_exactly() {
        let candles = candles(PAGE).unwrap();
        let minutes: Vec<i64> = candles.iter().map(|candle| candle.open_time_ms / MINUTE_MS).collect();
        assert_eq!(minutes, [28_713_600, 28_713_601, 28_713_602]);
        let first = candles[0];
        let [open, high, low, close, volume] = [58_161.0, 58_190.01, 58_110.4, 58_155.2, 13.504_181];
        assert_eq!(first, Candle { open_time_ms: 1_722_816_000_000, open, high, low, close, volume });
        assert_eq!(Bybit.time_ms(TIME.as_bytes()).unwrap(), 1_688_639_403_423);
    }

    #[test]
    fn return_codes_are_understood() {
        assert_eq!(candles(UNKNOWN).expect_err("unknown").code(), "VR-CANDLE-010");
        let bare = r#"{"retCode":10001,"retMsg":"Not supported symbols"}"#;
        assert_eq!(candles(bare).expect_err("unknown").code(), "VR-CANDLE-010");
        let with = |code: &str| PAGE.replace("\"retCode\":0", &format!("\"retCode\":{code}"));
        let limited = candles(&with("10006")).expect_err("too many visits");
        assert_eq!((limited.code(), limited.retry()), ("VR-CANDLE-003", Retry::Later(RATE_PAUSE)));
        assert_eq!(candles(&with("10016")).expect_err("their fault").code(), "VR-CANDLE-005");
        assert_eq!(Bybit.refusal("BTCUSDT", 403, b"").unwrap().code(), "VR-CANDLE-004");
        assert_eq!(Bybit.refusal("BTCUSDT", 404, UNKNOWN.as_bytes()).unwrap().code(), "VR-CANDLE-010");
        assert!(Bybit.refusal("BTCUSDT", 404, b"<html>").is_none());
    }

    #[test]
    fn a_parameter_error_keeps_the_exchange_s_own_words() {
        let said =
            |message: &str| candles(&format!(r#"{{"retCode":10001,"retMsg":"{message}"}}"#)).expect_err("refused");
        for words in
            ["Not supported symbols", "params error: Symbol Is Invalid", "The requested symbol does not exist."]
        {
            let error = said(words);
            assert_eq!((error.code(), error.retry()), ("VR-CANDLE-010", Retry::Never));
            assert_eq!(error.to_string(), format!("the exchange does not know \"BTCUSDT\": {words}"));
        }
        for words in
            ["params error: startTime is invalid", "Request parameter error.", "symbol is being maintained", ""]
        {
            let error = said(words);
            assert_eq!(error.code(), "VR-CANDLE-005", "{words}");
            assert!(matches!(error.retry(), Retry::Later(_)));
            assert_eq!(error.to_string(), format!("the exchange refuses: code 10001: {words}"));
        }
        assert!(said(&"symbol ".repeat(500)).to_string().len() < 400, "however many they are");
        assert_eq!(said(r"a\u001b[31m\nb").to_string(), "the exchange refuses: code 10001: a [31m b");
        assert_eq!(Bybit.time_ms(UNKNOWN.as_bytes()).expect_err("no time").code(), "VR-CANDLE-005");
    }

    #[test]
    fn anything_else_is_malformed() {
        for wrong in [
            "",
            "[]",
            "{}",
            &PAGE[..PAGE.len() / 2],
            &PAGE.replace("\"list\"", "\"rows\""),
            &PAGE.replace("\"58161\"", "58161"),
        ] {
            assert_eq!(candles(wrong).expect_err(wrong).code(), "VR-CANDLE-006");
        }
    }
}
