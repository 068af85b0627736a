//! The convolutional network that this project began with, for a row of the report: what a teacher must beat. Its
//! layers are the original's to the number; only the order of the work differs, so that it runs as matrix products.

use burn::module::{Module, Param, RunningState};
use burn::tensor::{Device, Tensor, TensorData, activation::relu};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::network::Network;
use super::teacher::mask;
use veriregime_core::features::baseline_cnn::CHANNELS;

/// Minutes that the network sees before a decision.
pub const WINDOW_MINUTES: usize = 240;
/// Trainable numbers of the network.
pub const PARAMETERS: usize = 35_778;
/// Neighbouring moments that a filter sees, and how many filters there are, of both convolutions.
const FIRST: [usize; 2] = [5, 64];
const SECOND: [usize; 2] = [3, 128];
const HIDDEN_UNITS: usize = 64;
/// Share of the hidden units that each training step leaves out.
const DROPOUT: f32 = 0.3;
/// Logits: Low, High.
const REGIMES: usize = 2;
/// Share of a batch's moments in the running moments after it.
const MOMENTUM: f64 = 0.1;
/// Added to a variance before its root.
const EPSILON: f64 = 1e-5;
/// Rows of a batch that are convolved together: more would not stay in a processor's cache.
const CHUNK_ROWS: usize = 64;

/// Two convolutions over time, the mean over what is left of it, two dense layers.
#[derive(Module, Debug)]
pub struct OriginalCnn {
    first: Convolution,
    second: Convolution,
    hidden: Dense,
    logits: Dense,
}

impl OriginalCnn {
    /// Fresh weights, uniform within one over the root of a unit's inputs, as the original's library draws them.
    pub fn new(random: &mut ChaCha8Rng, device: &Device) -> Self {
        let [_, first] = FIRST;
        let [_, second] = SECOND;
        Self {
            first: Convolution::new(CHANNELS, FIRST, random, device),
            second: Convolution::new(first, SECOND, random, device),
            hidden: Dense::new(second, HIDDEN_UNITS, random, device),
            logits: Dense::new(HIDDEN_UNITS, REGIMES, random, device),
        }
    }
}

impl Network for OriginalCnn {
    /// The network has no head for volatility: the second output is always zero.
    fn forward(&self, inputs: Tensor<2>, noise: Option<&mut ChaCha8Rng>) -> Tensor<2> {
        let [rows, _] = inputs.dims();
        let learns = noise.is_some();
        let series = inputs.reshape([rows, WINDOW_MINUTES, CHANNELS]).split(CHUNK_ROWS, 0);
        let series = self.second.forward(self.first.forward(series, learns), learns);
        let means = Tensor::cat(series.into_iter().map(|chunk| chunk.mean_dim(1)).collect(), 0);
        let mut hidden = relu(self.hidden.forward(means.squeeze_dim(1)));
        if let Some(random) = noise {
            hidden = hidden.clone() * mask(hidden.dims(), DROPOUT, random, &hidden.device());
        }
        let logits = self.logits.forward(hidden);
        let margin = logits.clone().slice([0..rows, 1..2]) - logits.slice([0..rows, 0..1]);
        let no_volatility = Tensor::zeros([rows, 1], &margin.device());
        Tensor::cat(vec![margin, no_volatility], 1)
    }
}

/// Weighted sums.
#[derive(Module, Debug)]
struct Dense {
    /// `[inputs, outputs]`.
    weights: Param<Tensor<2>>,
    /// `[1, outputs]`.
    bias: Param<Tensor<2>>,
}

impl Dense {
    fn new(inputs: usize, outputs: usize, random: &mut ChaCha8Rng, device: &Device) -> Self {
        let reach = 1.0 / (inputs as f32).sqrt();
        let mut draw = |rows: usize| {
            let entries: Vec<f32> = (0..rows * outputs).map(|_| random.random_range(-reach..=reach)).collect();
            Param::from_data(TensorData::new(entries, [rows, outputs]), device)
        };
        Self { weights: draw(inputs), bias: draw(1) }
    }

    fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        inputs.matmul(self.weights.val()) + self.bias.val()
    }
}

/// A convolution over time that keeps its length, batch normalisation (Ioffe and Szegedy 2015), a rectifier, and the
/// larger of each pair of moments.
///
/// The channels of a moment lie together, so the moments that a filter sees are one stretch of numbers and the
/// convolution is a product of matrices. Even and odd moments are computed apart: the larger of two takes no copy.
#[derive(Module, Debug)]
struct Convolution {
    /// `[taps * channels, filters]`, with its bias.
    filters: Dense,
    /// `[1, filters]`, as all that follow: the deviation after normalisation.
    scale: Param<Tensor<2>>,
    /// The mean after normalisation.
    shift: Param<Tensor<2>>,
    /// What a filter gives on average, for when nothing is learnt.
    mean: RunningState<Tensor<2>>,
    /// How much that varies.
    variance: RunningState<Tensor<2>>,
}

impl Convolution {
    fn new(channels: usize, [taps, filters]: [usize; 2], random: &mut ChaCha8Rng, device: &Device) -> Self {
        let shape = [1, filters];
        let one = |value: f32| Tensor::full(shape, value, device);
        Self {
            filters: Dense::new(taps * channels, filters, random, device),
            scale: Param::from_tensor(one(1.0)),
            shift: Param::from_tensor(one(0.0)),
            mean: RunningState::new(one(0.0)),
            variance: RunningState::new(one(1.0)),
        }
    }

    /// `[n, moments, channels] -> [n, moments / 2, filters]` for each chunk of a batch, which is normalised as a whole:
    /// by its own moments while it is learnt from, by the running ones otherwise.
    fn forward(&self, series: Vec<Tensor<3>>, learns: bool) -> Vec<Tensor<3>> {
        let shapes: Vec<[usize; 3]> = series.iter().map(Tensor::dims).collect();
        let sides: Vec<[Tensor<2>; 2]> = series.into_iter().map(|chunk| self.sides(chunk)).collect();
        let [scale, offset] = self.normalisation(learns.then_some(&sides));
        let finish = |([even, odd], [rows, moments, _]): ([Tensor<2>; 2], [usize; 3])| {
            let [even, odd] = [even, odd].map(|side| side * scale.clone());
            let larger = relu(even - odd.clone()) + odd;
            let [_, filters] = larger.dims();
            relu(larger + offset.clone()).reshape([rows, moments / 2, filters])
        };
        sides.into_iter().zip(shapes).map(finish).collect()
    }

    /// What the filters give at even and at odd moments, without their bias: each `[n * moments / 2, filters]`.
    fn sides(&self, series: Tensor<3>) -> [Tensor<2>; 2] {
        let [_, _, channels] = series.dims();
        let [inputs, _] = self.filters.weights.dims();
        let windows = pair_windows(series, inputs / channels);
        let [pairs, _] = windows.dims();
        [0, channels].map(|from| {
            let windows = windows.clone().slice([0..pairs, from..from + inputs]);
            windows.matmul(self.filters.weights.val())
        })
    }

    /// What to multiply the filters' outputs, still without their bias, with, and what to add then.
    fn normalisation(&self, batch: Option<&Vec<[Tensor<2>; 2]>>) -> [Tensor<2>; 2] {
        let bias = self.filters.bias.val();
        let (mean, variance) = match batch {
            Some(chunks) => {
                let sides = || chunks.iter().flatten().cloned();
                let count = sides().map(|side| side.dims()[0]).sum::<usize>() as f64;
                let total = |sums: Vec<Tensor<2>>| Tensor::cat(sums, 0).sum_dim(0) / count;
                let mean = total(sides().map(|side| side.sum_dim(0)).collect());
                let square = total(sides().map(|side| (side.clone() * side).sum_dim(0)).collect());
                let variance = square - mean.clone() * mean.clone();
                let mean = mean + bias.clone();
                follow(&self.mean, mean.clone());
                follow(&self.variance, variance.clone() * (count / (count - 1.0)));
                (mean, variance)
            }
            None => (self.mean.value(), self.variance.value()),
        };
        let scale = self.scale.val() / (variance + EPSILON).sqrt();
        let offset = self.shift.val() + (bias - mean) * scale.clone();
        [scale, offset]
    }
}

