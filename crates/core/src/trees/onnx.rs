//! Trees as ONNX, for circuits: every way is taken at once.
//!
//! `bit = x[column] >= threshold` once for each distinct question, then from the leaves up `below + bit · (otherwise − below)`.
//! All indices are constants, so that a circuit only rearranges what it has. Inputs are multiples of `2^-input_scale`, and
//! outputs are the forest's times [`IntegerForest::output_factor`]: both, and every constant between, are integers on the one
//! grid of `2^-input_scale`, and exact in 32-bit floats.

use std::collections::BTreeMap;

use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto, attribute_proto, tensor_proto::DataType};

use super::error::TreesError;
use super::grid::IntegerForest;
use super::{Node, Tree};
use crate::model::export::{file, node, rows, tensor};

/// Bits that a 32-bit float holds exactly.
const EXACT_BITS: u32 = 24;

impl IntegerForest {
    /// What the outputs of [`IntegerForest::to_onnx`] are multiplied with: the grid of leaves by that of inputs.
    pub fn output_factor(&self) -> f64 {
        libm::exp2(f64::from(self.output_scale()) - f64::from(self.input_scale()))
    }

    /// The ONNX file: a row of the table in, a row of outputs out.
    ///
    /// # Errors
    /// [`TreesError::Grid`] where a threshold, a leaf, or a difference of two is no exact 32-bit float.
    pub fn to_onnx(&self) -> Result<Vec<u8>, TreesError> {
        let mut graph = Graph::new(self.input_scale());
        let questions = self.questions();
        graph.questions(&questions)?;
        // As many trees for each output; those that are missing add nothing.
        let most = self.outputs().iter().map(|output| output.trees.len()).max().unwrap_or(0);
        let nothing = Tree::new(vec![Node::Leaf(0)], 0)?;
        let mut total: Option<String> = None;
        for index in 0..most.max(1) {
            let trees: Vec<(i64, &Tree<i32, i64>)> = self
                .outputs()
                .iter()
                .map(|output| (if index == 0 { output.base } else { 0 }, output.trees.get(index).unwrap_or(&nothing)))
                .collect();
            let sums = graph.trees(index, &trees, &questions)?;
            total = Some(match total {
                None => sums,
                Some(before) => graph.binary("Add", &before, &sums, &format!("total_{index}")),
            });
        }
        let mut graph = graph.graph;
        if let (Some(last), Some(total)) = (graph.node.last_mut(), total) {
            last.output = vec!["outputs".into()];
            debug_assert_eq!(last.name, total, "the last operation gives the outputs");
        }
        graph.input = vec![rows("row", 1, self.columns())];
        graph.output = vec![rows("outputs", 1, self.outputs().len())];
        Ok(file(graph))
    }

    /// Distinct questions, each with its number.
    fn questions(&self) -> BTreeMap<(usize, i32), usize> {
        let nodes = self.outputs().iter().flat_map(|output| &output.trees).flat_map(Tree::nodes);
        let mut questions: BTreeMap<(usize, i32), usize> = nodes
            .filter_map(|node| match node {
                Node::Split { column, threshold, .. } => Some(((*column, *threshold), 0)),
                Node::Leaf(_) => None,
            })
            .collect();
        for (number, found) in questions.values_mut().enumerate() {
            *found = number;
        }
        questions
    }
}

/// Nodes and constants so far.
struct Graph {
    graph: GraphProto,
    /// What an integer is divided by to be a number of the network.
    grid: f64,
}

impl Graph {
    fn new(input_scale: u32) -> Self {
        let graph = GraphProto { name: "trees".into(), ..GraphProto::default() };
        Self { graph, grid: libm::exp2(f64::from(input_scale)) }
    }

    /// The row `bits`: the answer to each question, 0 or 1.
    fn questions(&mut self, questions: &BTreeMap<(usize, i32), usize>) -> Result<(), TreesError> {
        if questions.is_empty() {
            return Ok(());
        }
        let columns: Vec<usize> = questions.keys().map(|(column, _)| *column).collect();
        let thresholds: Vec<i64> = questions.keys().map(|(_, threshold)| i64::from(*threshold)).collect();
        self.gather("row", &columns, "asked");
        self.constant("thresholds", &thresholds)?;
        self.binary("GreaterOrEqual", "asked", "thresholds", "answers");
        let mut cast = node("Cast", &["answers"], "bits");
        cast.attribute = vec![integer("to", DataType::Float as i64)];
        self.graph.node.push(cast);
        Ok(())
    }

