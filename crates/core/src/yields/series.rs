//! One strategy's rates, one for each day that has one, cleaned by rules that are counted.

use serde::Serialize;

use super::WINDOW_DAYS;
use super::scale::clipped;
use crate::hedge::panel::{Day, MAX_DAYS};

/// One day of a strategy as it was published.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// The day; its values are known at its end.
    pub day: Day,
    /// Rate in percent a year; no number where none was published.
    pub apy_percent: f64,
    /// What lies in the strategy, USD, where that is told.
    pub tvl_usd: Option<f64>,
}

/// What the rules of cleaning met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Cleaning {
    /// Strategies.
    pub pools: usize,
    /// Rows.
    pub rows: usize,
    /// Rows without a rate: left out.
    pub without_apy: usize,
    /// Rates of zero: kept.
    pub zeros: usize,
    /// Rates beyond 2,980 %: clipped to it.
    pub outliers: usize,
    /// Rows of a day that came before with the same numbers: left out.
    pub repeated: usize,
    /// Days between the first and the last that have no rate.
    pub gap_days: usize,
    /// Strategies with fewer days than a forecast begins from: nothing is said of them.
    pub young_pools: usize,
}

impl Cleaning {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            pools: self.pools + other.pools,
            rows: self.rows + other.rows,
            without_apy: self.without_apy + other.without_apy,
            zeros: self.zeros + other.zeros,
            outliers: self.outliers + other.outliers,
            repeated: self.repeated + other.repeated,
            gap_days: self.gap_days + other.gap_days,
            young_pools: self.young_pools + other.young_pools,
        }
    }
}

/// What a strategy's rows have that no strategy has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// A row that is older than the one before it.
    Disorder {
        /// Its day.
        day: Day,
    },
    /// Two different rates for one day.
    Contradiction {
        /// The day.
        day: Day,
        /// The rate that came first.
        first: f64,
        /// The other one.
        second: f64,
    },
    /// Less than nothing in the strategy.
    NegativeTvl {
        /// The day.
        day: Day,
        /// What lies in it, USD.
        tvl_usd: f64,
    },
    /// A rate of an infinite size.
    Infinite {
        /// The day.
        day: Day,
    },
    /// More days than a century has.
    TooLong,
}

/// A strategy's days from its first to its last, with gaps.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    first_day: Day,
    apy: Vec<Option<f64>>,
    tvl: Vec<Option<f64>>,
}

impl Series {
    /// A series of rows in time's order, with what the rules met; no series where no row has a rate.
    ///
    /// # Errors
    /// The first [`Fault`].
    pub fn new(rows: &[Observation]) -> Result<(Option<Self>, Cleaning), Fault> {
        let mut cleaning = Cleaning { pools: 1, rows: rows.len(), ..Cleaning::default() };
        let mut series: Option<Self> = None;
        let mut before: Option<Observation> = None;
        for row in rows {
            let Observation { day, apy_percent, tvl_usd } = *row;
            if let Some(tvl_usd) = tvl_usd.filter(|tvl| *tvl < 0.0) {
                return Err(Fault::NegativeTvl { day, tvl_usd });
            }
            if apy_percent.is_infinite() {
                return Err(Fault::Infinite { day });
            }
            if apy_percent.is_nan() {
                cleaning.without_apy += 1;
                continue;
            }
            if let Some(before) = before {
                if day < before.day {
                    return Err(Fault::Disorder { day });
                }
                if day == before.day {
                    if before.apy_percent.total_cmp(&apy_percent).is_ne() {
                        return Err(Fault::Contradiction { day, first: before.apy_percent, second: apy_percent });
                    }
                    cleaning.repeated += 1;
                    continue;
                }
            }
            before = Some(*row);
            let rate = clipped(apy_percent);
            cleaning.zeros += usize::from(rate == 0.0);
            cleaning.outliers += usize::from(rate.total_cmp(&apy_percent).is_ne());
            let series = series.get_or_insert_with(|| Self { first_day: day, apy: Vec::new(), tvl: Vec::new() });
            let position = series.position(day).filter(|position| *position < MAX_DAYS).ok_or(Fault::TooLong)?;
            series.apy.resize(position, None);
            series.apy.push(Some(rate));
            series.tvl.resize(position, None);
            series.tvl.push(tvl_usd.filter(|tvl| tvl.is_finite()));
        }
        let days = series.as_ref().map_or(0, Self::known_days);
        cleaning.gap_days = series.as_ref().map_or(0, |series| series.apy.len() - days);
        cleaning.young_pools = usize::from(days < WINDOW_DAYS);
        Ok((series, cleaning))
    }

