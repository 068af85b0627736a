//! Intervals that learn from their misses: split-conformal, over time.
//!
//! The score of a forecast is `|what came − forecast| / size`, where the size follows the forecast volatility. Half the width of
//! the next interval is the size times a quantile of the last scores that are known; which quantile moves by how often intervals
//! missed (Gibbs and Candès 2021). A score is known when its last day has ended.

use std::collections::{BTreeMap, VecDeque};

use super::HORIZON_DAYS;
use crate::hedge::panel::Day;

/// Share of outcomes that intervals are to hold.
pub const NOMINAL_COVERAGE: f64 = 0.9;
/// Scores that a quantile is taken of.
const KEPT_SCORES: usize = 1500;
/// With fewer, the width that the model was given counts.
const LEAST_SCORES: usize = 60;
/// How far a day of misses moves the quantile.
const LEARNING_RATE: f64 = 0.02;
/// Bounds of the share that may be missed.
const MISSED_SHARES: [f64; 2] = [0.01, 0.5];
/// What the highest score is raised by where the quantile lies beyond it.
const BEYOND: f64 = 1.5;

/// What errors are measured against, for a forecast of the logarithm of the deviation.
pub fn size(log_deviation: f64) -> f64 {
    libm::exp(0.5 * log_deviation)
}

/// Interval widths that adapt.
#[derive(Debug, Clone, PartialEq)]
pub struct Adaptive {
    scores: VecDeque<f64>,
    missed_share: f64,
    first_factor: f64,
}

impl Adaptive {
    /// Knows nothing but the factor that a model was given.
    pub fn new(first_factor: f64) -> Self {
        Self { scores: VecDeque::new(), missed_share: 1.0 - NOMINAL_COVERAGE, first_factor }
    }

    /// What a forecast's size is multiplied with for half of its interval.
    pub fn factor(&self) -> f64 {
        if self.scores.len() < LEAST_SCORES {
            return self.first_factor;
        }
        let mut sorted: Vec<f64> = self.scores.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let rank = ((sorted.len() + 1) as f64 * (1.0 - self.missed_share)).ceil() as usize;
        let highest = sorted[sorted.len() - 1];
        sorted.get(rank.max(1) - 1).copied().unwrap_or(highest * BEYOND)
    }

    /// Learns the scores of a day's forecasts, whose intervals had this factor.
    pub fn learn(&mut self, scores: &[f64], given_factor: f64) {
        if scores.is_empty() {
            return;
        }
        let missed = scores.iter().filter(|score| **score > given_factor).count() as f64 / scores.len() as f64;
        let [least, most] = MISSED_SHARES;
        let moved = self.missed_share + LEARNING_RATE * (1.0 - NOMINAL_COVERAGE - missed);
        self.missed_share = moved.clamp(least, most);
        self.scores.extend(scores);
        self.scores.drain(..self.scores.len().saturating_sub(KEPT_SCORES));
    }
}

/// The factor of each day on which there were forecasts. `scored` has each forecast's day, with its score where that has come.
pub fn factors(first_factor: f64, scored: impl IntoIterator<Item = (Day, Option<f64>)>) -> BTreeMap<Day, f64> {
    let mut by_day: BTreeMap<Day, Vec<f64>> = BTreeMap::new();
    for (day, score) in scored {
        by_day.entry(day).or_default().extend(score);
    }
    let mut adaptive = Adaptive::new(first_factor);
    let mut factors: BTreeMap<Day, f64> = BTreeMap::new();
    let mut waiting: VecDeque<Day> = VecDeque::new();
    for day in by_day.keys() {
        while let Some(ended) = waiting.pop_front_if(|asked| *asked + HORIZON_DAYS as Day <= *day) {
            adaptive.learn(&by_day[&ended], factors[&ended]);
        }
        factors.insert(*day, adaptive.factor());
        waiting.push_back(*day);
    }
    factors
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers between 0 and 1 (`SplitMix64`).
    fn random(state: &mut u64) -> f64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Scores of 20 forecasts a day, spread as `spread` says for the day.
    fn coverage(days: Day, spread: impl Fn(Day) -> f64, from: Day) -> f64 {
        let mut state = 7;
        let scored: Vec<(Day, Option<f64>)> = (0..days)
            .flat_map(|day| (0..20).map(|_| (day, Some(spread(day) * random(&mut state)))).collect::<Vec<_>>())
            .collect();
        let factors = factors(1.0, scored.clone());
        let judged = scored.iter().filter(|(day, _)| *day >= from);
        let inside = judged.clone().filter(|(day, score)| score.unwrap() <= factors[day]).count();
        inside as f64 / judged.count() as f64
    }

    #[test]
    fn nine_of_ten_are_held_where_nothing_changes() {
        let covered = coverage(400, |_| 1.0, 60);
        assert!((0.885..0.915).contains(&covered), "{covered}");
    }

    #[test]
    fn a_shift_is_followed() {
        for after in [3.0, 0.3] {
            let covered = coverage(500, |day| if day < 250 { 1.0 } else { after }, 100);
            assert!((0.86..0.94).contains(&covered), "{after}: {covered}");
            let later = coverage(500, |day| if day < 250 { 1.0 } else { after }, 350);
            assert!((0.87..0.93).contains(&later), "{after}: {later} long after it");
        }
        let drifting = coverage(600, |day| 1.0 + f64::from(day) / 150.0, 100);
        assert!((0.88..0.92).contains(&drifting), "{drifting}");
    }

    #[test]
    fn quantiles_are_of_the_finite_sample() {
        let mut adaptive = Adaptive::new(7.0);
        assert!((adaptive.factor() - 7.0).abs() < f64::EPSILON);
        // One of ten missed: the share stays. 99 scores: the 90th of them.
        let scores: Vec<f64> = (1..=99).map(f64::from).collect();
        adaptive.missed_share = 0.1;
        adaptive.scores.extend(&scores);
        assert!((adaptive.factor() - 90.0).abs() < f64::EPSILON);
        adaptive.missed_share = 0.001;
        assert!((adaptive.factor() - 99.0 * BEYOND).abs() < f64::EPSILON);
        adaptive.missed_share = 0.1;
        adaptive.learn(&[100.0, 100.0], 90.0);
        assert!((adaptive.missed_share - (0.1 - 0.02 * 0.9)).abs() < 1e-12);
    }

    /// What came of a forecast moves no interval before its last day has ended.
    #[test]
    fn outcomes_are_learnt_when_they_are_known() {
        let of = |last: f64| {
            let score = move |day: Day| if day == 50 { last } else { f64::from(day % 10) };
            factors(1.0, (0..80).flat_map(|day| (0..9).map(move |one| (day, Some(score(day) + 0.1 * f64::from(one))))))
        };
        let [small, large] = [of(0.0), of(1e6)];
        assert!((0..57).all(|day| small[&day].total_cmp(&large[&day]).is_eq()));
        assert!(small[&57] < large[&57]);
        let unknown = factors(2.5, (0..30).map(|day| (day, None)));
        assert!(unknown.len() == 30 && unknown.values().all(|factor| (factor - 2.5).abs() < f64::EPSILON));
    }
}
