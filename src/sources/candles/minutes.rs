//! Open times as files have them: in which unit they are, how far apart, and whether on whole minutes.

use std::collections::HashMap;

use veriregime_core::types::candle::Candle;
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::time::END_MS;

/// From here on times are milliseconds: as seconds it would be the year 5138.
const FIRST_MILLISECONDS: u64 = 100_000_000_000;
/// From here on times are microseconds. Archives of spot markets switched in 2025.
const FIRST_MICROSECONDS: u64 = 1000 * FIRST_MILLISECONDS;
/// From here on times are nanoseconds.
const FIRST_NANOSECONDS: u64 = 1000 * FIRST_MICROSECONDS;
const MINUTE_SECONDS: i64 = 60;

/// What times are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

impl Unit {
    /// A time in milliseconds; `None` where it is not a whole one.
    pub fn to_ms(self, time: i64) -> Option<i64> {
        match self.per_ms() {
            Some(per_ms) => (time % per_ms == 0).then_some(time / per_ms),
            None => time.checked_mul(1000),
        }
    }

    /// A length in milliseconds, what is less left out.
    pub fn length_ms(self, length: i64) -> i64 {
        self.per_ms().map_or_else(|| length.saturating_mul(1000), |per_ms| length / per_ms)
    }

    fn per_ms(self) -> Option<i64> {
        match self {
            Self::Seconds => None,
            Self::Milliseconds => Some(1),
            Self::Microseconds => Some(1000),
            Self::Nanoseconds => Some(1_000_000),
        }
    }
}

/// The units of times that nobody says the unit of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Units {
    /// Of those that are too small for their size to tell.
    small: Unit,
}

impl Units {
    /// Their size tells, but for small ones: these are seconds if all are whole minutes as such, and not as milliseconds.
    pub fn of_all(times: impl Iterator<Item = i64>) -> Self {
        let (mut as_seconds, mut as_ms) = (true, true);
        for time in times.filter(|time| time.unsigned_abs() < FIRST_MILLISECONDS) {
            as_seconds &= time % MINUTE_SECONDS == 0;
            as_ms &= time % MINUTE_MS == 0;
        }
        Self { small: if as_seconds && !as_ms { Unit::Seconds } else { Unit::Milliseconds } }
    }

    /// The unit of one of them.
    pub fn of(self, time: i64) -> Unit {
        match time.unsigned_abs() {
            ..FIRST_MILLISECONDS => self.small,
            FIRST_MILLISECONDS..FIRST_MICROSECONDS => Unit::Milliseconds,
            FIRST_MICROSECONDS..FIRST_NANOSECONDS => Unit::Microseconds,
            _ => Unit::Nanoseconds,
        }
    }
}

/// The most common step from one candle to the next one in time; `None` where there is none, or where it is a minute.
pub fn other_step_ms(candles: &[Candle]) -> Option<i64> {
    let mut times: Vec<i64> = candles.iter().map(|candle| candle.open_time_ms).collect();
    times.sort_unstable();
    let steps = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).filter(|step| *step > 0);
    most_common(steps).filter(|step| *step != MINUTE_MS)
}

/// The most common of some lengths, and the shortest of these.
pub fn most_common(lengths: impl Iterator<Item = i64>) -> Option<i64> {
    let mut counts: HashMap<i64, usize> = HashMap::new();
    for length in lengths {
        *counts.entry(length).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(length, count)| (*count, std::cmp::Reverse(*length))).map(|(length, _)| length)
}

/// An interval as exchanges write it: `5m`, `1h`, `1d`; seconds otherwise. A length that ends just before a whole second,
/// as a close time does, is that second.
pub fn interval_name(length_ms: i64) -> String {
    const NAMES: [(i64, &str); 3] = [(86_400, "d"), (3600, "h"), (60, "m")];
    let seconds = length_ms.saturating_add(999).div_euclid(1000);
    let (count, name) = NAMES
        .iter()
        .find(|(unit, _)| seconds != 0 && seconds % unit == 0)
        .map_or((seconds, "s"), |(unit, name)| (seconds / unit, name));
    format!("{count}{name}")
}

