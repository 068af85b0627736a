//! Borrowers against a collateral whose price moves, under a ratio for new loans that may follow a volatility.
//!
//! A borrower opens at the ratio of the moment times a slack of his own, and comes back after some weeks to borrow towards the maximum again. Below
//! the liquidation ratio a keeper repays part of his debt after a delay, for collateral at a discount, which he sells into the market.

use std::collections::{BinaryHeap, VecDeque};
use std::ops::Range;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::blocks::gaussian;
use crate::market::{DAY_MINUTES, Market};
use crate::position::Position;
use crate::signal::Signal;

/// Borrowers that are drawn where no positions are given.
pub const BORROWERS: usize = 10_000;
/// Dollars of a collateral: between these, evenly in the logarithm.
const COLLATERAL_USD: [f64; 2] = [1e3, 1e6];
/// Deviation of the logarithm of how much more than asked a borrower leaves.
const SLACK: f64 = 0.25;
/// Days until a borrower comes back, in the mean.
const RETURN_DAYS: f64 = 14.0;
/// Part of a debt that is repaid at once, all of it below this health, as Aave does it.
const CLOSE_FACTOR: f64 = 0.5;
const FULL_CLOSE_HEALTH: f64 = 0.95;
/// What a keeper gets on top.
const BONUS: f64 = 0.05;
/// Most that a sale moves the price.
const MAX_IMPACT: f64 = 0.3;
/// Steps of a bisection of the headroom.
const STEPS: usize = 12;

/// What a lender asks for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rules {
    /// Collateral over debt below which a loan is liquidated.
    pub liquidation_ratio: f64,
    /// Minutes until a keeper acts.
    pub keeper_minutes: usize,
}

/// Collateral over debt of new loans, by a volatility of one-minute returns: the liquidation ratio and a headroom, flat up to a knee and
/// proportional to the volatility behind it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RatioMap {
    /// Headroom below the knee, as a share of the liquidation ratio.
    pub headroom: f64,
    /// The knee; infinite for a static ratio.
    pub knee: f64,
    /// Most that the headroom is multiplied by.
    pub most: f64,
}

impl RatioMap {
    fn over_liquidation(&self, volatility: f64) -> f64 {
        1.0 + self.headroom * (volatility / self.knee).clamp(1.0, self.most)
    }

    /// Mean over the minutes of the debt that a new loan may have, in what it may have at the liquidation ratio.
    pub fn mean_ltv(&self, signal: &Signal, minutes: &Range<usize>) -> f64 {
        minutes.clone().map(|at| 1.0 / self.at(signal, at)).sum::<f64>() / minutes.len() as f64
    }

    fn at(&self, signal: &Signal, at: usize) -> f64 {
        match signal {
            Signal::Known(values) => self.over_liquidation(f64::from(values[at])),
            Signal::None | Signal::OwnPool(_) => self.over_liquidation(0.0),
        }
    }
}

/// What became of the loans.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Debt that was liquidated on each day, as a share of all debt.
    pub liquidated: Vec<f64>,
    /// Debt that nothing was left for, in dollars, on each day.
    pub bad_debt_usd: Vec<f64>,
    /// Debt over collateral, in the mean over the days.
    pub usage: f64,
}

/// The trigger of a borrower: the highest price first.
#[derive(PartialEq)]
struct Trigger {
    price: f64,
    who: usize,
    version: u32,
}

impl Eq for Trigger {}
impl PartialOrd for Trigger {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Trigger {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.price.total_cmp(&other.price).then(self.who.cmp(&other.who))
    }
}

#[derive(Clone, Copy, Default)]
struct Loan {
    debt_usd: f64,
    collateral: f64,
    /// Loans that were changed have other triggers than those in the queue.
    version: u32,
}

struct Book<'a> {
    rules: &'a Rules,
    loans: Vec<Loan>,
    sizes: Vec<f64>,
    triggers: BinaryHeap<Trigger>,
}

