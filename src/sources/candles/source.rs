//! Closed one-minute candles of one exchange, over HTTP.

use std::num::NonZeroU32;
use std::ops::Range;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use url::Url;

use super::error::CandleError;
use super::holes::{holes, joined, merged};
use super::http::{HttpClient, HttpSettings};
use crate::http::Used;
use crate::sources::candles::exchange_api;
use crate::sources::candles::exchange_api::{ExchangeApi, Limits, Paging};
use veriregime_core::types::candle::{Candle, check_all};
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::time::END_MS;
use veriregime_core::types::venue::Venue;

/// Longest range of one call: a leap year.
pub const MAX_RANGE_MINUTES: i64 = 366 * 1440;
/// How often the minutes that did not come are asked for at most; when asking again brings none of them, they are not there.
const MAX_ASKS: usize = 4;
/// Pause before they are asked for again.
const ASK_PAUSE: Duration = Duration::from_secs(1);
/// A look at the clock is good for this long to who only watches it.
const CLOCK_FRESH: Duration = Duration::from_secs(10);
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
        let dialect = exchange_api::of(venue);
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
    /// When the clock was last watched, and how far it was ahead.
    watched: Mutex<Option<(Instant, i64)>>,
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
        let limits = exchange_api::of(settings.venue).limits();
        if settings.http.weight_per_minute < limits.page_weight {
            return Err(refuse("the weight per minute is too small for one request"));
        }
        let burst_weight: NonZeroU32 = limits.burst_weight.min(settings.http.weight_per_minute);
        let http = HttpClient::new(&settings.base_url, settings.http, burst_weight)?;
        Ok(Self { venue: settings.venue, base_url: settings.base_url, http, watched: Mutex::default() })
    }

    /// Whose candles they are.
    pub fn venue(&self) -> Venue {
        self.venue
    }

    /// How asking it has gone so far.
    pub fn used(&self) -> Used {
        self.http.used()
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
    /// exchange's. Strictly increasing and each checked; absent are the minutes that the exchange does not have, asked twice
    /// at least.
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
    /// [`CandleError::Symbol`] and [`CandleError::UnknownSymbol`]; [`CandleError::NotAskedFor`] and [`CandleError::Answer`]
    /// for a wrong answer; and what the network does.
    pub async fn closed_candles(
        &self,
        symbol: &str,
        from_ms: i64,
        to_ms: i64,
        now_ms: i64,
    ) -> Result<Vec<Candle>, CandleError> {
        self.check_symbol(symbol)?;
        checked_minutes(from_ms, to_ms)?;
        let closed_ms = from_ms..to_ms.min(now_ms.div_euclid(MINUTE_MS) * MINUTE_MS);
        let mut candles = self.pages(symbol, closed_ms.clone()).await?;
        for _ in 1..MAX_ASKS {
            let absent = joined(&holes(&candles, &closed_ms), self.page_minutes());
            if absent.is_empty() {
                break;
            }
            tokio::time::sleep(ASK_PAUSE).await;
            let before = candles.len();
            for range_ms in absent {
                candles = merged(candles, &self.pages(symbol, range_ms).await?);
            }
            if candles.len() == before {
                break;
            }
        }
        Ok(candles)
    }

    /// What the pages of a range of closed minutes hold, each asked for once.
    async fn pages(&self, symbol: &str, range_ms: Range<i64>) -> Result<Vec<Candle>, CandleError> {
        let limits = self.dialect().limits();
        let minutes = usize::try_from((range_ms.end - range_ms.start) / MINUTE_MS).unwrap_or(0);
        let mut candles = Vec::new();
        let mut next_ms = range_ms.start;
        // Mirrors may send half pages, so twice the pages that are needed, and one for a short end.
        let mut pages_left = 2 * minutes.div_ceil(limits.page_rows) + 1;
        while next_ms < range_ms.end {
            if pages_left == 0 {
                return Err(CandleError::Malformed { detail: "its pages are too short to get anywhere".into() });
            }
            pages_left -= 1;
            let end_ms = match limits.paging {
                Paging::FromTheOldest => range_ms.end,
                Paging::WholeRange => range_ms.end.min(next_ms + self.page_minutes() * MINUTE_MS),
            };
            let page = self.page(symbol, &(next_ms..end_ms)).await?;
            next_ms = match (limits.paging, page.last()) {
                (Paging::FromTheOldest, Some(last)) => last.close_time_ms(),
                _ => end_ms,
            };
            candles.extend(page);
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
        let parse = |body: &[u8]| dialect.time_ms(body);
        self.http.get(&url, dialect.limits().time_weight, parse, |status, body| dialect.refusal("", status, body)).await
    }

    /// How far the exchange's clock is ahead of ours, which says `now_ms`.
    ///
    /// # Errors
    /// [`CandleError::ClockSkew`] for more than `limit_ms` either way, and as [`Self::server_time_ms`].
    pub async fn check_clock(&self, now_ms: i64, limit_ms: i64) -> Result<i64, CandleError> {
        within(self.server_time_ms().await?.saturating_sub(now_ms), limit_ms)
    }

    /// As [`Self::check_clock`], by a look that is a few seconds old at most: of all who watch, one asks.
    ///
    /// # Errors
    /// As [`Self::check_clock`].
    pub async fn watch_clock(&self, now_ms: i64, limit_ms: i64) -> Result<i64, CandleError> {
        let mut watched = self.watched.lock().await;
        if let Some((at, skew_ms)) = *watched
            && at.elapsed() < CLOCK_FRESH
        {
            return within(skew_ms, limit_ms);
        }
        let skew_ms = self.server_time_ms().await?.saturating_sub(now_ms);
        *watched = Some((Instant::now(), skew_ms));
        within(skew_ms, limit_ms)
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

    async fn page(&self, symbol: &str, range_ms: &Range<i64>) -> Result<Vec<Candle>, CandleError> {
        let dialect = self.dialect();
        let limits = dialect.limits();
        let url = dialect.page_url(&self.base_url, symbol, range_ms);
        let parse = |body: &[u8]| checked_page(dialect.candles(symbol, body)?, range_ms, &limits);
        self.http.get(&url, limits.page_weight, parse, |status, body| dialect.refusal(symbol, status, body)).await
    }

    fn dialect(&self) -> &'static dyn ExchangeApi {
        exchange_api::of(self.venue)
    }
}

fn within(skew_ms: i64, limit_ms: i64) -> Result<i64, CandleError> {
    if skew_ms.saturating_abs() > limit_ms {
        return Err(CandleError::ClockSkew { skew_ms, limit_ms });
    }
    Ok(skew_ms)
}

/// The rows of a page in order, each minute once. A row that starts at the range's end is left out, since some servers show
/// the candle that still forms whatever end they are asked for.
fn checked_page(mut page: Vec<Candle>, range_ms: &Range<i64>, limits: &Limits) -> Result<Vec<Candle>, CandleError> {
    page.retain(|candle| {
        candle.open_time_ms != range_ms.end && !(limits.sends_earlier_rows && candle.open_time_ms < range_ms.start)
    });
    if let Some(stray) = page.iter().find(|candle| !range_ms.contains(&candle.open_time_ms)) {
        return Err(CandleError::NotAskedFor { open_time_ms: stray.open_time_ms });
    }
    page.sort_by_key(|candle| candle.open_time_ms);
    page.dedup();
    check_all(&page).map_err(CandleError::Answer)?;
    if page.len() > limits.page_rows {
        return Err(CandleError::Malformed { detail: format!("{} rows in one page", page.len()) });
    }
    Ok(page)
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
    use veriregime_core::types::diagnostic::Diagnostic;

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
