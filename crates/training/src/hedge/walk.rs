//! Forecasts as they would have been made: fitted anew each quarter on what was known by then.

use super::ridge::{Ridge, RidgeSettings};
use super::samples::{HORIZONS, Sample, Samples, known};
use super::score::Judged;
use crate::error::TrainingError;
use veriregime_core::hedge::HORIZON_MONTHS;
use veriregime_core::hedge::features::MONTH_DAYS;
use veriregime_core::hedge::forecast::{NOMINAL_COVERAGE, PriceForecast};

/// Days of history before the first fit.
const FIRST_FIT_DAYS: usize = 730;
/// Days between two fits: a quarter.
const STEP_DAYS: usize = 91;
/// Fewest errors that a width is read from.
const MIN_ERRORS: usize = 5000;

/// A walk through all of a panel.
#[derive(Debug)]
pub struct Walk {
    /// Every decision with its forecast, in time's order.
    pub judged: Vec<Judged>,
}

impl Walk {
    /// Fits on what was known, forecasts a quarter, and goes on to the end.
    ///
    /// # Errors
    /// As [`Ridge::fit`].
    pub fn new(samples: &Samples, settings: &RidgeSettings) -> Result<Self, TrainingError> {
        let mut judged: Vec<Judged> = Vec::new();
        let mut cut = FIRST_FIT_DAYS;
        while cut < samples.days() {
            let ridge = Ridge::fit(samples.before(cut), cut, settings)?;
            let widths = half_widths(&judged, cut);
            let quarter = samples.within(cut, cut + STEP_DAYS);
            judged.extend(quarter.iter().map(|sample| of(sample, &ridge, widths)));
            cut += STEP_DAYS;
        }
        Ok(Self { judged })
    }

    /// The half-widths that cover their share of all errors that are known before the position `cut`.
    pub fn half_widths(&self, cut: usize) -> [Option<f64>; HORIZONS] {
        half_widths(&self.judged, cut)
    }
}

fn of(sample: &Sample, ridge: &Ridge, widths: [Option<f64>; HORIZONS]) -> Judged {
    let ratios = ridge.predict(&sample.row);
    let forecast = |index: usize| PriceForecast {
        months: HORIZON_MONTHS[index],
        log_ratio: ratios[index],
        half_width: widths[index].unwrap_or(f64::NAN),
    };
    Judged { country: sample.country, at: sample.at, forecasts: std::array::from_fn(forecast), came: sample.targets }
}

fn half_widths(judged: &[Judged], cut: usize) -> [Option<f64>; HORIZONS] {
    std::array::from_fn(|horizon| {
        let ends = |one: &Judged| one.at + MONTH_DAYS * HORIZON_MONTHS[horizon] as usize;
        let known = judged.iter().filter(|one| ends(one) < cut);
        let error = |one: &Judged| Some((one.came[horizon]? - one.forecasts[horizon].log_ratio).abs());
        let mut errors: Vec<f64> = known.filter_map(error).collect();
        if errors.len() < MIN_ERRORS {
            return None;
        }
        let rank = ((errors.len() as f64 * NOMINAL_COVERAGE).ceil() as usize).clamp(1, errors.len()) - 1;
        Some(*errors.select_nth_unstable_by(rank, f64::total_cmp).1)
    })
}

/// Number of outcomes that are known before the position `cut`, over all horizons.
pub fn outcomes(samples: &[Sample], cut: usize) -> usize {
    samples.iter().map(|sample| (0..HORIZONS).filter(|horizon| known(sample, *horizon, cut).is_some()).count()).sum()
}
