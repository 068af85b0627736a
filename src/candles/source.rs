//! Closed one-minute candles of one exchange, over HTTP.

use std::num::NonZeroU32;
use std::ops::Range;

use url::Url;

use super::dialect::{self, Dialect, Paging};
use super::error::CandleError;
use super::http::{HttpClient, HttpSettings};
use crate::types::candle::{Candle, check_all};
use crate::types::period::MINUTE_MS;
use crate::types::time::END_MS;
use crate::types::venue::Venue;

/// Longest range of one call: a leap year.
pub const MAX_RANGE_MINUTES: i64 = 366 * 1440;
/// Longest symbol that is repeated in an error, in characters.
const MAX_SYMBOL_CHARS: usize = 30;

/// Where and how a [`Source`] asks.
#[derive(Debug, Clone)]
pub struct SourceSettings {
    /// Whose API it is.
    pub venue: Venue,
    /// Root of the API, such as `https://api.binance.com`.
    pub base_url: Url,
    /// Limits of each request.
    pub http: HttpSettings,
}

impl SourceSettings {
    /// The exchange's own address and a budget that it allows.
    pub fn of(venue: Venue) -> Self {
        let dialect = dialect::of(venue);
        Self {
            venue,
            base_url: Url::parse(dialect.base_url()).expect("the addresses are fixed"),
            http: HttpSettings { weight_per_minute: dialect.limits().weight_per_minute, ..HttpSettings::default() },
        }
    }
}

/// Closed candles from an exchange.
#[derive(Debug)]
pub struct Source {
    venue: Venue,
    base_url: Url,
    http: HttpClient,
}

impl Source {
    /// A source that has not asked anything yet.
    ///
    /// # Errors
    /// [`CandleError::Settings`] for a base URL that is neither `http` nor `https`, a budget too small for one
    /// request, or a system without certificates.
    pub fn new(settings: SourceSettings) -> Result<Self, CandleError> {
        let refuse =
            |detail: &str| CandleError::Settings { base_url: settings.base_url.to_string(), detail: detail.to_owned() };
        if !["http", "https"].contains(&settings.base_url.scheme()) {
            return Err(refuse("the URL must start with http:// or https://"));
        }
        let limits = dialect::of(settings.venue).limits();
        if settings.http.weight_per_minute < limits.page_weight {
            return Err(refuse("the weight per minute is too small for one request"));
        }
        let burst_weight: NonZeroU32 = limits.burst_weight.min(settings.http.weight_per_minute);
        let http = HttpClient::new(&settings.base_url, settings.http, burst_weight)?;
        Ok(Self { venue: settings.venue, base_url: settings.base_url, http })
    }

    /// Whose candles they are.
    pub fn venue(&self) -> Venue {
        self.venue
    }

    /// Root of the API.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// Most minutes that one request can bring.
    pub fn page_minutes(&self) -> i64 {
        i64::try_from(self.dialect().limits().page_rows).unwrap_or(i64::MAX)
    }

    /// The candles of the minutes `from_ms..to_ms` that are closed by both clocks: ours, which says `now_ms`, and the
    /// exchange's. Strictly increasing and each checked; minutes that the exchange does not have are absent.
    ///
    /// # Errors
    /// As [`Self::closed_candles`], and what the network does.
    pub async fn candles(
        &self,
        symbol: &str,
        from_ms: i64,
        to_ms: i64,
        now_ms: i64,
    ) -> Result<Vec<Candle>, CandleError> {
        self.check_symbol(symbol)?;
        checked_minutes(from_ms, to_ms)?;
        // Should our clock run ahead, a candle that still forms would look closed by it.
        let now_ms = now_ms.min(self.server_time_ms().await?);
        self.closed_candles(symbol, from_ms, to_ms, now_ms).await
    }

