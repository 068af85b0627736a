//! The teacher: filters over several time scales and a summary of now, joined in dense layers. Never proven, so it may
//! be as large as it likes.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData, activation::relu};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::blocks::ScaleSettings;
use super::error::TrainingError;
use super::feature_settings::FeatureSettings;
use super::network::Network;
use super::trainer::FitSettings;
use super::weights::matrix;
use veriregime_core::features::MAX_WINDOW_MINUTES;

/// Heads: the margin of High over Low in logits, and the normalised log-volatility.
const HEADS: usize = 2;
/// Most members of an ensemble, and most scales.
const MAX_PARTS: usize = 16;
/// Widest layer.
const MAX_WIDTH: usize = 4096;

/// The teacher and its training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeacherSettings {
    /// Networks from different starts whose outputs are averaged.
    pub members: usize,
    /// Time scales.
    pub scales: Vec<ScaleSettings>,
    /// Features of the decision time.
    pub summary: FeatureSettings,
    /// Widths of the dense layers.
    pub hidden: Vec<usize>,
    /// Share of a dense layer's units that each training step leaves out.
    pub dropout: f32,
    /// How a member is trained.
    pub fit: FitSettings,
}

impl TeacherSettings {
    /// Refuses what no network can be.
    ///
    /// # Errors
    /// [`TrainingError::Settings`] with the key at fault.
    pub fn check(&self) -> Result<(), TrainingError> {
        let width = |width: &usize| (1..=MAX_WIDTH).contains(width);
        let scale = |scale: &ScaleSettings| {
            (1..=MAX_WIDTH).contains(&scale.count)
                && scale.patch > 0
                && scale.count.is_multiple_of(scale.patch)
                && width(&scale.units)
                && (1..=MAX_PARTS).contains(&scale.channels.len())
                && scale.channels.iter().all(|channel| !channel.is_calendar())
                && scale.every_minutes > 0
                && scale.lookback_minutes() < MAX_WINDOW_MINUTES
        };
        let rules = [
            ((1..=MAX_PARTS).contains(&self.members), "teacher.members: 1 to 16"),
            (
                self.scales.len() <= MAX_PARTS && self.scales.iter().all(scale),
                "teacher.scales: at most 16, of candle features, with a patch that divides the count",
            ),
            (self.hidden.len() <= MAX_PARTS && self.hidden.iter().all(width), "teacher.hidden: at most 16, 1 to 4096"),
            ((0.0..0.95).contains(&self.dropout), "teacher.dropout: 0 to 0.95"),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(TrainingError::Settings { reason: (*rule).to_owned() }),
            None => Ok(()),
        }
    }

    /// Minutes of candles that a row needs, the previous close included.
    pub fn lookback_minutes(&self) -> usize {
        let scales = self.scales.iter().map(|scale| scale.lookback_minutes() + 1);
        scales.max().unwrap_or(0).max(self.summary.lookback_minutes)
    }
}

/// Trainable weights of one member.
#[derive(Module, Debug)]
pub struct Teacher {
    filters: Vec<Dense>,
    dense: Vec<Dense>,
    heads: Dense,
    /// From the summary straight to the heads.
    shortcut: Dense,
    #[module(skip)]
    shapes: Vec<ScaleShape>,
    #[module(skip)]
    dropout: f32,
}

/// How a scale's part of a row is cut into patches.
#[derive(Debug, Clone, Copy)]
struct ScaleShape {
    patches: usize,
    patch_columns: usize,
    units: usize,
}

/// Weighted sums.
#[derive(Module, Debug)]
struct Dense {
    weights: Param<Tensor<2>>,
    bias: Param<Tensor<2>>,
}

impl Dense {
    /// Uniform weights whose outputs have the variance of the inputs behind a rectifier (He and others 2015), times
    /// `gain`.
    fn new(inputs: usize, outputs: usize, gain: f64, random: &mut ChaCha8Rng, device: &Device) -> Self {
        let reach = (gain * (6.0 / inputs as f64).sqrt()) as f32;
        let entries: Vec<f32> = (0..inputs * outputs).map(|_| random.random_range(-reach..=reach)).collect();
        let param =
            |entries: Vec<f32>, rows: usize| Param::from_data(TensorData::new(entries, [rows, outputs]), device);
        Self { weights: param(entries, inputs), bias: param(vec![0.0; outputs], 1) }
    }

    fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        inputs.matmul(self.weights.val()) + self.bias.val()
    }
}

impl Teacher {
    /// Fresh weights for a row of the scales of `settings` and `summary` features.
    pub fn new(settings: &TeacherSettings, summary: usize, random: &mut ChaCha8Rng, device: &Device) -> Self {
        let shape = |scale: &ScaleSettings| ScaleShape {
            patches: scale.count / scale.patch,
            patch_columns: scale.patch * scale.channels.len(),
            units: scale.units,
        };
        let shapes: Vec<ScaleShape> = settings.scales.iter().map(shape).collect();
        let filters = shapes.iter().map(|shape| Dense::new(shape.patch_columns, shape.units, 1.0, random, device));
        let filters = filters.collect();
        let mut inputs = shapes.iter().map(|shape| shape.patches * shape.units).sum::<usize>() + summary;
        let mut dense = Vec::new();
        for width in &settings.hidden {
            dense.push(Dense::new(inputs, *width, 1.0, random, device));
            inputs = *width;
        }
        let heads = Dense::new(inputs, HEADS, 0.1, random, device);
        let shortcut = Dense::new(summary, HEADS, 0.1, random, device);
        Self { filters, dense, heads, shortcut, shapes, dropout: settings.dropout }
    }
}

impl Network for Teacher {
    fn forward(&self, inputs: Tensor<2>, mut noise: Option<&mut ChaCha8Rng>) -> Tensor<2> {
        let [rows, columns] = inputs.dims();
        let mut parts = Vec::with_capacity(self.shapes.len() + 1);
        let mut from = 0;
        for (filter, shape) in self.filters.iter().zip(&self.shapes) {
            let to = from + shape.patches * shape.patch_columns;
            let patches =
                inputs.clone().slice([0..rows, from..to]).reshape([rows * shape.patches, shape.patch_columns]);
            parts.push(relu(filter.forward(patches)).reshape([rows, shape.patches * shape.units]));
            from = to;
        }
        let summary = inputs.slice([0..rows, from..columns]);
        parts.push(summary.clone());
        let mut values = Tensor::cat(parts, 1);
        for dense in &self.dense {
            values = relu(dense.forward(values));
            if let Some(random) = noise.as_deref_mut() {
                values = values.clone() * mask(values.dims(), self.dropout, random, &values.device());
            }
        }
        self.heads.forward(values) + self.shortcut.forward(summary)
    }
}

/// Zero for a share of the entries, and what keeps the mean for the others (Srivastava and others 2014).
pub(super) fn mask([rows, columns]: [usize; 2], share: f32, random: &mut ChaCha8Rng, device: &Device) -> Tensor<2> {
    let kept = 1.0 / (1.0 - share);
    let limit = (f64::from(share) * f64::from(u32::MAX)) as u32;
    let entry = |_| if random.random::<u32>() < limit { 0.0 } else { kept };
    matrix((0..rows * columns).map(entry).collect(), columns, device)
}