/// Moves a running value towards a batch's.
fn follow(running: &RunningState<Tensor<2>>, batch: Tensor<2>) {
    running.update(running.value() * (1.0 - MOMENTUM) + batch.detach() * MOMENTUM);
    // An update counts only from the next look on, and saving is no look.
    running.value_sync();
}

/// For each pair of moments the `taps` moments around its first and those around its second, which overlap in all but
/// one: `[n, moments, channels] -> [n * moments / 2, (taps + 1) * channels]`. Beyond the ends there are zeros.
fn pair_windows(series: Tensor<3>, taps: usize) -> Tensor<2> {
    let [rows, moments, channels] = series.dims();
    let [pairs, before] = [moments / 2, taps / 2];
    let zeros = Tensor::zeros([rows, before, channels], &series.device());
    let padded = Tensor::cat(vec![zeros.clone(), series, zeros], 1).reshape([rows, pairs + before, 2 * channels]);
    let shifted = |by: usize| padded.clone().slice([0..rows, by..by + pairs, 0..2 * channels]);
    Tensor::cat((0..=before).map(shifted).collect(), 2).reshape([rows * pairs, (taps + 1) * channels])
}

#[cfg(test)]
mod tests {
    use burn::module::ModuleVisitor;
    use burn::nn::conv::Conv1dConfig;
    use burn::nn::pool::MaxPool1dConfig;
    use burn::nn::{BatchNormConfig, PaddingConfig1d};
    use burn::tensor::Gradients;
    use rand::SeedableRng;

    use super::*;
    use crate::weights::{flatten, load, matrix, numbers};

    fn network(device: &Device) -> OriginalCnn {
        OriginalCnn::new(&mut ChaCha8Rng::seed_from_u64(3), device)
    }

    fn rows(count: usize, device: &Device) -> Tensor<2> {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let columns = WINDOW_MINUTES * CHANNELS;
        matrix((0..count * columns).map(|_| random.random_range(-2.0..2.0)).collect(), columns, device)
    }

    /// A convolution of a batch in chunks.
    fn convolved(own: &Convolution, series: Tensor<3>, learns: bool) -> Tensor<3> {
        Tensor::cat(own.forward(series.split(4, 0), learns), 0)
    }

    fn close(left: &[f32], right: &[f32]) {
        assert_eq!(left.len(), right.len());
        let apart = left.iter().zip(right).map(|(left, right)| (left - right).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-4, "{apart}");
    }

    /// A convolution in burn's own layers, `[n, moments, channels] -> [n, moments / 2, filters]`, and its weights,
    /// `[filters, channels, taps]`.
    fn layers(own: &Convolution, channels: usize, series: Tensor<3>, learns: bool) -> (Tensor<3>, Tensor<3>) {
        let device = series.device();
        let [inputs, filters] = own.filters.weights.dims();
        let taps = inputs / channels;
        let padding = PaddingConfig1d::Explicit(taps / 2, taps / 2);
        let mut convolution = Conv1dConfig::new(channels, filters, taps).with_padding(padding).init(&device);
        let weights = own.filters.weights.val().reshape([taps, channels, filters]).permute([2, 1, 0]);
        convolution.weight = Param::from_tensor(weights.detach());
        convolution.bias = Some(Param::from_tensor(own.filters.bias.val().reshape([filters]).detach()));
        let mut normalisation = BatchNormConfig::new(filters).init(&device);
        normalisation.gamma = Param::from_tensor(own.scale.val().reshape([filters]).detach());
        normalisation.beta = Param::from_tensor(own.shift.val().reshape([filters]).detach());
        if !learns {
            normalisation = normalisation.valid();
        }
        normalisation.running_mean = RunningState::new(own.mean.value().reshape([filters]));
        normalisation.running_var = RunningState::new(own.variance.value().reshape([filters]));
        let outputs = relu(normalisation.forward(convolution.forward(series.swap_dims(1, 2))));
        let larger = MaxPool1dConfig::new(2).with_stride(2).init().forward(outputs);
        (larger.swap_dims(1, 2), convolution.weight.val())
    }

