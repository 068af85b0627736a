//! What attestors state beside a strategy's forecast: the level that its change is of, how wide an interval is, and how old
//! the data are. Pure.

use serde::{Deserialize, Serialize};

use super::scale::MAX_Z;
use crate::hedge::panel::Day;

/// Parts of a unit on chain.
const E9: f64 = 1e9;
/// Widest interval that is stated, in sizes of a forecast.
pub const MAX_FACTOR: f64 = 100.0;

/// Numbers as the contract takes them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// The last day of the data, counted from 1970-01-01.
    pub day: u32,
    /// `z` of the mean rate of the 7 days up to it, times 1e9.
    pub level_e9: i64,
    /// What the size of an error is multiplied with for half of the interval, times 1e9.
    pub factor_e9: u64,
}

impl Level {
    /// Rounded to nearest; `None` for numbers that no strategy has.
    pub fn of(day: Day, level: f64, factor: f64) -> Option<Self> {
        let is_one = level.abs() <= MAX_Z && (0.0..=MAX_FACTOR).contains(&factor);
        let (level_e9, factor_e9) = (libm::round(level * E9) as i64, libm::round(factor * E9) as u64);
        let day = u32::try_from(day).ok()?;
        is_one.then_some(Self { day, level_e9, factor_e9 })
    }

    /// `z` of the mean rate of the last 7 days.
    pub fn level(&self) -> f64 {
        self.level_e9 as f64 / E9
    }

    /// The interval's factor.
    pub fn factor(&self) -> f64 {
        self.factor_e9 as f64 / E9
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_rounded_and_kept_within_what_there_is() {
        let level = Level::of(20_000, -1.234_567_890_6, 2.5).unwrap();
        assert_eq!((level.day, level.level_e9, level.factor_e9), (20_000, -1_234_567_891, 2_500_000_000));
        assert!((level.level() + 1.234_567_891).abs() < 1e-15 && (level.factor() - 2.5).abs() < 1e-15);
        for (day, z, factor) in [
            (-1, 0.0, 1.0),
            (1, 8.1, 1.0),
            (1, f64::NAN, 1.0),
            (1, 0.0, -0.1),
            (1, 0.0, f64::INFINITY),
            (1, 0.0, f64::NAN),
        ] {
            assert_eq!(Level::of(day, z, factor), None, "{day} {z} {factor}");
        }
    }
}
