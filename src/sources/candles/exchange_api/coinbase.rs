//! Coinbase Exchange: `/products/<id>/candles`. Newest first, 300 rows at most, minutes without a trade left out, and
//! now and then rows from before the range.

use std::ops::Range;

use chrono::{DateTime, SecondsFormat};
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use super::{ExchangeApi, Limits, Paging, endpoint, is_plain_symbol, malformed, number, sane_time_ms, unknown, weight};
use crate::sources::candles::error::CandleError;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::period::MINUTE_MS;

const PAGE_ROWS: usize = 300;
/// What it says of a product that it does not have.
const UNKNOWN_PRODUCT: &str = "NotFound";

#[derive(Debug)]
pub(super) struct Coinbase;

impl ExchangeApi for Coinbase {
    fn base_url(&self) -> &'static str {
        "https://api.exchange.coinbase.com"
    }

    fn bitcoin(&self) -> &'static str {
        "BTC-USD"
    }

    fn limits(&self) -> Limits {
        Limits {
            page_rows: PAGE_ROWS,
            paging: Paging::WholeRange,
            sends_earlier_rows: true,
            page_weight: weight(1),
            time_weight: weight(1),
            // Ten requests a second and address are allowed, fifteen in a burst.
            weight_per_minute: weight(360),
            burst_weight: weight(8),
        }
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        is_plain_symbol(symbol, true)
    }

    fn time_url(&self, base_url: &Url) -> Url {
        endpoint(base_url, &["time"])
    }

    fn time_ms(&self, body: &[u8]) -> Result<i64, CandleError> {
        #[derive(Deserialize)]
        struct ServerTime<'a> {
            #[serde(borrow)]
            epoch: &'a RawValue,
        }
        let ServerTime { epoch } = serde_json::from_slice(body).map_err(malformed)?;
        sane_time_ms((number::<f64>(epoch.get())? * 1000.0).round() as i64)
    }

    fn page_url(&self, base_url: &Url, symbol: &str, range_ms: &Range<i64>) -> Url {
        let mut url = endpoint(base_url, &["products", symbol, "candles"]);
        url.query_pairs_mut()
            .append_pair("granularity", "60")
            .append_pair("start", &iso(range_ms.start))
            // The end is a minute that is asked for.
            .append_pair("end", &iso(range_ms.end - MINUTE_MS));
        url
    }

    fn candles(&self, _symbol: &str, body: &[u8]) -> Result<Vec<Candle>, CandleError> {
        let rows: Vec<Row<'_>> = serde_json::from_slice(body).map_err(malformed)?;
        rows.iter().rev().map(candle).collect()
    }

    fn refusal(&self, symbol: &str, status: u16, body: &[u8]) -> Option<CandleError> {
        #[derive(Deserialize)]
        struct Refusal {
            message: String,
        }
        // Gateways on the way answer 404 as well, but not in these words.
        let Refusal { message } = serde_json::from_slice(body).ok()?;
        (status == 404 && message == UNKNOWN_PRODUCT && !symbol.is_empty()).then(|| unknown(symbol, &message))
    }
}

/// A row: open time in seconds, low, high, open, close, volume. The numbers are kept as text, so that each becomes the
/// nearest double and not one beside it.
#[derive(Deserialize)]
struct Row<'a>(
    i64,
    #[serde(borrow)] &'a RawValue,
    #[serde(borrow)] &'a RawValue,
    #[serde(borrow)] &'a RawValue,
    #[serde(borrow)] &'a RawValue,
    #[serde(borrow)] &'a RawValue,
);

fn candle(row: &Row<'_>) -> Result<Candle, CandleError> {
    let &Row(open_time_seconds, low, high, open, close, volume) = row;
    Ok(Candle {
        open_time_ms: open_time_seconds.checked_mul(1000).ok_or_else(|| malformed("a row's time is out of range"))?,
        open: number(open.get())?,
        high: number(high.get())?,
        low: number(low.get())?,
        close: number(close.get())?,
        volume: number(volume.get())?,
    })
}

fn iso(unix_ms: i64) -> String {
    DateTime::from_timestamp_millis(unix_ms)
        .map_or_else(String::new, |moment| moment.to_rfc3339_opts(SecondsFormat::Secs, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::types::diagnostic::Diagnostic;

    /// Rows as the exchange sends them, see `tests/fixtures/exchanges/README.md`.
    const PAGE: &str = include_str!("../../../../tests/fixtures/exchanges/coinbase-candles.json");
    const TIME: &str = include_str!("../../../../tests/fixtures/exchanges/coinbase-time.json");

    #[test]
    fn rows_are_turned_round_and_read_exactly() {
        let candles = Coinbase.candles("BTC-USD", PAGE.as_bytes()).unwrap();
        let minutes: Vec<i64> = candles.iter().map(|candle| candle.open_time_ms / MINUTE_MS).collect();
        assert_eq!(minutes, [28_713_600, 28_713_601, 28_713_603]);
        let [open, high, low, close, volume] = [58_157.35, 58_190.0, 58_118.01, 58_150.97, 11.529_033_88];
        assert_eq!(candles[0], Candle { open_time_ms: 1_722_816_000_000, open, high, low, close, volume });
        assert!(candles.iter().all(|candle| candle.check().is_ok()));
        assert_eq!(Coinbase.time_ms(TIME.as_bytes()).unwrap(), 1_722_816_244_713);
    }

    #[test]
    fn anything_else_is_malformed() {
        for wrong in [
            "",
            "{}",
            &PAGE[..PAGE.len() / 2],
            r#"[[1722816000,"1",2,1,2,3]]"#,
            "[[1722816000,1,2,1,2]]",
            "[[1722816000,1,2,1,2,null]]",
            "[[9223372036854775807,1,2,1,2,3]]",
        ] {
            assert_eq!(Coinbase.candles("BTC-USD", wrong.as_bytes()).expect_err(wrong).code(), "VR-CANDLE-006");
        }
        for wrong in [r#"{"epoch":"soon"}"#, r#"{"epoch":-1.0}"#, r#"{"epoch":1e300}"#] {
            assert_eq!(Coinbase.time_ms(wrong.as_bytes()).expect_err(wrong).code(), "VR-CANDLE-006");
        }
        assert_eq!(Coinbase.refusal("XYZ-USD", 404, br#"{"message":"NotFound"}"#).unwrap().code(), "VR-CANDLE-010");
        for gateway in [&b"<html>404</html>"[..], b"", br#"{"message":"no route"}"#] {
            assert!(Coinbase.refusal("BTC-USD", 404, gateway).is_none(), "a gateway's 404 is no word about a symbol");
        }
        assert!(Coinbase.refusal("", 404, br#"{"message":"NotFound"}"#).is_none(), "nor is one about the time");
    }
}
