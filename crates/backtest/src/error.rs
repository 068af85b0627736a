//! Why nothing was measured.

use thiserror::Error;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::time::format_utc;

/// A study that cannot be made.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum BacktestError {
    /// Series of different lengths, or empty ones.
    #[error("{closes} closes and {volumes} volumes")]
    Lengths { closes: usize, volumes: usize },
    /// A price or a volume that is none.
    #[error("no usable price and volume at {}", format_utc(*time_ms))]
    Price { time_ms: i64 },
    /// A market without trade.
    #[error("no trade for more than {minutes} minutes up to {}", format_utc(*time_ms))]
    Silent { time_ms: i64, minutes: usize },
    /// Too few days to fit or to judge.
    #[error("{days} days {what}, at least {least} are needed")]
    Short { what: &'static str, days: usize, least: usize },
    /// Blocks that do not divide a minute.
    #[error("blocks of {seconds} seconds")]
    Block { seconds: u32 },
    /// A number out of its range.
    #[error("{name} is {value}, it lies in {least}..={most}")]
    Range { name: &'static str, value: f64, least: f64, most: f64 },
    /// Knots of a policy that do not rise.
    #[error("the policy's knot {knot} is not above the one before, or is none")]
    Knots { knot: usize },
    /// A borrower's position that cannot be, counted from 1.
    #[error("position {row}: {reason}")]
    Position { row: usize, reason: &'static str },
    /// A signal without a value where one is needed.
    #[error("{signal} says nothing for {}", format_utc(*time_ms))]
    Signal { signal: String, time_ms: i64 },
}

impl Diagnostic for BacktestError {
    fn code(&self) -> &'static str {
        match self {
            Self::Lengths { .. } => "VR-BACKTEST-001",
            Self::Price { .. } => "VR-BACKTEST-002",
            Self::Silent { .. } => "VR-BACKTEST-003",
            Self::Short { .. } => "VR-BACKTEST-004",
            Self::Block { .. } => "VR-BACKTEST-005",
            Self::Range { .. } => "VR-BACKTEST-006",
            Self::Signal { .. } => "VR-BACKTEST-007",
            Self::Knots { .. } => "VR-BACKTEST-008",
            Self::Position { .. } => "VR-BACKTEST-009",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Lengths { .. } | Self::Price { .. } => "give a candle file of consecutive minutes",
            Self::Silent { .. } => "choose dates before the market stopped trading, or after it began",
            Self::Short { .. } => "give a longer file, or dates that leave a month before them and a week in them",
            Self::Block { .. } => "give a number of seconds that divides 60",
            Self::Range { .. } => "give a value in this range",
            Self::Knots { .. } => "give up to four knots whose volatilities rise and whose fees do not fall",
            Self::Position { .. } => {
                "give a CSV with the columns collateral_usd and debt_usd, each debt below its collateral"
            }
            Self::Signal { .. } => "begin later, where the forecast has the candles that it looks back on",
        }
    }
}
