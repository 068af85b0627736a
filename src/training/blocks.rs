//! The teacher's inputs: named features at a row of earlier moments, on several time scales, and a summary of now.

use serde::{Deserialize, Serialize};

use super::error::TrainingError;
use super::network::Inputs;
use crate::features::sums::Sums;
use crate::features::{Batch, measure};
use crate::types::feature::{Feature, ScaledFeature};

/// Normalised values are clipped to this many standard deviations.
const CLIP: f64 = 5.0;
/// Samples that a channel's mean and standard deviation are taken from, about.
const STATISTICS_SAMPLES: usize = 20_000;

/// A time scale: the same features, `count` times, `every_minutes` apart, the last at the decision time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScaleSettings {
    /// Distance of two moments.
    pub every_minutes: usize,
    /// Moments.
    pub count: usize,
    /// Consecutive moments that one filter sees; divides `count`.
    pub patch: usize,
    /// Filters.
    pub units: usize,
    /// What is measured at each moment.
    pub channels: Vec<Feature>,
}

impl ScaleSettings {
    /// How far back the oldest candle lies.
    pub fn lookback_minutes(&self) -> usize {
        let longest = self.channels.iter().map(Feature::lookback_minutes).max().unwrap_or(0);
        (self.count - 1) * self.every_minutes + longest
    }
}

/// A time scale with the statistics of its channels over the training part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Distance of two moments.
    pub every_minutes: usize,
    /// Moments.
    pub count: usize,
    /// Channels, normalised alike at every moment.
    pub channels: Vec<ScaledFeature>,
}

impl Scale {
    /// Statistics of `settings` over decision indices.
    ///
    /// # Errors
    /// [`TrainingError::Constant`] where a channel never moves.
    pub fn fit(settings: &ScaleSettings, sums: &Sums, train: &[usize]) -> Result<Self, TrainingError> {
        let thin = train.len().div_ceil(STATISTICS_SAMPLES).max(1);
        let moments = || {
            let samples = train.iter().step_by(thin);
            // Every sample lends one moment of its row, each its own: together they cover all of them evenly.
            samples.enumerate().map(|(row, at)| at - row % settings.count * settings.every_minutes)
        };
        let channel = |feature: &Feature| {
            let values = moments().map(|at| measure::value(feature, sums, at));
            super::dataset::scaled(feature, values)
        };
        let channels = settings.channels.iter().map(channel).collect::<Result<_, _>>()?;
        Ok(Self { every_minutes: settings.every_minutes, count: settings.count, channels })
    }

    fn append(&self, sums: &Sums, at: usize, row: &mut Vec<f32>) {
        for back in (0..self.count).rev() {
            let moment = at - back * self.every_minutes;
            row.extend(self.channels.iter().map(|scaled| {
                let z = (measure::value(&scaled.feature, sums, moment) - scaled.mean) / scaled.standard_deviation;
                z.clamp(-CLIP, CLIP) as f32
            }));
        }
    }
}

/// The rows: scale after scale, oldest moment first, then the summary.
#[derive(Debug)]
pub struct BlockInputs<'a> {
    scales: &'a [Scale],
    summary: &'a Batch<'a>,
    summary_columns: usize,
    unit: f32,
}

impl<'a> BlockInputs<'a> {
    /// Rows of `scales` and of the features that `summary` computes: `summary_columns` on the grid of
    /// `2^-input_scale`.
    pub fn new(scales: &'a [Scale], summary: &'a Batch<'a>, summary_columns: usize, input_scale: u32) -> Self {
        Self { scales, summary, summary_columns, unit: libm::exp2f(-(input_scale as f32)) }
    }
}

impl Inputs for BlockInputs<'_> {
    fn columns(&self) -> usize {
        self.scales.iter().map(|scale| scale.count * scale.channels.len()).sum::<usize>() + self.summary_columns
    }

    fn append(&self, at: usize, row: &mut Vec<f32>) {
        for scale in self.scales {
            scale.append(self.summary.sums(), at, row);
        }
        let mut integers = Vec::with_capacity(self.summary_columns);
        self.summary.append(at, &mut integers);
        row.extend(integers.iter().map(|integer| *integer as f32 * self.unit));
    }
}
