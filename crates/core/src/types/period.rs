//! The four-hour grid of UTC on which forecasts are made.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Milliseconds in one minute.
pub const MINUTE_MS: i64 = 60_000;

/// A four-hour slot of the UTC grid: `floor(unix_seconds / 14400)`. The forecast made at its start covers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PeriodId(pub u64);

impl PeriodId {
    /// Length of a period in seconds.
    pub const SECONDS: i64 = 14_400;
    /// Length of a period in minutes, which is also the forecast horizon.
    pub const MINUTES: usize = 240;
    /// Number of periods in a day.
    pub const PER_DAY: u64 = 6;
    /// Number of periods in a week. Everything that a calendar feature can depend on.
    pub const PER_WEEK: u64 = 42;

    /// The period that contains `unix_ms`; times before 1970 count as period 0.
    pub fn at_ms(unix_ms: i64) -> Self {
        Self(u64::try_from(unix_ms.div_euclid(Self::SECONDS * 1000)).unwrap_or(0))
    }

    /// Start in Unix seconds.
    pub fn start_seconds(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX / Self::SECONDS).saturating_mul(Self::SECONDS)
    }

    /// Start in Unix milliseconds.
    pub fn start_ms(self) -> i64 {
        self.start_seconds().saturating_mul(1000)
    }

    /// First millisecond after the period.
    pub fn end_ms(self) -> i64 {
        self.start_ms().saturating_add(Self::SECONDS * 1000)
    }

    /// The period that follows.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Position in the week, `0..42`. Slot 0 starts on Thursday at 00:00 UTC, because the epoch was a Thursday.
    pub fn slot_of_week(self) -> usize {
        usize::try_from(self.0 % Self::PER_WEEK).expect("a remainder of 42 fits")
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
        assert_eq!(PeriodId::at_ms(0).slot_of_week(), 0);
        // 2024-08-05 00:00 UTC was a Monday: four days after Thursday.
        let crash = PeriodId::at_ms(1_722_816_000_000);
        assert_eq!(crash.slot_of_week(), 24);
        assert_eq!(crash.start_ms(), 1_722_816_000_000);
        assert_eq!(PeriodId::at_ms(crash.end_ms() - 1), crash);
        assert_eq!(PeriodId::at_ms(crash.end_ms()), crash.next());
    }
}
