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

/// Everything about a teacher but its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeacherSpec {
    /// Its shape and how it was trained.
    pub settings: TeacherSettings,
    /// Its summary features with their statistics.
    pub summary: FeatureSpec,
    /// Its time scales with their statistics.
    pub scales: Vec<Scale>,
    /// Mean and standard deviation of the log-volatility that its second output is in.
    pub log_volatility: [f64; 2],
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

    /// Margin of High over Low and log-volatility for each decision index, both the mean over the members.
    ///
    /// # Errors
    /// [`TrainingError`] where features and series do not go together.
    pub fn forecast(
        &self,
        series: &CandleSeries,
        at: &[usize],
        device: &Device,
    ) -> Result<Vec<[f64; 2]>, TrainingError> {
        let TeacherSpec { scales, summary, .. } = &self.spec;
        let inputs = RowInputs::new(scales, summary, series, span(at))?;
        let [mean, deviation] = self.spec.log_volatility;
        let mut outputs = vec![[0.0, mean]; at.len()];
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
