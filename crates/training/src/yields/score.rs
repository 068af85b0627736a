//! How good forecasts of the next week's rates were.

use std::collections::BTreeMap;

use serde::Serialize;

use super::samples::Sample;
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::time::format_day;
use veriregime_core::yields::conformal::{factors, size};
use veriregime_core::yields::features::Target;
use veriregime_core::yields::forecast::Said;
use veriregime_core::yields::scale::{apy_percent, z};

/// Letters of `2025-08`.
const MONTH_LETTERS: usize = 7;

/// A decision with what was said and what came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged<'a> {
    /// The decision.
    pub sample: &'a Sample,
    /// Whether the model was fitted on this strategy's past.
    pub is_seen: bool,
    /// What was said.
    pub said: Said,
    /// What half of its interval was, in sizes; no number where there was none.
    pub factor: f64,
    /// What came.
    pub target: Target,
}

/// Figures; those of no rows, or that nothing can be compared with, are absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Score {
    /// Decisions.
    pub rows: usize,
    /// Share of the variance of `z` of the next week's mean rate that is explained.
    pub r2: Option<f64>,
    /// Mean absolute error of that rate, percentage points a year.
    pub mae_pp: Option<f64>,
    /// 1 − mean squared error of `z` / that of the last day's rate.
    pub skill_last: Option<f64>,
    /// The same against the mean rate of the last 7 days.
    pub skill_mean7: Option<f64>,
    /// The same of the logarithm of the deviation against that of the last 7 days.
    pub volatility_skill: Option<f64>,
    /// Share of outcomes inside of the 90 % interval.
    pub coverage90: Option<f64>,
}

/// What each of these decisions is forecast to be, with intervals that adapt; only those from a day on are given, with outcomes.
pub fn judge<'a>(rows: &[(&'a Sample, bool, Said)], from: Day) -> Vec<Judged<'a>> {
    let score =
        |(sample, _, said): &(&Sample, bool, Said)| (sample.day, sample.target.map(|came| said.score(came.change)));
    let first = rows.first().map_or(0.0, |(_, _, said)| said.width_factor);
    let factors = factors(first, rows.iter().map(score));
    let judged = rows.iter().filter(|(sample, ..)| sample.day >= from).filter_map(|(sample, is_seen, said)| {
        let factor = factors[&sample.day];
        Some(Judged { sample, is_seen: *is_seen, said: *said, factor, target: sample.target? })
    });
    judged.collect()
}

/// Figures of decisions.
pub fn score<'a>(judged: impl Iterator<Item = &'a Judged<'a>> + Clone) -> Score {
    let rows = judged.clone().count();
    if rows == 0 {
        return Score::default();
    }
    let mean = |of: &dyn Fn(&Judged<'_>) -> f64| judged.clone().map(of).sum::<f64>() / rows as f64;
    let level = |one: &Judged<'_>| one.sample.window.level + one.target.change;
    let middle = mean(&level);
    let error = mean(&|one| (one.said.change - one.target.change).powi(2));
    let against = |error: f64, other: f64| (other > 0.0).then(|| 1.0 - error / other);
    let last = |one: &Judged<'_>| one.sample.window.z[one.sample.window.z.len() - 1];
    let volatility = mean(&|one| (one.said.log_deviation - one.target.log_deviation).powi(2));
    let persistence = mean(&|one| (one.sample.window.log_deviation() - one.target.log_deviation).powi(2));
    let has_width = judged.clone().all(|one| one.factor.is_finite());
    let is_inside =
        |one: &Judged<'_>| (one.said.change - one.target.change).abs() <= one.factor * size(one.said.log_deviation);
    Score {
        rows,
        r2: against(error, mean(&|one| (level(one) - middle).powi(2))),
        mae_pp: Some(mean(&|one| {
            (apy_percent(one.sample.window.level + one.said.change) - one.target.apy_percent).abs()
        })),
        skill_last: against(error, mean(&|one| (last(one) - level(one)).powi(2))),
        skill_mean7: against(error, mean(&|one| one.target.change.powi(2))),
        volatility_skill: against(volatility, persistence),
        coverage90: has_width.then(|| mean(&|one| f64::from(u8::from(is_inside(one))))),
    }
}

