//! What a training run is told: the commented form is `models/train.toml`.

use serde::{Deserialize, Serialize};

use super::error::TrainingError;
use super::feature_settings::FeatureSettings;
use super::loss::Distillation;
use super::student::LayerSettings;
use super::teacher::TeacherSettings;
use super::trainer::FitSettings;
use veriregime_core::types::manifest::inputs::Market;
use veriregime_core::types::manifest::regime::Label;
use veriregime_core::types::period::Grid;
use veriregime_core::types::time::parse_utc_ms;

/// Settings of a training run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name of the model.
    pub model_id: String,
    /// Seed of every random choice.
    pub seed: u64,
    /// How often figures of the test part were looked at before these settings were final, for the model card.
    pub test_looks: String,
    /// What is forecast, and where it is traded: of a model of one market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<Market>,
    /// The markets of a model of several, in the order of the proof's rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub markets: Vec<MarketSettings>,
    /// The label.
    pub label: LabelSettings,
    /// Minutes between two forecasts.
    #[serde(default = "four_hours")]
    pub period_minutes: u64,
    /// Which minutes serve for what.
    pub split: SplitSettings,
    /// The inputs.
    pub features: FeatureSettings,
    /// The source system's CNN, for a row of the report; left out where absent.
    pub original_cnn: Option<FitSettings>,
    /// The network that the student learns from; the student learns from what happened alone where absent.
    pub teacher: Option<TeacherSettings>,
    /// The network that is proven.
    pub student: StudentSettings,
}

/// One of several markets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketSettings {
    /// As [`Market::name`].
    pub name: String,
    /// As [`Market::symbol`].
    pub symbol: String,
    /// Standard deviation of one-minute returns above which a window is High; the median of what followed the training decisions
    /// where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
}

impl MarketSettings {
    /// As a manifest has it.
    pub fn market(&self) -> Market {
        Market { name: self.name.clone(), symbol: self.symbol.clone() }
    }
}

/// What is forecast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelSettings {
    /// Minutes of the window that follows.
    pub horizon_minutes: usize,
    /// Of a model of one market, as [`MarketSettings::threshold`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
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
    /// First decision time that the weekly profile averages over.
    pub profile_from: String,
}

/// The proven network and its training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudentSettings {
    /// Layers before the two heads.
    pub layers: Vec<LayerSettings>,
    /// log2 of the weights' grid.
    pub param_scale: u32,
    /// Runs from different starts, of which the best on validation is kept.
    pub restarts: usize,
    /// What is taken from the teacher.
    pub distillation: Distillation,
    /// Whether the forecast logarithm is lifted, in each market by the variance of what it missed in the training part, so that the square of
    /// the volatility is the variance to be expected: better by QLIKE, worse by R², which wants the mean of the logarithm.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expects_variance: bool,
    /// How it is trained.
    pub fit: FitSettings,
}

/// Most markets of a model that is trained.
const MAX_MARKETS: usize = 16;

fn four_hours() -> u64 {
    Grid::FOUR_HOURS.period_seconds / 60
}

impl Settings {
    /// When forecasts are made.
    pub fn grid(&self) -> Grid {
        let label = Label { horizon_minutes: self.label.horizon_minutes, threshold: 0.0 };
        label.grid(self.period_minutes.saturating_mul(60))
    }

    /// The markets, in the order of the proof's rows.
    pub fn markets(&self) -> Vec<MarketSettings> {
        let threshold = self.label.threshold;
        let one = self.market.iter().map(|market| MarketSettings {
            name: market.name.clone(),
            symbol: market.symbol.clone(),
            threshold,
        });
        one.chain(self.markets.iter().cloned()).collect()
    }

