//! Policies side by side: what each of them would have earned a pool's liquidity.

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;
use serde::Serialize;

use crate::blocks::Blocks;
use crate::closure::{Closure, Weights};
use crate::contract::Contract;
use crate::entry::Entry;
use crate::error::BacktestError;
use crate::fee::{FeeMap, Shape};
use crate::given::{Lead, usd_per_year_of};
use crate::market::{DAY_MINUTES, MINUTE_MS, Market, whole_days};
use crate::pool::{self, Days};
use crate::signal::Signal;

/// Fewest days to fit the static fee and the map on, and to judge policies on.
const LEAST_EARLIER_DAYS: usize = 30;
const LEAST_JUDGED_DAYS: usize = 7;
/// Shapes that are tried: the level up to the knee, in static fees, and how the fee grows behind.
const SHARES: [f64; 6] = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
const EXPONENTS: [f64; 5] = [1.0, 1.5, 2.0, 2.5, 3.0];
/// Where the knee is: the share of the guide's volatilities that lie below.
const KNEE: f64 = 0.75;
/// Steps towards a level with a given mean fee: each halves what the bound on the fee bends at least.
const LEVEL_STEPS: usize = 6;
/// Days whose part of the whole is told.
const BEST_DAYS: usize = 5;

/// Who sets the fee.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Stable name.
    pub name: String,
    /// What it looks at.
    pub signal: Signal,
    /// What it makes of it, where it does not share the map of all.
    pub map: Option<FeeMap>,
    /// The rules of a contract that stand between the signal and the fee; none where the fee follows at once.
    pub contract: Option<Contract>,
}

/// How policies are made comparable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// The shared map as it is, over the fitted static fee.
    Own,
    /// At a level that gives the mean fee of the static one, over the static one.
    EqualMean,
    /// The shared map as it is, over a static fee with its own mean.
    StaticSameMean,
}

/// What was fitted on the earlier part.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Terms {
    /// Which assumption on other traders.
    #[serde(flatten)]
    pub closure: Closure,
    /// What others would trade a day at no fee, as a share of the pool's value.
    pub turnover: f64,
    /// The best static fee, as a fraction.
    pub static_fee: f64,
    /// The map that all policies share.
    pub map: FeeMap,
}

/// One policy under one assumption, compared in one way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub market: String,
    pub policy: String,
    pub theta: f64,
    pub epsilon: f64,
    pub comparison: Comparison,
    /// What liquidity of $100M earns a year more than with the static fee of the comparison.
    pub usd_per_year: f64,
    /// Of it, from blocks of days that are drawn for both; none where there are too few days.
    pub standard_error: Option<f64>,
    pub mean_fee_pips: f64,
    /// Its part of what perfect foresight of the same horizon earns; none where that earns nothing.
    pub share_of_foresight: Option<f64>,
    /// What liquidity of $100M earns a year over a rebalanced portfolio without a pool.
    pub liquidity_usd_per_year: f64,
    /// The part of `usd_per_year` that the five best days have; none where it is not positive.
    pub best_five_days_share: Option<f64>,
    /// What it earns more, day by day, in dollars.
    #[serde(skip)]
    pub daily_usd: Vec<f64>,
}

/// A market, cut in two.
#[derive(Debug)]
pub struct Study<'a> {
    market: &'a Market,
    blocks: Blocks,
    earlier: Range<usize>,
    judged: Range<usize>,
}

impl<'a> Study<'a> {
    /// Terms are fitted on `earlier` minutes alone, policies are judged on `judged` ones; whole days of both count.
    ///
    /// # Errors
    /// [`BacktestError`]: a market that is not usable, parts that are too short.
    pub fn new(
        market: &'a Market,
        earlier: Range<usize>,
        judged: Range<usize>,
        block_seconds: u32,
        seed: u64,
    ) -> Result<Self, BacktestError> {
        market.check()?;
        let days = |part: &Range<usize>| part.len() / DAY_MINUTES;
        for (what, part, least) in
            [("before the first judged", &earlier, LEAST_EARLIER_DAYS), ("to judge", &judged, LEAST_JUDGED_DAYS)]
        {
            if days(part) < least {
                return Err(BacktestError::Short { what, days: days(part), least });
            }
        }
        let blocks = Blocks::new(&market.closes, block_seconds, seed)?;
        Ok(Self { market, blocks, earlier: whole_days(&earlier), judged: whole_days(&judged) })
    }

