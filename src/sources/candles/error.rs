//! What can go wrong between an exchange or a file and a list of candles.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::cross_check::Disagreement;
use super::minutes::interval_name;
use veriregime_core::types::candle::SeriesError;
use veriregime_core::types::diagnostic::{Diagnostic, Retry, quoted};
use veriregime_core::types::time::format_utc;
use veriregime_core::types::venue::Venue;
use veriregime_files::FileError;

/// The code of [`CandleError::Omitted`].
pub const OMITTED_CODE: &str = "VR-CANDLE-031";
/// The code of [`CandleError::Revised`].
pub const REVISED_CODE: &str = "VR-CANDLE-022";

/// Why there are no candles.
#[derive(Debug, thiserror::Error)]
pub enum CandleError {
    /// No connection, or it broke.
    #[error("cannot reach {url}")]
    Unreachable { url: String, source: Box<dyn Error + Send + Sync> },
    /// The exchange took longer than the settings allow.
    #[error("{url} did not answer in time")]
    Timeout { url: String },
    /// Status 429: the exchange's request budget is spent.
    #[error("the exchange asks for a pause of {} s", retry_after.as_secs_f64())]
    RateLimited { retry_after: Duration },
    /// Status 418: the exchange banned this address for a while.
    #[error("the exchange banned this address for {} s", retry_after.as_secs_f64())]
    Banned { retry_after: Duration },
    /// Another status than success, with the pause that came with it.
    #[error("the exchange answered with status {status}: {message}")]
    Status { status: u16, message: String, retry_after: Option<Duration> },
    /// An answer in good order that says that there is none.
    #[error("the exchange refuses: {reason}")]
    Refused { reason: String },
    /// A body that is not what the API promises.
    #[error("the exchange sent a malformed answer: {detail}")]
    Malformed { detail: String },
    /// A body above the limit; reading stopped there.
    #[error("the exchange sent more than {limit_bytes} bytes")]
    BodyTooLarge { limit_bytes: usize },
    /// The exchange's clock and ours are too far apart.
    #[error("the exchange's clock is {skew_ms} ms ahead of ours, {limit_ms} ms either way are allowed")]
    ClockSkew { skew_ms: i64, limit_ms: i64 },
    /// A candle that nobody asked for.
    #[error("the exchange sent minute {}, which was not asked for", format_utc(*open_time_ms))]
    NotAskedFor { open_time_ms: i64 },
    /// Rows of an answer that break the rules of candles, or contradict each other.
    #[error("the exchange sent wrong candles: {0}")]
    Answer(SeriesError),
    /// A symbol that cannot be one of the exchange's.
    #[error("\"{symbol}\" cannot be a symbol of this exchange")]
    Symbol { symbol: String },
    /// The exchange says in so many words that it does not know the symbol.
    #[error("the exchange does not know \"{symbol}\": {said}")]
    UnknownSymbol { symbol: String, said: String },
    /// Neither parquet, nor CSV, nor a zip of one CSV, or without the columns of candles.
    #[error("{} is not a candle file: {detail}", path.display())]
    NotCandles { path: PathBuf, detail: String },
    /// A candle file in a form that is known and not read here.
    #[error("{} cannot be read: {what}", path.display())]
    Unsupported { path: PathBuf, what: String },
    /// Candles of another length.
    #[error("{} holds candles of {}, not of one minute", path.display(), interval_name(*length_ms))]
    Interval { path: PathBuf, length_ms: i64 },
    /// A row without one of its values. Rows are counted from 1.
    #[error("row {row} of {} has no {column}", path.display())]
    NoValue { path: PathBuf, row: usize, column: String },
    /// Rows that do not start on a whole minute.
    #[error("{off_grid} of {rows} rows of {} do not start on a whole minute, the first at {}", path.display(), format_utc(*first_ms))]
    OffGrid { path: PathBuf, off_grid: usize, rows: usize, first_ms: i64 },
    /// A candle file that is cut short or damaged.
    #[error("{} is damaged: {detail}", path.display())]
    Damaged { path: PathBuf, detail: String },
    /// More rows than anything expected here.
    #[error("{} holds more than {limit_rows} candles", path.display())]
    TooManyRows { path: PathBuf, limit_rows: usize },
    /// The server cannot listen on its address.
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
    /// The server stopped by itself.
    #[error("the candle server failed")]
    Serve { source: io::Error },
    /// A file that a download continues holds another candle than the exchange for the same minute.
    #[error("the file and the exchange differ at {}", format_utc(*open_time_ms))]
    Differs { open_time_ms: i64 },
    /// A range of which the exchange has nothing.
    #[error("the exchange has no candle of {symbol} from {} to {}", format_utc(*from_ms), format_utc(*to_ms))]
    NothingThere { symbol: String, from_ms: i64, to_ms: i64 },
    /// An empty, reversed or far too long range.
    #[error("{} to {} is not a usable range", format_utc(*from_ms), format_utc(*to_ms))]
    Range { from_ms: i64, to_ms: i64 },
    /// The settings of the source make no HTTP client.
    #[error("cannot set up the exchange client for {base_url}: {detail}")]
    Settings { base_url: String, detail: String },
    /// Two exchanges tell different stories.
    #[error("{0}")]
    Disagreement(Box<Disagreement>),
    /// A second source is required and none could be compared with.
    #[error("no second source answers for {symbol}: {tried}")]
    NoWitness { symbol: String, tried: String },
    /// A model that looks at volumes would be fed another exchange's.
    #[error("the model looks at volumes of {}, and source {source_name} has those of {}", trained_on.name(), venue.name())]
    ForeignVolumes { source_name: String, venue: Venue, trained_on: Venue },
    /// An exchange says something else of minutes than it did before. Never the end of a cycle: for the log.
    #[error("{source_name} revised {minutes} minutes of {symbol} from {} on", format_utc(*first_ms))]
    Revised { source_name: String, symbol: String, minutes: usize, first_ms: i64 },
    /// Minutes that a source does not have, asked twice, and nobody else either. For the log.
    #[error(
        "{source_name} has no candle of {minutes} minutes of {symbol} from {} on, the longest stretch is {longest_run_minutes} minutes",
        format_utc(*first_ms)
    )]
    Carried { source_name: String, symbol: String, minutes: usize, first_ms: i64, longest_run_minutes: usize },
    /// Minutes that a source does not have and another one does. For the log.
    #[error("{minutes} minutes of {symbol} from {} on are {lender}'s, {source_name} does not have them", format_utc(*first_ms))]
    Lent { source_name: String, symbol: String, lender: String, minutes: usize, first_ms: i64 },
    /// A market whose candles kept failing, and which the period's update omits. For the log.
    #[error("the update of the period omits {market}: {reason}")]
    Omitted { market: String, reason: String },
    /// A candle of a file that breaks the rules of candles.
    #[error(transparent)]
    Candle(#[from] SeriesError),
    /// A file that cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl CandleError {
    /// An exchange's own code that has no meaning here, for the log. Most of these pass.
    pub(super) fn refused(code: impl std::fmt::Display, message: &str) -> Self {
        Self::Refused { reason: quoted(&format!("code {code}: {message}")) }
    }
}