impl Book<'_> {
    fn open(&mut self, who: usize, price: f64, over_liquidation: f64, random: &mut ChaCha8Rng) {
        let slack = libm::exp((SLACK * gaussian(random)).abs());
        let ratio = self.rules.liquidation_ratio * over_liquidation * slack;
        let collateral = self.sizes[who] / price;
        self.loans[who] = Loan { debt_usd: self.sizes[who] / ratio, collateral, version: self.loans[who].version + 1 };
        self.watch(who);
    }

    fn take(&mut self, who: usize, position: &Position, price: f64) {
        let Position { collateral_usd, debt_usd } = *position;
        self.loans[who] = Loan { debt_usd, collateral: collateral_usd / price, version: 1 };
        self.watch(who);
    }

    fn watch(&mut self, who: usize) {
        let Loan { debt_usd, collateral, version } = self.loans[who];
        if debt_usd > 0.0 && collateral > 0.0 {
            let price = self.rules.liquidation_ratio * debt_usd / collateral;
            self.triggers.push(Trigger { price, who, version });
        }
    }

    /// Repays part of a loan at a price that the sale has moved; what was repaid, and what nothing was left for.
    fn liquidate(&mut self, who: usize, price: f64) -> (f64, f64) {
        let loan = &mut self.loans[who];
        let health = loan.collateral * price / loan.debt_usd / self.rules.liquidation_ratio;
        let part = if health < FULL_CLOSE_HEALTH { 1.0 } else { CLOSE_FACTOR };
        let affordable = loan.collateral * price / (1.0 + BONUS);
        let repaid = (part * loan.debt_usd).min(affordable);
        loan.debt_usd -= repaid;
        loan.collateral -= repaid * (1.0 + BONUS) / price;
        let lost =
            if loan.collateral * price <= loan.debt_usd * 1e-9 { std::mem::take(&mut loan.debt_usd) } else { 0.0 };
        loan.version += 1;
        self.watch(who);
        (repaid, lost)
    }
}

/// A lender in a market: everything but the ratio.
#[derive(Debug, Clone, Copy)]
pub struct Lender<'a> {
    pub market: &'a Market,
    pub minutes: &'a Range<usize>,
    pub rules: &'a Rules,
    /// Who borrows when it begins; [`BORROWERS`] that are drawn if nobody.
    pub positions: &'a [Position],
    pub seed: u64,
}

/// Lives through a lender's minutes; the same seed gives the same borrowers, whatever the ratio.
pub fn run(lender: &Lender<'_>, signal: &Signal, map: &RatioMap) -> Outcome {
    let Lender { market, minutes, rules, positions, seed } = *lender;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let log_uniform = |random: &mut ChaCha8Rng| {
        let [least, most] = COLLATERAL_USD.map(libm::log);
        libm::exp(least + (most - least) * random.random::<f64>())
    };
    let sizes: Vec<f64> = if positions.is_empty() {
        (0..BORROWERS).map(|_| log_uniform(&mut random)).collect()
    } else {
        positions.iter().map(|position| position.collateral_usd).collect()
    };
    let borrowers = sizes.len();
    let mut book = Book { rules, loans: vec![Loan::default(); borrowers], sizes, triggers: BinaryHeap::new() };
    let mut waiting: VecDeque<(usize, Trigger)> = VecDeque::new();
    let mut outcome = Outcome { liquidated: Vec::new(), bad_debt_usd: Vec::new(), usage: 0.0 };
    let (mut repaid_today, mut lost_today, mut usages) = (0.0, 0.0, Vec::new());
    let returns = 1.0 / (RETURN_DAYS * DAY_MINUTES as f64);
    let over = |at: usize| map.at(signal, at);
    let first_price = market.closes[minutes.start];
    for who in 0..borrowers {
        match positions.get(who) {
            Some(position) => book.take(who, position, first_price),
            None => book.open(who, first_price, over(minutes.start), &mut random),
        }
    }
    let mut depth = Depth::new(market, minutes.start);
    for (step, at) in minutes.clone().enumerate() {
        let price = market.closes[at];
        depth.see(market, at);
        // Of ten thousand about half a borrower a minute; who comes when does not depend on the ratio.
        let mut arrivals = borrowers as f64 * returns;
        while arrivals > 0.0 {
            if random.random::<f64>() < arrivals.min(1.0) {
                let who = random.random_range(0..borrowers);
                book.open(who, price, over(at), &mut random);
            }
            arrivals -= 1.0;
        }
        while book.triggers.peek().is_some_and(|trigger| trigger.price > price) {
            if let Some(trigger) =
                book.triggers.pop().filter(|trigger| book.loans[trigger.who].version == trigger.version)
            {
                waiting.push_back((at + rules.keeper_minutes, trigger));
            }
        }
        let mut sold = 0.0;
        while waiting.front().is_some_and(|(due, _)| *due <= at) {
            let Some((_, trigger)) = waiting.pop_front() else { break };
            if book.loans[trigger.who].version != trigger.version {
                continue;
            }
            if trigger.price <= price {
                book.triggers.push(trigger);
                continue;
            }
            let (repaid, lost) = book.liquidate(trigger.who, price * (1.0 - depth.impact(sold)));
            sold += repaid;
            repaid_today += repaid;
            lost_today += lost;
        }
        if (step + 1) % DAY_MINUTES == 0 {
            let debt: f64 = book.loans.iter().map(|loan| loan.debt_usd).sum();
            let collateral: f64 = book.loans.iter().map(|loan| loan.collateral * price).sum();
            usages.push(debt / collateral);
            outcome.liquidated.push(repaid_today / debt);
            outcome.bad_debt_usd.push(lost_today);
            (repaid_today, lost_today) = (0.0, 0.0);
        }
    }
    outcome.usage = usages.iter().sum::<f64>() / usages.len() as f64;
    outcome
}

