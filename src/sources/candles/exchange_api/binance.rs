//! Binance's spot API, `/api/v3`, or anything that speaks it.

use std::ops::Range;

use serde::Deserialize;
use serde::de::IgnoredAny;
use url::Url;

use super::{ExchangeApi, Limits, Paging, endpoint, is_plain_symbol, malformed, number, sane_time_ms, unknown, weight};
use crate::sources::candles::error::CandleError;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::period::MINUTE_MS;

const PAGE_ROWS: usize = 1000;
/// The API's error code for an unknown symbol.
const INVALID_SYMBOL: i64 = -1121;

#[derive(Debug)]
pub(super) struct Binance;

impl ExchangeApi for Binance {
    fn base_url(&self) -> &'static str {
        "https://api.binance.com"
    }

    fn bitcoin(&self) -> &'static str {
        "BTCUSDT"
    }

    fn limits(&self) -> Limits {
        Limits {
            page_rows: PAGE_ROWS,
            paging: Paging::FromTheOldest,
            sends_earlier_rows: false,
            page_weight: weight(2),
            time_weight: weight(1),
            // 6000 a minute and address are allowed; with the burst this spends at most 4800.
            weight_per_minute: weight(2400),
            burst_weight: weight(2400),
        }
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        is_plain_symbol(symbol, false)
    }

    fn time_url(&self, base_url: &Url) -> Url {
        endpoint(base_url, &["api", "v3", "time"])
    }

    fn time_ms(&self, body: &[u8]) -> Result<i64, CandleError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct ServerTime {
            server_time: i64,
        }
        let ServerTime { server_time } = serde_json::from_slice(body).map_err(malformed)?;
        sane_time_ms(server_time)
    }

    fn page_url(&self, base_url: &Url, symbol: &str, range_ms: &Range<i64>) -> Url {
        let mut url = endpoint(base_url, &["api", "v3", "klines"]);
        url.query_pairs_mut()
            .append_pair("symbol", symbol)
            .append_pair("interval", "1m")
            .append_pair("startTime", &range_ms.start.to_string())
            .append_pair("endTime", &(range_ms.end - 1).to_string())
            .append_pair("limit", &PAGE_ROWS.to_string());
        url
    }

    fn candles(&self, _symbol: &str, body: &[u8]) -> Result<Vec<Candle>, CandleError> {
        let rows: Vec<Kline<'_>> = serde_json::from_slice(body).map_err(malformed)?;
        rows.iter().map(candle).collect()
    }

    fn refusal(&self, symbol: &str, _status: u16, body: &[u8]) -> Option<CandleError> {
        #[derive(Deserialize)]
        struct Refusal {
            code: i64,
            #[serde(default)]
            msg: String,
        }
        let Refusal { code, msg } = serde_json::from_slice(body).ok()?;
        (code == INVALID_SYMBOL && !symbol.is_empty()).then(|| unknown(symbol, &msg))
    }
}

/// A row: open time, open, high, low, close, volume, close time, quote volume, trades, the takers' volume in base and
/// quote, and a field without use.
#[derive(Deserialize)]
struct Kline<'a>(
    i64,
    &'a str,
    &'a str,
    &'a str,
    &'a str,
    &'a str,
    i64,
    IgnoredAny,
    IgnoredAny,
    IgnoredAny,
    IgnoredAny,
    IgnoredAny,
);

fn candle(row: &Kline<'_>) -> Result<Candle, CandleError> {
    let &Kline(open_time_ms, open, high, low, close, volume, close_time_ms, ..) = row;
    // Rows around outages may end early, but none outlives its minute.
    if close_time_ms < open_time_ms || close_time_ms - open_time_ms >= MINUTE_MS {
        return Err(malformed(format!("the row of {open_time_ms} is not one minute")));
    }
    Ok(Candle {
        open_time_ms,
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
    use veriregime_core::types::diagnostic::Diagnostic;

    const ROW: &str = r#"[60000,"100.10","101.00","99.5","100.90","12.50000000",119999,"1.0",5,"0","0","0"]"#;

    fn candles(body: &str) -> Result<Vec<Candle>, CandleError> {
        Binance.candles("BTCUSDT", body.as_bytes())
    }

    #[test]
    fn a_row_is_read_exactly() {
        let expected = Candle { open_time_ms: 60_000, open: 100.1, high: 101.0, low: 99.5, close: 100.9, volume: 12.5 };
        assert_eq!(candles(&format!("[{ROW}]")).unwrap(), [expected]);
        assert_eq!(candles("[]").unwrap(), []);
    }

    #[test]
    fn anything_else_is_malformed() {
        let whole = format!("[{ROW}]");
        for wrong in ["", "{}", "[[]]", &whole[..whole.len() - 2], &whole.replace("\"100.10\"", "100.10")] {
            assert_eq!(candles(wrong).expect_err(wrong).code(), "VR-CANDLE-006");
        }
        for (from, to) in [("100.10", "a lot"), ("119999", "120000"), ("119999", "59999"), (",5,", ",")] {
            let wrong = whole.replacen(from, to, 1);
            assert_eq!(candles(&wrong).expect_err(&wrong).code(), "VR-CANDLE-006");
        }
        assert_eq!(Binance.time_ms(br#"{"serverTime":-5}"#).expect_err("negative").code(), "VR-CANDLE-006");
        assert_eq!(Binance.time_ms(br#"{"serverTime":5}"#).unwrap(), 5);
    }
}
