//! What really followed each decision time, and what forecasters said about it before.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::EvaluationError;
use veriregime_core::features::{Batch, label};
use veriregime_core::types::manifest::regime::Label;
use veriregime_core::types::period::{Grid, MINUTE_MS};

/// Decision times and their outcomes, one entry for each row, in order of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcomes {
    /// How many candles of the series precede the decision.
    pub at: Vec<usize>,
    /// Decision times, ms UTC.
    pub time_ms: Vec<i64>,
    /// Whether High followed.
    pub was_high: Vec<bool>,
    /// Natural logarithm of the standard deviation of the one-minute returns that followed.
    pub log_volatility: Vec<f64>,
    /// Whether the decision is at the start of a period.
    pub on_grid: Vec<bool>,
}

impl Outcomes {
    /// The decision times in `times` (ms UTC) that `least_before` candles precede, that the features can be computed at
    /// and whose label is known; `grid` says which begin a period.
    ///
    /// # Errors
    /// [`EvaluationError::Nothing`] where there is none.
    pub fn new(
        batch: &Batch<'_>,
        label: &Label,
        grid: Grid,
        times: &Range<i64>,
        least_before: usize,
    ) -> Result<Self, EvaluationError> {
        let sums = batch.sums();
        let start_ms = batch.time_ms(0);
        let index = |time_ms: i64| usize::try_from(time_ms.saturating_sub(start_ms) / MINUTE_MS).unwrap_or(0);
        let from = index(times.start).max(least_before);
        let to = index(times.end).min(sums.len());
        let mut outcomes = Self::default();
        for at in (from..to.max(from)).filter(|at| batch.is_usable(*at)) {
            let Some(volatility) = label::volatility(sums, at, label.horizon_minutes) else { continue };
            let time_ms = batch.time_ms(at);
            outcomes.at.push(at);
            outcomes.time_ms.push(time_ms);
            outcomes.was_high.push(volatility > label.threshold);
            outcomes.log_volatility.push(label::log_volatility(volatility));
            outcomes.on_grid.push(grid.start_ms(grid.period_at(time_ms)) == time_ms);
        }
        if outcomes.is_empty() {
            return Err(EvaluationError::Nothing {
                before_minutes: batch.lookback_minutes().max(least_before),
                horizon_minutes: label.horizon_minutes,
            });
        }
        Ok(outcomes)
    }

    /// Leaves out the rows that are not `kept`.
    pub(super) fn keep(&mut self, kept: &[bool]) {
        keep(&mut self.at, kept);
        keep(&mut self.time_ms, kept);
        keep(&mut self.was_high, kept);
        keep(&mut self.log_volatility, kept);
        keep(&mut self.on_grid, kept);
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.at.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.at.is_empty()
    }

    /// Share of rows that High followed.
    pub fn share_high(&self) -> f64 {
        self.was_high.iter().filter(|high| **high).count() as f64 / self.len() as f64
    }
}

/// Who forecasts, in the order of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forecaster {
    /// The more frequent regime of the training labels, always.
    Majority,
    /// The last horizon repeats itself.
    Persistence,
    /// Logistic regression on four horizons of realised volatility.
    HarLogistic,
    /// Linear regression of the log-volatility on the same.
    HarVolatility,
    /// GARCH(1,1).
    Garch,
    /// The network that the project began with.
    OriginalCnn,
    /// What the student learnt from.
    Teacher,
    /// The model in 32-bit floats.
    StudentFloat,
    /// The model as its circuit computes it.
    StudentCircuit,
}

impl Forecaster {
    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Majority => "majority of the training labels",
            Self::Persistence => "persistence",
            Self::HarLogistic => "HAR logistic",
            Self::HarVolatility => "HAR-RV",
            Self::Garch => "GARCH(1,1)",
            Self::OriginalCnn => "original CNN",
            Self::Teacher => "teacher",
            Self::StudentFloat => "student, float",
            Self::StudentCircuit => "student, circuit",
        }
    }
}

/// What one forecaster said, one entry for each row of the outcomes.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Who.
    pub by: Forecaster,
    /// The higher, the more High is expected: a probability where `is_probability`.
    pub rating: Vec<f64>,
    /// Whether the ratings are probabilities of High.
    pub is_probability: bool,
    /// The regime that was called.
    pub called_high: Vec<bool>,
    /// Natural logarithm of the standard deviation of one-minute returns to come, where it is forecast.
    pub log_volatility: Option<Vec<f64>>,
    /// Expected variance over the square of the forecast volatility; 1 where nothing was fitted.
    pub variance_ratio: Vec<f64>,
}

impl Forecast {
    /// Probabilities; High is called above one half.
    pub fn of_probabilities(by: Forecaster, probabilities: Vec<f64>) -> Self {
        Self {
            by,
            called_high: probabilities.iter().map(|probability| *probability > 0.5).collect(),
            variance_ratio: vec![1.0; probabilities.len()],
            rating: probabilities,
            is_probability: true,
            log_volatility: None,
        }
    }

    /// Margins of High over Low, which are logits; High is called above zero.
    pub fn of_margins(by: Forecaster, margins: &[f64]) -> Self {
        Self::of_probabilities(by, margins.iter().map(|margin| 1.0 / (1.0 + libm::exp(-margin))).collect())
    }

    /// Leaves out the rows that are not `kept`.
    pub(super) fn keep(&mut self, kept: &[bool]) {
        keep(&mut self.rating, kept);
        keep(&mut self.called_high, kept);
        keep(&mut self.variance_ratio, kept);
        if let Some(log_volatility) = &mut self.log_volatility {
            keep(log_volatility, kept);
        }
    }

    /// With a forecast of the log-volatility.
    #[must_use]
    pub fn with_log_volatility(self, log_volatility: Vec<f64>, variance_ratio: f64) -> Self {
        let variance_ratio = vec![variance_ratio; log_volatility.len()];
        Self { log_volatility: Some(log_volatility), variance_ratio, ..self }
    }
}

fn keep<T>(values: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    values.retain(|_| kept.next() == Some(&true));
}
