//! One-minute candles and the validated series that features are computed from.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::digest::Digest;
use super::period::MINUTE_MS;
use super::time::{END_MS, format_utc};
use crate::types::diagnostic::{Diagnostic, Retry};

/// Largest price that is taken for real, in quote units.
pub const MAX_PRICE: f64 = 1e12;
/// Largest one-minute volume that is taken for real, in base units.
pub const MAX_VOLUME: f64 = 1e12;

/// Pause before minutes that are missing are asked for again.
const GAP_PAUSE: Duration = Duration::from_secs(10);

/// Length of a candle's canonical bytes.
pub const CANDLE_BYTES: usize = 48;

/// One minute of trading.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Candle {
    /// First millisecond of the minute, UTC.
    pub open_time_ms: i64,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Traded amount in base units.
    pub volume: f64,
}

impl Candle {
    /// First millisecond after the minute: from here on the candle is closed.
    pub fn close_time_ms(&self) -> i64 {
        self.open_time_ms + MINUTE_MS
    }

    /// Checks one candle by itself.
    ///
    /// # Errors
    /// The first rule that it breaks: minute grid, finite positive prices, `low <= open, close <= high`, sane volume.
    pub fn check(&self) -> Result<(), SeriesError> {
        let at = self.open_time_ms;
        if at.rem_euclid(MINUTE_MS) != 0 || !(0..END_MS).contains(&at) {
            return Err(SeriesError::OffGrid { open_time_ms: at });
        }
        let prices = [self.open, self.high, self.low, self.close];
        if prices.iter().any(|price| !price.is_finite() || *price <= 0.0 || *price > MAX_PRICE) {
            return Err(SeriesError::Price { open_time_ms: at });
        }
        let (floor, ceiling) = (self.open.min(self.close), self.open.max(self.close));
        if self.low > floor || self.high < ceiling {
            return Err(SeriesError::Range { open_time_ms: at });
        }
        if !self.volume.is_finite() || !(0.0..=MAX_VOLUME).contains(&self.volume) {
            return Err(SeriesError::Volume { open_time_ms: at });
        }
        Ok(())
    }

    /// Six little-endian 64-bit words in the order of the fields.
    pub fn to_le_bytes(&self) -> [u8; CANDLE_BYTES] {
        let prices = [self.open, self.high, self.low, self.close, self.volume].map(f64::to_bits);
        let mut bytes = [0; CANDLE_BYTES];
        let (words, _) = bytes.as_chunks_mut::<8>();
        words[0] = self.open_time_ms.to_le_bytes();
        for (word, price) in words[1..].iter_mut().zip(prices) {
            *word = price.to_le_bytes();
        }
        bytes
    }

    /// The inverse of [`Candle::to_le_bytes`]. Nothing is checked.
    pub fn from_le_bytes(bytes: &[u8; CANDLE_BYTES]) -> Self {
        let (words, _) = bytes.as_chunks::<8>();
        let [open, high, low, close, volume] = [1, 2, 3, 4, 5].map(|at| f64::from_le_bytes(words[at]));
        Self { open_time_ms: i64::from_le_bytes(words[0]), open, high, low, close, volume }
    }

    /// The candle of a minute in which nothing was seen: flat at `close`, no volume.
    fn carried(open_time_ms: i64, close: f64) -> Self {
        Self { open_time_ms, open: close, high: close, low: close, close, volume: 0.0 }
    }
}

/// Why candles are refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SeriesError {
    /// An open time that is not a whole minute of the years 1970 to 9999.
    #[error("candle {open_time_ms} does not start on a whole minute of the years 1970 to 9999")]
    OffGrid { open_time_ms: i64 },
    /// A price that is not a positive finite number below [`MAX_PRICE`].
    #[error("candle {open_time_ms} has a price that is not finite, not positive or absurdly large")]
    Price { open_time_ms: i64 },
    /// `low <= open, close <= high` is broken.
    #[error("candle {open_time_ms} has an open or close outside its low and high")]
    Range { open_time_ms: i64 },
    /// A volume that is not finite, negative or above [`MAX_VOLUME`].
    #[error("candle {open_time_ms} has a volume that is not finite, negative or absurdly large")]
    Volume { open_time_ms: i64 },
    /// Two candles of one minute.
    #[error("minute {open_time_ms} appears twice")]
    Duplicate { open_time_ms: i64 },
    /// A candle that is older than the one before it.
    #[error("candle {open_time_ms} comes after a later one")]
    Unordered { open_time_ms: i64 },
    /// More minutes are missing than may be carried forward.
    #[error("{missing} of {minutes} minutes are missing, at most {allowed} may be (first missing: {})", format_utc(*first_missing_ms))]
    Gap { missing: usize, minutes: usize, allowed: usize, first_missing_ms: i64 },
    /// More consecutive minutes are missing than may be carried forward.
    #[error("{minutes} consecutive minutes are missing, at most {allowed} may be (first missing: {})", format_utc(*from_ms))]
    LongGap { from_ms: i64, minutes: usize, allowed: usize },
}

