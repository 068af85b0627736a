//! A model of one kind of strategies, or of several: fitted up to a day, with the width of its first intervals.

use burn::tensor::Device;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::fit::{Epoch, FitSettings, Lesson, fit};
use super::inputs::{Inputs, unrolled_places};
use super::lstm::{Lstm, unrolled};
use super::ridge::{Ridge, TARGETS};
use super::samples::{Sample, Samples};
use super::square::Square;
use crate::error::TrainingError;
use veriregime_core::hedge::panel::Day;
use veriregime_core::model::export::{Layer, LayeredNetwork};
use veriregime_core::model::lstm::LstmNetwork;
use veriregime_core::quantile::quantile;
use veriregime_core::types::manifest::frozen;
use veriregime_core::yields::conformal::NOMINAL_COVERAGE;
use veriregime_core::yields::features::{Row, Target, columns};
use veriregime_core::yields::forecast::Said;
use veriregime_core::yields::{Kind, WINDOW_DAYS};

/// Fewest decisions that a model is fitted on.
const LEAST_SAMPLES: usize = 200;
/// Largest change that is learnt as it is: of `z`, in a week.
const LARGEST_CHANGE: f64 = 1.5;
/// Share of the decisions, the latest ones, that the first width is read from.
const CALIBRATION_SHARE: f64 = 0.25;

/// What computes a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A ridge regression on the last 7 days' rates alone.
    Autoregression,
    /// A ridge regression.
    Ridge,
    /// A layer of squares.
    Square,
    /// Two LSTM layers and a dense one, of so many units.
    Lstm([usize; 3]),
}

/// What was fitted, by its kind.
#[derive(Debug, Clone, PartialEq)]
pub enum FittedNetwork {
    /// Layers.
    Layers(LayeredNetwork),
    /// An LSTM.
    Lstm(Box<LstmNetwork>),
}

impl FittedNetwork {
    /// What it computes of normalised features, in floating point.
    pub fn forward(&self, values: Vec<f64>) -> Vec<f64> {
        match self {
            Self::Layers(network) => forward(network, values),
            Self::Lstm(network) => network.forward(&values),
        }
    }
}

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// What it sees.
    pub inputs: Inputs,
    /// What it computes of that: change, logarithm of the deviation, factor of the first interval.
    pub network: FittedNetwork,
    /// Decisions that it was fitted on.
    pub samples: usize,
    /// Epochs that it was trained for; none for a regression.
    pub epochs: Option<usize>,
}

impl Fitted {
    /// What it says of a row, in floating point.
    pub fn say(&self, row: &Row) -> Said {
        let outputs = self.network.forward(self.inputs.normalised(row));
        Said::new(outputs[0], outputs[1], outputs[2])
    }
}

/// How a model is fitted.
#[derive(Debug, Clone, Copy)]
pub struct Lessons<'a> {
    /// The decisions.
    pub samples: &'a Samples,
    /// Kinds of strategies that it is for.
    pub kinds: &'a [Kind],
    /// Only outcomes that are known at the end of this day count.
    pub until: Day,
    /// What computes.
    pub form: Form,
    /// How networks are trained.
    pub settings: &'a FitSettings,
    /// Where.
    pub device: &'a Device,
}

