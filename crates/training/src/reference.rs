//! Networks that a bundle keeps only to be compared with: the teacher. Never proven, never served.

use std::ops::Range;

use burn::module::Module;
use burn::tensor::Device;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::blocks::{RowInputs, Scale};
use super::error::TrainingError;
use super::teacher::{Teacher, TeacherSettings};
use super::trainer::forward;
use super::weights;
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::feature::FeatureSpec;

/// Name of the teacher's description inside a bundle.
pub const TEACHER_FILE: &str = "teacher.json";
/// Name of the teacher's weights inside a bundle: all members', little-endian.
pub const TEACHER_WEIGHTS_FILE: &str = "teacher.weights";

/// What of a teacher is the own of a market behind the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeacherMarket {
    /// Means and standard deviations of the summary's candle features.
    pub scalers: Vec<[f64; 2]>,
    /// The time scales with the market's statistics.
    pub scales: Vec<Scale>,
}

/// Everything about a teacher but its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeacherSpec {
    /// Its shape and how it was trained.
    pub settings: TeacherSettings,
    /// Its summary features with the statistics of the first market.
    pub summary: FeatureSpec,
    /// Its time scales with the statistics of the first market.
    pub scales: Vec<Scale>,
    /// Mean and standard deviation of the log-volatility that its second output is in.
    pub log_volatility: [f64; 2],
    /// Of the markets behind the first, where it learnt several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<TeacherMarket>,
    /// What is added to the log-volatility of each market, where it learnt several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log_offsets: Vec<f64>,
}

impl TeacherSpec {
    /// Puts it together from the statistics of each market.
    ///
    /// # Errors
    /// [`TrainingError::TooFew`] without a market.
    pub fn new(
        settings: &TeacherSettings,
        summaries: Vec<FeatureSpec>,
        scales: Vec<Vec<Scale>>,
        log_volatility: [f64; 2],
        log_offsets: Vec<f64>,
    ) -> Result<Self, TrainingError> {
        let scalers = |summary: FeatureSpec| {
            summary.candle.iter().map(|scaled| [scaled.mean, scaled.standard_deviation]).collect()
        };
        let mut markets = summaries.into_iter().zip(scales);
        let none = || TrainingError::TooFew { part: "the teacher's markets".into(), found: 0, needed: 1 };
        let (summary, scales) = markets.next().ok_or_else(none)?;
        let further: Vec<_> =
            markets.map(|(summary, scales)| TeacherMarket { scalers: scalers(summary), scales }).collect();
        let log_offsets = if further.is_empty() { Vec::new() } else { log_offsets };
        Ok(Self { settings: settings.clone(), summary, scales, log_volatility, further, log_offsets })
    }

    /// Markets that it learnt.
    pub fn markets(&self) -> usize {
        self.further.len() + 1
    }

    /// Summary features, time scales and offset of the market of this index; `None` of one that it did not learn.
    pub fn market(&self, market: usize) -> Option<(FeatureSpec, &[Scale], f64)> {
        let offset = self.log_offsets.get(market).copied();
        let Some(further) = market.checked_sub(1) else {
            return Some((self.summary.clone(), &self.scales, offset.unwrap_or(0.0)));
        };
        let own = self.further.get(further)?;
        let mut summary = self.summary.clone();
        for (scaled, [mean, deviation]) in summary.candle.iter_mut().zip(&own.scalers) {
            (scaled.mean, scaled.standard_deviation) = (*mean, *deviation);
        }
        Some((summary, &own.scales, offset?))
    }

    /// Whether what each market has of its own goes together.
    fn check(&self) -> Result<(), TrainingError> {
        let markets = if self.further.is_empty() { 0 } else { self.further.len() + 1 };
        let fits = |own: &TeacherMarket| {
            own.scalers.len() == self.summary.candle.len()
                && own.scalers.iter().all(|[mean, deviation]| mean.is_finite() && *deviation > 0.0)
                && own.scales.len() == self.scales.len()
        };
        if self.log_offsets.len() == markets && self.further.iter().all(fits) {
            return Ok(());
        }
        Err(TrainingError::Teacher { reason: "its markets do not fit its description".to_owned() })
    }
}

/// A trained teacher.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedTeacher {
    /// What it is.
    pub spec: TeacherSpec,
    /// The weights of each member.
    pub members: Vec<Vec<f32>>,
}

impl TrainedTeacher {
    /// A member before training; the weights follow from `seed`.
    pub fn start(spec: &TeacherSpec, seed: u64, device: &Device) -> Teacher {
        Teacher::new(&spec.settings, spec.summary.count(), &mut ChaCha8Rng::seed_from_u64(seed), device)
    }

    /// Puts a teacher together from what a bundle holds.
    ///
    /// # Errors
    /// [`TrainingError::Teacher`] where the weights are not as many as the description asks for.
    pub fn from_bytes(spec: TeacherSpec, bytes: &[u8]) -> Result<Self, TrainingError> {
        let wrong = |reason: &str| TrainingError::Teacher { reason: reason.to_owned() };
        spec.settings.check()?;
        spec.check()?;
        veriregime_core::features::check(&spec.summary)?;
        let parameters = Self::start(&spec, 0, &Device::flex()).num_params();
        let all = weights::from_bytes(bytes);
        if all.len() != parameters * spec.settings.members || all.len() * size_of::<f32>() != bytes.len() {
            return Err(wrong("its weights do not fit its description"));
        }
        Ok(Self { spec, members: all.chunks_exact(parameters).map(<[f32]>::to_vec).collect() })
    }

    /// All members' weights, as a bundle holds them.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.members.iter().flat_map(|member| weights::to_bytes(member)).collect()
    }

    /// Weights of one member.
    pub fn parameters(&self) -> usize {
        self.members.first().map_or(0, Vec::len)
    }

    /// Margin of High over Low and log-volatility for each decision index of the market of index `market`, both the mean over the
    /// members.
    ///
    /// # Errors
    /// [`TrainingError`] where features and series do not go together.
    pub fn forecast(
        &self,
        market: usize,
        series: &CandleSeries,
        at: &[usize],
        device: &Device,
    ) -> Result<Vec<[f64; 2]>, TrainingError> {
        let unknown = || TrainingError::Teacher { reason: format!("it did not learn a market of index {market}") };
        let (summary, scales, log_offset) = self.spec.market(market).ok_or_else(unknown)?;
        let inputs = RowInputs::new(scales, &summary, series, span(at))?;
        let [mean, deviation] = self.spec.log_volatility;
        let mut outputs = vec![[0.0, mean + log_offset]; at.len()];
        let share = 1.0 / self.members.len() as f64;
        for member in &self.members {
            let network = weights::load(Self::start(&self.spec, 0, device), member)
                .ok_or_else(|| TrainingError::Teacher { reason: "its weights do not fit its description".into() })?;
            for (output, own) in outputs.iter_mut().zip(forward(&network, &inputs, at, device)) {
                output[0] += f64::from(own[0]) * share;
                output[1] += f64::from(own[1]) * share * deviation;
            }
        }
        Ok(outputs)
    }
}

/// The smallest range that holds all decision indices.
pub(super) fn span(at: &[usize]) -> Range<usize> {
    let first = at.iter().min().copied().unwrap_or(0);
    first..at.iter().max().map_or(first, |last| last + 1)
}
