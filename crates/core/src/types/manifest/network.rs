//! How a model computes.

use serde::{Deserialize, Serialize};

/// A model, by its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ModelKind {
    /// A layered network in [`super::ONNX_FILE`].
    Layers(Layers),
    /// Decision trees.
    Trees(Trees),
    /// An LSTM in [`super::ONNX_FILE`], unrolled over its days.
    Lstm(Lstm),
}

impl ModelKind {
    /// The kind in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Layers(_) => "layers",
            Self::Trees(_) => "trees",
            Self::Lstm(_) => "an LSTM",
        }
    }
}

/// A layered network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layers {
    /// log2 of the weights' grid.
    pub param_scale: u32,
    /// What the ONNX file holds, in the order of evaluation: compared with it when it is loaded.
    pub layers: Vec<Layer>,
}

/// One layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Weighted sums with a constant, so many.
    Linear(usize),
    /// A constant for each entry, not behind weighted sums.
    Constant,
    /// The sum of two rows.
    Sum,
    /// The product of two rows, entry by entry.
    Product,
    /// Each entry times itself.
    Square,
    /// Zero in the place of negative entries.
    Relu,
    /// `1 / (1 + e^−x)` of each entry.
    Sigmoid,
    /// Hyperbolic tangent of each entry.
    Tanh,
    /// So many neighbouring entries.
    Slice(usize),
}

/// Decision trees whose leaves are added up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trees {
    /// Name of their file in the bundle.
    pub file: String,
    /// How many there are.
    pub trees: usize,
    /// Comparisons on the longest way to a leaf.
    pub depth: usize,
}

/// Two LSTM layers and a dense one, over some days. The first columns are the days' numbers, the others stand beside each day.
///
/// Everything is a multiple of `2^-scale`, and rounded to one after each product. Sigmoid and hyperbolic tangent are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lstm {
    /// Days, each with one column.
    pub days: usize,
    /// Units of the two LSTM layers and of the dense one.
    pub units: [usize; 3],
    /// log2 of the grid.
    pub scale: u32,
    /// Largest magnitude, on the grid, of what is looked up: a circuit has no table beyond it.
    pub lookup_bound: u32,
    /// What magnitudes of products and of what `Relu` sees stay below, on the grid.
    pub digit_base: u32,
}
