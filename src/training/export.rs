//! The trained network as ONNX, on the circuit's grid.

use prost::Message;
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto, ValueInfoProto,
    tensor_proto::DataType,
    tensor_shape_proto::{Dimension, dimension},
    type_proto,
};

use crate::types::prediction::Outputs;

/// ONNX's version of operators; the three that are used here are unchanged since.
const OPSET: i64 = 13;
/// ONNX's file format that introduced opset 13.
const IR_VERSION: i64 = 7;

/// A network of one hidden layer of squares: `((x·hidden + hidden_bias)²)·output + output_bias`.
#[derive(Debug, Clone, PartialEq)]
pub struct SquareNetwork {
    /// Number of inputs.
    pub features: usize,
    /// Number of hidden units.
    pub units: usize,
    /// `features` rows of `units` weights.
    pub hidden: Vec<f32>,
    /// One for each unit.
    pub hidden_bias: Vec<f32>,
    /// `units` rows of weights for `[logit_low, logit_high, log_volatility]`.
    pub output: Vec<f32>,
    /// One for each output.
    pub output_bias: Vec<f32>,
}

impl SquareNetwork {
    /// Rounds every weight to the grid of `2^-param_scale`.
    #[must_use]
    pub fn on_grid(mut self, param_scale: u32) -> Self {
        let grid = libm::exp2(f64::from(param_scale));
        for tensor in [&mut self.hidden, &mut self.hidden_bias, &mut self.output, &mut self.output_bias] {
            for weight in tensor.iter_mut() {
                *weight = (libm::round(f64::from(*weight) * grid) / grid) as f32;
            }
        }
        self
    }

    /// Number of weights.
    pub fn parameters(&self) -> usize {
        self.hidden.len() + self.hidden_bias.len() + self.output.len() + self.output_bias.len()
    }

    /// The ONNX file for `markets` rows, static in shape as EZKL wants it.
    pub fn to_onnx(&self, markets: usize) -> Vec<u8> {
        let outputs = Outputs::COUNT;
        let graph = GraphProto {
            name: "veriregime".into(),
            node: vec![
                node("MatMul", ["features", "hidden"], "weighted"),
                node("Add", ["weighted", "hidden_bias"], "units"),
                node("Mul", ["units", "units"], "squares"),
                node("MatMul", ["squares", "output"], "combined"),
                node("Add", ["combined", "output_bias"], "outputs"),
            ],
            initializer: vec![
                tensor("hidden", [self.features, self.units], &self.hidden),
                tensor("hidden_bias", [1, self.units], &self.hidden_bias),
                tensor("output", [self.units, outputs], &self.output),
                tensor("output_bias", [1, outputs], &self.output_bias),
            ],
            input: vec![rows("features", markets, self.features)],
            output: vec![rows("outputs", markets, outputs)],
            ..GraphProto::default()
        };
        let model = ModelProto {
            ir_version: IR_VERSION,
            producer_name: env!("CARGO_PKG_NAME").into(),
            producer_version: env!("CARGO_PKG_VERSION").into(),
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
            graph: Some(graph),
            ..ModelProto::default()
        };
        model.encode_to_vec()
    }
}

fn node(operation: &str, inputs: [&str; 2], output: &str) -> NodeProto {
    NodeProto {
        name: output.to_owned(),
        op_type: operation.to_owned(),
        input: inputs.map(str::to_owned).to_vec(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}

fn tensor(name: &str, sides: [usize; 2], entries: &[f32]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: sides.map(|side| i64::try_from(side).expect("a side in memory fits")).to_vec(),
        data_type: DataType::Float as i32,
        raw_data: entries.iter().flat_map(|entry| entry.to_le_bytes()).collect(),
        ..TensorProto::default()
    }
}

fn rows(name: &str, rows: usize, columns: usize) -> ValueInfoProto {
    let side = |side: usize| Dimension {
        value: Some(dimension::Value::DimValue(i64::try_from(side).expect("a side in memory fits"))),
        ..Dimension::default()
    };
    let shape = TensorShapeProto { dim: vec![side(rows), side(columns)] };
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape: Some(shape) };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..TypeProto::default() }),
        ..ValueInfoProto::default()
    }
}
