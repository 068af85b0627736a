//! One-minute klines from Binance's REST API, or anything that speaks it.

use std::num::NonZeroU32;

use serde::Deserialize;
use serde::de::IgnoredAny;
use url::Url;

use super::error::CandleError;
use super::http::{HttpClient, HttpSettings};
use crate::types::candle::{Candle, check_all};
use crate::types::period::MINUTE_MS;
use crate::types::time::END_MS;

/// Most rows that the API returns at once.
pub const PAGE_ROWS: usize = 1000;
/// Longest range of one call: a leap year.
pub const MAX_RANGE_MINUTES: i64 = 366 * 1440;
/// Longest symbol that is sent.
const MAX_SYMBOL_CHARS: usize = 30;
/// Weight of `/api/v3/klines` for any number of rows.
const KLINES_WEIGHT: NonZeroU32 = NonZeroU32::new(2).expect("not zero");
/// Weight of `/api/v3/time`.
const TIME_WEIGHT: NonZeroU32 = NonZeroU32::new(1).expect("not zero");
/// The API's error code for an unknown symbol.
const INVALID_SYMBOL: i64 = -1121;

/// Where and how [`BinanceSource`] asks.
#[derive(Debug, Clone)]
pub struct BinanceSettings {
    /// Root of the API, such as `https://api.binance.com`.
    pub base_url: Url,
    /// Limits of each request.
    pub http: HttpSettings,
}

/// Closed candles from the exchange.
#[derive(Debug)]
pub struct BinanceSource {
    klines_url: Url,
    time_url: Url,
    http: HttpClient,
}

impl BinanceSource {
    /// A source that has not asked anything yet.
    ///
    /// # Errors
    /// [`CandleError::Settings`] for a base URL that is neither `http` nor `https`, a budget too small for one
    /// request, or a system without certificates.
    pub fn new(settings: BinanceSettings) -> Result<Self, CandleError> {
        let refuse =
            |detail: &str| CandleError::Settings { base_url: settings.base_url.to_string(), detail: detail.to_owned() };
        if !["http", "https"].contains(&settings.base_url.scheme()) {
            return Err(refuse("the URL must start with http:// or https://"));
        }
        if settings.http.weight_per_minute < KLINES_WEIGHT {
            return Err(refuse("the weight per minute is too small for one request"));
        }
        let endpoint = |name: &str| {
            let mut url = settings.base_url.clone();
            url.path_segments_mut().expect("http URLs have a path").pop_if_empty().extend(["api", "v3", name]);
            url
        };
        Ok(Self {
            klines_url: endpoint("klines"),
            time_url: endpoint("time"),
            http: HttpClient::new(&settings.base_url, settings.http)?,
        })
    }

    /// The candles of the minutes `from_ms..to_ms` that are closed by both clocks: ours, which says `now_ms`, and the
    /// exchange's. Strictly increasing and each checked; minutes that the exchange does not have are absent.
    ///
    /// # Errors
    /// [`CandleError::Range`] unless both ends are whole minutes, in order and at most [`MAX_RANGE_MINUTES`] apart;
    /// [`CandleError::Symbol`]; [`CandleError::NotAskedFor`] and candle faults for a wrong answer; and what the
    /// network does.
    pub async fn candles(
        &self,
        symbol: &str,
        from_ms: i64,
        to_ms: i64,
        now_ms: i64,
    ) -> Result<Vec<Candle>, CandleError> {
        check_symbol(symbol)?;
        let minutes = checked_minutes(from_ms, to_ms)?;
        // Should our clock run ahead, a candle that still forms would look closed by it.
        let now_ms = now_ms.min(self.server_time_ms().await?);
        let closed_to_ms = to_ms.min(now_ms.div_euclid(MINUTE_MS) * MINUTE_MS);
        let mut candles = Vec::new();
        let mut next_ms = from_ms;
        // Mirrors may send half pages, so twice the pages that are needed, and one for a short end.
        let mut pages_left = 2 * minutes.div_ceil(PAGE_ROWS) + 1;
        while next_ms < closed_to_ms {
            if pages_left == 0 {
                return Err(CandleError::Malformed { detail: "its pages are too short to get anywhere".into() });
            }
            pages_left -= 1;
            let page = self.page(symbol, next_ms, closed_to_ms).await?;
            let Some(last) = page.last() else { break };
            next_ms = last.close_time_ms();
            candles.extend(page.into_iter().filter(|candle| candle.close_time_ms() <= closed_to_ms));
        }
        Ok(candles)
    }