    /// The minutes that policies are judged on.
    pub fn judged(&self) -> Range<usize> {
        self.judged.clone()
    }

    /// Fits an assumption's terms on the earlier part, the map by what `guide` says there.
    ///
    /// # Errors
    /// [`BacktestError::Signal`] where the guide says nothing.
    pub fn terms(&self, closure: Closure, guide: &Signal) -> Result<Terms, BacktestError> {
        guide.check("the guide", &self.earlier, |at| self.market.time_ms(at))?;
        let none = || BacktestError::Signal {
            signal: "the guide".to_owned(),
            time_ms: self.market.time_ms(self.earlier.start),
        };
        let knee = guide.quantile(&self.earlier, KNEE).ok_or_else(none)?;
        let weights = closure.weights(&self.market.volumes, &self.earlier);
        let at = |level| self.run(&self.earlier, &Signal::None, &FeeMap::flat(level), &weights);
        let Entry { turnover, static_fee } = Entry::free(at);
        let shapes: Vec<FeeMap> = SHARES
            .iter()
            .flat_map(|share| {
                EXPONENTS.map(|exponent| FeeMap { level: static_fee * share, shape: Shape::Power { knee, exponent } })
            })
            .collect();
        let earned = shapes.par_iter().map(|map| {
            let days = self.run(&self.earlier, guide, map, &weights);
            (pool::mean(&days.result(turnover)), *map)
        });
        let map =
            earned.max_by(|left, right| left.0.total_cmp(&right.0)).map_or(FeeMap::flat(static_fee), |best| best.1);
        Ok(Terms { closure, turnover, static_fee, map })
    }

    /// All comparisons of all policies under one assumption; `foresight` names the policy that knows what comes.
    ///
    /// # Errors
    /// [`BacktestError::Signal`] where a policy says nothing for a judged minute.
    pub fn rows(&self, terms: &Terms, policies: &[Policy], foresight: &str) -> Result<Vec<Row>, BacktestError> {
        for policy in policies {
            policy.signal.check(&policy.name, &self.judged, |at| self.market.time_ms(at))?;
        }
        let weights = terms.closure.weights(&self.market.volumes, &self.earlier);
        let fixed = self.run(&self.judged, &Signal::None, &FeeMap::flat(terms.static_fee), &weights);
        let per_policy = policies.par_iter().map(|policy| self.compared(terms, policy, &weights, &fixed));
        let mut rows: Vec<Row> = per_policy.collect::<Vec<_>>().into_iter().flatten().collect();
        for comparison in [Comparison::Own, Comparison::EqualMean, Comparison::StaticSameMean] {
            let known = rows.iter().find(|row| row.policy == foresight && row.comparison == comparison);
            let best = known.map(|row| row.usd_per_year).filter(|usd| *usd > 0.0);
            for row in rows.iter_mut().filter(|row| row.comparison == comparison) {
                row.share_of_foresight = best.map(|best| row.usd_per_year / best);
            }
        }
        Ok(rows)
    }

    /// The fee of a policy in each judged minute, as a fraction: what a plot shows. Nothing for a pool that looks at itself.
    pub fn fees(&self, terms: &Terms, policy: &Policy) -> Vec<f64> {
        let map = Self::map(terms, policy);
        match self.followed(policy, &map).as_ref() {
            Signal::None => vec![map.level; self.judged.len()],
            Signal::Known(values) => {
                values[self.judged.clone()].iter().map(|value| map.fee(f64::from(*value))).collect()
            }
            Signal::OwnPool(_) => Vec::new(),
        }
    }