/// Figures month by month of the decisions' days.
pub fn by_month(judged: &[Judged<'_>]) -> BTreeMap<String, Score> {
    let month = |one: &Judged<'_>| format_day(one.sample.day).chars().take(MONTH_LETTERS).collect::<String>();
    let months: std::collections::BTreeSet<String> = judged.iter().map(month).collect();
    months.into_iter().map(|name| (name.clone(), score(judged.iter().filter(|one| month(one) == name)))).collect()
}

/// The same decisions forecast otherwise, without intervals.
pub fn instead<'a>(judged: &[Judged<'a>], say: impl Fn(&Sample) -> Said) -> Vec<Judged<'a>> {
    judged.iter().map(|one| Judged { said: say(one.sample), factor: f64::NAN, ..*one }).collect()
}

/// The same decisions with what somebody else said of each, without intervals.
pub fn said_otherwise<'a>(judged: &[Judged<'a>], said: &[Said]) -> Vec<Judged<'a>> {
    judged.iter().zip(said).map(|(one, said)| Judged { said: *said, factor: f64::NAN, ..*one }).collect()
}

/// The next week is as the last day.
pub fn last_day(sample: &Sample) -> Said {
    let window = &sample.window;
    simple(window.z[window.z.len() - 1] - window.level, sample)
}

/// The next week is as the last one.
pub fn last_week(sample: &Sample) -> Said {
    simple(0.0, sample)
}

/// The next week is as the exponentially weighted mean.
pub fn ewma(sample: &Sample) -> Said {
    simple(z(sample.ewma) - sample.window.level, sample)
}

/// This change, as it is, with the volatility of the last week.
fn simple(change: f64, sample: &Sample) -> Said {
    Said { change, log_deviation: sample.window.log_deviation(), width_factor: 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yields::samples::tests::{given, samples};

    #[test]
    fn figures_are_those_of_their_definitions() {
        let samples = samples(&given(2, 40));
        let with = |sample: &Sample, change: f64| Sample {
            target: Some(Target {
                change,
                log_deviation: -2.0,
                apy_percent: apy_percent(sample.window.level + change),
            }),
            ..sample.clone()
        };
        let came = [with(&samples.all[0], 0.2), with(&samples.all[3], -0.1)];
        let rows: Vec<(&Sample, bool, Said)> =
            came.iter().map(|sample| (sample, true, Said::new(0.1, -1.0, 0.2))).collect();
        let judged = judge(&rows, 0);
        let score = score(judged.iter());
        assert_eq!((score.rows, judge(&rows, came[1].day).len()), (2, 1));
        assert!((score.skill_mean7.unwrap() - (1.0 - 0.05 / 0.05)).abs() < 1e-12);
        // Half widths of 0.2 · exp(−1/2) = 0.121: errors are 0.1 and 0.2.
        assert_eq!(score.coverage90, Some(0.5));
        let levels = [came[0].window.level + 0.2, came[1].window.level - 0.1];
        let variance = (levels[0] - levels[1]).powi(2) / 4.0;
        assert!((score.r2.unwrap() - (1.0 - 0.025 / variance)).abs() < 1e-9);
        let missed: f64 = came
            .iter()
            .zip(levels)
            .map(|(sample, level)| (apy_percent(sample.window.level + 0.1) - apy_percent(level)).abs())
            .sum();
        assert!((score.mae_pp.unwrap() - missed / 2.0).abs() < 1e-9);
        let persistence: f64 = came.iter().map(|sample| (sample.window.log_deviation() + 2.0).powi(2)).sum();
        assert!((score.volatility_skill.unwrap() - (1.0 - 2.0 / persistence)).abs() < 1e-9);
        let week = super::score(instead(&judged, last_week).iter());
        assert_eq!((week.skill_mean7, week.volatility_skill, week.coverage90), (Some(0.0), Some(0.0), None));
        assert_eq!(
            super::score(instead(&judged, last_day).iter()).skill_last.map(|skill| skill.abs() < 1e-9),
            Some(true)
        );
        assert_eq!(by_month(&judged).keys().collect::<Vec<_>>(), ["1970-01"]);
        assert_eq!(super::score(std::iter::empty()), Score::default());
    }
}