impl Lessons<'_> {
    /// Fits on the earlier decisions, reads the width from the later ones, and fits again on all of them.
    ///
    /// # Errors
    /// [`TrainingError::TooFew`], or [`TrainingError::Diverged`].
    pub fn fit(&self, mut observe: impl FnMut(Epoch)) -> Result<Fitted, TrainingError> {
        let known: Vec<(&Sample, Target)> = self.of_kinds(self.until);
        let part = || {
            format!("the training part of {}", self.kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", "))
        };
        if known.len() < LEAST_SAMPLES {
            return Err(TrainingError::TooFew { part: part(), found: known.len(), needed: LEAST_SAMPLES });
        }
        let first_late = known[(known.len() as f64 * (1.0 - CALIBRATION_SHARE)) as usize].0.day;
        let early = self.of_kinds(first_late);
        let late: Vec<(&Sample, Target)> =
            known.iter().filter(|(sample, _)| sample.day >= first_late).copied().collect();
        if early.len() < LEAST_SAMPLES / 2 {
            return Err(TrainingError::TooFew { part: part(), found: early.len(), needed: LEAST_SAMPLES / 2 });
        }
        let first = self.fitted(&early, Some(&late), 0.0, self.settings.epochs, &mut observe)?;
        let score = |(sample, target): &(&Sample, Target)| first.say(&sample.row).score(target.change);
        let factor = frozen(quantile(&late.iter().map(score).collect::<Vec<_>>(), NOMINAL_COVERAGE));
        let epochs = first.epochs.unwrap_or(self.settings.epochs);
        self.fitted(&known, None, factor, epochs, &mut observe)
    }

    fn of_kinds(&self, day: Day) -> Vec<(&Sample, Target)> {
        self.samples.known(day).filter(|(sample, _)| self.kinds.contains(&sample.kind)).collect()
    }

    fn fitted(
        &self,
        rows: &[(&Sample, Target)],
        validation: Option<&[(&Sample, Target)]>,
        width_factor: f64,
        epochs: usize,
        observe: &mut impl FnMut(Epoch),
    ) -> Result<Fitted, TrainingError> {
        let places = match self.form {
            Form::Autoregression => (0..WINDOW_DAYS).collect(),
            Form::Ridge | Form::Square => columns(self.kinds),
            Form::Lstm(_) => unrolled_places(),
        };
        let inputs = Inputs::fit(places, rows.iter().map(|(sample, _)| &sample.row));
        let samples = rows.len();
        if matches!(self.form, Form::Autoregression | Form::Ridge) {
            let row = |(sample, target): &(&Sample, Target)| (inputs.normalised(&sample.row), targets(target));
            // Three lenders in two years are too few to learn from level and volatility where rates go.
            let is_left_out = if self.kinds == [Kind::Lending] { inputs.beyond_rates() } else { Vec::new() };
            let ridge = Ridge::fit(&rows.iter().map(row).collect::<Vec<_>>(), &is_left_out);
            let network = FittedNetwork::Layers(ridge.network(width_factor));
            return Ok(Fitted { inputs, network, samples, epochs: None });
        }
        let scalers = scalers(rows.iter().map(|(_, target)| targets(target)));
        let settings = FitSettings { epochs, ..*self.settings };
        let random = &mut ChaCha8Rng::seed_from_u64(settings.seed);
        let tracking = self.device.clone().autodiff();
        let (network, epochs) = if let Form::Lstm(units) = self.form {
            let row = |sample: &Sample| {
                let normalised = inputs.normalised(&sample.row);
                let (days, beside) = normalised.split_at(WINDOW_DAYS);
                unrolled(days, beside)
            };
            let numbers = 1 + inputs.count() - WINDOW_DAYS;
            let columns = WINDOW_DAYS * numbers;
            let (taught, judged) = lessons(columns, row, rows, validation, scalers);
            let start = Lstm::new(WINDOW_DAYS, numbers, units, random, &tracking);
            let (network, epochs) = fit(start, &taught, judged.as_ref(), &settings, self.device, observe)?;
            (FittedNetwork::Lstm(Box::new(network.to_network(scalers, width_factor))), epochs)
        } else {
            let row = |sample: &Sample| {
                inputs.normalised(&sample.row).into_iter().map(|value| value as f32).collect::<Vec<_>>()
            };
            let columns = inputs.count();
            let (taught, judged) = lessons(columns, row, rows, validation, scalers);
            let start = Square::new(columns, random, &tracking);
            let (network, epochs) = fit(start, &taught, judged.as_ref(), &settings, self.device, observe)?;
            (FittedNetwork::Layers(network.to_network(scalers, width_factor)), epochs)
        };
        Ok(Fitted { inputs, network, samples, epochs: Some(epochs) })
    }
}

/// What is learnt of an outcome.
pub(super) fn targets(target: &Target) -> [f64; TARGETS] {
    [target.change.clamp(-LARGEST_CHANGE, LARGEST_CHANGE), target.log_deviation]
}