    /// Refuses settings that no run can follow.
    ///
    /// # Errors
    /// [`TrainingError::Settings`] with the key at fault.
    pub fn check(&self) -> Result<(), TrainingError> {
        let Self { split, student, .. } = self;
        let shares =
            split.validation_share > 0.0 && split.test_share > 0.0 && split.validation_share + split.test_share < 1.0;
        let widths = student.layers.iter().all(|layer| match layer {
            LayerSettings::Linear(units) => (1..=256).contains(units),
            LayerSettings::Square | LayerSettings::Relu => true,
        });
        let markets = self.markets();
        let mut names: Vec<_> = markets.iter().map(|market| &market.name).collect();
        names.sort_unstable();
        let is_fraction = |threshold: f64| threshold > 0.0 && threshold < 1.0;
        let Distillation { alpha, temperature } = student.distillation;
        let rules = [
            (
                !self.model_id.is_empty() && self.model_id.bytes().all(is_plain),
                "model_id: lower-case letters, digits and dashes",
            ),
            ((2..=10_080).contains(&self.label.horizon_minutes), "label.horizon_minutes: 2 to 10080"),
            (
                self.grid().suits_risk_parameters(),
                "period_minutes: a number that divides the 10080 of a week, at most the 1440 of a day",
            ),
            (
                self.market.is_some() == self.markets.is_empty(),
                "market and markets: either one market or a list of them",
            ),
            (markets.len() <= MAX_MARKETS, "markets: at most 16"),
            (names.windows(2).all(|pair| pair[0] != pair[1]), "markets: each name once"),
            (
                self.markets.is_empty() || self.label.threshold.is_none(),
                "label.threshold: of one market alone; each of several has its own",
            ),
            (
                markets.iter().all(|market| market.threshold.is_none_or(is_fraction)),
                "label.threshold and those of markets: above 0 and below 1",
            ),
            (markets.len() == 1 || self.original_cnn.is_none(), "original_cnn: with one market alone"),
            (shares, "split: the shares of validation and test must be positive and leave something for training"),
            (widths && student.layers.len() <= 8, "student.layers: at most 8, of 1 to 256 units"),
            (
                !matches!(student.layers.last(), Some(LayerSettings::Linear(_))),
                "student.layers: end with square or relu, the heads are linear by themselves",
            ),
            ((1..=20).contains(&student.param_scale), "student.param_scale: 1 to 20"),
            ((1..=100).contains(&student.restarts), "student.restarts: 1 to 100"),
            ((0.0..=1.0).contains(&alpha), "student.distillation.alpha: 0 to 1"),
            ((0.1..=100.0).contains(&temperature), "student.distillation.temperature: 0.1 to 100"),
        ];
        if let Some((_, rule)) = rules.iter().find(|(holds, _)| !holds) {
            return Err(TrainingError::Settings { reason: (*rule).to_owned() });
        }
        check_fit("student.fit", &student.fit)?;
        if let Some(fit) = &self.original_cnn {
            check_fit("original_cnn", fit)?;
        }
        if let Some(teacher) = &self.teacher {
            teacher.check()?;
            check_fit("teacher.fit", &teacher.fit)?;
        }
        Ok(())
    }
}

fn check_fit(section: &str, fit: &FitSettings) -> Result<(), TrainingError> {
    let (step, loss) = (&fit.step, &fit.loss);
    let rules = [
        ((1..=1440).contains(&fit.stride_minutes), "stride_minutes: 1 to 1440"),
        ((1..=1000).contains(&fit.epochs), "epochs: 1 to 1000"),
        (fit.patience > 0, "patience: at least 1"),
        ((1..=1 << 20).contains(&fit.batch), "batch: 1 to 1048576"),
        (step.learning_rate > 0.0 && step.learning_rate < 1.0, "step.learning_rate: above 0 and below 1"),
        ((0.0..=100.0).contains(&step.weight_decay), "step.weight_decay: 0 to 100"),
        (step.gradient_norm > 0.0, "step.gradient_norm: above 0"),
        ((0.0..=1e6).contains(&loss.volatility_weight), "loss.volatility_weight: 0 to 1000000"),
        ((0.0..=10.0).contains(&loss.focal_gamma), "loss.focal_gamma: 0 to 10"),
    ];
    match rules.iter().find(|(holds, _)| !holds) {
        Some((_, rule)) => Err(TrainingError::Settings { reason: format!("{section}.{rule}") }),
        None => Ok(()),
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

/// A date of the settings in ms UTC.
pub(super) fn date_ms(key: &str, text: &str) -> Result<i64, TrainingError> {
    parse_utc_ms(text).map_err(|fault| TrainingError::Settings { reason: format!("split.{key}: {fault}") })
}