    /// The exchange's time in Unix milliseconds.
    ///
    /// # Errors
    /// What the network does, or [`CandleError::Malformed`].
    pub async fn server_time_ms(&self) -> Result<i64, CandleError> {
        self.http.get(&self.time_url, TIME_WEIGHT, parse_time).await
    }

    /// How far the exchange's clock is ahead of ours, which says `now_ms`.
    ///
    /// # Errors
    /// [`CandleError::ClockSkew`] for more than `limit_ms` either way, and as [`Self::server_time_ms`].
    pub async fn check_clock(&self, now_ms: i64, limit_ms: i64) -> Result<i64, CandleError> {
        let skew_ms = self.server_time_ms().await?.saturating_sub(now_ms);
        if skew_ms.saturating_abs() > limit_ms {
            return Err(CandleError::ClockSkew { skew_ms, limit_ms });
        }
        Ok(skew_ms)
    }

    /// One page: the first rows of `from_ms..to_ms`. A row that starts at `to_ms` may follow them, since some servers
    /// show the candle that still forms whatever end they are asked for.
    async fn page(&self, symbol: &str, from_ms: i64, to_ms: i64) -> Result<Vec<Candle>, CandleError> {
        let mut url = self.klines_url.clone();
        url.query_pairs_mut()
            .append_pair("symbol", symbol)
            .append_pair("interval", "1m")
            .append_pair("startTime", &from_ms.to_string())
            .append_pair("endTime", &(to_ms - 1).to_string())
            .append_pair("limit", &PAGE_ROWS.to_string());
        let page = self.http.get(&url, KLINES_WEIGHT, parse_klines).await.map_err(|error| match error {
            CandleError::Status { message, .. } if api_code(&message) == Some(INVALID_SYMBOL) => {
                CandleError::Symbol { symbol: symbol.to_owned() }
            }
            error => error,
        })?;
        if page.len() > PAGE_ROWS {
            return Err(CandleError::Malformed { detail: format!("{} rows in one page", page.len()) });
        }
        check_all(&page)?;
        match page.iter().find(|candle| !(from_ms..=to_ms).contains(&candle.open_time_ms)) {
            Some(candle) => Err(CandleError::NotAskedFor { open_time_ms: candle.open_time_ms }),
            None => Ok(page),
        }
    }
}

/// The number of minutes of a usable range.
fn checked_minutes(from_ms: i64, to_ms: i64) -> Result<usize, CandleError> {
    let on_grid = |at: i64| (0..END_MS).contains(&at) && at % MINUTE_MS == 0;
    let minutes = if on_grid(from_ms) && on_grid(to_ms) { (to_ms - from_ms) / MINUTE_MS } else { 0 };
    match usize::try_from(minutes) {
        Ok(minutes @ 1..) if minutes <= MAX_RANGE_MINUTES as usize => Ok(minutes),
        _ => Err(CandleError::Range { from_ms, to_ms }),
    }
}

fn check_symbol(symbol: &str) -> Result<(), CandleError> {
    let is_fine = (1..=MAX_SYMBOL_CHARS).contains(&symbol.len())
        && symbol.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if is_fine { Ok(()) } else { Err(CandleError::Symbol { symbol: symbol.chars().take(MAX_SYMBOL_CHARS).collect() }) }
}

/// A row of the API: open time, open, high, low, close, volume, close time, quote volume, trades, the takers' volume in
/// base and quote, and a field without use.
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

