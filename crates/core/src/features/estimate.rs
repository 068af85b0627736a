//! How a feature's values at many decision times are estimated: which windows of which running sums are added up.

use std::f64::consts::LN_2;

use super::quantity::Quantity;
use super::seasonal;
use super::volatility::{MAGNITUDE_FLOOR, SQUARE_FLOOR};
use super::volume::VOLUME_FLOOR;
use crate::types::feature::{DAY_MINUTES, Feature, WEEK_MINUTES};

/// Mean squares whose product is still a normal number: each is at least [`SQUARE_FLOOR`].
const MOST_FACTORS: usize = 16;

/// How a feature's values are estimated.
#[derive(Debug)]
pub(super) enum Estimate {
    /// A sum of logarithms.
    Logs(Vec<Term>),
    /// Magnitude of the sum of the returns over the sum of their magnitudes.
    Efficiency { minutes: usize },
    /// Not at all: the exact measure is taken for each.
    None,
}

/// `weight * ln(the product of the factors)`, each a mean over its windows, divided by `divisor`, plus `floor`.
#[derive(Debug)]
pub(super) struct Term {
    pub quantity: Quantity,
    pub factors: Vec<Vec<Window>>,
    pub minutes: usize,
    pub divisor: f64,
    pub floor: f64,
    pub weight: f64,
}

/// A window's beginning, in minutes before the decision, and its weight in the mean; those of one mean add up to 1.
#[derive(Debug)]
pub(super) struct Window {
    pub ago: usize,
    pub weight: f64,
}

impl Estimate {
    /// Whose running sums it takes.
    pub fn quantities(&self) -> Vec<Quantity> {
        match self {
            Self::Logs(terms) => terms.iter().map(|term| term.quantity).collect(),
            Self::Efficiency { .. } => vec![Quantity::Return, Quantity::AbsoluteReturn],
            Self::None => Vec::new(),
        }
    }
}

/// For how many minutes from `minute` on a feature's estimate is the same.
pub(super) fn minutes_alike(feature: &Feature, minute: i64) -> usize {
    match feature {
        Feature::MeanLogRmsOfDays { ahead_minutes, .. }
        | Feature::LogMeanAbsoluteReturnOfDays { ahead_minutes, .. } => {
            DAY_MINUTES - (minute + ahead_minutes).rem_euclid(DAY_MINUTES as i64) as usize
        }
        _ => usize::MAX,
    }
}

