//! What the trainer needs of a network and of its inputs.

use burn::module::Module;
use burn::tensor::Tensor;
use rand_chacha::ChaCha8Rng;

/// A network that the trainer can fit.
pub trait Network: Module {
    /// `[n, columns] -> [n, 2]`: of a regime network the margin of High over Low in logits, and the normalised log-volatility.
    ///
    /// `noise` is there during training and feeds dropout: burn's own generator is one for the whole process, and a run
    /// that goes on after a crash must draw the same numbers.
    fn forward(&self, inputs: Tensor<2>, noise: Option<&mut ChaCha8Rng>) -> Tensor<2>;
}

/// Where the rows of a network's input come from: they are made when they are needed, never all at once.
pub trait Inputs: std::fmt::Debug + Sync {
    /// Numbers in a row.
    fn columns(&self) -> usize;

    /// Appends the row of the decision time that `at` candles precede.
    fn append(&self, at: usize, row: &mut Vec<f32>);
}
