//! A constant product pool between a market, its arbitrageurs, and traders who look at the fee.
//!
//! Amounts are fractions of the pool's value. Liquidity is worth what a rebalanced portfolio is, less what arbitrageurs take, plus fees
//! of the others (Milionis, Moallemi, Roughgarden and Zhang 2022). When the market is further from the pool than the fee, an arbitrageur
//! trades until it is not: moving the pool's logarithmic price by δ trades δ/4 of its value at a mean gap of δ/2 beyond the fee, and so takes δ²/8.

use std::ops::Range;

use crate::blocks::Blocks;
use crate::closure::Weights;
use crate::fee::{FeeMap, MAX_FEE};
use crate::market::DAY_MINUTES;
use crate::signal::Signal;

/// Starting variance of a pool's own view of itself: its first hours are not judged.
const FIRST_VARIANCE: f64 = 1e-6;

/// What happened on each day.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Days {
    /// What arbitrageurs took, as a fraction of the pool's value.
    pub arbitrage: Vec<f64>,
    /// What other traders paid per unit of their volume at no fee.
    pub fees: Vec<f64>,
    /// Mean fee, as a fraction.
    pub mean_fee: Vec<f64>,
}

impl Days {
    /// Mean fee over all days, as a fraction.
    pub fn mean_fee(&self) -> f64 {
        mean(&self.mean_fee)
    }

    /// What liquidity earns a day as a fraction of its value, where other traders would trade `turnover` of it a day at no fee.
    pub fn result(&self, turnover: f64) -> Vec<f64> {
        self.arbitrage.iter().zip(&self.fees).map(|(taken, paid)| turnover * paid - taken).collect()
    }
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Runs a pool through `minutes`; `weights` are what others would trade in each minute of the series, and how a fee deters them.
pub fn run(blocks: &Blocks, minutes: &Range<usize>, signal: &Signal, map: &FeeMap, weights: &Weights) -> Days {
    let mut days = Days::default();
    let mut eyes = Eyes::new(signal, map);
    let (mut fee, mut deterred) = (f64::NAN, f64::NAN);
    let mut gap = 0.0_f64;
    let (mut taken, mut paid, mut fee_sum, mut count) = (0.0, 0.0, 0.0, 0_usize);
    for at in minutes.clone() {
        let asked = eyes.fee(at);
        if asked.to_bits() != fee.to_bits() {
            fee = asked;
            deterred = weights.kept(fee);
        }
        let mut moved = 0.0;
        for step in blocks.of_minute(at) {
            gap += f64::from(*step);
            let excess = gap.abs() - fee;
            if excess > 0.0 {
                taken += excess * excess / 8.0;
                gap = fee.copysign(gap);
                moved += excess.copysign(gap);
            }
        }
        eyes.see(moved);
        paid += fee * deterred * weights.of_minute(at);
        fee_sum += fee;
        count += 1;
        if count == DAY_MINUTES {
            days.arbitrage.push(taken);
            days.fees.push(paid);
            days.mean_fee.push(fee_sum / count as f64);
            (taken, paid, fee_sum, count) = (0.0, 0.0, 0.0, 0);
        }
    }
    days
}

/// What sets the fee.
struct Eyes<'a> {
    signal: &'a Signal,
    map: &'a FeeMap,
    /// The last volatility of a forecast, with its fee: it holds for hours.
    known: (f32, f64),
    /// Of the pool's own one-minute moves.
    variance: f64,
    /// Weight of the past in it.
    kept: f64,
}

impl<'a> Eyes<'a> {
    fn new(signal: &'a Signal, map: &'a FeeMap) -> Self {
        let kept = if let Signal::OwnPool(own) = signal { libm::exp2(-1.0 / own.half_life_minutes) } else { 0.0 };
        Self { signal, map, known: (0.0, map.fee(0.0)), variance: FIRST_VARIANCE, kept }
    }

    /// The fee of minute `at`, as a fraction.
    fn fee(&mut self, at: usize) -> f64 {
        match self.signal {
            Signal::None => self.known.1,
            Signal::Known(values) => self.by(values[at]),
            Signal::OwnPool(own) => {
                let own_fee = self.map.fee(self.variance.sqrt());
                let Some(guard) = &own.guard else { return own_fee };
                let forecast_fee = self.by(guard.forecast[at]);
                own_fee.max(guard.multiples.0 * forecast_fee).min(guard.multiples.1 * forecast_fee).min(MAX_FEE)
            }
        }
    }

    fn by(&mut self, volatility: f32) -> f64 {
        if volatility.to_bits() != self.known.0.to_bits() {
            self.known = (volatility, self.map.fee(f64::from(volatility)));
        }
        self.known.1
    }

