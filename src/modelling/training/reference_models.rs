//! The networks that a bundle keeps only to be compared with.

use std::path::Path;

use serde::de::DeserializeOwned;

use veriregime_core::types::candle::CandleSeries;
use veriregime_training::device::{Backend, open};
use veriregime_training::error::TrainingError;
use veriregime_training::evaluation::Comparison;
use veriregime_training::evaluation::outcomes::{Forecast, Forecaster};
use veriregime_training::reference::{TEACHER_FILE, TEACHER_WEIGHTS_FILE, TrainedTeacher};
use veriregime_training::reproduction::{ORIGINAL_FILE, ORIGINAL_WEIGHTS_FILE, TrainedOriginal};

/// Largest file of such a network.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// A bundle's networks, as far as it has them.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceModels {
    /// What the student learnt from.
    pub teacher: Option<TrainedTeacher>,
    /// The network that the project began with.
    pub original: Option<TrainedOriginal>,
}

impl ReferenceModels {
    /// None at all.
    pub const NONE: Self = Self { teacher: None, original: None };

    /// Those of the bundle in `folder`.
    ///
    /// # Errors
    /// A file that is there and not usable.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let bytes = |name: &str| veriregime_files::read_bounded(&folder.join(name), MAX_FILE_BYTES);
        let mut compared = Self::NONE;
        if folder.join(TEACHER_FILE).exists() {
            let spec = description(&folder.join(TEACHER_FILE))?;
            compared.teacher = Some(TrainedTeacher::from_bytes(spec, &bytes(TEACHER_WEIGHTS_FILE)?)?);
        }
        if folder.join(ORIGINAL_FILE).exists() {
            let spec = description(&folder.join(ORIGINAL_FILE))?;
            compared.original = Some(TrainedOriginal::from_bytes(spec, &bytes(ORIGINAL_WEIGHTS_FILE)?)?);
        }
        Ok(compared)
    }

    /// Candles that must precede a decision that these are asked about.
    pub fn least_before(&self) -> usize {
        self.teacher.as_ref().map_or(0, |teacher| teacher.spec.settings.lookback_minutes())
    }

    /// Adds their forecasts to a comparison in the market of that index, as far as they learnt it. Computed on the processor, so that
    /// they come out the same everywhere.
    ///
    /// # Errors
    /// Candles and networks that do not go together.
    pub fn join(&self, comparison: &mut Comparison, market: usize, series: &CandleSeries) -> Result<(), TrainingError> {
        let at = &comparison.outcomes.at;
        let device = &open(Backend::Cpu)?.device;
        if let Some(original) = self.original.as_ref().filter(|_| market == 0) {
            let margins = original.forecast(series.candles(), at, device)?;
            comparison.forecasts.push(Forecast::of_margins(Forecaster::OriginalCnn, &margins));
        }
        if let Some(teacher) = self.teacher.as_ref().filter(|teacher| market < teacher.spec.markets()) {
            let outputs = teacher.forecast(market, series, at, device)?;
            let margins: Vec<f64> = outputs.iter().map(|[margin, _]| *margin).collect();
            let log_volatility = outputs.iter().map(|[_, log_volatility]| *log_volatility).collect();
            let forecast = Forecast::of_margins(Forecaster::Teacher, &margins);
            comparison.forecasts.push(forecast.with_log_volatility(log_volatility, 1.0));
        }
        Ok(())
    }
}

fn description<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = veriregime_files::read_text(path, MAX_FILE_BYTES)?;
    let wrong = |error: serde_json::Error| TrainingError::Teacher { reason: format!("{}: {error}", path.display()) };
    Ok(serde_json::from_str(&text).map_err(wrong)?)
}