/// How a feature's values at decisions in that minute are estimated.
pub(super) fn estimate(feature: &Feature, minute: i64) -> Estimate {
    let square = |minutes, factors| Term {
        quantity: Quantity::SquaredReturn,
        factors,
        minutes,
        divisor: 1.0,
        floor: SQUARE_FLOOR,
        weight: 0.5,
    };
    let magnitude = |minutes, factors| Term {
        quantity: Quantity::AbsoluteReturn,
        floor: MAGNITUDE_FLOOR,
        weight: 1.0,
        ..square(minutes, factors)
    };
    let one = |ago: usize| vec![mean([ago])];
    let earlier = |count: usize, every: usize| vec![mean((1..=count).map(|earlier| earlier * every))];
    let of_days = |days, count, ahead_minutes: i64| {
        let days = seasonal::days_back(minute, days, count, ahead_minutes);
        days.map(move |day| (day * DAY_MINUTES).checked_add_signed(-ahead_minutes as isize).expect("within a day"))
    };
    let terms = match *feature {
        Feature::LogRmsReturn { minutes } => vec![square(minutes, one(minutes))],
        Feature::LogRmsReturnFrom { minutes_ago, minutes } => vec![square(minutes, one(minutes_ago))],
        Feature::LogRmsReturnSameWindow { days, minutes } => vec![square(minutes, earlier(days, DAY_MINUTES))],
        Feature::LogRmsReturnSameWeekday { weeks, minutes } => vec![square(minutes, earlier(weeks, WEEK_MINUTES))],
        Feature::LogRmsRatio { minutes, relative_to_minutes } => {
            let before = square(relative_to_minutes, one(minutes + relative_to_minutes));
            vec![square(minutes, one(minutes)), Term { weight: -0.5, ..before }]
        }
        Feature::LogMeanAbsoluteReturn { minutes } => vec![magnitude(minutes, one(minutes))],
        Feature::LogMeanAbsoluteReturnFrom { minutes_ago, minutes } => vec![magnitude(minutes, one(minutes_ago))],
        Feature::LogMeanAbsoluteReturnSameWindow { days, minutes } => {
            vec![magnitude(minutes, earlier(days, DAY_MINUTES))]
        }
        Feature::MeanLogRms { minutes, block_minutes } => {
            let starts: Vec<usize> = (1..=minutes / block_minutes).map(|block| block * block_minutes).collect();
            mean_of_logs(&starts, |factors| square(block_minutes, factors))
        }
        Feature::MeanLogRmsOfDays { days, count, ahead_minutes, minutes } => {
            let starts: Vec<usize> = of_days(days, count, ahead_minutes).collect();
            mean_of_logs(&starts, |factors| square(minutes, factors))
        }
        Feature::LogMeanAbsoluteReturnOfDays { days, count, ahead_minutes, minutes } => {
            vec![magnitude(minutes, vec![mean(of_days(days, count, ahead_minutes))])]
        }
        Feature::LogFadingAbsoluteReturn { half_life_minutes, block_minutes } => {
            let weights = seasonal::fading_weights(half_life_minutes, block_minutes);
            let all: f64 = weights.clone().map(|(_, weight)| weight).sum();
            let window = |(back, weight)| Window { ago: back + block_minutes, weight: weight / all };
            vec![magnitude(block_minutes, vec![weights.map(window).collect()])]
        }
        Feature::LogDownsideRms { minutes } => {
            vec![Term { quantity: Quantity::SquaredFall, ..square(minutes, one(minutes)) }]
        }
        Feature::LogUpsideRms { minutes } => {
            vec![Term { quantity: Quantity::SquaredRise, ..square(minutes, one(minutes)) }]
        }
        Feature::LogParkinson { minutes } => {
            let range = square(minutes, one(minutes));
            vec![Term { quantity: Quantity::SquaredLogRange, divisor: 4.0 * LN_2, ..range }]
        }
        Feature::LogRelativeVolume { minutes, relative_to_minutes } => {
            let volume = |minutes, weight| {
                let term = magnitude(minutes, one(minutes));
                Term { quantity: Quantity::Volume, floor: VOLUME_FLOOR, weight, ..term }
            };
            vec![volume(minutes, 1.0), volume(relative_to_minutes, -1.0)]
        }
        Feature::EfficiencyRatio { minutes } => return Estimate::Efficiency { minutes },
        _ => return Estimate::None,
    };
    Estimate::Logs(terms)
}

/// Windows that begin that many minutes before the decision, all of one weight.
fn mean(starts: impl IntoIterator<Item = usize>) -> Vec<Window> {
    let mut windows: Vec<Window> = starts.into_iter().map(|ago| Window { ago, weight: 1.0 }).collect();
    let weight = 1.0 / windows.len() as f64;
    for window in &mut windows {
        window.weight = weight;
    }
    windows
}

/// Mean of the logarithms of windows that begin at `starts`, as few logarithms of products.
fn mean_of_logs(starts: &[usize], term: impl Fn(Vec<Vec<Window>>) -> Term) -> Vec<Term> {
    let all = starts.len() as f64;
    let of_product = |starts: &[usize]| {
        let term = term(starts.iter().map(|ago| mean([*ago])).collect());
        Term { weight: term.weight / all, ..term }
    };
    starts.chunks(MOST_FACTORS).map(of_product).collect()
}
