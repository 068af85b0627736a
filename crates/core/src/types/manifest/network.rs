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
}

impl ModelKind {
    /// The kind in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Layers(_) => "layers",
            Self::Trees(_) => "trees",
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