    /// The pool's price has moved so far in a minute, as a logarithm.
    fn see(&mut self, moved: f64) {
        if let Signal::OwnPool(own) = self.signal {
            let seen = moved * moved + own.feigned_volatility * own.feigned_volatility;
            self.variance = self.kept * self.variance + (1.0 - self.kept) * seen;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::Closure;
    use crate::fee::Shape;
    use crate::signal::{Guard, OwnPool};

    /// LVR over blocks of constant length with a fee: σ²/8 · 1/(1 + 1.7164 γ/σ), where 1.7164 = √(2π)/−ζ(½): the correction of a barrier
    /// that is looked at in steps (Broadie, Glasserman and Kou 1997), at both ends of the band that the fee leaves.
    #[test]
    fn arbitrage_takes_what_the_closed_form_says() {
        let minutes = DAY_MINUTES * 100;
        for (deviation, fee) in [(5e-4, 5e-4), (5e-4, 1e-3), (3e-4, 1.78e-3), (1e-3, 5e-4)] {
            let blocks = Blocks::gaussian(minutes, deviation, 11);
            let volumes = vec![1.0; minutes];
            let weights = Closure { theta: 0.0, epsilon: 0.0 }.weights(&volumes, &(0..minutes));
            let days = run(&blocks, &(0..minutes), &Signal::None, &FeeMap::flat(fee), &weights);
            let taken = mean(&days.arbitrage) / (DAY_MINUTES * 5) as f64;
            let expected = deviation * deviation / 8.0 / (1.0 + 1.7164 * fee / deviation);
            assert!((taken / expected - 1.0).abs() < 0.025, "{taken:e}, not {expected:e}, at {fee} and {deviation}");
        }
    }

    /// The same pool, kept in reserves: x · y = k, traded by an arbitrageur who pays the fee on what goes in.
    #[test]
    fn reserves_tell_the_same() {
        let minutes = DAY_MINUTES;
        let (deviation, fee) = (6e-4, 1e-3);
        let blocks = Blocks::gaussian(minutes, deviation, 5);
        let (mut x, mut y, mut market) = (1.0_f64, 1.0_f64, 1.0_f64);
        let mut taken = 0.0;
        for at in 0..minutes {
            for step in blocks.of_minute(at) {
                market *= libm::exp(f64::from(*step));
                let (before_x, before_y) = (x, y);
                let value = x * market + y;
                // The pool's price after a trade that leaves no more than the fee: sells of x above it, buys below.
                let (low, high) = (market * libm::exp(-fee), market * libm::exp(fee));
                let price = (y / x).clamp(low, high);
                let k = x * y;
                x = (k / price).sqrt();
                y = (k * price).sqrt();
                let (into_x, into_y) = (x - before_x, y - before_y);
                let charged = (libm::exp(fee) - 1.0) * (into_x.max(0.0) * market * libm::exp(-fee) + into_y.max(0.0));
                // What the trader makes at the market's price, less the fee on what he paid in.
                taken += (-(into_x * market + into_y) - charged) / value;
            }
        }
        let volumes = vec![1.0; minutes];
        let weights = Closure { theta: 0.0, epsilon: 0.0 }.weights(&volumes, &(0..minutes));
        let days = run(&blocks, &(0..minutes), &Signal::None, &FeeMap::flat(fee), &weights);
        assert!((days.arbitrage[0] / taken - 1.0).abs() < 0.01, "{} and {taken}", days.arbitrage[0]);
    }

    #[test]
    fn a_pool_that_looks_at_itself_charges_more_after_it_has_moved() {
        let minutes = DAY_MINUTES * 2;
        let mut moves = Blocks::gaussian(DAY_MINUTES, 1e-5, 1);
        let wild = Blocks::gaussian(DAY_MINUTES, 2e-3, 1);
        moves = Blocks::joined(&moves, &wild);
        let volumes = vec![1.0; minutes];
        let weights = Closure { theta: 0.0, epsilon: 0.0 }.weights(&volumes, &(0..minutes));
        let map = FeeMap { level: 1e-3, shape: Shape::Power { knee: 1e-3, exponent: 1.0 } };
        let days = run(&moves, &(0..minutes), &Signal::OwnPool(OwnPool::alone(15.0)), &map, &weights);
        assert!((days.mean_fee[0] - 1e-3).abs() < 1e-5, "{days:?}");
        assert!(days.mean_fee[1] > 2e-3, "{days:?}");
    }

    /// Somebody feigns a volatility: the fee of a pool alone follows it, that of a guarded one as far as the forecast's multiple.
    #[test]
    fn a_guard_bounds_what_feigned_moves_do() {
        let minutes = 2 * DAY_MINUTES;
        let blocks = Blocks::gaussian(minutes, 1e-5, 1);
        let volumes = vec![1.0; minutes];
        let weights = Closure { theta: 0.0, epsilon: 0.0 }.weights(&volumes, &(0..minutes));
        let map = FeeMap { level: 1e-3, shape: Shape::Power { knee: 5e-4, exponent: 2.0 } };
        // Of the second day: the first begins with a variance that nobody has seen.
        let mean_fee = |own: OwnPool| run(&blocks, &(0..minutes), &Signal::OwnPool(own), &map, &weights).mean_fee[1];
        let guard = || Some(Guard { forecast: vec![2e-4; minutes], multiples: (0.8, 3.0) });
        let feigned = OwnPool { feigned_volatility: 1.5e-3, ..OwnPool::alone(15.0) };
        assert!((mean_fee(OwnPool { guard: guard(), ..OwnPool::alone(15.0) }) - 1e-3).abs() < 2e-5);
        assert!(mean_fee(feigned.clone()) > 8e-3);
        assert!(mean_fee(OwnPool { guard: guard(), ..feigned }) < 3e-3 + 1e-9);
        let low = Some(Guard { forecast: vec![2e-3; minutes], multiples: (0.8, 3.0) });
        assert!(
            (mean_fee(OwnPool { guard: low, ..OwnPool::alone(15.0) }) - 0.8 * 16e-3).abs() < 1e-4,
            "never far below"
        );
    }
}
