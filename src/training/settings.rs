//! What a training run is told: the commented form is `models/train.toml`.

use serde::{Deserialize, Serialize};

use super::TrainingError;
use crate::types::feature::Feature;
use crate::types::manifest::{Label, Market};
use crate::types::time::parse_utc_ms;

/// Settings of a training run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name of the model.
    pub model_id: String,
    /// Seed of every random choice.
    pub seed: u64,
    /// What is forecast, and where it is traded.
    pub market: Market,
    /// The label.
    pub label: Label,
    /// Which minutes serve for what.
    pub split: SplitSettings,
    /// The inputs.
    pub features: FeatureSettings,
    /// The network and its training.
    pub student: StudentSettings,
}

/// Which minutes serve for what; dates in UTC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitSettings {
    /// First decision time of training.
    pub train_from: String,
    /// Beginning of the minutes whose shares are validation and test.
    pub protocol_from: String,
    /// Their end, or the end of the candles where that is earlier.
    pub protocol_to: String,
    /// Share of validation, before the test.
    pub validation_share: f64,
    /// Share of the test, at the end.
    pub test_share: f64,
    /// Every how many minutes one is taken for training and validation.
    pub stride_minutes: usize,
    /// First decision time that the weekly profile averages over.
    pub profile_from: String,
}

/// The inputs, without the statistics that training finds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureSettings {
    /// Features from candles.
    pub candle: Vec<Feature>,
    /// Features from the decision time.
    pub calendar: Vec<Feature>,
    /// Normalised values are clipped to `±clip`.
    pub clip: f64,
    /// log2 of the quantisation.
    pub input_scale: u32,
    /// Minutes of candles that are needed, the previous close included.
    pub lookback_minutes: usize,
    /// How many of these may be absent.
    pub max_missing_minutes: usize,
}

/// The network and its training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudentSettings {
    /// Hidden units.
    pub units: usize,
    /// log2 of the weights' grid.
    pub param_scale: u32,
    /// Most passes over the training samples.
    pub epochs: usize,
    /// Passes without a better validation loss before stopping.
    pub patience: usize,
    /// Runs from different starts, of which the best on validation is kept.
    pub restarts: usize,
    /// Samples of one step.
    pub batch: usize,
    /// First step size of Adam.
    pub learning_rate: f64,
    /// Weight of the squared error of the normalised log-volatility beside the cross-entropy.
    pub volatility_weight: f32,
}

impl Settings {
    /// Refuses settings that no run can follow.
    ///
    /// # Errors
    /// [`TrainingError::Settings`] with the key at fault.
    pub fn check(&self) -> Result<(), TrainingError> {
        let Self { split, student, .. } = self;
        let shares =
            split.validation_share > 0.0 && split.test_share > 0.0 && split.validation_share + split.test_share < 1.0;
        let rules = [
            (
                !self.model_id.is_empty() && self.model_id.bytes().all(is_plain),
                "model_id: lower-case letters, digits and dashes",
            ),
            ((2..=10_080).contains(&self.label.horizon_minutes), "label.horizon_minutes: 2 to 10080"),
            (self.label.threshold > 0.0 && self.label.threshold < 1.0, "label.threshold: above 0 and below 1"),
            (shares, "split: the shares of validation and test must be positive and leave something for training"),
            ((1..=1440).contains(&split.stride_minutes), "split.stride_minutes: 1 to 1440"),
            ((1..=256).contains(&student.units), "student.units: 1 to 256"),
            ((1..=20).contains(&student.param_scale), "student.param_scale: 1 to 20"),
            ((1..=1000).contains(&student.epochs), "student.epochs: 1 to 1000"),
            (student.patience > 0, "student.patience: at least 1"),
            ((1..=100).contains(&student.restarts), "student.restarts: 1 to 100"),
            ((1..=1 << 20).contains(&student.batch), "student.batch: 1 to 1048576"),
            (student.learning_rate > 0.0 && student.learning_rate < 1.0, "student.learning_rate: above 0 and below 1"),
            (student.volatility_weight >= 0.0, "student.volatility_weight: not negative"),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(TrainingError::Settings { reason: (*rule).to_owned() }),
            None => Ok(()),
        }
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

/// A date of the settings in ms UTC.
pub(super) fn date_ms(key: &str, text: &str) -> Result<i64, TrainingError> {
    parse_utc_ms(text).map_err(|fault| TrainingError::Settings { reason: format!("split.{key}: {fault}") })
}
