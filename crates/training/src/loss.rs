//! What training makes small.

use burn::tensor::{Device, Tensor, TensorData, activation::log_sigmoid};
use serde::{Deserialize, Serialize};

/// The terms of the loss on what really happened.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossSettings {
    /// Weight of the squared error of the normalised log-volatility beside the cross-entropy of the regime.
    pub volatility_weight: f32,
    /// Exponent of the focal loss (Lin and others 2017), which cares less about what is already clear; 0 is plain
    /// cross-entropy.
    pub focal_gamma: f32,
    /// Whether both regimes weigh the same, however rare one is.
    pub class_weights: bool,
}

/// How much of the loss compares with a teacher instead of with what happened (Hinton, Vinyals and Dean 2015).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distillation {
    /// Share of the teacher, for both heads: 0 ignores it, 1 sees nothing else.
    pub alpha: f32,
    /// Both margins are divided by it before they are compared.
    pub temperature: f32,
}

/// What a batch should come out as; every tensor is `[n, 1]`.
#[derive(Debug, Clone)]
pub struct Targets {
    high: Tensor<2>,
    weight: Tensor<2>,
    log_volatility: Tensor<2>,
    teacher: Option<[Tensor<2>; 2]>,
    /// What the row counts in both terms; all the same where absent.
    share: Option<Tensor<2>>,
}

/// Outcomes of decision times.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Samples {
    /// How many candles precede each.
    pub at: Vec<usize>,
    /// 1 where the window that followed was High, else 0.
    pub high: Vec<f32>,
    /// Logarithm of the volatility that followed, normalised by the training part.
    pub log_volatility: Vec<f32>,
    /// A teacher's margin and normalised log-volatility, where there is one.
    pub teacher: Option<Vec<[f32; 2]>>,
    /// What each counts, 1 in the mean; all the same where absent.
    pub weight: Option<Vec<f32>>,
}

impl Samples {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.at.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.at.is_empty()
    }

    /// Share that High followed.
    pub fn share_high(&self) -> f64 {
        self.high.iter().copied().map(f64::from).sum::<f64>() / self.len() as f64
    }

    /// The targets of some rows. `weights` are those of Low and High.
    pub fn targets(&self, rows: &[usize], weights: [f32; 2], device: &Device) -> Targets {
        let column = |entry: &dyn Fn(usize) -> f32| {
            let entries: Vec<f32> = rows.iter().map(|row| entry(*row)).collect();
            Tensor::from_data(TensorData::new(entries, [rows.len(), 1]), device)
        };
        Targets {
            high: column(&|row| self.high[row]),
            weight: column(&|row| weights[usize::from(self.high[row] > 0.5)]),
            log_volatility: column(&|row| self.log_volatility[row]),
            teacher: self
                .teacher
                .as_ref()
                .map(|teacher| [column(&|row| teacher[row][0]), column(&|row| teacher[row][1])]),
            share: self.weight.as_ref().map(|weight| column(&|row| weight[row])),
        }
    }
}

/// Weights of Low and High that make both count the same, with a mean of 1.
pub fn class_weights(share_high: f64) -> [f32; 2] {
    [0.5 / (1.0 - share_high), 0.5 / share_high].map(|weight| weight as f32)
}

/// The loss of `heads` (`[n, 2]`, margin and normalised log-volatility), mean over the batch: `[1]`.
///
/// The regime's part is `(1 - alpha)` times the weighted, focal cross-entropy plus `alpha * temperature²` times the
/// Kullback-Leibler divergence from the teacher's softened probability; the target of the log-volatility is the same
/// mixture of what followed and what the teacher forecast.
pub fn loss(
    settings: &LossSettings,
    distillation: Option<&Distillation>,
    heads: Tensor<2>,
    targets: Targets,
) -> Tensor<1> {
    let [rows, _] = heads.dims();
    let margin = heads.clone().slice([0..rows, 0..1]);
    let volatility = heads.slice([0..rows, 1..2]);
    let (high, low) = (targets.high.clone(), targets.high.neg() + 1.0);
    let log_high = log_sigmoid(margin.clone());
    let log_low = log_sigmoid(margin.clone().neg());
    let log_right = high * log_high + low * log_low;
    let mut regime = log_right.clone().neg() * targets.weight;
    if settings.focal_gamma > 0.0 {
        let miss = log_right.exp().neg() + 1.0;
        // The miss is never quite 0, where a root has no slope.
        regime = regime * (miss + 1e-6).powf_scalar(settings.focal_gamma);
    }
    let mut expected = targets.log_volatility;
    if let (Some(distillation), Some([teacher, forecast])) = (distillation, targets.teacher) {
        let Distillation { alpha, temperature } = *distillation;
        regime =
            regime * (1.0 - alpha) + divergence(teacher, margin, temperature) * (alpha * temperature * temperature);
        expected = expected * (1.0 - alpha) + forecast * alpha;
    }
    let error = volatility - expected;
    let mut squares = error.clone() * error;
    if let Some(share) = targets.share {
        (regime, squares) = (regime * share.clone(), squares * share);
    }
    regime.mean() + squares.mean() * settings.volatility_weight
}

