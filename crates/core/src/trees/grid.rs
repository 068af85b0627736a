//! Trees over integers: what a circuit or a contract evaluates.
//!
//! A column's value `x` becomes `q = round_half_away_from_zero(x · 2^scale)`, with a scale of its own: that of the table's
//! grid less the logarithm of the column's divisor, which is a power of two here. A row lies on its grid where that rounds
//! nothing. There `x < threshold` and `q < ceil(threshold · 2^scale)` are the same, whatever the threshold, so that rounding
//! the inputs is the only thing that can send a row another way.

use super::error::TreesError;
use super::{Ensemble, Forest, Node, Tree};
use crate::types::manifest::inputs::{Column, Table};

/// Largest magnitude of a threshold, as log2: comparisons subtract it from an input within 32 bits.
const INPUT_BITS: u32 = 30;
/// Largest magnitude of a sum of leaves, as log2.
const OUTPUT_BITS: u32 = 62;

/// Where the columns of trees are clipped, in units of their divisor.
const CLIP: f64 = 512.0;

/// A forest whose thresholds and leaves are integers.
#[derive(Debug, Clone, PartialEq)]
pub struct IntegerForest {
    /// log2 of each column's grid; negative where it is coarser than the unit.
    scales: Vec<i32>,
    input_scale: u32,
    output_scale: u32,
    outputs: Vec<Ensemble<i32, i64>>,
}