/// Mean and standard deviation of each target.
pub(super) fn scalers(rows: impl Iterator<Item = [f64; TARGETS]> + Clone) -> [(f64, f64); TARGETS] {
    let count = rows.clone().count() as f64;
    std::array::from_fn(|index| {
        let mean = rows.clone().map(|targets| targets[index]).sum::<f64>() / count;
        let squares = rows.clone().map(|targets| (targets[index] - mean) * (targets[index] - mean));
        (mean, (squares.sum::<f64>() / count).sqrt().max(1e-6))
    })
}

/// What is taught, and what judges.
fn lessons(
    columns: usize,
    row: impl Fn(&Sample) -> Vec<f32>,
    rows: &[(&Sample, Target)],
    validation: Option<&[(&Sample, Target)]>,
    scalers: [(f64, f64); TARGETS],
) -> (Lesson, Option<Lesson>) {
    let normalised = |target: &Target| {
        let targets = targets(target);
        std::array::from_fn(|index| ((targets[index] - scalers[index].0) / scalers[index].1) as f32)
    };
    let lesson = |rows: &[(&Sample, Target)]| Lesson {
        columns,
        rows: rows.iter().flat_map(|(sample, _)| row(sample)).collect(),
        targets: rows.iter().map(|(_, target)| normalised(target)).collect(),
    };
    (lesson(rows), validation.map(lesson))
}

/// What a network computes, in floating point.
fn forward(network: &LayeredNetwork, mut values: Vec<f64>) -> Vec<f64> {
    for layer in &network.layers {
        values = match layer {
            Layer::Square => values.iter().map(|value| value * value).collect(),
            Layer::Relu => values.iter().map(|value| value.max(0.0)).collect(),
            Layer::Linear { outputs, weights, bias, .. } => {
                let mut sums: Vec<f64> = bias.iter().map(|constant| f64::from(*constant)).collect();
                for (value, row) in values.iter().zip(weights.chunks_exact(*outputs)) {
                    for (sum, weight) in sums.iter_mut().zip(row) {
                        *sum += value * f64::from(*weight);
                    }
                }
                sums
            }
        };
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yields::samples::tests::{given, samples};

    fn fitted(form: Form, until: Day, later: Option<f64>) -> Fitted {
        let mut samples = samples(&given(4, 200));
        if let Some(later) = later {
            for sample in samples.all.iter_mut().filter(|sample| sample.day + 7 > until) {
                sample.target = sample.target.map(|target| Target { change: later, ..target });
            }
        }
        let settings = FitSettings { epochs: 25, batch_size: 64, ..FitSettings::default() };
        let device = Device::flex();
        Lessons { samples: &samples, kinds: &[Kind::Lp], until, form, settings: &settings, device: &device }
            .fit(|_| ())
            .unwrap()
    }

    /// Outcomes that are not known by then move no weight.
    #[test]
    fn the_future_is_not_learnt() {
        for form in [Form::Ridge, Form::Square, Form::Lstm([4, 3, 4])] {
            assert_eq!(fitted(form, 150, None), fitted(form, 150, Some(9.0)));
        }
        assert_ne!(fitted(Form::Ridge, 150, None).network, fitted(Form::Ridge, 160, None).network);
    }

    #[test]
    fn all_forms_forecast_swings_better_than_nothing() {
        let samples = samples(&given(4, 300));
        for form in [Form::Ridge, Form::Square, Form::Lstm([8, 4, 4])] {
            let fitted = fitted(form, 200, None);
            let late = || {
                samples.all.iter().filter(|sample| sample.day > 200).filter_map(|sample| Some((sample, sample.target?)))
            };
            let error: f64 = late().map(|(sample, came)| (fitted.say(&sample.row).change - came.change).powi(2)).sum();
            let nothing: f64 = late().map(|(_, came)| came.change.powi(2)).sum();
            assert!(error < 0.7 * nothing, "{form:?}: {error} against {nothing}");
            assert!(fitted.say(&samples.all[0].row).width_factor > 0.0);
        }
    }

    #[test]
    fn too_few_decisions_are_told() {
        let samples = samples(&given(2, 60));
        let settings = FitSettings::default();
        let device = Device::flex();
        let lessons = Lessons {
            samples: &samples,
            kinds: &[Kind::Lp],
            until: 60,
            form: Form::Ridge,
            settings: &settings,
            device: &device,
        };
        assert!(matches!(lessons.fit(|_| ()), Err(TrainingError::TooFew { .. })));
    }
}
