//! The grids of UTC on which forecasts are made.

use std::fmt;

use serde::{Deserialize, Serialize};

const WEEK_SECONDS: u64 = 7 * 86_400;
/// Milliseconds in one minute.
pub const MINUTE_MS: i64 = 60_000;

/// The UTC grid of a model's periods, and how far its forecasts reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// Length of a period.
    pub period_seconds: u64,
    /// What a forecast covers from its period's start on.
    pub horizon_seconds: u64,
    /// Start of period 0 after the Unix epoch, less than a period.
    pub offset_seconds: u64,
}

impl Grid {
    /// The grid of a regime model that says nothing else.
    pub const FOUR_HOURS: Self = Self { period_seconds: 14_400, horizon_seconds: 14_400, offset_seconds: 0 };

    /// Periods of so many seconds from the epoch on, each of which is forecast to its end.
    pub const fn of_seconds(period_seconds: u64) -> Self {
        Self { period_seconds, horizon_seconds: period_seconds, offset_seconds: 0 }
    }

    /// Whether a contract of risk parameters takes periods like these: whole minutes that divide a week, at most a day, from the epoch on.
    pub fn suits_risk_parameters(self) -> bool {
        let seconds = self.period_seconds;
        (60..=86_400).contains(&seconds)
            && seconds.is_multiple_of(60)
            && WEEK_SECONDS.is_multiple_of(seconds)
            && self.offset_seconds == 0
    }

    /// Number of periods in a week, at least one.
    pub fn periods_per_week(self) -> u64 {
        (WEEK_SECONDS / self.period_seconds.max(1)).max(1)
    }

    /// Position of a period in the week, below [`Grid::periods_per_week`]. Slot 0 starts on Thursday at 00:00 UTC, because the epoch was a
    /// Thursday.
    pub fn slot_of_week(self, period: PeriodId) -> usize {
        usize::try_from(period.0 % self.periods_per_week()).unwrap_or(0)
    }

    /// The period that begins at a Unix time in seconds, or contains it.
    pub fn period_at_seconds(self, unix_seconds: i64) -> PeriodId {
        self.period_at(unix_seconds.saturating_mul(1000))
    }

    /// Start of a period in Unix seconds.
    pub fn start_seconds(self, period: PeriodId) -> i64 {
        self.start_ms(period) / 1000
    }

    fn period_ms(self) -> i64 {
        i64::try_from(self.period_seconds).unwrap_or(i64::MAX).saturating_mul(1000).max(1)
    }

    fn offset_ms(self) -> i64 {
        i64::try_from(self.offset_seconds).unwrap_or(i64::MAX).saturating_mul(1000)
    }

    /// The period that contains `unix_ms`; times before the first one count as period 0.
    pub fn period_at(self, unix_ms: i64) -> PeriodId {
        PeriodId(u64::try_from(unix_ms.saturating_sub(self.offset_ms()).div_euclid(self.period_ms())).unwrap_or(0))
    }

    /// Start of a period in Unix milliseconds.
    pub fn start_ms(self, period: PeriodId) -> i64 {
        let periods = i64::try_from(period.0).unwrap_or(i64::MAX);
        periods.saturating_mul(self.period_ms()).saturating_add(self.offset_ms())
    }

    /// First millisecond after a period.
    pub fn end_ms(self, period: PeriodId) -> i64 {
        self.start_ms(period).saturating_add(self.period_ms())
    }
}

/// A period by its number on a grid. What is said here of times, is of periods of [`Grid::FOUR_HOURS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PeriodId(pub u64);

impl PeriodId {
    /// Length of a period in seconds.
    pub const SECONDS: i64 = Grid::FOUR_HOURS.period_seconds.cast_signed();
    /// Length of a period in minutes.
    pub const MINUTES: usize = Grid::FOUR_HOURS.period_seconds as usize / 60;
    /// Number of periods in a day.
    pub const PER_DAY: u64 = 86_400 / Grid::FOUR_HOURS.period_seconds;
    /// Number of periods in a week. Everything that a calendar feature can depend on.
    pub const PER_WEEK: u64 = 7 * Self::PER_DAY;

    /// The period that contains `unix_ms`; times before 1970 count as period 0.
    pub fn at_ms(unix_ms: i64) -> Self {
        Grid::FOUR_HOURS.period_at(unix_ms)
    }

    /// Start in Unix seconds.
    pub fn start_seconds(self) -> i64 {
        self.start_ms() / 1000
    }

    /// Start in Unix milliseconds.
    pub fn start_ms(self) -> i64 {
        Grid::FOUR_HOURS.start_ms(self)
    }

    /// First millisecond after the period.
    pub fn end_ms(self) -> i64 {
        Grid::FOUR_HOURS.end_ms(self)
    }

    /// The period that follows.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for PeriodId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_starts_on_a_thursday_and_has_42_slots() {
        let slot = |period| Grid::FOUR_HOURS.slot_of_week(period);
        assert_eq!(slot(PeriodId::at_ms(0)), 0);
        // 2024-08-05 00:00 UTC was a Monday: four days after Thursday.
        let crash = PeriodId::at_ms(1_722_816_000_000);
        assert_eq!(slot(crash), 24);
        assert_eq!(crash.start_ms(), 1_722_816_000_000);
        assert_eq!(PeriodId::at_ms(crash.end_ms() - 1), crash);
        assert_eq!(PeriodId::at_ms(crash.end_ms()), crash.next());
        assert_eq!((PeriodId::SECONDS, PeriodId::MINUTES, PeriodId::PER_WEEK), (14_400, 240, 42));
    }

    #[test]
    fn a_daily_grid_may_begin_in_the_morning() {
        let grid = Grid { period_seconds: 86_400, horizon_seconds: 30 * 86_400, offset_seconds: 6 * 3600 };
        let day = grid.period_at(1_722_816_000_000);
        assert_eq!(grid.start_ms(day), 1_722_816_000_000 - 18 * 3_600_000, "midnight belongs to the day before");
        assert_eq!((grid.period_at(grid.end_ms(day) - 1), grid.period_at(grid.end_ms(day))), (day, day.next()));
        assert_eq!(grid.period_at(0), PeriodId(0));
    }

    #[test]
    fn no_number_is_too_large_for_a_grid() {
        for period in [PeriodId(u64::MAX), PeriodId(u64::MAX / 2)] {
            assert!(period.start_ms() > 0 && period.end_ms() >= period.start_ms());
        }
        let largest = Grid { period_seconds: u64::MAX, horizon_seconds: 1, offset_seconds: u64::MAX };
        assert!(largest.end_ms(largest.period_at(i64::MIN)) > 0);
    }
}