/// Kullback-Leibler divergence of the student's softened regime from the teacher's, row by row.
fn divergence(teacher: Tensor<2>, student: Tensor<2>, temperature: f32) -> Tensor<2> {
    let [teacher, student] = [teacher, student].map(|margin| margin / temperature);
    let side = |teacher: Tensor<2>, student: Tensor<2>| {
        let log_chance = log_sigmoid(teacher);
        log_chance.clone().exp() * (log_chance - log_sigmoid(student))
    };
    side(teacher.clone(), student.clone()) + side(teacher.neg(), student.neg())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::{matrix, numbers};

    const PLAIN: LossSettings = LossSettings { volatility_weight: 0.5, focal_gamma: 0.0, class_weights: false };

    fn samples(teacher: Option<Vec<[f32; 2]>>) -> Samples {
        Samples { at: vec![0, 1], high: vec![1.0, 0.0], log_volatility: vec![0.2, -1.0], teacher, weight: None }
    }

    fn value(settings: &LossSettings, distillation: Option<&Distillation>, samples: &Samples, heads: [f32; 4]) -> f64 {
        let device = Device::flex();
        let targets = samples.targets(&[0, 1], [1.0, 1.0], &device);
        f64::from(numbers(loss(settings, distillation, matrix(heads.to_vec(), 2, &device), targets))[0])
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-5, "{found}, not {expected}");
    }

    fn sigmoid(margin: f64) -> f64 {
        1.0 / (1.0 + (-margin).exp())
    }

    #[test]
    fn the_plain_loss_is_cross_entropy_and_squared_error() {
        let found = value(&PLAIN, None, &samples(None), [2.0, 0.5, 1.0, -0.5]);
        let cross_entropy = -(sigmoid(2.0).ln() + sigmoid(-1.0).ln()) / 2.0;
        close(found, cross_entropy + 0.5 * (0.09 + 0.25) / 2.0);
    }

    #[test]
    fn the_focal_loss_weighs_each_row_by_how_wrong_it_is() {
        let focal = LossSettings { focal_gamma: 2.0, volatility_weight: 0.0, ..PLAIN };
        let part = |right: f64| -(1.0 - right).powi(2) * right.ln();
        close(
            value(&focal, None, &samples(None), [2.0, 0.0, 1.0, 0.0]),
            f64::midpoint(part(sigmoid(2.0)), part(sigmoid(-1.0))),
        );
    }

    #[test]
    fn a_student_that_equals_its_teacher_has_no_divergence_and_the_mixture_is_as_promised() {
        let teacher = samples(Some(vec![[2.0, 0.5], [1.0, -0.5]]));
        let all = Distillation { alpha: 1.0, temperature: 3.0 };
        close(value(&PLAIN, Some(&all), &teacher, [2.0, 0.5, 1.0, -0.5]), 0.0);

        let half = Distillation { alpha: 0.25, temperature: 2.0 };
        let settings = LossSettings { volatility_weight: 0.0, ..PLAIN };
        let divergence = |teacher: f64, student: f64| {
            let (q, p) = (sigmoid(teacher / 2.0), sigmoid(student / 2.0));
            q * (q / p).ln() + (1.0 - q) * ((1.0 - q) / (1.0 - p)).ln()
        };
        let hard = -(sigmoid(0.0).ln() + sigmoid(3.0).ln()) / 2.0;
        let soft = f64::midpoint(divergence(2.0, 0.0), divergence(1.0, -3.0));
        close(value(&settings, Some(&half), &teacher, [0.0, 0.0, -3.0, 0.0]), 0.75 * hard + 0.25 * 4.0 * soft);
    }

    #[test]
    fn a_row_counts_what_its_weight_says() {
        let whole = value(&PLAIN, None, &samples(None), [2.0, 0.5, 1.0, -0.5]);
        let weighted = Samples { weight: Some(vec![1.5, 0.5]), ..samples(None) };
        let found = value(&PLAIN, None, &weighted, [2.0, 0.5, 1.0, -0.5]);
        let of_row = |margin: f64, gap: f64| -sigmoid(margin).ln() + 0.5 * gap * gap;
        let (first, second) = (of_row(2.0, 0.3), of_row(-1.0, 0.5));
        close(whole, f64::midpoint(first, second));
        close(found, 0.75 * first + 0.25 * second);
    }

    #[test]
    fn class_weights_balance_the_regimes() {
        let [low, high] = class_weights(0.2);
        assert!((low * 0.8 - high * 0.2).abs() < 1e-6);
        assert!((low * 0.8 + high * 0.2 - 1.0).abs() < 1e-6);
    }
}
