//! From candles to a trained network. Shares the features with the daemon and nothing else: a model reaches it only as
//! files.

pub mod card;
pub mod dataset;
pub mod export;
pub mod fit;
pub mod har;
pub mod settings;
pub mod student;

use thiserror::Error;

use crate::features::{Batch, FeatureError};
use crate::types::candle::CandleSeries;
use crate::types::fault::Fault;
use crate::types::feature::FeatureSpec;
use dataset::Split;
use export::SquareNetwork;
use fit::{Epoch, Fit};
use settings::Settings;

/// Why no model comes out of a training run.
#[derive(Debug, Error)]
pub enum TrainingError {
    /// Settings that no run can follow.
    #[error("{reason}")]
    Settings { reason: String },
    /// A part of the split is nearly empty.
    #[error("{part} has {found} samples, at least {needed} are needed")]
    TooFew { part: String, found: usize, needed: usize },
    /// A feature that has the same value everywhere.
    #[error("{feature} never changes over the training split")]
    Constant { feature: String },
    /// Losses that are not numbers.
    #[error("the loss was never a finite number")]
    Diverged,
    /// The features cannot be computed.
    #[error(transparent)]
    Features(#[from] FeatureError),
}

impl Fault for TrainingError {
    fn code(&self) -> &'static str {
        match self {
            Self::Settings { .. } => "VR-TRAIN-001",
            Self::TooFew { .. } => "VR-TRAIN-002",
            Self::Constant { .. } => "VR-TRAIN-003",
            Self::Diverged => "VR-TRAIN-004",
            Self::Features(error) => error.code(),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Settings { .. } => "correct this key in the training settings",
            Self::TooFew { .. } => "give candles that cover the dates in the training settings, a week before included",
            Self::Constant { .. } => "drop the feature, or look at the candles with `candles check`",
            Self::Diverged => "lower student.learning_rate",
            Self::Features(error) => error.advice(),
        }
    }
}

/// What a training run leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// The network on the circuit's grid.
    pub network: SquareNetwork,
    /// The features with their statistics.
    pub features: FeatureSpec,
    /// The fitted baseline.
    pub har_logistic: [f64; 5],
    /// Which decision times served for what.
    pub split: Split,
    /// Samples of training and validation.
    pub samples: [usize; 2],
    /// How the network was found.
    pub fit: Fit,
}

/// Trains on a series of candles. `report` hears of every epoch.
///
/// # Errors
/// [`TrainingError`].
pub fn train(settings: &Settings, series: &CandleSeries, report: impl FnMut(Epoch)) -> Result<Trained, TrainingError> {
    settings.check()?;
    let split = Split::new(settings, series.end_ms())?;
    let features = dataset::fit_spec(settings, series, &split)?;
    let batch = Batch::new(&features, series)?;
    let part = |times, name: &str| {
        let stride = settings.split.stride_minutes;
        let decisions = dataset::decisions(settings, batch.sums(), series.start_ms(), times, stride);
        match decisions.len() {
            0 => Err(TrainingError::TooFew { part: name.to_owned(), found: 0, needed: 1 }),
            _ => Ok(decisions),
        }
    };
    let (train, validation) = (part(&split.train, "training")?, part(&split.validation, "validation")?);
    let threshold = settings.label.threshold;
    let baseline: Vec<_> = train
        .iter()
        .filter(|(at, _)| *at > har::WINDOWS_MINUTES[3])
        .map(|(at, volatility)| (har::regressors(batch.sums(), *at), *volatility > threshold))
        .collect();
    let har_logistic = har::fit(&baseline).map(dataset::frozen);
    let samples = |decisions: &[(usize, f64)]| dataset::samples(&batch, &features, decisions, threshold);
    let fit = fit::fit(&settings.student, settings.seed, &samples(&train), &samples(&validation), report)?;
    let network = fit.network.clone().on_grid(settings.student.param_scale);
    Ok(Trained { network, features, har_logistic, split, samples: [train.len(), validation.len()], fit })
}