impl Diagnostic for SeriesError {
    fn code(&self) -> &'static str {
        match self {
            Self::OffGrid { .. } => "VR-DATA-001",
            Self::Price { .. } => "VR-DATA-002",
            Self::Range { .. } => "VR-DATA-003",
            Self::Volume { .. } => "VR-DATA-004",
            Self::Duplicate { .. } => "VR-DATA-005",
            Self::Unordered { .. } => "VR-DATA-006",
            Self::Gap { .. } => "VR-DATA-007",
            Self::LongGap { .. } => "VR-DATA-008",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Gap { .. } => {
                "wait for the exchange to fill the gap or fetch from another source; the period is skipped rather than guessed"
            }
            Self::LongGap { .. } => {
                "name a second source in candles.fallbacks; raise candles.max_consecutive_missing_minutes only if the exchange really stood still"
            }
            Self::Duplicate { .. } | Self::Unordered { .. } => {
                "sort the candles and drop repeats; `candles check` lists them"
            }
            _ => "look at this minute in the source; `candles check` lists every bad row of a file",
        }
    }

    /// What is missing may still come; everything else stays as it is.
    fn retry(&self) -> Retry {
        match self {
            Self::Gap { .. } | Self::LongGap { .. } => Retry::Later(GAP_PAUSE),
            _ => Retry::Never,
        }
    }
}

/// Candles of consecutive minutes, without a hole: each checked, absent minutes carried forward and counted.
#[derive(Debug, Clone, PartialEq)]
pub struct CandleSeries {
    candles: Vec<Candle>,
    carried: Vec<i64>,
}

impl CandleSeries {
    /// Makes the series of the minutes `from_ms..to_ms` (both whole minutes) out of `candles`, which must be strictly
    /// increasing. Candles before `from_ms` only serve as the price that is carried into the first minutes; those at
    /// or after `to_ms` are left out.
    ///
    /// # Errors
    /// The first broken rule, or [`SeriesError::Gap`] where more than `max_missing_minutes` are absent or nothing is
    /// there to carry forward from.
    pub fn new(candles: &[Candle], from_ms: i64, to_ms: i64, max_missing_minutes: usize) -> Result<Self, SeriesError> {
        for edge in [from_ms, to_ms] {
            if edge.rem_euclid(MINUTE_MS) != 0 {
                return Err(SeriesError::OffGrid { open_time_ms: edge });
            }
        }
        check_all(candles)?;
        let minutes = usize::try_from((to_ms - from_ms) / MINUTE_MS).unwrap_or(0);
        let start = candles.partition_point(|candle| candle.open_time_ms < from_ms);
        let end = candles.partition_point(|candle| candle.open_time_ms < to_ms);
        let missing = minutes - (end - start).min(minutes);
        let mut last_close = start.checked_sub(1).map(|before| candles[before].close);
        let mut series = Self { candles: Vec::with_capacity(minutes), carried: Vec::with_capacity(missing) };
        let mut present = candles[start..end].iter().peekable();
        let mut minute = from_ms;
        while minute < to_ms {
            let candle = match (present.next_if(|candle| candle.open_time_ms == minute), last_close) {
                (Some(candle), _) => *candle,
                (None, Some(close)) => {
                    series.carried.push(minute);
                    Candle::carried(minute, close)
                }
                (None, None) => {
                    return Err(SeriesError::Gap {
                        missing,
                        minutes,
                        allowed: max_missing_minutes,
                        first_missing_ms: minute,
                    });
                }
            };
            last_close = Some(candle.close);
            series.candles.push(candle);
            minute += MINUTE_MS;
        }
        match series.carried.first() {
            Some(&first_missing_ms) if missing > max_missing_minutes => {
                Err(SeriesError::Gap { missing, minutes, allowed: max_missing_minutes, first_missing_ms })
            }
            _ => Ok(series),
        }
    }

    /// The candles, one for each minute.
    pub fn candles(&self) -> &[Candle] {
        &self.candles
    }

