//! Why a market cannot be added to a bundle's model.

use thiserror::Error;

use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::time::format_utc;

/// Longest time without a trade that a market's past may hold, in minutes: a horizon of nothing has no volatility.
pub const MAX_IDLE_MINUTES: usize = 240;

/// Why a market cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddMarketError {
    /// A market that the model has.
    #[error("{model} has a market {market} or a symbol {symbol} already")]
    Known { model: String, market: String, symbol: String },
    /// No proper name.
    #[error("{name:?} can be neither a market nor a symbol: up to 60 printable characters without white space")]
    Name { name: String },
    /// Minutes without candles in the middle, as of a market that was delisted.
    #[error(
        "behind row {row} of the candles {minutes} minutes are absent, from {from} on: the model takes {limit} at most"
    )]
    Hole { row: usize, from: String, minutes: usize, limit: usize },
    /// Hours in which nobody traded.
    #[error("from row {row} of the candles on nothing was traded for {minutes} minutes, {from} on")]
    Idle { row: usize, from: String, minutes: usize },
    /// Nothing is left to measure by.
    #[error("the candles end at {end}: none of {from} and later, by which the market could be measured")]
    Unmeasured { from: String, end: String },
    /// A threshold that means nothing.
    #[error("the market's threshold would be {threshold}")]
    Threshold { threshold: String },
}

impl Diagnostic for AddMarketError {
    fn code(&self) -> &'static str {
        match self {
            Self::Known { .. } => "VR-MODELS-010",
            Self::Name { .. } => "VR-MODELS-011",
            Self::Hole { .. } => "VR-MODELS-012",
            Self::Idle { .. } => "VR-MODELS-013",
            Self::Unmeasured { .. } => "VR-MODELS-014",
            Self::Threshold { .. } => "VR-MODELS-015",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Known { .. } => "`models show ID` lists its markets; name another one",
            Self::Name { .. } => "name them as exchanges do, such as --market ETH-USD --symbol ETHUSDT",
            Self::Hole { .. } | Self::Idle { .. } => {
                "leave these minutes out with --from or --to; the features look back over four weeks before --from as well"
            }
            Self::Unmeasured { .. } => "give newer candles, or an earlier --to",
            Self::Threshold { .. } => {
                "look at the candles with `candles check`: such prices hardly move, or jump all the time"
            }
        }
    }
}

/// Refuses holes and idle hours among the minutes from `from_ms` to `to_ms` of a series. Rows are counted from 1, as the file has them.
///
/// # Errors
/// [`AddMarketError::Hole`] or [`AddMarketError::Idle`].
pub fn check_past(series: &CandleSeries, [from_ms, to_ms]: [i64; 2], limit: usize) -> Result<(), AddMarketError> {
    let mut carried = series.carried().iter().peekable();
    let (mut row, mut hole, mut idle) = (0, 0, 0);
    for candle in series.candles() {
        let time_ms = candle.open_time_ms;
        let is_absent = carried.next_if_eq(&&time_ms).is_some();
        row += usize::from(!is_absent);
        if !(from_ms..to_ms).contains(&time_ms) {
            continue;
        }
        hole = if is_absent { hole + 1 } else { 0 };
        idle = if is_absent || candle.volume > 0.0 { 0 } else { idle + 1 };
        let from = |minutes: usize| format_utc(time_ms - (minutes as i64 - 1) * MINUTE_MS);
        if hole > limit {
            return Err(AddMarketError::Hole { row, from: from(hole), minutes: hole, limit });
        }
        if idle > MAX_IDLE_MINUTES {
            return Err(AddMarketError::Idle { row: row + 1 - idle, from: from(idle), minutes: idle });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use veriregime_core::types::candle::Candle;

    use super::*;

    fn series(minutes: impl Iterator<Item = i64>, volume: impl Fn(i64) -> f64) -> CandleSeries {
        let candle = |minute: i64| Candle {
            open_time_ms: minute * MINUTE_MS,
            open: 1.0,
            high: 1.0,
            low: 1.0,
            close: 1.0,
            volume: volume(minute),
        };
        let candles: Vec<Candle> = minutes.map(candle).collect();
        let (from_ms, to_ms) = (candles[0].open_time_ms, candles[candles.len() - 1].close_time_ms());
        CandleSeries::new(&candles, from_ms, to_ms, usize::MAX).unwrap()
    }

    #[test]
    fn holes_and_idle_hours_are_told_with_their_rows() {
        let all = [0, i64::MAX];
        let whole = series(0..1_000, |_| 1.0);
        assert_eq!(check_past(&whole, all, 5), Ok(()));
        let delisted = series((0..100).chain(106..1_000), |_| 1.0);
        let refused = check_past(&delisted, all, 5).unwrap_err();
        assert_eq!(refused, AddMarketError::Hole { row: 100, from: "1970-01-01T01:40Z".into(), minutes: 6, limit: 5 });
        assert_eq!((refused.code(), check_past(&delisted, all, 6)), ("VR-MODELS-012", Ok(())));
        assert_eq!(check_past(&delisted, [110 * MINUTE_MS, i64::MAX], 5), Ok(()), "it lies before");
        let idle = series(0..1_000, |minute| if (300..600).contains(&minute) { 0.0 } else { 1.0 });
        let refused = check_past(&idle, all, 5).unwrap_err();
        assert_eq!(refused, AddMarketError::Idle { row: 301, from: "1970-01-01T05:00Z".into(), minutes: 241 });
        // Minutes that nobody has are no minutes without trade.
        let gaps = series((0..1_000).filter(|minute| minute % 100 != 0 || *minute == 0), |minute| {
            if (300..600).contains(&minute) { 0.0 } else { 1.0 }
        });
        assert_eq!(check_past(&gaps, all, 5), Ok(()));
    }
}