fn parse_klines(body: &[u8]) -> Result<Vec<Candle>, CandleError> {
    let rows: Vec<Kline<'_>> = serde_json::from_slice(body).map_err(malformed)?;
    rows.iter().map(parse_kline).collect()
}

fn parse_kline(row: &Kline<'_>) -> Result<Candle, CandleError> {
    let &Kline(open_time_ms, open, high, low, close, volume, close_time_ms, ..) = row;
    // Rows around outages may end early, but none outlives its minute.
    if close_time_ms < open_time_ms || close_time_ms - open_time_ms >= MINUTE_MS {
        return Err(malformed(format!("the row of {open_time_ms} is not one minute")));
    }
    let number = |text: &str| text.parse::<f64>().map_err(malformed);
    Ok(Candle {
        open_time_ms,
        open: number(open)?,
        high: number(high)?,
        low: number(low)?,
        close: number(close)?,
        volume: number(volume)?,
    })
}

fn parse_time(body: &[u8]) -> Result<i64, CandleError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ServerTime {
        server_time: i64,
    }
    let ServerTime { server_time } = serde_json::from_slice(body).map_err(malformed)?;
    if (0..END_MS).contains(&server_time) { Ok(server_time) } else { Err(malformed("its time is out of range")) }
}

/// The `code` of an error body.
fn api_code(message: &str) -> Option<i64> {
    serde_json::from_str::<serde_json::Value>(message).ok()?.get("code")?.as_i64()
}

fn malformed(detail: impl ToString) -> CandleError {
    CandleError::Malformed { detail: detail.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::fault::Fault;

    const ROW: &str = r#"[60000,"100.10","101.00","99.5","100.90","12.50000000",119999,"1.0",5,"0","0","0"]"#;

    #[test]
    fn a_row_is_read_exactly() {
        let candles = parse_klines(format!("[{ROW}]").as_bytes()).unwrap();
        let expected = Candle { open_time_ms: 60_000, open: 100.1, high: 101.0, low: 99.5, close: 100.9, volume: 12.5 };
        assert_eq!(candles, [expected]);
        assert_eq!(parse_klines(b"[]").unwrap(), []);
    }

    #[test]
    fn anything_else_is_malformed() {
        let whole = format!("[{ROW}]");
        for wrong in ["", "{}", "[[]]", &whole[..whole.len() - 2], &whole.replace("\"100.10\"", "100.10")] {
            assert_eq!(parse_klines(wrong.as_bytes()).expect_err(wrong).code(), "VR-CANDLE-006");
        }
        for (from, to) in [("100.10", "a lot"), ("119999", "120000"), ("119999", "59999"), (",5,", ",")] {
            let wrong = whole.replacen(from, to, 1);
            assert_eq!(parse_klines(wrong.as_bytes()).expect_err(&wrong).code(), "VR-CANDLE-006");
        }
        assert_eq!(parse_time(br#"{"serverTime":-5}"#).expect_err("negative").code(), "VR-CANDLE-006");
        assert_eq!(parse_time(br#"{"serverTime":5}"#).unwrap(), 5);
    }

    #[test]
    fn symbols_and_ranges_are_checked_before_anything_is_sent() {
        for wrong in ["", "btcusdt", "BTC-USD", "BTC&limit=1", &"A".repeat(31)] {
            assert_eq!(check_symbol(wrong).expect_err(wrong).code(), "VR-CANDLE-010");
        }
        check_symbol("1000SATSUSDT").unwrap();
        for (from, to) in
            [(0, 0), (MINUTE_MS, 0), (1, MINUTE_MS), (-MINUTE_MS, 0), (0, 400 * 1440 * MINUTE_MS), (0, i64::MAX)]
        {
            assert_eq!(checked_minutes(from, to).expect_err("range").code(), "VR-CANDLE-017");
        }
        assert_eq!(checked_minutes(0, 1440 * MINUTE_MS).unwrap(), 1440);
    }
}
