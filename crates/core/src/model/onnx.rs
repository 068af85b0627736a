//! The ONNX file as a list of row operations: what EZKL turns into a circuit, read without tract's optimiser.

use std::collections::HashMap;

use prost::Message;
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, tensor_proto::DataType,
    tensor_shape_proto::dimension, type_proto,
};

use super::ModelError;
use super::export::tensor;
use crate::types::manifest::network::Layer;

/// Most operations, and most columns of a row, that are taken for a model of this kind.
const MAX_SIZE: usize = 4096;

/// A constant matrix, row after row; a vector is a matrix of one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// Its name in the file.
    pub name: String,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// The entries.
    pub entries: Vec<f32>,
}

/// One operation on rows. Operands are numbers of earlier rows: 0 is the input, `i + 1` the result of operation `i`.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// Row times constant matrix.
    MatMul(usize, Matrix),
    /// Row plus constant row. In the last operation of a network the matrix may have a row for each market.
    AddConstant(usize, Matrix),
    /// Row plus row.
    Add(usize, usize),
    /// Row times row, entry by entry.
    Multiply(usize, usize),
    /// Row with zero in the place of negative entries.
    Relu(usize),
}

impl Operation {
    /// Its name in ONNX.
    pub fn name(&self) -> &'static str {
        match self {
            Self::MatMul(..) => "MatMul",
            Self::AddConstant(..) | Self::Add(..) => "Add",
            Self::Multiply(..) => "Mul",
            Self::Relu(..) => "Relu",
        }
    }
}

/// A network that maps each row of its input by the same operations; the last one gives the output. Rows, which are markets, differ in
/// nothing but the constants that a last [`Operation::AddConstant`] may add to each.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// In the order of evaluation.
    pub operations: Vec<Operation>,
    /// Columns of the input.
    pub features: usize,
}

impl Network {
    /// Reads a network of `[rows, features] -> [rows, outputs]`.
    ///
    /// # Errors
    /// [`ModelError::NotOnnx`], [`ModelError::Shape`] or [`ModelError::Unsupported`].
    pub fn parse(bytes: &[u8], rows: usize, features: usize, outputs: usize) -> Result<Self, ModelError> {
        let model = ModelProto::decode(bytes).map_err(|error| ModelError::NotOnnx { detail: error.to_string() })?;
        let graph = model.graph.ok_or_else(|| not_onnx("there is no graph"))?;
        let ([input], [output]) = (graph.input.as_slice(), graph.output.as_slice()) else {
            return Err(not_onnx("there must be one input and one output"));
        };
        expect_shape("the input", input, rows, features)?;
        expect_shape("the output", output, rows, outputs)?;
        if graph.node.is_empty() || graph.node.len() > MAX_SIZE {
            return Err(not_onnx("it has no operations, or far too many"));
        }
        let mut reader =
            Reader { constants: constants(&graph)?, rows: HashMap::new(), widths: vec![features], markets: rows };
        reader.rows.insert(input.name.clone(), 0);
        let operations = graph.node.iter().map(|node| reader.operation(node)).collect::<Result<Vec<_>, _>>()?;
        if reader.rows.get(&output.name) != Some(&operations.len()) {
            return Err(not_onnx("the output is not the result of the last operation"));
        }
        if let Some(name) = operations[..operations.len() - 1].iter().find_map(own_constants) {
            return Err(ModelError::Unsupported {
                operation: format!("{name}, constants of each market before the last Add"),
            });
        }
        let width = reader.widths[operations.len()];
        if width != outputs {
            return Err(shape("the last result", &[width], &[outputs]));
        }
        Ok(Self { operations, features })
    }

    /// The rows that the last operation adds, one for each market; one row where it adds the same to all, `None` where it adds none.
    pub fn market_constants(&self) -> Option<&Matrix> {
        match self.operations.last() {
            Some(Operation::AddConstant(_, matrix)) => Some(matrix),
            _ => None,
        }
    }