impl Diagnostic for CandleError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "VR-CANDLE-001",
            Self::Timeout { .. } => "VR-CANDLE-002",
            Self::RateLimited { .. } => "VR-CANDLE-003",
            Self::Banned { .. } => "VR-CANDLE-004",
            Self::Status { .. } | Self::Refused { .. } => "VR-CANDLE-005",
            Self::Malformed { .. } => "VR-CANDLE-006",
            Self::BodyTooLarge { .. } => "VR-CANDLE-007",
            Self::ClockSkew { .. } => "VR-CANDLE-008",
            Self::NotAskedFor { .. } => "VR-CANDLE-009",
            Self::Symbol { .. } | Self::UnknownSymbol { .. } => "VR-CANDLE-010",
            Self::NotCandles { .. } => "VR-CANDLE-011",
            Self::Damaged { .. } => "VR-CANDLE-012",
            Self::TooManyRows { .. } => "VR-CANDLE-013",
            Self::Listen { .. } => "VR-CANDLE-014",
            Self::Serve { .. } => "VR-CANDLE-015",
            Self::Differs { .. } => "VR-CANDLE-016",
            Self::Range { .. } => "VR-CANDLE-017",
            Self::Settings { .. } => "VR-CANDLE-018",
            Self::Disagreement(_) => "VR-CANDLE-019",
            Self::NoWitness { .. } => "VR-CANDLE-020",
            Self::ForeignVolumes { .. } => "VR-CANDLE-021",
            Self::Revised { .. } => REVISED_CODE,
            Self::Carried { .. } => "VR-CANDLE-023",
            Self::Lent { .. } => "VR-CANDLE-024",
            Self::Omitted { .. } => OMITTED_CODE,
            Self::NothingThere { .. } => "VR-CANDLE-025",
            Self::Unsupported { .. } => "VR-CANDLE-027",
            Self::Interval { .. } => "VR-CANDLE-028",
            Self::NoValue { .. } => "VR-CANDLE-029",
            Self::OffGrid { .. } => "VR-CANDLE-030",
            Self::Answer(fault) | Self::Candle(fault) => fault.code(),
            Self::File(fault) => fault.code(),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } => {
                "check the network and the exchange's base URL; a daemon tries again until the period ends"
            }
            Self::RateLimited { .. } => {
                "lower the weight per minute in the settings; a daemon tries again after the pause"
            }
            Self::Banned { .. } => {
                "stop other clients on this address and lower the weight per minute before trying again"
            }
            Self::Status { .. } | Self::Refused { .. } => {
                "look up the exchange's message if it stays; it is tried again until the period ends"
            }
            Self::Malformed { .. } | Self::NotAskedFor { .. } | Self::BodyTooLarge { .. } | Self::Answer(_) => {
                "if it stays, check that the base URL is the exchange's API and that no proxy changes its answers; it is asked again"
            }
            Self::ClockSkew { .. } => "synchronise this machine's clock (NTP) and try again",
            Self::Symbol { .. } | Self::UnknownSymbol { .. } => {
                "write the symbol as this exchange does, such as BTCUSDT, BTC-USD or BTC-USDT"
            }
            Self::NotCandles { .. } => {
                "give a parquet file with timestamp, open, high, low, close, volume, or an archive's CSV or zip"
            }
            Self::Unsupported { .. } => {
                "write it as CSV or zip, or as parquet with numbers and with timestamps or whole numbers of ms"
            }
            Self::Interval { .. } => "take the archive of one-minute candles, 1m in its name",
            Self::NoValue { .. } => {
                "complete the row from its source or leave it out: a missing minute is counted, a missing price is not guessed"
            }
            Self::OffGrid { .. } => "`candles import --snap` moves them to the nearest minute, and says how many",
            Self::Damaged { .. } => "download or copy the file again and compare its checksum",
            Self::TooManyRows { .. } => "split the file by year",
            Self::Listen { .. } => "stop what uses the port or choose another with --port",
            Self::Serve { .. } => "start the server again",
            Self::Differs { .. } => "check the symbol, or write to a new file if the exchange corrected its history",
            Self::NothingThere { .. } => "check symbol and dates: was it traded then? each page was asked for twice",
            Self::Range { .. } => "give whole minutes with the start before the end",
            Self::Settings { .. } => "check the exchange's settings; https needs the system's CA certificates",
            Self::Disagreement(_) => {
                "look both exchanges up at the named minutes; both are asked again, and the period is skipped rather than guessed"
            }
            Self::NoWitness { .. } => {
                "check the sources of candles.cross_check.with; a daemon tries again until the period ends"
            }
            Self::ForeignVolumes { .. } => {
                "take the source out of primary and fallbacks, or accept other volumes by candles.foreign_volumes = true"
            }
            Self::Revised { .. } => {
                "nothing: later periods use the new values, earlier ones keep what they were proven from"
            }
            Self::Carried { .. } => {
                "nothing: the last close is carried forward within the limits; name a second source in candles.fallbacks if it happens often"
            }
            Self::Lent { .. } => {
                "nothing: they are named in status and evidence, and asked for again in the next cycle"
            }
            Self::Omitted { .. } => {
                "look at the market's candles; its parameters stay as they are and tighten with their age, the others have their update"
            }
            Self::Candle(fault) => fault.hint(),
            Self::File(fault) => fault.hint(),
        }
    }

    /// Nothing that a server says is final but that it does not know the symbol, which it has said twice by then.
    fn retry(&self) -> Retry {
        match self {
            Self::Timeout { .. } => Retry::Now,
            // A malformed answer may be one that was cut short on the way, as passing as a broken connection.
            Self::Unreachable { .. } | Self::Malformed { .. } | Self::Refused { .. } => {
                Retry::Later(Duration::from_secs(1))
            }
            // A machine that has just started may not have asked the time yet; another exchange may be back soon.
            Self::ClockSkew { .. } | Self::NoWitness { .. } => Retry::Later(Duration::from_secs(5)),
            Self::RateLimited { retry_after } | Self::Banned { retry_after } => Retry::Later(*retry_after),
            Self::Status { retry_after: Some(pause), .. } => Retry::Later(*pause),
            Self::Status { status, .. } if *status >= 500 => Retry::Later(Duration::from_secs(1)),
            Self::Status { .. }
            | Self::BodyTooLarge { .. }
            | Self::NotAskedFor { .. }
            | Self::Answer(_)
            | Self::Disagreement(_) => Retry::Later(Duration::from_secs(10)),
            Self::File(fault) => fault.retry(),
            _ => Retry::Never,
        }
    }
}
