//! How good a model is on given candles: every minute and on the four-hour grid, in floats and as the circuit computes
//! it, next to simple baselines.

pub mod metrics;

use std::ops::Range;

use serde::Serialize;
use thiserror::Error;

use crate::features::{Batch, FeatureError, label, measure};
use crate::inference::float::{FloatModel, inputs};
use crate::inference::{Layout, Model, ModelError};
use crate::training::har;
use crate::types::candle::CandleSeries;
use crate::types::fault::Fault;
use crate::types::feature::{Feature, FeatureSpec};
use crate::types::manifest::Label;
use crate::types::period::{MINUTE_MS, PeriodId};
use crate::types::prediction::{Prediction, Regime};
use metrics::{Scored, Scores};

/// Rows that go through tract at once.
const CHUNK: usize = 4096;

/// Why nothing could be evaluated.
#[derive(Debug, Error)]
pub enum EvaluationError {
    /// No decision time has both the past and the future that it needs.
    #[error(
        "no decision time in this range has {lookback_minutes} minutes of candles before it and {horizon_minutes} after it"
    )]
    Nothing { lookback_minutes: usize, horizon_minutes: usize },
    /// Features that cannot be computed.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// A model that does not answer.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl Fault for EvaluationError {
    fn code(&self) -> &'static str {
        match self {
            Self::Nothing { .. } => "VR-EVAL-001",
            Self::Features(error) => error.code(),
            Self::Model(error) => error.code(),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Nothing { .. } => "give more candles, or dates that they cover",
            Self::Features(error) => error.advice(),
            Self::Model(error) => error.advice(),
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
    /// The baseline that was fitted with it.
    pub har_logistic: &'a [f64; 5],
}

/// Scores of one form of the model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ModelScores {
    /// Of the regime and its probability.
    #[serde(flatten)]
    pub regime: Scores,
    /// Explained variance of the log-volatility; none where it never changed.
    pub log_volatility_r2: Option<f64>,
}

/// Float and circuit on the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Forms {
    /// tract's 32-bit floats.
    pub float: ModelScores,
    /// The circuit's integers.
    pub circuit: ModelScores,
}

/// The rows at the start of a period.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OnGrid {
    /// Number of rows.
    pub rows: usize,
    /// Their scores.
    #[serde(flatten)]
    pub forms: Forms,
    /// Of the circuit's accuracy, the rows taken as independent.
    pub standard_error: f64,
}

/// What needs no network.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Baselines {
    /// Accuracy of always calling the more frequent regime of these very rows.
    pub majority: f64,
    /// The last horizon repeats itself.
    pub persistence: Persistence,
    /// Logistic regression on four horizons of realised volatility, fitted at training time.
    pub har_logistic: Scores,
}

/// Scores of a rating that is no probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Persistence {
    /// Share of right regimes.
    pub accuracy: f64,
    /// Area under the ROC curve.
    pub auc: f64,
}

/// The whole evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Report {
    /// Decision times.
    pub rows: usize,
    /// Share of them that High followed.
    pub positive_share: f64,
    /// All rows; neighbours share nearly all of their label's window.
    pub every_minute: Forms,
    /// Only the starts of periods; absent where the range holds none.
    pub on_grid: Option<OnGrid>,
    /// Share of rows on which float and circuit call the same regime.
    pub agreement: f64,
    /// Baselines on all rows.
    pub baselines: Baselines,
}

/// One decision time.
struct Row {
    on_grid: bool,
    was_high: bool,
    log_volatility: f64,
    float: Prediction,
    circuit: Prediction,
    past_log_volatility: f64,
    har_probability: f64,
}

/// Evaluates on the candles whose decision times lie in `times` (ms UTC), wherever the candles before and after allow.
///
/// # Errors
/// [`EvaluationError`].
pub fn evaluate(subject: &Subject<'_>, series: &CandleSeries, times: &Range<i64>) -> Result<Report, EvaluationError> {
    let batch = Batch::new(subject.features, series)?;
    let sums = batch.sums();
    let horizon = subject.label.horizon_minutes;
    let index = |time_ms: i64| usize::try_from(time_ms.saturating_sub(series.start_ms()) / MINUTE_MS).unwrap_or(0);
    let from = index(times.start).max(har::WINDOWS_MINUTES[3] + 1);
    let to = index(times.end).min(sums.len());
    let decisions: Vec<(usize, f64)> = (from..to.max(from))
        .filter(|at| batch.is_usable(*at))
        .filter_map(|at| Some((at, label::volatility(sums, at, horizon)?)))
        .collect();
    if decisions.is_empty() {
        return Err(EvaluationError::Nothing {
            lookback_minutes: subject.features.lookback_minutes,
            horizon_minutes: horizon,
        });
    }
    let model = Model::load(subject.onnx, Layout { markets: 1, ..subject.layout })?;
    let float = FloatModel::load(subject.onnx, CHUNK, subject.layout.features)?;
    let mut rows = Vec::with_capacity(decisions.len());
    for chunk in decisions.chunks(CHUNK) {
        append_rows(subject, &batch, &model, &float, chunk, &mut rows)?;
    }
    Ok(report(&rows, subject.label.threshold))
}