    #[test]
    fn it_has_as_many_parameters_as_the_original() {
        struct Count(usize);
        impl ModuleVisitor for Count {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if param.val().is_require_grad() {
                    self.0 += param.val().shape().num_elements();
                }
            }
        }
        let mut count = Count(0);
        network(&Device::flex().autodiff()).visit(&mut count);
        assert_eq!(count.0, PARAMETERS);
    }

    #[test]
    fn a_convolution_is_what_the_librarys_own_layers_compute() {
        for learns in [true, false] {
            let device = if learns { Device::flex().autodiff() } else { Device::flex() };
            let network = network(&device);
            // A negative deviation swaps what is larger.
            let mut first = network.first;
            let scale: Vec<f32> = (0..64).map(|filter| 0.1 * filter as f32 - 3.0).collect();
            first.scale = Param::from_tensor(matrix(scale, 64, &device));
            first.mean = RunningState::new(Tensor::full([1, 64], 0.2, &device));
            first.variance = RunningState::new(Tensor::full([1, 64], 0.7, &device));
            let series = rows(6, &device).reshape([6, WINDOW_MINUTES, CHANNELS]);
            let (theirs, _) = layers(&first, CHANNELS, series.clone(), learns);
            let own = convolved(&first, series, learns);
            close(&numbers(own.clone()), &numbers(theirs));
            let (theirs, _) = layers(&network.second, 64, own.clone(), learns);
            close(&numbers(convolved(&network.second, own, learns)), &numbers(theirs));
        }
    }

    #[test]
    fn gradients_are_those_of_the_librarys_own_layers() {
        let device = Device::flex().autodiff();
        let own = network(&device).first;
        let series = rows(6, &device).reshape([6, WINDOW_MINUTES, CHANNELS]).require_grad();
        let gradients = |outputs: Tensor<3>| ((outputs.clone() * outputs).mean() * 100.0).backward();
        let ours = gradients(convolved(&own, series.clone(), true));
        let (outputs, weights) = layers(&own, CHANNELS, series.clone(), true);
        let theirs = gradients(outputs);
        let of_series = |gradients: &Gradients| numbers(series.grad(gradients).expect("the series is tracked"));
        close(&of_series(&ours), &of_series(&theirs));
        let of_weights = numbers(own.filters.weights.val().grad(&ours).expect("weights are tracked"));
        let [inputs, filters] = own.filters.weights.dims();
        let weights = weights.grad(&theirs).expect("weights are tracked").permute([2, 1, 0]).reshape([inputs, filters]);
        close(&of_weights, &numbers(weights));
        assert!(of_weights.iter().any(|entry| entry.abs() > 1e-2), "there is a gradient at all");
    }

    #[test]
    fn running_moments_are_saved_with_the_weights_and_used_when_nothing_is_learnt() {
        let device = Device::flex().autodiff();
        let trained = network(&device);
        let before = flatten(&trained);
        let mut noise = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..3 {
            trained.forward(rows(8, &device), Some(&mut noise));
        }
        let after = flatten(&trained);
        assert_ne!(before, after);
        assert_eq!(after, flatten(&trained.valid()), "no update is missing");
        let restored = load(network(&device), &after).expect("the same shape");
        let heads = |network: &OriginalCnn| numbers(network.valid().forward(rows(4, &Device::flex()), None));
        assert_eq!(heads(&trained), heads(&restored));
        assert!(heads(&trained).chunks_exact(2).all(|pair| pair[1] == 0.0), "it forecasts no volatility");
    }
}