    /// The row of these trees' values, each beside a constant, and its name.
    fn trees(
        &mut self,
        index: usize,
        trees: &[(i64, &Tree<i32, i64>)],
        questions: &BTreeMap<(usize, i32), usize>,
    ) -> Result<String, TreesError> {
        // Places in the row of values known so far: leaves first, then one level of nodes after the other.
        let mut leaves = Vec::new();
        let mut levels: Vec<Vec<Inner>> = Vec::new();
        let mut roots = Vec::with_capacity(trees.len());
        for (base, tree) in trees {
            // Children stand behind their parents.
            let mut places = vec![Place::default(); tree.nodes().len()];
            for (at, node) in tree.nodes().iter().enumerate().rev() {
                places[at] = match *node {
                    Node::Leaf(value) => {
                        leaves.push(value.saturating_add(*base));
                        Place { level: 0, at: leaves.len() - 1 }
                    }
                    Node::Split { column, threshold, below, otherwise } => {
                        let (below, otherwise) = (places[below], places[otherwise]);
                        let level = below.level.max(otherwise.level) + 1;
                        levels.resize_with(levels.len().max(level), Vec::new);
                        let question = questions[&(column, threshold)];
                        levels[level - 1].push(Inner { question, below, otherwise });
                        Place { level, at: levels[level - 1].len() - 1 }
                    }
                };
            }
            roots.push(places[0]);
        }
        let mut starts = vec![0, leaves.len()];
        for level in &levels {
            starts.push(starts[starts.len() - 1] + level.len());
        }
        let absolute = |place: Place| starts[place.level] + place.at;
        let name = |what: &str, level: usize| format!("{what}_{index}_{level}");
        let mut known = name("values", 0);
        self.constant(&known.clone(), &leaves)?;
        for (number, level) in levels.iter().enumerate() {
            let number = number + 1;
            let of = |part: fn(&Inner) -> Place| level.iter().map(|inner| absolute(part(inner))).collect::<Vec<_>>();
            self.gather("bits", &level.iter().map(|inner| inner.question).collect::<Vec<_>>(), &name("bit", number));
            self.gather(&known, &of(|inner| inner.below), &name("below", number));
            self.gather(&known, &of(|inner| inner.otherwise), &name("otherwise", number));
            self.binary("Sub", &name("otherwise", number), &name("below", number), &name("difference", number));
            self.binary("Mul", &name("bit", number), &name("difference", number), &name("step", number));
            self.binary("Add", &name("below", number), &name("step", number), &name("level", number));
            let mut concat = node("Concat", &[&known, &name("level", number)], &name("values", number));
            concat.attribute = vec![integer("axis", 1)];
            self.graph.node.push(concat);
            known = name("values", number);
        }
        let sums = name("roots", 0);
        self.gather(&known, &roots.into_iter().map(absolute).collect::<Vec<_>>(), &sums);
        Ok(sums)
    }

    fn binary(&mut self, operation: &str, left: &str, right: &str, result: &str) -> String {
        self.graph.node.push(node(operation, &[left, right], result));
        result.to_owned()
    }

    /// The columns `places` of a row.
    fn gather(&mut self, row: &str, places: &[usize], result: &str) {
        let indices = format!("{result}_places");
        let bytes = places.iter().flat_map(|place| (*place as i64).to_le_bytes()).collect();
        self.graph.initializer.push(TensorProto {
            name: indices.clone(),
            dims: vec![places.len() as i64],
            data_type: DataType::Int64 as i32,
            raw_data: bytes,
            ..TensorProto::default()
        });
        let mut gather: NodeProto = node("Gather", &[row, &indices], result);
        gather.attribute = vec![integer("axis", 1)];
        self.graph.node.push(gather);
    }

    /// A constant row of integers on the grid.
    fn constant(&mut self, name: &str, integers: &[i64]) -> Result<(), TreesError> {
        // Differences of two have a bit more.
        let largest = integers.iter().map(|integer| integer.unsigned_abs()).max().unwrap_or(0);
        let bits = u64::BITS - largest.leading_zeros();
        if bits >= EXACT_BITS {
            return Err(TreesError::Grid { what: name.to_owned(), bits, limit: EXACT_BITS - 1 });
        }
        let entries: Vec<f32> = integers.iter().map(|integer| (*integer as f64 / self.grid) as f32).collect();
        self.graph.initializer.push(tensor(name, [1, entries.len()], &entries));
        Ok(())
    }
}

/// Where a node's value stands: in which level, and there at which place.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    level: usize,
    at: usize,
}

/// A node with children.
struct Inner {
    question: usize,
    below: Place,
    otherwise: Place,
}

fn integer(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: attribute_proto::AttributeType::Int as i32,
        i: value,
        ..AttributeProto::default()
    }
}