fn append_rows(
    subject: &Subject<'_>,
    batch: &Batch<'_>,
    model: &Model,
    float: &FloatModel,
    decisions: &[(usize, f64)],
    rows: &mut Vec<Row>,
) -> Result<(), EvaluationError> {
    let Layout { features, input_scale, output_scale, .. } = subject.layout;
    let mut integers = Vec::with_capacity(CHUNK * features);
    for (at, _) in decisions {
        batch.append(*at, &mut integers);
    }
    let mut padded = inputs(&integers, input_scale);
    padded.resize(CHUNK * features, 0.0);
    let floats = float.run(&padded)?;
    let past = Feature::LogRmsReturn { minutes: subject.label.horizon_minutes };
    for (((at, volatility), integers), float) in decisions.iter().zip(integers.chunks_exact(features)).zip(floats) {
        let circuit = model.integer().evaluate(integers)?[0];
        let time_ms = batch.time_ms(*at);
        rows.push(Row {
            on_grid: PeriodId::at_ms(time_ms).start_ms() == time_ms,
            was_high: *volatility > subject.label.threshold,
            log_volatility: label::log_volatility(*volatility),
            float: Prediction::from_reals(float.map(f64::from)),
            circuit: circuit.decode(output_scale),
            past_log_volatility: measure::value(&past, batch.sums(), *at),
            har_probability: har::probability(subject.har_logistic, &har::regressors(batch.sums(), *at)),
        });
    }
    Ok(())
}

fn report(rows: &[Row], threshold: f64) -> Report {
    let count = rows.len() as f64;
    let positive_share = rows.iter().filter(|row| row.was_high).count() as f64 / count;
    let agreeing = rows.iter().filter(|row| row.float.regime == row.circuit.regime).count();
    let log_threshold = libm::log(threshold);
    let persistent = rows.iter().filter(|row| (row.past_log_volatility > log_threshold) == row.was_high).count();
    let har: Vec<Scored> = rows
        .iter()
        .map(|row| Scored {
            probability: row.har_probability,
            called_high: row.har_probability > 0.5,
            was_high: row.was_high,
        })
        .collect();
    let every: Vec<&Row> = rows.iter().collect();
    let grid: Vec<&Row> = rows.iter().filter(|row| row.on_grid).collect();
    Report {
        rows: rows.len(),
        positive_share,
        every_minute: forms(&every).expect("there are rows"),
        on_grid: forms(&grid).map(|forms| {
            let accuracy = forms.circuit.regime.accuracy;
            let standard_error = (accuracy * (1.0 - accuracy) / grid.len() as f64).sqrt();
            OnGrid { rows: grid.len(), forms, standard_error }
        }),
        agreement: agreeing as f64 / count,
        baselines: Baselines {
            majority: positive_share.max(1.0 - positive_share),
            persistence: Persistence {
                accuracy: persistent as f64 / count,
                auc: metrics::auc(rows.iter().map(|row| (row.past_log_volatility, row.was_high))),
            },
            har_logistic: metrics::scores(&har).expect("there are rows"),
        },
    }
}

fn forms(rows: &[&Row]) -> Option<Forms> {
    Some(Forms { float: model_scores(rows, |row| row.float)?, circuit: model_scores(rows, |row| row.circuit)? })
}

fn model_scores(rows: &[&Row], form: impl Fn(&Row) -> Prediction) -> Option<ModelScores> {
    let scored: Vec<Scored> = rows
        .iter()
        .map(|row| {
            let Prediction { regime, probability_high: probability, .. } = form(row);
            Scored { probability, called_high: regime == Regime::High, was_high: row.was_high }
        })
        .collect();
    let volatilities: Vec<(f64, f64)> =
        rows.iter().map(|row| (libm::log(form(row).volatility), row.log_volatility)).collect();
    Some(ModelScores { regime: metrics::scores(&scored)?, log_volatility_r2: metrics::r_squared(&volatilities) })
}