    /// The network of the market of this index alone; `None` beyond the last that has constants of its own.
    pub fn of_market(&self, market: usize) -> Option<Self> {
        let mut network = self.clone();
        if let Some(Operation::AddConstant(_, matrix)) = network.operations.last_mut()
            && matrix.rows > 1
        {
            let own = matrix.entries.chunks_exact(matrix.columns).nth(market)?.to_vec();
            (matrix.rows, matrix.entries) = (1, own);
        }
        Some(network)
    }

    /// Its layers, as a manifest sums them up.
    pub fn layers(&self) -> Vec<Layer> {
        let mut layers = Vec::with_capacity(self.operations.len());
        for (index, operation) in self.operations.iter().enumerate() {
            // Row 0 is the input, so that this operation's row is the next index.
            let is_bias = |row: usize| row == index && matches!(layers.last(), Some(Layer::Linear(_)));
            match operation {
                Operation::MatMul(_, matrix) => layers.push(Layer::Linear(matrix.columns)),
                Operation::AddConstant(row, _) if is_bias(*row) => {}
                Operation::AddConstant(..) => layers.push(Layer::Constant),
                Operation::Add(..) => layers.push(Layer::Sum),
                Operation::Multiply(left, right) if left == right => layers.push(Layer::Square),
                Operation::Multiply(..) => layers.push(Layer::Product),
                Operation::Relu(_) => layers.push(Layer::Relu),
            }
        }
        layers
    }
}

/// The same network for another number of markets: each market is a row, and all rows take the same way.
///
/// # Errors
/// [`ModelError::NotOnnx`], or [`ModelError::Unsupported`] for a network whose markets have constants of their own.
pub fn with_markets(bytes: &[u8], markets: usize) -> Result<Vec<u8>, ModelError> {
    let (mut model, last) = parts(bytes)?;
    let graph = model.graph.as_mut().ok_or_else(|| not_onnx("there is no graph"))?;
    let own = last.map(|last| matrix(&graph.initializer[last])).transpose()?.map_or(1, |constant| constant.rows);
    if ![1, markets].contains(&own) {
        return Err(ModelError::Unsupported { operation: format!("constants of {own} markets") });
    }
    set_rows(graph, markets)?;
    Ok(model.encode_to_vec())
}

/// The file of the network of the market of this index alone.
///
/// # Errors
/// [`ModelError::NotOnnx`], also for a market that it does not have.
pub fn of_market(bytes: &[u8], market: usize) -> Result<Vec<u8>, ModelError> {
    let (mut model, last) = parts(bytes)?;
    let graph = model.graph.as_mut().ok_or_else(|| not_onnx("there is no graph"))?;
    if let Some(last) = last {
        let Matrix { name, rows, columns, entries } = matrix(&graph.initializer[last])?;
        if rows > 1 {
            let own = entries.chunks_exact(columns).nth(market);
            let own = own.ok_or_else(|| not_onnx(&format!("it has {rows} markets, none of index {market}")))?;
            graph.initializer[last] = tensor(&name, [1, columns], own);
        }
    }
    set_rows(graph, 1)?;
    Ok(model.encode_to_vec())
}

/// The file of the same network with a further market, behind the `markets` that it has: what it adds at last is what it adds for the
/// first, plus `more`.
///
/// # Errors
/// [`ModelError::NotOnnx`], [`ModelError::Shape`] for `more` of another length than a row, or [`ModelError::Unsupported`] for a network
/// that does not end with a constant.
pub fn with_market(bytes: &[u8], markets: usize, more: &[f32]) -> Result<Vec<u8>, ModelError> {
    let (mut model, last) = parts(bytes)?;
    let graph = model.graph.as_mut().ok_or_else(|| not_onnx("there is no graph"))?;
    let last = last.ok_or_else(|| ModelError::Unsupported { operation: "no constant at its end".into() })?;
    let Matrix { name, rows, columns, mut entries } = matrix(&graph.initializer[last])?;
    if more.len() != columns || ![1, markets].contains(&rows) {
        return Err(shape("the constant of a market", &[rows, more.len()], &[markets, columns]));
    }
    let own: Vec<f32> = entries[..columns].iter().zip(more).map(|(first, more)| first + more).collect();
    let copies = if rows == 1 { markets } else { 1 };
    entries = entries.repeat(copies);
    entries.extend(own);
    graph.initializer[last] = tensor(&name, [markets + 1, columns], &entries);
    set_rows(graph, markets + 1)?;
    Ok(model.encode_to_vec())
}

