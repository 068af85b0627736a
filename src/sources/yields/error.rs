//! Why rates are not taken, or nothing is said of a strategy.

use thiserror::Error;

use crate::sources::candles::error::CandleError;
use crate::sources::tables::error::TableError;
use veriregime_core::types::diagnostic::{Diagnostic, Retry};
use veriregime_core::types::time::format_day;
use veriregime_core::yields::model::StrategyError;
use veriregime_core::yields::series::Fault;
use veriregime_core::yields::{HORIZON_DAYS, WINDOW_DAYS};
use veriregime_files::FileError;
use veriregime_portfolio::error::PortfolioError;

/// Code of a day that a publisher has not told yet.
pub const NOT_RENEWED_CODE: &str = "VR-YIELD-015";

/// Why rates are not taken, or nothing is said of a strategy.
#[derive(Debug, Error)]
pub enum YieldError {
    /// Rates that look like shares of 1.
    #[error("apy of {table} seems to be a fraction, not percent: no rate is above {highest}")]
    Fractions { table: String, highest: f64 },
    /// Less than nothing in a pool.
    #[error("tvlUsd of {pool} in {table} is {tvl_usd} on {}", format_day(*day))]
    NegativeTvl { table: String, pool: String, day: i32, tvl_usd: f64 },
    /// Days that do not follow one another.
    #[error("rows of {pool} in {table} are not in time's order at {}", format_day(*day))]
    Disorder { table: String, pool: String, day: i32 },
    /// A rate that is none, or more days than there can be.
    #[error("apy of {pool} in {table} cannot be: {reason}")]
    Rate { table: String, pool: String, reason: String },
    /// A folder without rates.
    #[error("{folder} has no table of yields: yields_lp…, yields_lending… or yields_delta…, csv or parquet")]
    Absent { folder: String },
    /// A strategy that nobody knows.
    #[error("there is no strategy {name:?}{}", similar.as_ref().map_or_else(String::new, |similar| format!("; did you mean {similar}?")))]
    Unknown { name: String, similar: Option<String> },
    /// A horizon that no model has.
    #[error("models here forecast {HORIZON_DAYS} days, not {days}")]
    Horizon { days: i64 },
    /// No strategies, or far too many.
    #[error("{count} strategies are none, or more than {limit}")]
    Count { count: usize, limit: usize },
    /// A strategy that is not published any more.
    #[error("{pool} has no rate since {}; the data go to {}", format_day(*last_day), format_day(*data_day))]
    Vanished { pool: String, last_day: i32, data_day: i32 },
    /// A strategy that is too young, or has too many gaps.
    #[error("too few of the {WINDOW_DAYS} days of {pool} up to {} have a rate", format_day(*day))]
    TooFew { pool: String, day: i32 },
    /// Data that are older than is allowed.
    #[error("the data go to {}, {age_days} days ago; {limit_days} are allowed", format_day(*day))]
    Stale { day: i32, age_days: i64, limit_days: u32 },
    /// An answer of another shape.
    #[error("{url} does not answer as DefiLlama: {detail}")]
    Answer { url: String, detail: String },
    /// Models without a decision that both could have been judged on.
    #[error("{first} and {second} have no decision in common that neither was fitted on")]
    NoCommonRows { first: String, second: String },
    /// No price of gas, or of ether, from which a move's cost would follow.
    #[error("what gas costs on {} is not known", format_day(*day))]
    NoGas { day: i32 },
    /// Model bundles without one for this kind.
    #[error("there is no model for {kind}")]
    NoModel { kind: &'static str },
    /// A strategy that tables say to be of another kind.
    #[error("{pool} is {kind} in the tables, not {wanted}")]
    OtherKind { pool: String, kind: &'static str, wanted: &'static str },
    /// A strategy whose publisher has nothing new yet.
    #[error("{strategy} has no rate after {} yet{}", format_day(*last_day), code.as_ref().map_or_else(String::new, |code| format!(": its publisher cannot be asked ({code})")))]
    NotRenewed { strategy: String, last_day: i32, code: Option<String> },
    /// What is stored of a strategy, or a model, does not do.
    #[error(transparent)]
    Strategy(#[from] StrategyError),
    /// No portfolio of these strategies.
    #[error(transparent)]
    Portfolio(#[from] PortfolioError),
    /// A publisher that cannot be asked.
    #[error(transparent)]
    Http(#[from] CandleError),
    /// A file that is no table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A file fault.
    #[error(transparent)]
    File(#[from] FileError),
}

impl YieldError {
    /// The error of a pool's rows.
    pub fn of(fault: Fault, table: &str, pool: &str) -> Self {
        let (table, pool) = (table.to_owned(), pool.to_owned());
        match fault {
            Fault::Disorder { day } => Self::Disorder { table, pool, day },
            Fault::NegativeTvl { day, tvl_usd } => Self::NegativeTvl { table, pool, day, tvl_usd },
            Fault::Contradiction { day, first, second } => {
                let table = format!("{pool} in {table}");
                TableError::Contradiction { table, column: "apy", day, first, second }.into()
            }
            Fault::Infinite { day } => {
                Self::Rate { table, pool, reason: format!("it is infinite on {}", format_day(day)) }
            }
            Fault::TooLong => Self::Rate { table, pool, reason: "it has more days than a century".into() },
        }
    }
}

impl Diagnostic for YieldError {
    fn code(&self) -> &'static str {
        match self {
            Self::Fractions { .. } => "VR-YIELD-001",
            Self::NegativeTvl { .. } => "VR-YIELD-002",
            Self::Disorder { .. } => "VR-YIELD-003",
            Self::Rate { .. } => "VR-YIELD-004",
            Self::Absent { .. } => "VR-YIELD-005",
            Self::Unknown { .. } => "VR-YIELD-006",
            Self::Horizon { .. } => "VR-YIELD-007",
            Self::Count { .. } => "VR-YIELD-008",
            Self::Vanished { .. } => "VR-YIELD-009",
            Self::TooFew { .. } => "VR-YIELD-010",
            Self::Stale { .. } => "VR-YIELD-011",
            Self::Answer { .. } => "VR-YIELD-012",
            Self::NoModel { .. } => "VR-YIELD-013",
            Self::NoGas { .. } => "VR-YIELD-020",
            Self::NoCommonRows { .. } => "VR-YIELD-021",
            Self::NotRenewed { .. } => NOT_RENEWED_CODE,
            Self::OtherKind { .. } => "VR-YIELD-016",
            Self::Strategy(error) => error.code(),
            Self::Portfolio(error) => error.code(),
            Self::Http(error) => error.code(),
            Self::Table(error) => error.code(),
            Self::File(error) => error.code(),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Fractions { .. } => "multiply the column by 100: rates are in percent a year",
            Self::NegativeTvl { .. } | Self::Rate { .. } => {
                "compare the day with the publisher's page; correct or drop the row"
            }
            Self::Disorder { .. } => "sort the rows of each pool by date, the oldest first",
            Self::Absent { .. } => "put the files there, or get pools with `tables fetch-yields`",
            Self::Unknown { .. } => "give a pool's id as the tables have it, or name it with --strategy NAME=POOL",
            Self::Horizon { .. } => "ask for 7 days",
            Self::Count { .. } => "name the strategies that you want, in several calls if need be",
            Self::Vanished { .. } => "look whether the pool still exists; take it out of the strategies if it does not",
            Self::TooFew { .. } => "wait until it has a week of rates, or fetch the days that are missing",
            Self::Stale { .. } => "get newer rates with `tables fetch-yields`, or allow more with --max-age-days",
            Self::Answer { .. } => "look at the address in a browser; another one can be given by --url",
            Self::NoCommonRows { .. } => {
                "give tables that go further than the outcomes of both, or train one up to an earlier day with --until"
            }
            Self::NoGas { .. } => {
                "say what a transaction costs with --gas-usd, or put eth_gas_daily with eth_usd into the folder"
            }
            Self::NoModel { .. } => "train one with `yield train`, or name the folder that has it",
            Self::OtherKind { .. } => "correct the kind in yields.strategies, or take the table away",
            Self::NotRenewed { .. } => {
                "nothing: it is asked for again; from an hour after the day's start its last edition counts"
            }
            Self::Strategy(error) => error.hint(),
            Self::Portfolio(error) => error.hint(),
            Self::Http(error) => error.hint(),
            Self::Table(error) => error.hint(),
            Self::File(error) => error.hint(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Strategy(error) => error.retry(),
            Self::Http(error) => error.retry(),
            Self::Table(error) => error.retry(),
            Self::File(error) => error.retry(),
            _ => Retry::Never,
        }
    }
}