/// How much a sale moves the price: the day's volatility times the root of the sale over the day's volume (the square-root law, Tóth and others 2011).
struct Depth {
    volume: f64,
    squares: f64,
}

impl Depth {
    fn new(market: &Market, from: usize) -> Self {
        let day = from.saturating_sub(DAY_MINUTES)..from;
        let squares = day.clone().skip(1).map(|at| square(market, at)).sum();
        Self { volume: market.volumes[day].iter().sum(), squares }
    }

    fn see(&mut self, market: &Market, at: usize) {
        self.volume += market.volumes[at];
        self.squares += square(market, at);
        if at > DAY_MINUTES {
            self.volume -= market.volumes[at - DAY_MINUTES];
            self.squares -= square(market, at - DAY_MINUTES);
        }
    }

    fn impact(&self, sold_usd: f64) -> f64 {
        (self.squares.max(0.0).sqrt() * (sold_usd / self.volume.max(1.0)).sqrt()).min(MAX_IMPACT)
    }
}

fn square(market: &Market, at: usize) -> f64 {
    if at == 0 { 0.0 } else { libm::log(market.closes[at] / market.closes[at - 1]).powi(2) }
}

/// The headroom at which `measure` of it has `wanted`; it falls with the headroom.
pub fn headroom(wanted: f64, measure: impl Fn(f64) -> f64) -> f64 {
    let (mut least, mut most) = (0.001_f64, 2.0);
    for _ in 0..STEPS {
        let middle = (least * most).sqrt();
        if measure(middle) > wanted { least = middle } else { most = middle }
    }
    (least * most).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATIC: RatioMap = RatioMap { headroom: 0.15, knee: f64::INFINITY, most: 1.0 };
    const RULES: Rules = Rules { liquidation_ratio: 1.3, keeper_minutes: 5 };

    fn market(closes: Vec<f64>) -> Market {
        let volumes = vec![1e7; closes.len()];
        Market { name: "m".to_owned(), start_ms: 0, closes, volumes }
    }

    fn live(market: &Market, map: &RatioMap, positions: &[Position]) -> Outcome {
        let minutes = 0..market.len();
        run(&Lender { market, minutes: &minutes, rules: &RULES, positions, seed: 1 }, &Signal::None, map)
    }

    fn total(values: &[f64]) -> f64 {
        values.iter().sum()
    }

    #[test]
    fn a_price_that_stands_liquidates_nobody() {
        let market = market(vec![100.0; 5 * DAY_MINUTES]);
        let outcome = live(&market, &STATIC, &[]);
        assert!(total(&outcome.liquidated) == 0.0 && total(&outcome.bad_debt_usd) == 0.0, "{outcome:?}");
        assert!(outcome.usage > 0.4 && outcome.usage < 1.0 / (1.3 * 1.15), "{}", outcome.usage);
    }

    #[test]
    fn a_slow_fall_liquidates_and_leaves_no_bad_debt_a_leap_does() {
        let slow = (0..5 * DAY_MINUTES).map(|at| 100.0 - 40.0 * at as f64 / (5 * DAY_MINUTES) as f64).collect();
        let slow = live(&market(slow), &STATIC, &[]);
        assert!(total(&slow.liquidated) > 0.1, "{slow:?}");
        assert!(total(&slow.bad_debt_usd) < 1.0, "{slow:?}");
        let leap = (0..5 * DAY_MINUTES).map(|at| if at < DAY_MINUTES { 100.0 } else { 40.0 }).collect();
        let leap = live(&market(leap), &STATIC, &[]);
        assert!(total(&leap.bad_debt_usd) > 1e6, "{leap:?}");
    }

    #[test]
    fn more_headroom_means_less_debt_and_fewer_liquidations() {
        let fall = || market((0..5 * DAY_MINUTES).map(|at| 100.0 - 0.003 * at as f64).collect());
        let at = |headroom| live(&fall(), &RatioMap { headroom, ..STATIC }, &[]);
        let (tight, loose) = (at(0.5), at(0.05));
        assert!(tight.usage < loose.usage);
        assert!(total(&tight.liquidated) < total(&loose.liquidated));
        let found = headroom(0.5 * (tight.usage + loose.usage), |headroom| at(headroom).usage);
        assert!((at(found).usage - 0.5 * (tight.usage + loose.usage)).abs() < 2e-3, "{found}");
    }

    /// One loan by hand: 200 of collateral for 100 at a ratio of 1.3, the price falls to 0.64: 128 < 130. Health is 0.985, so
    /// half is repaid: 50 for 52.5 / 0.64 of collateral.
    #[test]
    fn a_liquidation_worked_by_hand() {
        let mut book = Book {
            rules: &RULES,
            loans: vec![Loan { debt_usd: 100.0, collateral: 200.0, version: 0 }],
            sizes: vec![200.0],
            triggers: BinaryHeap::new(),
        };
        book.watch(0);
        assert!((book.triggers.peek().expect("one").price - 0.65).abs() < 1e-12);
        let (repaid, lost) = book.liquidate(0, 0.64);
        assert!((repaid - 50.0).abs() < 1e-12 && lost == 0.0);
        assert!((book.loans[0].collateral - (200.0 - 52.5 / 0.64)).abs() < 1e-9);
        // At 0.3 all of the collateral repays 200 · 0.3 / 1.05, and the rest is lost.
        let mut book = Book {
            loans: vec![Loan { debt_usd: 100.0, collateral: 200.0, version: 0 }],
            triggers: BinaryHeap::new(),
            ..book
        };
        let (repaid, lost) = book.liquidate(0, 0.3);
        assert!((repaid - 60.0 / 1.05).abs() < 1e-9 && (lost - (100.0 - 60.0 / 1.05)).abs() < 1e-9, "{repaid} {lost}");
    }

    /// Given positions begin as they are: one at 200 %, which a fall by a third does not reach, one at 140 %, which it does.
    #[test]
    fn given_positions_begin_as_they_are() {
        let closes = (0..DAY_MINUTES).map(|at| if at < 700 { 100.0 } else { 67.0 }).collect();
        let at = |collateral_usd, debt_usd| Position { collateral_usd, debt_usd };
        let safe = live(&market(closes), &STATIC, &[at(2e6, 1e6)]);
        let closes = (0..DAY_MINUTES).map(|at| if at < 700 { 100.0 } else { 67.0 }).collect();
        let thin = live(&market(closes), &STATIC, &[at(1.4e6, 1e6)]);
        assert!(total(&safe.liquidated) == 0.0 && total(&thin.liquidated) > 0.3, "{safe:?} {thin:?}");
    }
}
