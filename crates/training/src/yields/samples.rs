//! Decisions with their features and what came.

use veriregime_core::hedge::panel::Day;
use veriregime_core::types::digest::Digest;
use veriregime_core::yields::features::{Row, Target, Window, ewma, row, target};
use veriregime_core::yields::market::Market;
use veriregime_core::yields::series::Series;
use veriregime_core::yields::{HORIZON_DAYS, Kind};

/// Of so many strategies one is held out, by its id's digest.
const HELD_OUT_OF: u8 = 5;
/// Of fewer strategies of a kind none is held out.
const LEAST_POOLS: usize = 20;

/// One strategy at the end of one day.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The strategy's place among those of the data.
    pub pool: usize,
    /// What it does.
    pub kind: Kind,
    /// The day.
    pub day: Day,
    /// Where the forecast begins.
    pub window: Window,
    /// The features.
    pub row: Row,
    /// The exponentially weighted mean of the rate, percent.
    pub ewma: f64,
    /// What came, where it has.
    pub target: Option<Target>,
}

impl Sample {
    /// What came, as far as it is known at the end of a day.
    pub fn known(&self, day: Day) -> Option<Target> {
        (self.day + HORIZON_DAYS as Day <= day).then_some(self.target).flatten()
    }
}

/// All decisions of strategies, day after day.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    /// The decisions.
    pub all: Vec<Sample>,
    /// Ids of the strategies, in their order.
    pub pools: Vec<String>,
    /// Which of them no model is fitted on.
    pub held_out: Vec<bool>,
}

impl Samples {
    /// Of these kinds' strategies.
    pub fn new<'a>(
        kinds: &[Kind],
        pools: impl Iterator<Item = (&'a str, Kind, &'a Series)> + Clone,
        market: &Market,
    ) -> Self {
        let pools = pools.filter(|(_, kind, _)| kinds.contains(kind));
        let mut samples = Self::default();
        for (id, kind, series) in pools.clone() {
            let pool = samples.pools.len();
            let of_kind = pools.clone().filter(|(_, other, _)| *other == kind).count();
            samples.pools.push(id.to_owned());
            samples.held_out.push(of_kind >= LEAST_POOLS && is_held_out(id));
            samples.all.extend((0..series.days()).filter_map(|at| sample(pool, kind, series, market, at)));
        }
        samples.all.sort_by_key(|sample| (sample.day, sample.pool));
        samples
    }

    /// Decisions that a model may be fitted on at the end of a day: of strategies that are not held out, with outcomes that are known.
    pub fn known(&self, day: Day) -> impl Iterator<Item = (&Sample, Target)> + Clone {
        let own = self.all.iter().filter(|sample| !self.held_out[sample.pool]);
        own.filter_map(move |sample| Some((sample, sample.known(day)?)))
    }
}

/// Whether a strategy is held out, by its id alone.
pub fn is_held_out(id: &str) -> bool {
    Digest::of(id.as_bytes()).0[0].is_multiple_of(HELD_OUT_OF)
}

fn sample(pool: usize, kind: Kind, series: &Series, market: &Market, at: usize) -> Option<Sample> {
    let window = Window::new(series, at)?;
    let day = series.day(at);
    let row = row(kind, series, &market.at(day), at)?;
    let target = target(series, at, &window);
    Some(Sample { pool, kind, day, window, row, ewma: ewma(series, at)?, target })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use veriregime_core::yields::series::Observation;

    /// Strategies whose rates swing at speeds of their own.
    pub fn given(pools: usize, days: i32) -> Vec<(String, Series)> {
        let rate = |pool: usize, day: i32| 6.0 + 4.0 * (f64::from(day) * 0.05 * (pool + 3) as f64 * 0.2).sin();
        let series = |pool: usize| {
            let row = |day: i32| Observation { day, apy_percent: rate(pool, day), tvl_usd: Some(1e6) };
            Series::new(&(0..days).map(row).collect::<Vec<_>>()).unwrap().0.unwrap()
        };
        (0..pools).map(|pool| (format!("pool-{pool}"), series(pool))).collect()
    }

    pub fn samples(given: &[(String, Series)]) -> Samples {
        let pools = given.iter().map(|(id, series)| (id.as_str(), Kind::Lp, series));
        Samples::new(&[Kind::Lp], pools, &Market::default())
    }

    #[test]
    fn decisions_are_in_time_s_order_and_known_when_their_week_has_ended() {
        let samples = samples(&given(3, 30));
        assert_eq!(samples.all.len(), 3 * 24);
        assert!(samples.all.is_sorted_by_key(|sample| (sample.day, sample.pool)));
        assert_eq!(samples.all.iter().filter(|sample| sample.target.is_some()).count(), 3 * 17);
        assert_eq!(samples.known(12).count(), 0);
        assert_eq!(samples.known(14).map(|(sample, _)| sample.day).collect::<Vec<_>>(), [6, 6, 6, 7, 7, 7]);
    }

    /// What other strategies do, and whether they are there at all, moves nothing of a strategy.
    #[test]
    fn strategies_do_not_leak_into_one_another() {
        let alone = samples(&given(1, 40));
        let among = samples(&given(30, 40));
        let own: Vec<_> = among.all.into_iter().filter(|sample| among.pools[sample.pool] == "pool-0").collect();
        assert_eq!(own, alone.all);
    }

    #[test]
    fn a_fifth_of_many_strategies_is_held_out() {
        assert!(samples(&given(19, 10)).held_out.iter().all(|is| !is));
        let many = samples(&given(200, 10));
        let held_out = many.held_out.iter().filter(|is| **is).count();
        assert!((20..60).contains(&held_out), "{held_out}");
        assert!(many.known(100).all(|(sample, _)| !many.held_out[sample.pool]));
    }
}