/// A file, and which of its initializers its last operation adds.
fn parts(bytes: &[u8]) -> Result<(ModelProto, Option<usize>), ModelError> {
    let model = ModelProto::decode(bytes).map_err(|error| ModelError::NotOnnx { detail: error.to_string() })?;
    let graph = model.graph.as_ref().ok_or_else(|| not_onnx("there is no graph"))?;
    let is_added = |name: &str| {
        graph.node.last().is_some_and(|node| node.op_type == "Add" && node.input.iter().any(|input| input == name))
    };
    let last = graph.initializer.iter().position(|constant| is_added(&constant.name));
    Ok((model, last))
}

/// Sets the rows of input and output.
fn set_rows(graph: &mut GraphProto, markets: usize) -> Result<(), ModelError> {
    for value in graph.input.iter_mut().chain(&mut graph.output) {
        let Some(type_proto::Value::TensorType(tensor)) = value.r#type.as_mut().and_then(|kind| kind.value.as_mut())
        else {
            return Err(not_onnx("an input or output is no tensor"));
        };
        let rows = tensor.shape.as_mut().and_then(|shape| shape.dim.first_mut());
        let rows = rows.ok_or_else(|| not_onnx("an input or output has no rows"))?;
        rows.value = Some(dimension::Value::DimValue(signed(&[markets])[0]));
    }
    Ok(())
}

/// The name of constants that are each market's own.
fn own_constants(operation: &Operation) -> Option<&str> {
    match operation {
        Operation::AddConstant(_, matrix) if matrix.rows > 1 => Some(&matrix.name),
        _ => None,
    }
}

struct Reader {
    constants: HashMap<String, Matrix>,
    rows: HashMap<String, usize>,
    widths: Vec<usize>,
    markets: usize,
}

impl Reader {
    fn operation(&mut self, node: &NodeProto) -> Result<Operation, ModelError> {
        let unsupported = || ModelError::Unsupported { operation: node.op_type.clone() };
        let [result] = node.output.as_slice() else { return Err(unsupported()) };
        let row = |name: &String| self.rows.get(name).copied();
        let constant = |name: &String| self.constants.get(name).cloned().ok_or_else(|| unknown(name));
        let operation = match (node.op_type.as_str(), node.input.as_slice()) {
            ("Relu", [input]) => Operation::Relu(row(input).ok_or_else(|| unknown(input))?),
            (name, [left, right]) => match (name, row(left), row(right)) {
                ("MatMul", Some(row), None) => Operation::MatMul(row, constant(right)?),
                ("Add", Some(left), Some(right)) => Operation::Add(left, right),
                ("Add", Some(row), None) => Operation::AddConstant(row, constant(right)?),
                ("Add", None, Some(row)) => Operation::AddConstant(row, constant(left)?),
                ("Mul", Some(left), Some(right)) => Operation::Multiply(left, right),
                _ => return Err(unsupported()),
            },
            _ => return Err(unsupported()),
        };
        self.widths.push(self.width(&operation)?);
        if self.rows.insert(result.clone(), self.widths.len() - 1).is_some() {
            return Err(not_onnx(&format!("{result} is computed twice")));
        }
        Ok(operation)
    }