    /// Open times of the minutes that were absent and carried forward, in order.
    pub fn carried(&self) -> &[i64] {
        &self.carried
    }

    /// Open time of the first minute; 0 when empty.
    pub fn start_ms(&self) -> i64 {
        self.candles.first().map_or(0, |candle| candle.open_time_ms)
    }

    /// First millisecond after the last minute; 0 when empty.
    pub fn end_ms(&self) -> i64 {
        self.candles.last().map_or(0, Candle::close_time_ms)
    }

    /// Digest of all candles' canonical bytes.
    pub fn digest(&self) -> Digest {
        let mut hasher = Sha256::new();
        for candle in &self.candles {
            hasher.update(candle.to_le_bytes());
        }
        Digest(hasher.finalize().into())
    }
}

/// Checks each candle and that their minutes strictly increase. Gaps are allowed here.
///
/// # Errors
/// The first broken rule.
pub fn check_all(candles: &[Candle]) -> Result<(), SeriesError> {
    let mut before: Option<i64> = None;
    for candle in candles {
        candle.check()?;
        let open_time_ms = candle.open_time_ms;
        match before {
            Some(last) if last == open_time_ms => return Err(SeriesError::Duplicate { open_time_ms }),
            Some(last) if last > open_time_ms => return Err(SeriesError::Unordered { open_time_ms }),
            _ => before = Some(open_time_ms),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candle(minute: i64, close: f64) -> Candle {
        Candle { open_time_ms: minute * MINUTE_MS, open: close, high: close, low: close, close, volume: 1.0 }
    }

    #[test]
    fn a_missing_minute_is_carried_flat_and_counted() {
        let series =
            CandleSeries::new(&[candle(0, 10.0), candle(2, 12.0)], 0, 3 * MINUTE_MS, 1).expect("one hole is allowed");
        assert_eq!(series.carried(), [MINUTE_MS]);
        assert_eq!(series.candles()[1], Candle::carried(MINUTE_MS, 10.0));
        assert_eq!(series.candles()[2].close.to_bits(), 12.0_f64.to_bits());
    }

    #[test]
    fn too_many_missing_minutes_are_a_gap_and_never_a_zero() {
        let fault = CandleSeries::new(&[candle(0, 10.0), candle(3, 12.0)], 0, 4 * MINUTE_MS, 1).expect_err("two holes");
        assert_eq!(fault, SeriesError::Gap { missing: 2, minutes: 4, allowed: 1, first_missing_ms: MINUTE_MS });
        let fault = CandleSeries::new(&[candle(1, 10.0)], 0, 2 * MINUTE_MS, 9).expect_err("nothing to carry from");
        assert_eq!(fault.code(), "VR-DATA-007");
        assert!(CandleSeries::new(&[], 0, MINUTE_MS, 9).is_err());
    }

    #[test]
    fn each_broken_rule_has_its_own_code() {
        let good = candle(5, 10.0);
        let cases = [
            (Candle { open_time_ms: 61, ..good }, "VR-DATA-001"),
            (Candle { open_time_ms: i64::MAX / MINUTE_MS * MINUTE_MS, ..good }, "VR-DATA-001"),
            (Candle { close: f64::NAN, ..good }, "VR-DATA-002"),
            (Candle { low: -1.0, ..good }, "VR-DATA-002"),
            (Candle { open: 0.0, ..good }, "VR-DATA-002"),
            (Candle { high: 9.0, ..good }, "VR-DATA-003"),
            (Candle { volume: -1.0, ..good }, "VR-DATA-004"),
            (Candle { volume: 1e13, ..good }, "VR-DATA-004"),
        ];
        for (bad, code) in cases {
            assert_eq!(bad.check().expect_err(code).code(), code);
        }
        assert_eq!(check_all(&[good, good]).expect_err("twice").code(), "VR-DATA-005");
        assert_eq!(check_all(&[good, candle(4, 1.0)]).expect_err("backwards").code(), "VR-DATA-006");
    }

    #[test]
    fn the_price_before_the_range_is_carried_in() {
        let series =
            CandleSeries::new(&[candle(0, 10.0), candle(2, 12.0)], MINUTE_MS, 3 * MINUTE_MS, 1).expect("carried in");
        assert_eq!(series.candles()[0].close.to_bits(), 10.0_f64.to_bits());
        assert_eq!(series.start_ms(), MINUTE_MS);
        assert_eq!(series.end_ms(), 3 * MINUTE_MS);
    }
}
