//! How each exchange's API is spoken: addresses, page sizes, rows, clocks and refusals. Nothing here sends anything.

mod binance;
mod bybit;
mod coinbase;
mod okx;

use std::fmt::Debug;
use std::num::NonZeroU32;
use std::ops::Range;
use std::str::FromStr;

use url::Url;

use super::error::CandleError;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::diagnostic::quoted;
use veriregime_core::types::time::END_MS;
use veriregime_core::types::venue::Venue;

/// Longest symbol that is sent.
const MAX_SYMBOL_CHARS: usize = 30;

/// One exchange's API.
pub trait ExchangeApi: Debug + Send + Sync {
    /// Root of the API.
    fn base_url(&self) -> &'static str;

    /// What the exchange calls bitcoin in dollars (or in tethers, where it has no dollars).
    fn bitcoin(&self) -> &'static str;

    /// Page size and request budget.
    fn limits(&self) -> Limits;

    /// Whether `symbol` could be one of the exchange's.
    fn is_symbol(&self, symbol: &str) -> bool;

    /// Address of the exchange's clock below `base_url`.
    fn time_url(&self, base_url: &Url) -> Url;

    /// The exchange's time in Unix milliseconds.
    ///
    /// # Errors
    /// [`CandleError::Malformed`], or what the exchange says instead.
    fn time_ms(&self, body: &[u8]) -> Result<i64, CandleError>;

    /// Address of the candles whose open time lies in `range_ms`, which are whole minutes.
    fn page_url(&self, base_url: &Url, symbol: &str, range_ms: &Range<i64>) -> Url;

    /// The candles of a page, oldest first, none of them checked.
    ///
    /// # Errors
    /// [`CandleError::Malformed`], or what the exchange says instead of candles.
    fn candles(&self, symbol: &str, body: &[u8]) -> Result<Vec<Candle>, CandleError>;

    /// What an error status with this body means here, where it means more than its number. `symbol` is what was asked for,
    /// nothing where it was the time.
    fn refusal(&self, symbol: &str, status: u16, body: &[u8]) -> Option<CandleError>;
}

/// What one request brings and costs.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most rows of a page.
    pub page_rows: usize,
    /// Which rows a page holds.
    pub paging: Paging,
    /// Whether rows from before the range may come along.
    pub sends_earlier_rows: bool,
    /// Request weight of a page.
    pub page_weight: NonZeroU32,
    /// Request weight of asking the time.
    pub time_weight: NonZeroU32,
    /// Request weight to spend a minute, unless the settings say otherwise: well below what the exchange allows.
    pub weight_per_minute: NonZeroU32,
    /// Most of it that is spent at once.
    pub burst_weight: NonZeroU32,
}

/// Which rows of a range a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// The oldest ones: the next page starts behind the last row, over any gap.
    FromTheOldest,
    /// All of them, or the newest ones, so that no more minutes than a page's rows may be asked for.
    WholeRange,
}

/// How `venue` is spoken to.
pub fn of(venue: Venue) -> &'static dyn ExchangeApi {
    match venue {
        Venue::Binance => &binance::Binance,
        Venue::Coinbase => &coinbase::Coinbase,
        Venue::Bybit => &bybit::Bybit,
        Venue::Okx => &okx::Okx,
    }
}

const fn weight(weight: u32) -> NonZeroU32 {
    NonZeroU32::new(weight).expect("weights are positive")
}

/// `path` below the API's root.
fn endpoint(base_url: &Url, path: &[&str]) -> Url {
    let mut url = base_url.clone();
    url.path_segments_mut().expect("http URLs have a path").pop_if_empty().extend(path);
    url
}

/// Capital letters and digits, and dashes between them where the exchange has them.
fn is_plain_symbol(symbol: &str, dashes: bool) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    (1..=MAX_SYMBOL_CHARS).contains(&symbol.len())
        && symbol.split('-').all(|part| !part.is_empty() && part.bytes().all(is_letter))
        && (dashes == symbol.contains('-'))
}

fn number<T: FromStr<Err: ToString>>(text: &str) -> Result<T, CandleError> {
    text.parse().map_err(|error: T::Err| malformed(error.to_string()))
}

fn sane_time_ms(time_ms: i64) -> Result<i64, CandleError> {
    if (0..END_MS).contains(&time_ms) { Ok(time_ms) } else { Err(malformed("its time is out of range")) }
}

/// The exchange's word that there is no such symbol, in its own words.
fn unknown(symbol: &str, said: &str) -> CandleError {
    CandleError::UnknownSymbol { symbol: symbol.to_owned(), said: quoted(said) }
}

fn malformed(detail: impl ToString) -> CandleError {
    CandleError::Malformed { detail: detail.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_checked_before_anything_is_sent() {
        for venue in Venue::ALL {
            let dialect = of(venue);
            assert!(dialect.is_symbol(dialect.bitcoin()), "{venue:?}");
            for wrong in
                ["", "-", "BTC-", "-USD", "BTC--USD", "BTC/USD", "BTC USD", "..", "BTC&limit=1", "btc-usd", "btcusdt"]
            {
                assert!(!dialect.is_symbol(wrong), "{venue:?} {wrong}");
            }
            assert!(!dialect.is_symbol(&"A".repeat(31)));
        }
        assert!(of(Venue::Binance).is_symbol("1000SATSUSDT"));
        assert!(!of(Venue::Binance).is_symbol("BTC-USD"));
        assert!(!of(Venue::Coinbase).is_symbol("BTCUSDT"));
    }

    #[test]
    fn a_budget_pays_for_a_page() {
        for venue in Venue::ALL {
            let limits = of(venue).limits();
            assert!(limits.page_weight <= limits.burst_weight && limits.time_weight <= limits.burst_weight);
            assert!(limits.burst_weight <= limits.weight_per_minute);
        }
    }

    #[test]
    fn addresses_are_below_the_root() {
        let base_url = Url::parse("http://localhost:1/proxy/").unwrap();
        let pages = Venue::ALL.map(|venue| {
            let dialect = of(venue);
            dialect.page_url(&base_url, dialect.bitcoin(), &(60_000..180_000)).to_string()
        });
        assert_eq!(
            pages,
            [
                "http://localhost:1/proxy/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=60000&endTime=179999&limit=1000",
                "http://localhost:1/proxy/products/BTC-USD/candles?granularity=60&start=1970-01-01T00%3A01%3A00Z&end=1970-01-01T00%3A02%3A00Z",
                "http://localhost:1/proxy/v5/market/kline?category=spot&symbol=BTCUSDT&interval=1&start=60000&end=179999&limit=1000",
                "http://localhost:1/proxy/api/v5/market/history-candles?instId=BTC-USDT&bar=1m&after=180000&before=59999&limit=100",
            ]
        );
    }
}