    /// As [`Self::candles`] for who has asked the exchange's clock already: `now_ms` is the earlier of both.
    ///
    /// # Errors
    /// [`CandleError::Range`] unless both ends are whole minutes, in order and at most [`MAX_RANGE_MINUTES`] apart;
    /// [`CandleError::Symbol`]; [`CandleError::NotAskedFor`] and candle faults for a wrong answer; and what the
    /// network does.
    pub async fn closed_candles(
        &self,
        symbol: &str,
        from_ms: i64,
        to_ms: i64,
        now_ms: i64,
    ) -> Result<Vec<Candle>, CandleError> {
        self.check_symbol(symbol)?;
        let minutes = checked_minutes(from_ms, to_ms)?;
        let closed_to_ms = to_ms.min(now_ms.div_euclid(MINUTE_MS) * MINUTE_MS);
        let limits = self.dialect().limits();
        let mut candles = Vec::new();
        let mut next_ms = from_ms;
        // Mirrors may send half pages, so twice the pages that are needed, and one for a short end.
        let mut pages_left = 2 * minutes.div_ceil(limits.page_rows) + 1;
        while next_ms < closed_to_ms {
            if pages_left == 0 {
                return Err(CandleError::Malformed { detail: "its pages are too short to get anywhere".into() });
            }
            pages_left -= 1;
            let end_ms = match limits.paging {
                Paging::FromTheOldest => closed_to_ms,
                Paging::WholeRange => closed_to_ms.min(next_ms + self.page_minutes() * MINUTE_MS),
            };
            let page = self.page(symbol, &(next_ms..end_ms)).await?;
            next_ms = match (limits.paging, page.last()) {
                (Paging::FromTheOldest, Some(last)) => last.close_time_ms(),
                _ => end_ms,
            };
            candles.extend(page.into_iter().filter(|candle| candle.close_time_ms() <= end_ms));
        }
        Ok(candles)
    }

    /// The exchange's time in Unix milliseconds.
    ///
    /// # Errors
    /// What the network does, or [`CandleError::Malformed`].
    pub async fn server_time_ms(&self) -> Result<i64, CandleError> {
        let dialect = self.dialect();
        let url = dialect.time_url(&self.base_url);
        self.http.get(&url, dialect.limits().time_weight, |body| dialect.time_ms(body)).await
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

    /// Whether `symbol` could be one of the exchange's.
    ///
    /// # Errors
    /// [`CandleError::Symbol`].
    pub fn check_symbol(&self, symbol: &str) -> Result<(), CandleError> {
        if self.dialect().is_symbol(symbol) {
            return Ok(());
        }
        Err(CandleError::Symbol { symbol: symbol.chars().take(MAX_SYMBOL_CHARS).collect() })
    }

    /// One page of a range's rows. A row that starts at its end may follow them, since some servers show the candle
    /// that still forms whatever end they are asked for.
    async fn page(&self, symbol: &str, range_ms: &Range<i64>) -> Result<Vec<Candle>, CandleError> {
        let dialect = self.dialect();
        let limits = dialect.limits();
        let url = dialect.page_url(&self.base_url, symbol, range_ms);
        let parse = |body: &[u8]| dialect.candles(symbol, body);
        let mut page = self.http.get(&url, limits.page_weight, parse).await.map_err(|error| match error {
            CandleError::Status { status, message } => {
                dialect.refusal(symbol, status, &message).unwrap_or(CandleError::Status { status, message })
            }
            error => error,
        })?;
        if page.len() > limits.page_rows {
            return Err(CandleError::Malformed { detail: format!("{} rows in one page", page.len()) });
        }
        check_all(&page)?;
        if limits.sends_earlier_rows {
            page.drain(..page.partition_point(|candle| candle.open_time_ms < range_ms.start));
        }
        match page.iter().find(|candle| !(range_ms.start..=range_ms.end).contains(&candle.open_time_ms)) {
            Some(candle) => Err(CandleError::NotAskedFor { open_time_ms: candle.open_time_ms }),
            None => Ok(page),
        }
    }

    fn dialect(&self) -> &'static dyn Dialect {
        dialect::of(self.venue)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::fault::Fault;

    #[test]
    fn symbols_and_ranges_are_checked_before_anything_is_sent() {
        let source = Source::new(SourceSettings {
            base_url: Url::parse("http://localhost:1").unwrap(),
            ..SourceSettings::of(Venue::Binance)
        });
        let source = source.unwrap();
        for wrong in ["", "btcusdt", "BTC-USD", "BTC&limit=1", &"A".repeat(31)] {
            assert_eq!(source.check_symbol(wrong).expect_err(wrong).code(), "VR-CANDLE-010");
        }
        source.check_symbol("1000SATSUSDT").unwrap();
        for (from, to) in
            [(0, 0), (MINUTE_MS, 0), (1, MINUTE_MS), (-MINUTE_MS, 0), (0, 400 * 1440 * MINUTE_MS), (0, i64::MAX)]
        {
            assert_eq!(checked_minutes(from, to).expect_err("range").code(), "VR-CANDLE-017");
        }
        assert_eq!(checked_minutes(0, 1440 * MINUTE_MS).unwrap(), 1440);
    }
}
