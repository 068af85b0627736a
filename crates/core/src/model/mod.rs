//! From feature integers to a forecast, twice: the float model through tract, and the circuit's arithmetic in exact
//! integers. Pure once loaded.

pub mod contributions;
pub mod dense;
pub mod export;
pub mod fixed_point;
pub mod float;
pub mod integer;
pub mod lstm;
pub mod lstm_grid;
mod lstm_onnx;
pub mod one_market;
pub mod onnx;
pub mod solidity;
pub mod table;

use thiserror::Error;

use crate::trees::error::TreesError;
use crate::types::diagnostic::Diagnostic;
use crate::types::manifest::Output;
use crate::types::manifest::inputs::Table;
use crate::types::manifest::network::{Layer, Layers, Lstm};
use crate::types::manifest::regime::RegimeSpec;
use crate::types::prediction::REGIME_OUTPUTS;
use float::FloatModel;
use integer::IntegerModel;
use onnx::Network;

/// Largest ONNX file that is taken for a model.
pub const MAX_MODEL_BYTES: u64 = 16 << 20;
/// How far a float output may lie from the circuit's, relative to the larger of the circuit's magnitude and 1.
pub const TOLERANCE: f64 = 1e-4;

/// Why a model cannot be loaded or does not answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ModelError {
    /// The bytes are no ONNX model.
    #[error("the file is not a complete ONNX model: {detail}")]
    NotOnnx { detail: String },
    /// Inputs or outputs have another shape than the manifest says.
    #[error("{what} has shape {found:?}, the manifest needs {expected:?}")]
    Shape { what: String, found: Vec<i64>, expected: Vec<i64> },
    /// The network uses something that the circuit's arithmetic does not cover.
    #[error("the network uses {operation}, only MatMul, Add, Mul and Relu on rows are supported")]
    Unsupported { operation: String },
    /// A weight that the circuit would have to round.
    #[error("{tensor} holds {value}, which does not lie on the grid of 2^-{param_scale}")]
    OffGrid { tensor: String, value: String, param_scale: u32 },
    /// Some input within bounds could leave 127 bits.
    #[error("the outputs of {operation} may need {bits} bits, at most {limit} are safe")]
    TooLarge { operation: String, bits: u32, limit: u32 },
    /// The output scale of the manifest is coarser than the exact result's.
    #[error("the exact outputs have scale {exact}, the manifest says {declared}")]
    Scale { exact: u32, declared: u32 },
    /// Not the number of integers that the model takes.
    #[error("{given} feature integers were given, the model takes {needed}")]
    Count { given: usize, needed: usize },
    /// A feature integer outside of the clip.
    #[error("feature {index} is {value}, outside of ±{bound}")]
    Feature { index: usize, value: i32, bound: i32 },
    /// An input that is no number.
    #[error("column {column} is {value}")]
    NotFinite { column: String, value: String },
    /// Trees that do not take a row.
    #[error(transparent)]
    Trees(TreesError),
    /// Float and integer arithmetic tell different stories.
    #[error("output {index} is {float} in floats and {circuit} in the circuit's integers")]
    Disagreement { index: usize, float: String, circuit: String },
    /// The network is not the one that the manifest sums up.
    #[error("the network's layers are {found:?}, the manifest says {expected:?}")]
    Layers { found: Vec<Layer>, expected: Vec<Layer> },
    /// The network is not the LSTM that the manifest sums up.
    #[error("the network is not an LSTM of {units:?} units over {days} days, as the manifest says")]
    Structure { days: usize, units: [usize; 3] },
    /// The network is no sequence of weighted sums and activations.
    #[error(
        "step {step} of the network is {what}: only weighted sums, each followed by squares, by Relu or by nothing, can be computed by a contract"
    )]
    NotDense { step: usize, what: &'static str },
    /// The contract that computes the network would not fit into a chain's limit.
    #[error(
        "the contract that computes the model would need {bytes} bytes of code and data, at most {limit} can be created"
    )]
    ContractTooLarge { bytes: usize, limit: usize },
    /// A row for which a circuit has no table: whoever tried to prove it would wait for ever.
    #[error(
        "what {operation} sees reaches {value} on the circuit's grid, whose tables end at {bound}: nothing can be proven of {row}"
    )]
    OutOfTables { operation: &'static str, value: i64, bound: u32, row: String },
    /// A network that rounding changes too much.
    #[error(
        "on the finest grid, 2^-{finest}, an output lies {deviation} from the network's, or its tables are too large"
    )]
    NoGrid { finest: u32, deviation: String },
    /// tract refuses the model or the input.
    #[error("tract: {detail}")]
    Tract { detail: String },
}

