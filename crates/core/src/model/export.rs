//! The trained network as ONNX, on the circuit's grid.

use prost::Message;
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto, ValueInfoProto,
    tensor_proto::DataType,
    tensor_shape_proto::{Dimension, dimension},
    type_proto,
};

/// ONNX's version of operators; those that are used here are unchanged since.
const OPSET: i64 = 13;
/// ONNX's file format that introduced opset 13.
const IR_VERSION: i64 = 7;

/// A layer of a network.
#[derive(Debug, Clone, PartialEq)]
pub enum Layer {
    /// Weighted sums with a bias.
    Linear {
        /// Numbers that go in.
        inputs: usize,
        /// Numbers that come out.
        outputs: usize,
        /// `inputs` rows of `outputs` weights.
        weights: Vec<f32>,
        /// One for each output; in the last layer there may be as many for each market, one market after the other.
        bias: Vec<f32>,
    },
    /// Every number times itself.
    Square,
    /// Negative numbers become zero.
    Relu,
}

/// A network of layers; the last one, linear, gives `[logit_low, logit_high, log_volatility]`.
#[derive(Debug, Clone, PartialEq)]
pub struct LayeredNetwork {
    /// Number of inputs.
    pub features: usize,
    /// In the order of evaluation.
    pub layers: Vec<Layer>,
}

impl LayeredNetwork {
    /// Rounds every weight to the grid of `2^-param_scale`.
    #[must_use]
    pub fn on_grid(mut self, param_scale: u32) -> Self {
        let grid = libm::exp2(f64::from(param_scale));
        for layer in &mut self.layers {
            if let Layer::Linear { weights, bias, .. } = layer {
                for weight in weights.iter_mut().chain(bias) {
                    *weight = (libm::round(f64::from(*weight) * grid) / grid) as f32;
                }
            }
        }
        self
    }

    /// The same network for markets that each add something of their own to its outputs: `more` has a row for each market, of as many
    /// entries as there are outputs. `None` where the last layer has no bias, or one for each market already.
    #[must_use]
    pub fn for_markets(mut self, more: &[Vec<f64>]) -> Option<Self> {
        let Some(Layer::Linear { outputs, bias, .. }) = self.layers.last_mut() else { return None };
        if bias.len() != *outputs || more.is_empty() || more.iter().any(|own| own.len() != *outputs) {
            return None;
        }
        let with = |own: &Vec<f64>| -> Vec<f32> {
            bias.iter().zip(own).map(|(common, own)| (f64::from(*common) + own) as f32).collect()
        };
        *bias = more.iter().flat_map(with).collect();
        Some(self)
    }

    /// Number of outputs: those of the last linear layer.
    pub fn outputs(&self) -> usize {
        let of = |layer: &Layer| match layer {
            Layer::Linear { outputs, .. } => Some(*outputs),
            Layer::Square | Layer::Relu => None,
        };
        self.layers.iter().rev().find_map(of).unwrap_or(self.features)
    }

    /// Number of weights.
    pub fn parameters(&self) -> usize {
        let of = |layer: &Layer| match layer {
            Layer::Linear { weights, bias, .. } => weights.len() + bias.len(),
            Layer::Square | Layer::Relu => 0,
        };
        self.layers.iter().map(of).sum()
    }

    /// The ONNX file for `markets` rows, static in shape as EZKL wants it: as many as the last bias is for, where each has its own.
    pub fn to_onnx(&self, markets: usize) -> Vec<u8> {
        let mut graph = GraphProto {
            name: "veriregime".into(),
            input: vec![rows("features", markets, self.features)],
            output: vec![rows("outputs", markets, self.outputs())],
            ..GraphProto::default()
        };
        let mut values = "features".to_owned();
        let mut linear = 0;
        for (index, layer) in self.layers.iter().enumerate() {
            let is_last = index + 1 == self.layers.len();
            if matches!(layer, Layer::Linear { .. }) {
                linear += 1;
            }
            let name = |name: &str| if linear <= 1 { name.to_owned() } else { format!("{name}_{linear}") };
            match layer {
                Layer::Linear { inputs, outputs, weights, bias } => {
                    let [matrix, sums, offset, result] = if is_last {
                        ["output", "combined", "output_bias", "outputs"].map(str::to_owned)
                    } else {
                        ["hidden", "weighted", "hidden_bias", "units"].map(name)
                    };
                    graph.node.push(node("MatMul", &[&values, &matrix], &sums));
                    graph.node.push(node("Add", &[&sums, &offset], &result));
                    graph.initializer.push(tensor(&matrix, [*inputs, *outputs], weights));
                    graph.initializer.push(tensor(&offset, [(bias.len() / outputs).max(1), *outputs], bias));
                    values = result;
                }
                Layer::Square => {
                    let squares = name("squares");
                    graph.node.push(node("Mul", &[&values, &values], &squares));
                    values = squares;
                }
                Layer::Relu => {
                    let rectified = name("rectified");
                    graph.node.push(node("Relu", &[&values], &rectified));
                    values = rectified;
                }
            }
        }
        file(graph)
    }
}

/// The file of a graph.
pub(crate) fn file(graph: GraphProto) -> Vec<u8> {
    let model = ModelProto {
        ir_version: IR_VERSION,
        producer_name: "veriregime-agent".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
        graph: Some(graph),
        ..ModelProto::default()
    };
    model.encode_to_vec()
}

pub(crate) fn node(operation: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        name: output.to_owned(),
        op_type: operation.to_owned(),
        input: inputs.iter().map(|input| (*input).to_owned()).collect(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}

pub(crate) fn tensor(name: &str, sides: [usize; 2], entries: &[f32]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: sides.map(|side| i64::try_from(side).expect("a side in memory fits")).to_vec(),
        data_type: DataType::Float as i32,
        raw_data: entries.iter().flat_map(|entry| entry.to_le_bytes()).collect(),
        ..TensorProto::default()
    }
}

pub(crate) fn rows(name: &str, rows: usize, columns: usize) -> ValueInfoProto {
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
