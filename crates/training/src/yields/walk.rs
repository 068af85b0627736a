//! Forecasts as they would have been made: fitted anew every few weeks on what was known by then.

use burn::tensor::Device;

use super::fit::FitSettings;
use super::model::{Fitted, Form, Lessons};
use super::samples::{Sample, Samples};
use crate::error::TrainingError;
use veriregime_core::hedge::panel::Day;
use veriregime_core::yields::Kind;
use veriregime_core::yields::forecast::Said;

/// Days between two fits.
const STEP_DAYS: Day = 28;

/// Models of several days, one for each kind that could be fitted by then.
#[derive(Debug)]
pub struct Walk(Vec<Fit>);

#[derive(Debug)]
struct Fit {
    day: Day,
    models: Vec<(Kind, Fitted)>,
}

impl Walk {
    /// Fits on each of these days. A kind of which too little was known by then has no model.
    ///
    /// # Errors
    /// [`TrainingError`]; also that of the first day, where no kind has a model on it.
    pub fn new(
        samples: &Samples,
        kinds: &[Kind],
        days: std::ops::RangeInclusive<Day>,
        settings: &FitSettings,
        device: &Device,
    ) -> Result<Self, TrainingError> {
        let mut fits: Vec<Fit> = Vec::new();
        for until in days.step_by(STEP_DAYS as usize) {
            let mut models = Vec::new();
            let mut few = None;
            for kind in kinds {
                let lessons =
                    Lessons { samples, kinds: std::slice::from_ref(kind), until, form: Form::Ridge, settings, device };
                match lessons.fit(|_| ()) {
                    Ok(fitted) => models.push((*kind, fitted)),
                    Err(error @ TrainingError::TooFew { .. }) => few = Some(error),
                    Err(error) => return Err(error),
                }
            }
            if let Some(error) = few.filter(|_| models.is_empty()) {
                return Err(error);
            }
            fits.push(Fit { day: until, models });
        }
        Ok(Self(fits))
    }

    /// What was said of a decision on a day; nothing before the first fit, and of a kind without a model.
    pub fn say(&self, sample: &Sample, day: Day) -> Option<Said> {
        let fit = self.0.iter().rev().find(|fit| fit.day <= day)?;
        let (_, model) = fit.models.iter().find(|(kind, _)| *kind == sample.kind)?;
        Some(model.say(&sample.row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yields::samples::tests::{given, samples};
    use veriregime_core::yields::features::Target;

    /// What comes after a day moves nothing that was said on it.
    #[test]
    fn a_forecast_knows_nothing_of_what_came() {
        let walk = |later: f64| {
            let mut samples = samples(&given(4, 260));
            for sample in samples.all.iter_mut().filter(|sample| sample.day > 193) {
                sample.target = sample.target.map(|target| Target { change: later, ..target });
            }
            let walk = Walk::new(&samples, &[Kind::Lp], 144..=228, &FitSettings::default(), &Device::flex()).unwrap();
            (walk, samples)
        };
        let ((one, samples), (other, _)) = (walk(0.1), walk(-1.0));
        let of = |walk: &Walk, day: Day| {
            let sample = samples.all.iter().find(|sample| sample.day == day).unwrap();
            walk.say(sample, day)
        };
        assert_eq!(of(&one, 143), None);
        for day in [144, 171, 200, 227] {
            assert_eq!(of(&one, day), of(&other, day), "{day}");
        }
        assert_ne!(of(&one, 228), of(&other, 228));
        let few = Walk::new(&samples, &[Kind::Lp], 20..=40, &FitSettings::default(), &Device::flex());
        assert!(matches!(few, Err(TrainingError::TooFew { .. })));
    }
}