    /// The first day.
    pub fn first_day(&self) -> Day {
        self.first_day
    }

    /// The last day; it has a rate.
    pub fn last_day(&self) -> Day {
        self.first_day + self.apy.len() as Day - 1
    }

    /// Positions from the first day to the last.
    pub fn days(&self) -> usize {
        self.apy.len()
    }

    /// Days that have a rate.
    pub fn known_days(&self) -> usize {
        self.apy.iter().flatten().count()
    }

    /// Where a day lies; nothing for days before the first.
    pub fn position(&self, day: Day) -> Option<usize> {
        usize::try_from(i64::from(day) - i64::from(self.first_day)).ok()
    }

    /// The day at a position.
    pub fn day(&self, position: usize) -> Day {
        self.first_day + position as Day
    }

    /// The rate of a position, in percent.
    pub fn apy(&self, position: usize) -> Option<f64> {
        *self.apy.get(position)?
    }

    /// What lay in the strategy, USD.
    pub fn tvl(&self, position: usize) -> Option<f64> {
        *self.tvl.get(position)?
    }

    /// Rates of the positions `from..to` that have one.
    pub fn known(&self, from: usize, to: usize) -> impl Iterator<Item = f64> + Clone {
        self.apy[from.min(self.apy.len())..to.min(self.apy.len())].iter().flatten().copied()
    }

    /// Days that have a rate, with what lay in the strategy.
    pub fn iter(&self) -> impl Iterator<Item = Observation> {
        let rows = self.apy.iter().zip(&self.tvl).enumerate();
        rows.filter_map(|(position, (apy, tvl))| {
            Some(Observation { day: self.day(position), apy_percent: (*apy)?, tvl_usd: *tvl })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(day: Day, apy_percent: f64) -> Observation {
        Observation { day, apy_percent, tvl_usd: Some(1000.0) }
    }

    #[test]
    fn rules_are_counted_and_nothing_is_filled() {
        let rows = [row(10, 5.0), row(11, 0.0), row(11, 0.0), row(12, f64::NAN), row(14, 355_083.0), row(15, -2.0)];
        let (series, cleaning) = Series::new(&rows).unwrap();
        let series = series.unwrap();
        assert_eq!((series.first_day(), series.last_day(), series.days(), series.known_days()), (10, 15, 6, 4));
        assert_eq!((series.apy(0), series.apy(2), series.apy(3), series.apy(6)), (Some(5.0), None, None, None));
        assert!((series.apy(4).unwrap() - 2979.957).abs() < 1e-2);
        assert_eq!(series.position(9), None);
        let expected = Cleaning {
            pools: 1,
            rows: 6,
            without_apy: 1,
            zeros: 1,
            outliers: 1,
            repeated: 1,
            gap_days: 2,
            young_pools: 1,
        };
        assert_eq!(cleaning, expected);
        assert_eq!(cleaning.and(cleaning).rows, 12);
        assert_eq!(series.iter().map(|row| row.day).collect::<Vec<_>>(), [10, 11, 14, 15]);
        assert_eq!(Series::new(&[row(3, f64::NAN)]).unwrap().0, None);
    }

    #[test]
    fn what_no_strategy_has_is_refused_by_its_day() {
        let negative = Observation { day: 7, apy_percent: 1.0, tvl_usd: Some(-1.0) };
        for (rows, fault) in [
            (vec![row(5, 1.0), row(4, 1.0)], Fault::Disorder { day: 4 }),
            (vec![row(5, 1.0), row(5, 2.0)], Fault::Contradiction { day: 5, first: 1.0, second: 2.0 }),
            (vec![negative], Fault::NegativeTvl { day: 7, tvl_usd: -1.0 }),
            (vec![row(5, f64::INFINITY)], Fault::Infinite { day: 5 }),
            (vec![row(0, 1.0), row(1_000_000, 1.0)], Fault::TooLong),
        ] {
            assert_eq!(Series::new(&rows).unwrap_err(), fault);
        }
    }
}