impl IntegerForest {
    /// Puts thresholds on the grid of the table's columns and leaves on that of `2^-output_scale`.
    ///
    /// # Errors
    /// [`TreesError::Grid`] where a number would not fit, [`TreesError::Row`] where the table has other columns than the
    /// forest, [`TreesError::Unsupported`] where a column's scaler is not a power of two.
    pub fn new(forest: &Forest, table: &Table, output_scale: u32) -> Result<Self, TreesError> {
        if table.columns.len() != forest.columns {
            let reason = format!("has {} columns, the trees take {}", table.columns.len(), forest.columns);
            return Err(TreesError::Row { reason });
        }
        let scales =
            table.columns.iter().map(|column| scale(column, table.input_scale)).collect::<Result<Vec<_>, _>>()?;
        let outputs = forest
            .outputs
            .iter()
            .map(|output| {
                let trees = output.trees.iter().map(|tree| on_grid(tree, &scales, output_scale));
                let trees = trees.collect::<Result<Vec<_>, _>>()?;
                let base = leaf(output.base, output_scale)?;
                let largest = trees.iter().map(largest_leaf).try_fold(base.unsigned_abs(), u64::checked_add);
                within("the sum of the leaves", largest.map_or(f64::INFINITY, |sum| sum as f64), OUTPUT_BITS)?;
                Ok(Ensemble { base, trees })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { scales, input_scale: table.input_scale, output_scale, outputs })
    }

    /// The outputs of a row on the grid, at the outputs' scale.
    ///
    /// # Errors
    /// [`TreesError::Row`] for another number of columns.
    pub fn evaluate(&self, row: &[i32]) -> Result<Vec<i64>, TreesError> {
        self.expect(row.len())?;
        let add = |output: &Ensemble<i32, i64>| output.trees.iter().fold(output.base, |sum, tree| sum + tree.leaf(row));
        Ok(self.outputs.iter().map(add).collect())
    }

    /// Columns whose rounding leads some tree another way, each with the threshold that it crossed: for a row, and the same
    /// row on the grid.
    ///
    /// # Errors
    /// [`TreesError::Row`] for another number of columns.
    pub fn crossed(&self, forest: &Forest, row: &[f32], integers: &[i32]) -> Result<Vec<(usize, f32)>, TreesError> {
        self.expect(row.len())?;
        self.expect(integers.len())?;
        let pairs = forest.outputs.iter().zip(&self.outputs);
        let trees = pairs.flat_map(|(floats, grid)| floats.trees.iter().zip(&grid.trees));
        let mut crossed = Vec::new();
        for (floats, grid) in trees {
            let mut index = 0;
            while let (Node::Split { column, threshold, below, otherwise }, Node::Split { threshold: on_grid, .. }) =
                (floats.nodes()[index], grid.nodes()[index])
            {
                let is_below = row[column] < threshold;
                if is_below != (integers[column] < on_grid) {
                    crossed.push((column, threshold));
                }
                index = if is_below { below } else { otherwise };
            }
        }
        crossed.sort_by(|left, right| left.0.cmp(&right.0).then(left.1.total_cmp(&right.1)));
        crossed.dedup();
        Ok(crossed)
    }

    /// Columns of a row.
    pub fn columns(&self) -> usize {
        self.scales.len()
    }

    /// log2 of the table's grid.
    pub fn input_scale(&self) -> u32 {
        self.input_scale
    }

    /// log2 of the outputs' grid.
    pub fn output_scale(&self) -> u32 {
        self.output_scale
    }

    /// One ensemble an output.
    pub fn outputs(&self) -> &[Ensemble<i32, i64>] {
        &self.outputs
    }

    /// Bits of the largest difference of an input and a threshold, for inputs within `bound`: a circuit must be able to take
    /// numbers of this size apart.
    pub fn compared_bits(&self, bound: i32) -> u32 {
        let nodes = self.outputs.iter().flat_map(|output| &output.trees).flat_map(Tree::nodes);
        let thresholds = nodes.filter_map(|node| match node {
            Node::Split { threshold, .. } => Some(threshold.unsigned_abs()),
            Node::Leaf(_) => None,
        });
        let largest = u64::from(thresholds.max().unwrap_or(0)) + u64::from(bound.unsigned_abs());
        u64::BITS - largest.leading_zeros()
    }

    fn expect(&self, columns: usize) -> Result<(), TreesError> {
        if columns == self.scales.len() {
            return Ok(());
        }
        Err(TreesError::Row { reason: format!("has {columns} numbers, the trees take {}", self.scales.len()) })
    }
}

/// A column whose grid is that of all trees: no offset, divided by a power of two that is wide enough for its thresholds.
pub fn column(name: &str, unit: &str, largest_threshold: f32) -> Column {
    let wide = libm::ceil(libm::log2(f64::from(largest_threshold.abs()).max(1.0) * 2.0 / CLIP)).max(0.0);
    Column { name: name.to_owned(), unit: unit.to_owned(), mean: 0.0, standard_deviation: libm::exp2(wide), clip: CLIP }
}

/// log2 of a column's grid.
fn scale(column: &Column, input_scale: u32) -> Result<i32, TreesError> {
    let Column { mean, standard_deviation: divisor, .. } = column;
    let power = libm::round(libm::log2(*divisor));
    if mean.to_bits() != 0 || libm::exp2(power).to_bits() != divisor.to_bits() || power.abs() > f64::from(INPUT_BITS) {
        let found = format!("mean {mean} and standard deviation {divisor} of column {}", column.name);
        return Err(TreesError::Unsupported { field: "scaler", found, supported: "0 and a power of two" });
    }
    Ok(input_scale as i32 - power as i32)
}

fn on_grid(tree: &Tree<f32, f32>, scales: &[i32], output_scale: u32) -> Result<Tree<i32, i64>, TreesError> {
    let node = |node: &Node<f32, f32>| {
        Ok(match *node {
            Node::Leaf(value) => Node::Leaf(leaf(value, output_scale)?),
            Node::Split { column, threshold, below, otherwise } => {
                let threshold = grid_threshold(threshold, scales[column], column)?;
                Node::Split { column, threshold, below, otherwise }
            }
        })
    };
    Tree::new(tree.nodes().iter().map(node).collect::<Result<_, TreesError>>()?, scales.len())
}

/// `ceil(threshold · 2^scale)`: a 32-bit float times a power of two is exact in 64 bits.
fn grid_threshold(threshold: f32, scale: i32, column: usize) -> Result<i32, TreesError> {
    let scaled = libm::ceil(f64::from(threshold) * power(scale));
    within(&format!("a threshold of column {column}"), scaled, INPUT_BITS)?;
    Ok(scaled as i32)
}

fn leaf(value: f32, scale: u32) -> Result<i64, TreesError> {
    let scaled = libm::round(f64::from(value) * power(scale as i32));
    within("a leaf", scaled, OUTPUT_BITS)?;
    Ok(scaled as i64)
}

fn largest_leaf(tree: &Tree<i32, i64>) -> u64 {
    let leaves = tree.nodes().iter().map(|node| match node {
        Node::Leaf(value) => value.unsigned_abs(),
        Node::Split { .. } => 0,
    });
    leaves.max().unwrap_or(0)
}

fn power(scale: i32) -> f64 {
    libm::exp2(f64::from(scale))
}

fn within(what: &str, magnitude: f64, limit: u32) -> Result<(), TreesError> {
    let magnitude = magnitude.abs();
    if magnitude < power(limit as i32) {
        return Ok(());
    }
    let bits = if magnitude.is_finite() { libm::log2(magnitude) as u32 + 1 } else { u32::MAX };
    Err(TreesError::Grid { what: what.to_owned(), bits, limit })
}
