//! Decision trees: their exact evaluation, as they were trained and on an integer grid. Pure.

pub mod error;
pub mod grid;
mod onnx;
pub mod xgboost;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use error::TreesError;

/// Most bytes of a file with trees.
pub const MAX_FILE_BYTES: u64 = 64 << 20;
/// Most outputs of a forest.
pub const MAX_OUTPUTS: usize = 64;
/// Most nodes of all trees together.
pub const MAX_NODES: usize = 1 << 17;
/// Most comparisons on the way to a leaf.
pub const MAX_DEPTH: usize = 32;

/// A node of a tree that compares inputs of type `X` and has leaves of type `Y`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Node<X, Y> {
    /// Where the way ends, and what is added there.
    Leaf(Y),
    /// A question about one column.
    Split {
        /// The column that is compared.
        column: usize,
        /// What it is compared with.
        threshold: X,
        /// The node for `value < threshold`.
        below: usize,
        /// The node for `value >= threshold`.
        otherwise: usize,
    },
}

/// A tree: the root first, children behind their parents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tree<X, Y> {
    nodes: Vec<Node<X, Y>>,
}

impl<X: PartialOrd + Copy, Y: Copy> Tree<X, Y> {
    /// A tree of these nodes.
    ///
    /// # Errors
    /// [`TreesError::Malformed`] where a way leads back, out of the tree, to a column that is not there, or too deep.
    pub fn new(nodes: Vec<Node<X, Y>>, columns: usize) -> Result<Self, TreesError> {
        let tree = Self { nodes };
        tree.check(columns)?;
        Ok(tree)
    }

    fn check(&self, columns: usize) -> Result<(), TreesError> {
        let malformed = |reason: String| Err(TreesError::Malformed { reason });
        if self.nodes.is_empty() {
            return malformed("a tree has no root".into());
        }
        // Each node but the root has one parent before it, so that every way ends.
        let mut depths = vec![None; self.nodes.len()];
        depths[0] = Some(0);
        for (index, node) in self.nodes.iter().enumerate() {
            let Some(depth) = depths[index] else { return malformed(format!("no way leads to node {index}")) };
            let Node::Split { column, below, otherwise, .. } = *node else { continue };
            if column >= columns {
                return malformed(format!("node {index} asks for column {column} of {columns}"));
            }
            if depth == MAX_DEPTH {
                return malformed(format!("it is deeper than {MAX_DEPTH} comparisons"));
            }
            for child in [below, otherwise] {
                match depths.get_mut(child) {
                    Some(known @ None) if child > index => *known = Some(depth + 1),
                    _ => return malformed(format!("node {index} leads to {child}, which it cannot")),
                }
            }
        }
        Ok(())
    }

    /// The leaf that `row` leads to. `row` has at least the columns that the tree was checked with.
    pub fn leaf(&self, row: &[X]) -> Y {
        let mut index = 0;
        loop {
            match self.nodes[index] {
                Node::Leaf(value) => return value,
                Node::Split { column, threshold, below, otherwise } => {
                    index = if row[column] < threshold { below } else { otherwise };
                }
            }
        }
    }

    /// Its nodes, the root first.
    pub fn nodes(&self) -> &[Node<X, Y>] {
        &self.nodes
    }

    /// Comparisons on the longest way to a leaf.
    pub fn depth(&self) -> usize {
        let mut depths = vec![0; self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate() {
            if let Node::Split { below, otherwise, .. } = *node {
                depths[below] = depths[index] + 1;
                depths[otherwise] = depths[index] + 1;
            }
        }
        depths.into_iter().max().unwrap_or(0)
    }
}

/// The trees of one output: it is `base` and a leaf of each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ensemble<X, Y> {
    /// What is there before any tree.
    pub base: Y,
    /// In the order of addition.
    pub trees: Vec<Tree<X, Y>>,
}

/// Trees as they were trained, in 32-bit floats: one ensemble an output, all over the same columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forest {
    /// Columns of a row.
    pub columns: usize,
    /// One for each output.
    pub outputs: Vec<Ensemble<f32, f32>>,
}

impl Forest {
    /// Reads what [`Forest`] writes as JSON.
    ///
    /// # Errors
    /// [`TreesError::Malformed`].
    pub fn parse(json: &[u8]) -> Result<Self, TreesError> {
        let forest: Self =
            serde_json::from_slice(json).map_err(|error| TreesError::Malformed { reason: error.to_string() })?;
        forest.check()?;
        Ok(forest)
    }

    /// Refuses what cannot be evaluated.
    ///
    /// # Errors
    /// [`TreesError::Malformed`] or [`TreesError::TooLarge`].
    pub fn check(&self) -> Result<(), TreesError> {
        let trees = || self.outputs.iter().flat_map(|output| &output.trees);
        let nodes = trees().map(|tree| tree.nodes.len()).sum();
        for (what, found, most) in [("outputs", self.outputs.len(), MAX_OUTPUTS), ("nodes", nodes, MAX_NODES)] {
            if !(1..=most).contains(&found) {
                return Err(TreesError::TooLarge { what, found, most });
            }
        }
        trees().try_for_each(|tree| tree.check(self.columns))?;
        let numbers = trees().flat_map(|tree| &tree.nodes).map(|node| match node {
            Node::Leaf(value) => *value,
            Node::Split { threshold, .. } => *threshold,
        });
        match numbers.chain(self.outputs.iter().map(|output| output.base)).find(|number| !number.is_finite()) {
            Some(number) => Err(TreesError::Malformed { reason: format!("a threshold or a leaf is {number}") }),
            None => Ok(()),
        }
    }

    /// The outputs of `row`, in the arithmetic of XGBoost: 32-bit floats, in the trees' order.
    ///
    /// # Errors
    /// [`TreesError::Row`] where a number is missing, not finite, or one too many.
    pub fn evaluate(&self, row: &[f32]) -> Result<Vec<f32>, TreesError> {
        if row.len() != self.columns {
            let reason = format!("has {} numbers, the trees take {}", row.len(), self.columns);
            return Err(TreesError::Row { reason });
        }
        if let Some(column) = row.iter().position(|value| !value.is_finite()) {
            return Err(TreesError::Row { reason: format!("has {} in column {column}", row[column]) });
        }
        let add = |output: &Ensemble<f32, f32>| output.trees.iter().fold(output.base, |sum, tree| sum + tree.leaf(row));
        Ok(self.outputs.iter().map(add).collect())
    }

    /// Trees of all outputs.
    pub fn trees(&self) -> usize {
        self.outputs.iter().map(|output| output.trees.len()).sum()
    }

    /// Comparisons on the longest way to a leaf.
    pub fn depth(&self) -> usize {
        self.outputs.iter().flat_map(|output| &output.trees).map(Tree::depth).max().unwrap_or(0)
    }
}
