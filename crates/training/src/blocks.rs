//! A network's inputs: named features at a row of earlier moments, on several time scales, and a summary of now.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::error::TrainingError;
use super::network::Inputs;
use veriregime_core::features::sums::Sums;
use veriregime_core::features::{Batch, measure};
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::feature::{Feature, FeatureSpec, ScaledFeature};

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
            super::statistics::scaled(feature, &[values])
        };
        let channels = settings.channels.iter().map(channel).collect::<Result<_, _>>()?;
        Ok(Self { every_minutes: settings.every_minutes, count: settings.count, channels })
    }
}

/// Numbers of consecutive minutes, each computed once however many rows it stands in.
#[derive(Debug)]
struct Column {
    first: usize,
    values: Vec<f32>,
}

impl Column {
    fn new(minutes: Range<usize>, value: impl Fn(usize) -> f32) -> Self {
        Self { first: minutes.start, values: minutes.map(value).collect() }
    }

    fn at(&self, at: usize) -> f32 {
        self.values[at - self.first]
    }
}

/// Rows of a network: scale after scale, oldest moment first, then the summary. A student's rows have no scales.
#[derive(Debug)]
pub struct RowInputs {
    scales: Vec<(usize, usize, Vec<Column>)>,
    summary: Vec<Column>,
}

impl RowInputs {
    /// Prepares the rows of the decision indices `times`, each of which must have all the candles it looks back over:
    /// moments of `scales`, then the integers of `spec` as reals.
    ///
    /// # Errors
    /// [`TrainingError::Features`] for a spec that cannot be computed.
    pub fn new(
        scales: &[Scale],
        spec: &FeatureSpec,
        series: &CandleSeries,
        times: Range<usize>,
    ) -> Result<Self, TrainingError> {
        let batch = Batch::new(spec, series)?;
        let channel = |scale: &Scale, scaled: &ScaledFeature| {
            let first = times.start - (scale.count - 1) * scale.every_minutes;
            Column::new(first..times.end, |at| {
                let z = (measure::value(&scaled.feature, batch.sums(), at) - scaled.mean) / scaled.standard_deviation;
                z.clamp(-CLIP, CLIP) as f32
            })
        };
        let moments = scales.iter().map(|scale| {
            let channels = scale.channels.iter().map(|scaled| channel(scale, scaled)).collect();
            (scale.every_minutes, scale.count, channels)
        });
        let unit = libm::exp2f(-(spec.input_scale as f32));
        let mut summary: Vec<Column> =
            (0..spec.count()).map(|_| Column { first: times.start, values: Vec::with_capacity(times.len()) }).collect();
        let mut integers = Vec::with_capacity(spec.count());
        for at in times.clone() {
            integers.clear();
            batch.append(at, &mut integers);
            for (column, integer) in summary.iter_mut().zip(&integers) {
                column.values.push(*integer as f32 * unit);
            }
        }
        Ok(Self { scales: moments.collect(), summary })
    }
}

impl Inputs for RowInputs {
    fn columns(&self) -> usize {
        let moments = self.scales.iter().map(|(_, count, channels)| count * channels.len());
        moments.sum::<usize>() + self.summary.len()
    }

    fn append(&self, at: usize, row: &mut Vec<f32>) {
        for (every_minutes, count, channels) in &self.scales {
            for back in (0..*count).rev() {
                row.extend(channels.iter().map(|channel| channel.at(at - back * every_minutes)));
            }
        }
        row.extend(self.summary.iter().map(|column| column.at(at)));
    }
}
