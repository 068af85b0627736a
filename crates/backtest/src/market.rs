//! The market that a pool trades against.

use std::ops::Range;

use crate::error::BacktestError;

/// Milliseconds of a minute.
pub const MINUTE_MS: i64 = 60_000;
/// Minutes of a day.
pub const DAY_MINUTES: usize = 1_440;
/// Most minutes in a row without trade: a study of volume means nothing beyond.
const MAX_SILENT_MINUTES: usize = 360;

/// One-minute closes and volumes, one entry for each consecutive minute.
#[derive(Debug, Clone, PartialEq)]
pub struct Market {
    /// For people.
    pub name: String,
    /// First millisecond of the first minute, UTC.
    pub start_ms: i64,
    /// Last prices of the minutes, in quote units.
    pub closes: Vec<f64>,
    /// Traded amounts of the minutes, in quote units.
    pub volumes: Vec<f64>,
}

impl Market {
    /// Checks the series.
    ///
    /// # Errors
    /// [`BacktestError::Lengths`], [`BacktestError::Price`], [`BacktestError::Silent`].
    pub fn check(&self) -> Result<(), BacktestError> {
        if self.closes.len() != self.volumes.len() || self.closes.is_empty() {
            return Err(BacktestError::Lengths { closes: self.closes.len(), volumes: self.volumes.len() });
        }
        let unusable = |value: f64, least: f64| !value.is_finite() || value < least;
        let at = (0..self.closes.len())
            .find(|at| unusable(self.closes[*at], f64::MIN_POSITIVE) || unusable(self.volumes[*at], 0.0));
        if let Some(at) = at {
            return Err(BacktestError::Price { time_ms: self.time_ms(at) });
        }
        let mut silent = 0;
        for (at, volume) in self.volumes.iter().enumerate() {
            silent = if *volume > 0.0 { 0 } else { silent + 1 };
            if silent > MAX_SILENT_MINUTES {
                return Err(BacktestError::Silent { time_ms: self.time_ms(at), minutes: MAX_SILENT_MINUTES });
            }
        }
        Ok(())
    }

    /// When a minute begins, ms UTC.
    pub fn time_ms(&self, at: usize) -> i64 {
        self.start_ms + at as i64 * MINUTE_MS
    }

    /// The minutes that begin within `times`, ms UTC.
    pub fn minutes(&self, times: &Range<i64>) -> Range<usize> {
        let index = |time_ms: i64| {
            let minutes = time_ms.saturating_sub(self.start_ms).max(0).saturating_add(MINUTE_MS - 1) / MINUTE_MS;
            usize::try_from(minutes).unwrap_or(usize::MAX).min(self.closes.len())
        };
        index(times.start)..index(times.end)
    }

    /// Number of minutes.
    pub fn len(&self) -> usize {
        self.closes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.closes.is_empty()
    }
}

/// The newest whole days of some minutes.
pub fn whole_days(minutes: &Range<usize>) -> Range<usize> {
    minutes.end - minutes.len() / DAY_MINUTES * DAY_MINUTES..minutes.end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn market() -> Market {
        Market { name: "m".to_owned(), start_ms: 120_000, closes: vec![1.0; 1000], volumes: vec![1.0; 1000] }
    }

    #[test]
    fn minutes_are_those_that_begin_within_the_times() {
        let market = market();
        assert_eq!(market.minutes(&(i64::MIN..i64::MAX)), 0..1000);
        assert_eq!(market.minutes(&(120_001..240_000)), 1..2);
        assert_eq!(market.minutes(&(180_000..180_001)), 1..2);
    }

    #[test]
    fn prices_that_are_none_and_hours_without_trade_are_refused_with_their_time() {
        assert_eq!(market().check(), Ok(()));
        let mut broken = market();
        broken.closes[2] = 0.0;
        assert_eq!(broken.check(), Err(BacktestError::Price { time_ms: 240_000 }));
        let mut silent = market();
        silent.volumes[10..400].fill(0.0);
        assert!(matches!(silent.check(), Err(BacktestError::Silent { .. })));
        let mut short = market();
        short.volumes.pop();
        assert!(matches!(short.check(), Err(BacktestError::Lengths { closes: 1000, volumes: 999 })));
    }
}