impl Diagnostic for ModelError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotOnnx { .. } => "VR-MODEL-001",
            Self::Shape { .. } => "VR-MODEL-002",
            Self::Unsupported { .. } => "VR-MODEL-003",
            Self::OffGrid { .. } => "VR-MODEL-004",
            Self::TooLarge { .. } => "VR-MODEL-005",
            Self::Scale { .. } => "VR-MODEL-006",
            Self::Count { .. } => "VR-MODEL-007",
            Self::Feature { .. } => "VR-MODEL-008",
            Self::Disagreement { .. } => "VR-MODEL-009",
            Self::Tract { .. } => "VR-MODEL-010",
            Self::Layers { .. } | Self::Structure { .. } => "VR-MODEL-011",
            Self::NotFinite { .. } => "VR-MODEL-012",
            Self::Trees(error) => error.code(),
            Self::NotDense { .. } => "VR-MODEL-013",
            Self::ContractTooLarge { .. } => "VR-MODEL-014",
            Self::OutOfTables { .. } => "VR-MODEL-015",
            Self::NoGrid { .. } => "VR-MODEL-016",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Trees(error) => error.hint(),
            Self::Count { .. } | Self::Feature { .. } => "compute the features with the manifest of this very model",
            Self::NotFinite { .. } => "give every column a finite number, or leave the row out",
            Self::Disagreement { .. } => {
                "stop and compare the bundle with its source; nothing was submitted, the machine or the model is faulty"
            }
            Self::NotDense { .. } => "verify this model by EZKL, which proves any network that can be loaded",
            Self::ContractTooLarge { .. } => {
                "verify this model by a proof, of halo2 or of EZKL: a proof costs the same for a network of any size"
            }
            Self::OutOfTables { .. } => {
                "nothing was proven, and nothing is published for this period; where it comes again, train the model anew on data \
                 that have such days: its tables are made twice as wide as what the data need"
            }
            Self::NoGrid { .. } => {
                "train it with fewer epochs, another seed or fewer units: its weights are too large to be rounded"
            }
            Self::Unsupported { .. } | Self::OffGrid { .. } | Self::TooLarge { .. } => {
                "export the model with `train`, which writes only what the circuit can prove exactly"
            }
            _ => "restore the model bundle from where it was published",
        }
    }
}

/// What must be known about a model to load it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Layout {
    /// Rows of the input: one for each market.
    pub markets: usize,
    /// Columns of the input.
    pub features: usize,
    /// Columns of the output.
    pub outputs: usize,
    /// Largest magnitude of a feature integer.
    pub feature_bound: i32,
    /// log2 of the features' grid.
    pub input_scale: u32,
    /// log2 of the weights' grid.
    pub param_scale: u32,
    /// log2 of the outputs' grid.
    pub output_scale: u32,
}

impl Layout {
    /// The layout of a regime model.
    pub fn of(model: &RegimeSpec<'_>) -> Self {
        let features = &model.candles.features;
        Self {
            markets: model.candles.markets.len(),
            features: features.count(),
            outputs: REGIME_OUTPUTS.len(),
            feature_bound: features.bound(),
            input_scale: features.input_scale,
            param_scale: model.layers.param_scale,
            output_scale: model.output_scale,
        }
    }

    /// The layout of a layered model of a table.
    pub fn of_table(layers: &Layers, table: &Table, outputs: &[Output]) -> Self {
        Self {
            markets: 1,
            features: table.columns.len(),
            outputs: outputs.len(),
            feature_bound: table.bound(),
            input_scale: table.input_scale,
            param_scale: layers.param_scale,
            output_scale: outputs.iter().map(|output| output.scale).max().unwrap_or(0),
        }
    }

    /// The layout of an LSTM of a table.
    pub fn of_lstm(lstm: &Lstm, table: &Table, outputs: usize) -> Self {
        Self {
            markets: 1,
            features: table.columns.len(),
            outputs,
            feature_bound: table.bound(),
            input_scale: lstm.scale,
            param_scale: lstm.scale,
            output_scale: lstm.scale,
        }
    }
}

/// A loaded model.
#[derive(Debug)]
pub struct Model {
    layout: Layout,
    float: FloatModel,
    integer: IntegerModel,
    layers: Vec<Layer>,
}

impl Model {
    /// Loads both forms of the model from the same ONNX bytes.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn load(onnx: &[u8], layout: Layout) -> Result<Self, ModelError> {
        let network = Network::parse(onnx, layout.markets, layout.features, layout.outputs)?;
        let float = FloatModel::load(onnx, layout.markets, layout.features, layout.outputs)?;
        let integer = IntegerModel::new(&network, layout)?;
        Ok(Self { layout, float, integer, layers: network.layers() })
    }

    /// The layout it was loaded with.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The exact form.
    pub fn integer(&self) -> &IntegerModel {
        &self.integer
    }

    /// Refuses a network whose layers are not these.
    ///
    /// # Errors
    /// [`ModelError::Layers`].
    pub fn expect_layers(&self, expected: &[Layer]) -> Result<(), ModelError> {
        if self.layers == expected {
            return Ok(());
        }
        Err(ModelError::Layers { found: self.layers.clone(), expected: expected.to_vec() })
    }

    /// The circuit's outputs of every market, bit for bit, from the feature integers in the order of the public inputs; the
    /// float model must agree.
    ///
    /// # Errors
    /// [`ModelError::Count`], [`ModelError::Feature`], [`ModelError::Disagreement`] or what tract reports.
    pub fn predict(&self, integers: &[i32]) -> Result<Vec<Vec<i128>>, ModelError> {
        let circuit = self.integer.evaluate(integers)?;
        let float = self.float.run(&float::inputs(integers, self.layout.input_scale))?;
        for (float, circuit) in float.chunks_exact(self.layout.outputs).zip(&circuit) {
            compare(float, circuit, self.layout.output_scale)?;
        }
        Ok(circuit)
    }
}

/// Refuses float outputs of a row that do not agree with the circuit's up to [`TOLERANCE`].
///
/// # Errors
/// [`ModelError::Disagreement`].
pub fn compare(float: &[f32], circuit: &[i128], output_scale: u32) -> Result<(), ModelError> {
    compare_within(TOLERANCE, float, circuit, output_scale)
}

fn compare_within(tolerance: f64, float: &[f32], circuit: &[i128], output_scale: u32) -> Result<(), ModelError> {
    let unit = libm::exp2(-f64::from(output_scale));
    for (index, (float, exact)) in float.iter().zip(circuit).enumerate() {
        let exact = *exact as f64 * unit;
        let distance = (f64::from(*float) - exact).abs();
        if distance.is_nan() || distance > tolerance * exact.abs().max(1.0) {
            return Err(ModelError::Disagreement { index, float: float.to_string(), circuit: exact.to_string() });
        }
    }
    Ok(())
}