    fn map(terms: &Terms, policy: &Policy) -> FeeMap {
        let shared = if policy.signal == Signal::None { FeeMap::flat(terms.static_fee) } else { terms.map };
        policy.map.unwrap_or(shared)
    }

    /// What the fee follows: the policy's signal, or what a contract makes of it.
    fn followed<'p>(&self, policy: &'p Policy, map: &FeeMap) -> Cow<'p, Signal> {
        let forecasts = policy.contract.as_ref().zip(policy.signal.known());
        let first_minute = self.market.start_ms.div_euclid(MINUTE_MS);
        let held = forecasts.and_then(|(contract, forecasts)| contract.followed(forecasts, first_minute, map));
        held.map_or(Cow::Borrowed(&policy.signal), |values| Cow::Owned(Signal::Known(values)))
    }

    fn compared(&self, terms: &Terms, policy: &Policy, weights: &Weights, fixed: &Days) -> [Row; 3] {
        let own_map = Self::map(terms, policy);
        let signal = self.followed(policy, &own_map);
        let own = self.run(&self.judged, &signal, &own_map, weights);
        let level = self.level_with_mean(&signal, &own_map, &own, weights, terms.static_fee);
        let equal = self.run(&self.judged, &signal, &own_map.at_level(level), weights);
        let same = self.run(&self.judged, &Signal::None, &FeeMap::flat(own.mean_fee()), weights);
        let row = |comparison, ours: &Days, other: &Days| self.row(terms, policy, comparison, ours, other);
        [
            row(Comparison::Own, &own, fixed),
            row(Comparison::EqualMean, &equal, fixed),
            row(Comparison::StaticSameMean, &own, &same),
        ]
    }

    fn row(&self, terms: &Terms, policy: &Policy, comparison: Comparison, ours: &Days, other: &Days) -> Row {
        let result = ours.result(terms.turnover);
        let Lead { daily_usd, usd_per_year, standard_error } = Lead::of(&result, &other.result(terms.turnover));
        let total: f64 = daily_usd.iter().sum();
        let mut sorted = daily_usd.clone();
        sorted.sort_by(|left, right| right.total_cmp(left));
        let best: f64 = sorted.iter().take(BEST_DAYS).sum();
        Row {
            market: self.market.name.clone(),
            policy: policy.name.clone(),
            theta: terms.closure.theta,
            epsilon: terms.closure.epsilon,
            comparison,
            usd_per_year,
            standard_error,
            mean_fee_pips: ours.mean_fee() * 1e6,
            share_of_foresight: None,
            liquidity_usd_per_year: usd_per_year_of(&result),
            best_five_days_share: (total > 0.0).then(|| best / total),
            daily_usd,
        }
    }

    /// The level at which a policy's mean fee on the judged part is `wanted`.
    fn level_with_mean(&self, signal: &Signal, map: &FeeMap, own: &Days, weights: &Weights, wanted: f64) -> f64 {
        let mut level = map.level;
        let mut mean_fee = own.mean_fee();
        for _ in 0..LEVEL_STEPS {
            level *= wanted / mean_fee;
            mean_fee = self.run(&self.judged, signal, &map.at_level(level), weights).mean_fee();
            if (mean_fee / wanted - 1.0).abs() < 1e-4 {
                break;
            }
        }
        level
    }

    fn run(&self, part: &Range<usize>, signal: &Signal, map: &FeeMap, weights: &Weights) -> Days {
        pool::run(&self.blocks, part, signal, map, weights)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::blocks::gaussian;
    use crate::entry::LEAST_LEVEL;
    use crate::fee::MAX_FEE;
    use crate::given::DAYS_OF_A_YEAR;
    use crate::signal::OwnPool;

    const DAYS: usize = 120;
    /// Quiet and wild periods of four hours in turn, at random.
    fn market() -> (Market, Signal, Signal) {
        let mut random = ChaCha8Rng::seed_from_u64(8);
        let minutes = DAYS * DAY_MINUTES;
        let (mut closes, mut price, mut volatility) = (Vec::new(), 100.0, Vec::new());
        for at in 0..minutes {
            let spell = if at % 240 == 0 { 3e-4 * libm::exp(0.5 * gaussian(&mut random)) } else { volatility[at - 1] };
            volatility.push(spell);
            price *= libm::exp(spell * gaussian(&mut random));
            closes.push(price);
        }
        let known = Signal::Known(volatility.iter().map(|value| *value as f32).collect());
        let blind = Signal::Known(volatility.iter().rev().map(|value| *value as f32).collect());
        let volumes = volatility.iter().map(|value| value * 1e9).collect();
        (Market { name: "made".to_owned(), start_ms: 0, closes, volumes }, known, blind)
    }

    #[test]
    fn foresight_earns_and_a_blind_signal_does_not() {
        let (market, known, blind) = market();
        let study =
            Study::new(&market, 0..60 * DAY_MINUTES, 60 * DAY_MINUTES..DAYS * DAY_MINUTES, 12, 1).expect("days");
        let terms = study.terms(Closure { theta: 0.5, epsilon: 1_000.0 }, &known).expect("a guide");
        assert!(terms.static_fee > LEAST_LEVEL && terms.static_fee < MAX_FEE / 2.0, "{terms:?}");
        let policy = |name: &str, signal| Policy { name: name.to_owned(), signal, map: None, contract: None };
        let policies = [
            policy("static", Signal::None),
            policy("foresight", known),
            policy("blind", blind),
            policy("own", Signal::OwnPool(OwnPool::alone(15.0))),
        ];
        let rows = study.rows(&terms, &policies, "foresight").expect("signals");
        assert_eq!(rows.len(), 12);
        let row = |name: &str, comparison| {
            rows.iter().find(|row| row.policy == name && row.comparison == comparison).expect("a row")
        };
        for comparison in [Comparison::Own, Comparison::EqualMean, Comparison::StaticSameMean] {
            let foresight = row("foresight", comparison);
            assert!(foresight.usd_per_year > 3.0 * foresight.standard_error.expect("days"), "{foresight:?}");
            assert!(row("blind", comparison).usd_per_year < 0.5 * foresight.usd_per_year);
            assert!(row("static", comparison).usd_per_year.abs() < 1e-6);
        }
        let equal = row("foresight", Comparison::EqualMean);
        assert!((equal.mean_fee_pips / (terms.static_fee * 1e6) - 1.0).abs() < 1e-3, "{equal:?}");
        assert_eq!(row("foresight", Comparison::Own).share_of_foresight, Some(1.0));
        let daily: f64 = equal.daily_usd.iter().sum::<f64>() / 60.0 * DAYS_OF_A_YEAR;
        assert!((daily - equal.usd_per_year).abs() < 1e-6 * equal.usd_per_year.abs());
    }

    #[test]
    fn free_entry_leaves_nothing_at_the_static_fee_of_the_earlier_part() {
        let (market, known, _) = market();
        let all = 0..DAYS * DAY_MINUTES;
        let study = Study::new(&market, all.clone(), all, 12, 1).expect("days");
        let terms = study.terms(Closure { theta: 0.0, epsilon: 1_000.0 }, &known).expect("a guide");
        let none = [Policy { name: "static".to_owned(), signal: Signal::None, map: None, contract: None }];
        let rows = study.rows(&terms, &none, "none").expect("no signal");
        assert!(rows[0].liquidity_usd_per_year.abs() < 1.0, "{:?}", rows[0]);
    }

    #[test]
    fn parts_that_are_too_short_are_refused() {
        let (market, _, _) = market();
        let refused = Study::new(&market, 0..20 * DAY_MINUTES, 20 * DAY_MINUTES..60 * DAY_MINUTES, 12, 1);
        assert!(matches!(refused, Err(BacktestError::Short { days: 20, .. })));
        let refused = Study::new(&market, 0..40 * DAY_MINUTES, 40 * DAY_MINUTES..44 * DAY_MINUTES, 12, 1);
        assert!(matches!(refused, Err(BacktestError::Short { days: 4, .. })));
    }
}
