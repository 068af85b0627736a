//! How good a model is on given candles: a table of forecasters on the same decision times, the model in floats and as
//! its circuit computes it among them.

pub mod baselines;
pub mod bootstrap;
pub mod card;
pub mod card_added;
mod card_cells;
mod card_markets;
pub mod drift;
pub mod figure;
pub mod metrics;
pub mod outcomes;
pub mod pooled;
pub mod report;
pub mod tallies;

use std::ops::Range;

use thiserror::Error;

use outcomes::{Forecast, Forecaster, Outcomes};
use report::Report;
use veriregime_core::features::har::LEAST_BEFORE;
use veriregime_core::features::{Batch, FeatureError};
use veriregime_core::model::float::{FloatModel, inputs};
use veriregime_core::model::{Layout, Model, ModelError};
use veriregime_core::types::baselines::Baselines;
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::feature::FeatureSpec;
use veriregime_core::types::manifest::regime::Label;
use veriregime_core::types::period::Grid;
use veriregime_core::types::prediction::{Prediction, Regime};

/// Rows that go through tract at once.
const CHUNK: usize = 4096;

/// Why nothing could be evaluated.
#[derive(Debug, Error)]
pub enum EvaluationError {
    /// No decision time has both the past and the future that it needs.
    #[error(
        "no decision time in this range has {before_minutes} minutes of candles before it and {horizon_minutes} after it"
    )]
    Nothing { before_minutes: usize, horizon_minutes: usize },
    /// Features that cannot be computed.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// A model that does not answer.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl Diagnostic for EvaluationError {
    fn code(&self) -> &'static str {
        match self {
            Self::Nothing { .. } => "VR-EVAL-001",
            Self::Features(error) => error.code(),
            Self::Model(error) => error.code(),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Nothing { .. } => "give more candles, or dates that they cover",
            Self::Features(error) => error.hint(),
            Self::Model(error) => error.hint(),
        }
    }
}

/// What is evaluated: a model of one market and what belongs to it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The network's file.
    pub onnx: &'a [u8],
    /// Its layout.
    pub layout: Layout,
    /// Its features.
    pub features: &'a FeatureSpec,
    /// What it forecasts.
    pub label: &'a Label,
    /// When.
    pub grid: Grid,
    /// The baselines that were fitted with it.
    pub baselines: &'a Baselines,
}

/// Forecasts of many forecasters of the same outcomes.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What followed.
    pub outcomes: Outcomes,
    /// What was said, one entry for each forecaster; others' may be added.
    pub forecasts: Vec<Forecast>,
}

impl Comparison {
    /// The baselines and the model on the candles whose decision times lie in `times` (ms UTC), wherever the candles
    /// before and after allow; at least `least_before` precede each.
    ///
    /// # Errors
    /// [`EvaluationError`].
    pub fn new(
        subject: &Subject<'_>,
        series: &CandleSeries,
        times: &Range<i64>,
        least_before: usize,
    ) -> Result<Self, EvaluationError> {
        Self::on(subject, series, times, least_before, |_| true)
    }

    /// As [`Comparison::new`], at the decision times alone that are wanted: one in fifteen takes a fifteenth of the time.
    ///
    /// # Errors
    /// [`EvaluationError`].
    pub fn on(
        subject: &Subject<'_>,
        series: &CandleSeries,
        times: &Range<i64>,
        least_before: usize,
        is_wanted: impl Fn(i64) -> bool,
    ) -> Result<Self, EvaluationError> {
        let batch = Batch::new(subject.features, series)?;
        let mut outcomes = Outcomes::new(&batch, subject.label, subject.grid, times, least_before.max(LEAST_BEFORE))?;
        let kept: Vec<bool> = outcomes.time_ms.iter().map(|time_ms| is_wanted(*time_ms)).collect();
        outcomes.keep(&kept);
        let mut forecasts = baselines::forecasts(subject.baselines, batch.sums(), &outcomes, subject.label);
        forecasts.extend(student(subject, &batch, &outcomes)?);
        Ok(Self { outcomes, forecasts })
    }

    /// Leaves out all rows but those whose decision times are wanted.
    pub fn keep(&mut self, is_wanted: impl Fn(i64) -> bool) {
        let kept: Vec<bool> = self.outcomes.time_ms.iter().map(|time_ms| is_wanted(*time_ms)).collect();
        self.outcomes.keep(&kept);
        for forecast in &mut self.forecasts {
            forecast.keep(&kept);
        }
    }

    /// Scores everybody.
    pub fn report(&self) -> Report {
        Report::new(&self.outcomes, &self.forecasts)
    }
}

/// The model in floats and in integers.
fn student(subject: &Subject<'_>, batch: &Batch<'_>, outcomes: &Outcomes) -> Result<[Forecast; 2], EvaluationError> {
    let Layout { features, outputs, input_scale, output_scale, .. } = subject.layout;
    let model = Model::load(subject.onnx, Layout { markets: 1, ..subject.layout })?;
    let float = FloatModel::load(subject.onnx, CHUNK, features, outputs)?;
    let mut predictions = [Vec::with_capacity(outcomes.len()), Vec::with_capacity(outcomes.len())];
    for chunk in outcomes.at.chunks(CHUNK) {
        let mut integers = Vec::with_capacity(CHUNK * features);
        for at in chunk {
            batch.append(*at, &mut integers);
        }
        let mut padded = inputs(&integers, input_scale);
        padded.resize(CHUNK * features, 0.0);
        let floats = float.run(&padded)?;
        let rows = floats.chunks_exact(outputs).take(chunk.len());
        predictions[0].extend(rows.filter_map(|row| Prediction::from_reals(row.iter().copied().map(f64::from))));
        for integers in integers.chunks_exact(features) {
            let row = model.integer().evaluate(integers)?.concat();
            predictions[1].extend(Prediction::from_integers(&row, output_scale));
        }
    }
    let [float, circuit] = predictions;
    Ok([forecast(Forecaster::StudentFloat, &float), forecast(Forecaster::StudentCircuit, &circuit)])
}

fn forecast(by: Forecaster, predictions: &[Prediction]) -> Forecast {
    Forecast {
        by,
        rating: predictions.iter().map(|prediction| prediction.probability_high).collect(),
        is_probability: true,
        called_high: predictions.iter().map(|prediction| prediction.regime == Regime::High).collect(),
        log_volatility: Some(predictions.iter().map(|prediction| libm::log(prediction.volatility)).collect()),
        variance_ratio: vec![1.0; predictions.len()],
    }
}