    /// Columns of the operation's result, its operands checked against each other.
    fn width(&self, operation: &Operation) -> Result<usize, ModelError> {
        let (found, expected, width) = match operation {
            Operation::MatMul(row, matrix) => (matrix.rows, self.widths[*row], matrix.columns),
            Operation::AddConstant(row, matrix) if ![1, self.markets].contains(&matrix.rows) => {
                let width = self.widths[*row];
                return Err(shape(&matrix.name, &[matrix.rows, matrix.columns], &[self.markets, width]));
            }
            Operation::AddConstant(row, matrix) => (matrix.columns, self.widths[*row], self.widths[*row]),
            Operation::Add(left, right) | Operation::Multiply(left, right) => {
                (self.widths[*right], self.widths[*left], self.widths[*left])
            }
            Operation::Relu(row) => (self.widths[*row], self.widths[*row], self.widths[*row]),
        };
        if found != expected {
            return Err(shape(&format!("an operand of {}", operation.name()), &[found], &[expected]));
        }
        Ok(width)
    }
}

fn constants(graph: &GraphProto) -> Result<HashMap<String, Matrix>, ModelError> {
    graph.initializer.iter().map(|tensor| Ok((tensor.name.clone(), matrix(tensor)?))).collect()
}

fn matrix(tensor: &TensorProto) -> Result<Matrix, ModelError> {
    let name = tensor.name.clone();
    if tensor.data_type != DataType::Float as i32 {
        return Err(ModelError::Unsupported { operation: format!("{name}, a tensor that is not of 32-bit floats") });
    }
    let sides: Vec<usize> = tensor.dims.iter().map(|side| usize::try_from(*side).unwrap_or(usize::MAX)).collect();
    let (rows, columns) = match sides.as_slice() {
        [columns] => (1, *columns),
        [rows, columns] => (*rows, *columns),
        _ => return Err(ModelError::Unsupported { operation: format!("{name}, a tensor that is not a matrix") }),
    };
    if ![rows, columns].iter().all(|side| (1..=MAX_SIZE).contains(side)) {
        return Err(not_onnx(&format!("{name} is empty, or larger than {MAX_SIZE} by {MAX_SIZE}")));
    }
    let entries: Vec<f32> = if tensor.raw_data.is_empty() {
        tensor.float_data.clone()
    } else {
        let (words, _) = tensor.raw_data.as_chunks::<4>();
        words.iter().map(|word| f32::from_le_bytes(*word)).collect()
    };
    if entries.len() != rows * columns {
        return Err(not_onnx(&format!("{name} does not hold {rows} by {columns} numbers")));
    }
    Ok(Matrix { name, rows, columns, entries })
}

fn expect_shape(what: &str, value: &ValueInfoProto, rows: usize, columns: usize) -> Result<(), ModelError> {
    let found: Vec<i64> = match value.r#type.as_ref().and_then(|kind| kind.value.as_ref()) {
        Some(type_proto::Value::TensorType(tensor)) => tensor.shape.as_ref().map_or_else(Vec::new, |shape| {
            let side = |value: &Option<dimension::Value>| match value {
                Some(dimension::Value::DimValue(side)) => *side,
                _ => -1,
            };
            shape.dim.iter().map(|dimension| side(&dimension.value)).collect()
        }),
        None => Vec::new(),
    };
    let expected = signed(&[rows, columns]);
    if found == expected { Ok(()) } else { Err(ModelError::Shape { what: what.to_owned(), found, expected }) }
}

fn shape(what: &str, found: &[usize], expected: &[usize]) -> ModelError {
    ModelError::Shape { what: what.to_owned(), found: signed(found), expected: signed(expected) }
}

fn signed(sides: &[usize]) -> Vec<i64> {
    sides.iter().map(|side| i64::try_from(*side).unwrap_or(i64::MAX)).collect()
}

fn not_onnx(detail: &str) -> ModelError {
    ModelError::NotOnnx { detail: detail.to_owned() }
}

fn unknown(name: &str) -> ModelError {
    not_onnx(&format!("{name} is neither computed before nor a constant"))
}