/// The candles that do not start on a whole minute: how many, and the first one.
pub fn off_grid(candles: &[Candle]) -> Option<(usize, Candle)> {
    let is_off = |candle: &&Candle| candle.open_time_ms.rem_euclid(MINUTE_MS) != 0;
    let first = candles.iter().find(is_off)?;
    Some((candles.iter().filter(is_off).count(), *first))
}

/// What was moved to whole minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Snapped {
    /// How many candles.
    pub rows: usize,
    /// How far the one that was moved farthest, in milliseconds.
    pub farthest_ms: i64,
}

/// Moves each candle to the nearest whole minute.
pub fn snap(candles: &mut [Candle]) -> Snapped {
    let mut snapped = Snapped::default();
    for candle in candles.iter_mut().filter(|candle| (0..END_MS).contains(&candle.open_time_ms)) {
        let late_ms = candle.open_time_ms % MINUTE_MS;
        let move_ms = if 2 * late_ms < MINUTE_MS { -late_ms } else { MINUTE_MS - late_ms };
        if late_ms != 0 {
            candle.open_time_ms += move_ms;
            snapped.rows += 1;
            snapped.farthest_ms = snapped.farthest_ms.max(move_ms.abs());
        }
    }
    snapped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(open_time_ms: i64) -> Candle {
        Candle { open_time_ms, open: 1.0, high: 1.0, low: 1.0, close: 1.0, volume: 1.0 }
    }

    #[test]
    fn the_unit_of_a_time_is_told_by_its_size_and_by_the_minutes() {
        const TIME_S: i64 = 1_704_067_200;
        let ms = |times: &[i64]| {
            let units = Units::of_all(times.iter().copied());
            times.iter().map(|time| units.of(*time).to_ms(*time)).collect::<Option<Vec<_>>>()
        };
        let minutes = Some(vec![TIME_S * 1000, TIME_S * 1000 + MINUTE_MS]);
        for per_second in [1, 1000, 1_000_000, 1_000_000_000] {
            assert_eq!(ms(&[TIME_S * per_second, (TIME_S + 60) * per_second]), minutes, "{per_second}");
        }
        assert_eq!(ms(&[0, 60_000, 120_000]), Some(vec![0, 60_000, 120_000]), "minutes either way are milliseconds");
        assert_eq!(ms(&[TIME_S, TIME_S + 61]), Some(vec![TIME_S, TIME_S + 61]), "not proven");
        assert_eq!(ms(&[TIME_S * 1_000_000 + 1]), None, "not a whole millisecond");
        assert!(ms(&[i64::MIN, i64::MAX]).is_none());
    }

    #[test]
    fn the_step_of_most_candles_tells_their_interval() {
        let every = |step: i64| (0..9).map(|index| at(index * step)).collect::<Vec<_>>();
        assert_eq!(other_step_ms(&every(MINUTE_MS)), None);
        for (step, name) in [(5 * MINUTE_MS, "5m"), (60 * MINUTE_MS, "1h"), (1440 * MINUTE_MS, "1d"), (1000, "1s")] {
            assert_eq!(other_step_ms(&every(step)).map(interval_name).as_deref(), Some(name));
            assert_eq!(interval_name(step - 1), name, "a close time");
        }
        // Minutes with holes between most of them are minutes still, in any order.
        assert_eq!(other_step_ms(&[at(9 * MINUTE_MS), at(0), at(MINUTE_MS), at(4 * MINUTE_MS)]), None);
        assert_eq!(other_step_ms(&[]), None);
        assert_eq!(other_step_ms(&[at(7), at(7)]), None);
        assert!(other_step_ms(&[at(i64::MIN), at(i64::MAX)]).is_some());
    }

    #[test]
    fn candles_are_moved_to_the_nearest_minute_and_counted() {
        let mut candles = [at(60_000), at(134_789), at(179_999), at(210_000), at(-1), at(i64::MAX)];
        assert_eq!(off_grid(&candles), Some((5, candles[1])));
        assert_eq!(snap(&mut candles), Snapped { rows: 3, farthest_ms: 30_000 });
        assert_eq!(candles.map(|candle| candle.open_time_ms), [60_000, 120_000, 180_000, 240_000, -1, i64::MAX]);
        assert_eq!(snap(&mut candles[..4]), Snapped::default());
        assert_eq!(off_grid(&candles[..4]), None);
    }
}
