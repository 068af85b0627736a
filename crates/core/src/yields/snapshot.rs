//! What was known when a strategy was forecast: its bytes are what a forecast is of, and what evidence carries. Pure.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Kind;
use super::market::View;
use super::series::{Observation, Series};
use crate::hedge::panel::Day;
use crate::hedge::snapshot::{Exact, MAX_SNAPSHOT_BYTES};
use crate::types::digest::Digest;

/// Days before the last one that a forecast, its age and its risk look at.
pub const HISTORY_DAYS: usize = 98;

/// Why there is no forecast of a strategy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no forecast of {strategy}: {reason}")]
pub struct NoYield {
    /// The strategy.
    pub strategy: String,
    /// In words.
    pub reason: String,
}

/// A strategy's days up to the last one that counts, and what is known beside them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The strategy, as its operator calls it.
    pub strategy: String,
    /// What publishers call it.
    pub pool: String,
    /// What it does.
    pub kind: Kind,
    /// The last day that counts, counted from 1970-01-01; it has a rate.
    pub day: Day,
    /// Rates in percent a year, the last day's last; `null` for a day that has none.
    pub rates: Vec<Option<Exact>>,
    /// USD that lay in it, on the same days.
    pub tvl: Vec<Option<Exact>>,
    /// See [`View::deviation`].
    pub market_deviation: Option<Exact>,
    /// See [`View::weekly_return`].
    pub market_return: Option<Exact>,
    /// See [`View::gas`].
    pub gas: Option<Exact>,
    /// What a forecast's size is multiplied with for half of its interval, by the scores of the kind that were known.
    pub factor: Exact,
}

impl Snapshot {
    /// At a position of a series.
    pub fn new(
        (strategy, pool, kind): (&str, &str, Kind),
        series: &Series,
        at: usize,
        market: View,
        factor: f64,
    ) -> Self {
        let days = (at + 1).saturating_sub(HISTORY_DAYS)..=at;
        Self {
            strategy: strategy.to_owned(),
            pool: pool.to_owned(),
            kind,
            day: series.day(at),
            rates: days.clone().map(|position| series.apy(position).map(Exact)).collect(),
            tvl: days.map(|position| series.tvl(position).map(Exact)).collect(),
            market_deviation: market.deviation.map(Exact),
            market_return: market.weekly_return.map(Exact),
            gas: market.gas.map(Exact),
            factor: Exact(factor),
        }
    }

    /// The bytes that its digest is of.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a snapshot has only names, numbers and lists")
    }

    /// Digest of its bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    /// Reads what [`Snapshot::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`NoYield`] for other bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoYield> {
        let refused = |reason: String| NoYield { strategy: "whatever strategy".into(), reason };
        if bytes.len() > MAX_SNAPSHOT_BYTES {
            return Err(refused(format!("its snapshot has more than {MAX_SNAPSHOT_BYTES} bytes")));
        }
        serde_json::from_slice(bytes).map_err(|error| refused(format!("its snapshot cannot be read: {error}")))
    }

    /// Its days as a series, whose last position is the decision's.
    ///
    /// # Errors
    /// [`NoYield`] where they cannot be one.
    pub fn series(&self) -> Result<Series, NoYield> {
        let refused = || self.refused("its days are no series that ends with a rate");
        let last = self.rates.len().checked_sub(1).filter(|last| *last < HISTORY_DAYS).ok_or_else(refused)?;
        let row = |(position, rate): (usize, &Option<Exact>)| {
            let tvl_usd = self.tvl.get(position).copied().flatten().map(|tvl| tvl.0);
            let day = self.day - Day::try_from(last - position).unwrap_or(0);
            rate.map(|rate| Observation { day, apy_percent: rate.0, tvl_usd })
        };
        let rows: Vec<Observation> = self.rates.iter().enumerate().filter_map(row).collect();
        let series = Series::new(&rows).ok().and_then(|(series, _)| series).ok_or_else(refused)?;
        if series.last_day() == self.day { Ok(series) } else { Err(refused()) }
    }

    /// Bitcoin and gas, as they were known.
    pub fn market(&self) -> View {
        let of = |number: Option<Exact>| number.map(|number| number.0);
        View { deviation: of(self.market_deviation), weekly_return: of(self.market_return), gas: of(self.gas) }
    }

    pub(super) fn refused(&self, reason: impl Into<String>) -> NoYield {
        NoYield { strategy: self.strategy.clone(), reason: reason.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::features::row;
    use super::*;

    fn series(days: Day, later: f64) -> Series {
        let rows: Vec<Observation> = (0..days)
            .filter(|day| day % 11 != 3)
            .map(|day| {
                let apy_percent = if day > 149 { later } else { 5.0 + f64::from(day * 7 % 13) };
                Observation { day, apy_percent, tvl_usd: Some(1e6 + f64::from(day)) }
            })
            .collect();
        Series::new(&rows).unwrap().0.unwrap()
    }

    fn at_149(series: &Series) -> Snapshot {
        let view = View { deviation: Some(-3.25), weekly_return: None, gas: Some(0.1) };
        Snapshot::new(("mine", "pool-1", Kind::Lp), series, 149, view, 2.5)
    }

    /// What a model sees of a snapshot is what it sees of the whole history, to the last bit.
    #[test]
    fn the_features_are_those_of_the_whole_history_and_the_bytes_come_back() {
        let whole = series(200, 7.0);
        let snapshot = at_149(&whole);
        let cut = snapshot.series().unwrap();
        let features = row(Kind::Lp, &whole, &snapshot.market(), 149).unwrap();
        assert_eq!(row(Kind::Lp, &cut, &snapshot.market(), cut.days() - 1).unwrap(), features);
        let bytes = snapshot.to_bytes();
        let read = Snapshot::parse(&bytes).unwrap();
        assert_eq!((&read, read.to_bytes()), (&snapshot, bytes));
        assert!(Snapshot::parse(b"{}").is_err());
    }

    #[test]
    fn a_later_day_changes_nothing() {
        assert_eq!(at_149(&series(200, 7.0)).to_bytes(), at_149(&series(200, 900.0)).to_bytes());
    }

    #[test]
    fn days_that_are_no_series_are_refused() {
        let good = at_149(&series(160, 7.0));
        for broken in [
            Snapshot { rates: Vec::new(), ..good.clone() },
            Snapshot { rates: vec![Some(Exact(1.0)), None], ..good.clone() },
            Snapshot { rates: vec![Some(Exact(f64::INFINITY))], ..good.clone() },
            Snapshot { rates: vec![Some(Exact(1.0)); HISTORY_DAYS + 1], ..good.clone() },
            Snapshot { tvl: vec![Some(Exact(-1.0)); HISTORY_DAYS], ..good.clone() },
        ] {
            assert!(broken.series().is_err(), "{broken:?}");
        }
    }
}
