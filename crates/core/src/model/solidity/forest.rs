//! Trees whose nodes are data, walked one after the other.
//!
//! A tree is three bytes that count those behind them, and its nodes, each before its children: what lies below the
//! threshold comes next, the rest behind all that. A node that asks is its column in a byte, its threshold less the
//! smallest, and three bytes that count those of what lies below; a leaf is a byte that no column has, and its value less
//! the smallest.

use super::Written;
use super::contract::{BODY_DEPTH, DATA};
use super::word::{Lines, WORD_BYTES, after, bits, hex, mask, shifted, word};
use crate::model::ModelError;
use crate::trees::error::TreesError;
use crate::trees::grid::IntegerForest;
use crate::trees::{Node, Tree};

/// What stands for a column in a leaf.
const LEAF: u8 = u8::MAX;
/// Bytes of a count of bytes.
const COUNT_BYTES: usize = 3;
/// More than any output: `2^63`.
const OUTPUT_BITS: u32 = 63;
/// Code of everything, and of an output besides.
const REST_CODE_BYTES: usize = 1_000;
const OUTPUT_CODE_BYTES: usize = 120;

/// How numbers are written.
struct Format {
    least_threshold: i32,
    threshold_bytes: usize,
    least_leaf: i64,
    leaf_bytes: usize,
}

impl Format {
    fn of(forest: &IntegerForest) -> Self {
        let nodes = || forest.outputs().iter().flat_map(|output| &output.trees).flat_map(Tree::nodes);
        let thresholds = || {
            nodes().filter_map(|node| match node {
                Node::Split { threshold, .. } => Some(*threshold),
                Node::Leaf(_) => None,
            })
        };
        let leaves = || {
            nodes().filter_map(|node| match node {
                Node::Leaf(value) => Some(*value),
                Node::Split { .. } => None,
            })
        };
        let bytes =
            |least: i64, most: i64| bits((i128::from(most) - i128::from(least)).unsigned_abs()).div_ceil(8) as usize;
        let least_threshold = thresholds().min().unwrap_or(0);
        let least_leaf = leaves().min().unwrap_or(0);
        Self {
            least_threshold,
            threshold_bytes: bytes(least_threshold.into(), thresholds().max().unwrap_or(0).into()),
            least_leaf,
            leaf_bytes: bytes(least_leaf, leaves().max().unwrap_or(0)),
        }
    }

    fn split_bytes(&self) -> usize {
        1 + self.threshold_bytes + COUNT_BYTES
    }

    /// Appends a tree.
    fn write(&self, data: &mut Vec<u8>, tree: &Tree<i32, i64>) {
        // Bytes of each node with all below it. Children stand behind their parents.
        let mut sizes = vec![0; tree.nodes().len()];
        for (index, node) in tree.nodes().iter().enumerate().rev() {
            sizes[index] = match *node {
                Node::Leaf(_) => 1 + self.leaf_bytes,
                Node::Split { below, otherwise, .. } => self.split_bytes() + sizes[below] + sizes[otherwise],
            };
        }
        number(data, sizes[0] as i128, COUNT_BYTES);
        let mut waiting = vec![0];
        while let Some(index) = waiting.pop() {
            match tree.nodes()[index] {
                Node::Leaf(value) => {
                    data.push(LEAF);
                    number(data, i128::from(value) - i128::from(self.least_leaf), self.leaf_bytes);
                }
                Node::Split { column, threshold, below, otherwise } => {
                    data.push(column as u8);
                    number(data, i128::from(threshold) - i128::from(self.least_threshold), self.threshold_bytes);
                    number(data, sizes[below] as i128, COUNT_BYTES);
                    waiting.extend([otherwise, below]);
                }
            }
        }
    }
}

/// Appends the last bytes of a number that is not negative.
fn number(data: &mut Vec<u8>, value: i128, bytes: usize) {
    data.extend(&value.to_be_bytes()[size_of::<i128>() - bytes..]);
}

/// Assembly that walks the trees, and the data that it reads.
///
/// # Errors
/// [`TreesError::TooLarge`] for more columns than a byte can name.
pub fn body(forest: &IntegerForest) -> Result<Written, ModelError> {
    if forest.columns() > usize::from(LEAF) {
        return Err(TreesError::TooLarge { what: "columns", found: forest.columns(), most: LEAF.into() }.into());
    }
    let format = Format::of(forest);
    let mut data = Vec::new();
    forest.outputs().iter().flat_map(|output| &output.trees).for_each(|tree| format.write(&mut data, tree));
    let columns = DATA + data.len().next_multiple_of(WORD_BYTES);
    let mut code = Lines::new(BODY_DEPTH);
    walk(&mut code, &format, columns);
    code.open(format_args!(
        "for {{ let to := {columns} }} lt(to, {}) {{ at := add(at, 32) to := add(to, 32) }} ",
        columns + WORD_BYTES * forest.columns()
    ));
    code.line("let x := calldataload(at)");
    code.line("let y := addmod(x, BOUND, R)");
    code.line("fits := and(fits, and(lt(y, WIDTH), lt(x, R)))");
    code.line("// Less the smallest threshold, as the thresholds are.");
    code.line(format_args!("mstore(to, sub(sub(y, BOUND), {}))", hex(word([(format.least_threshold.into(), 0)]))));
    code.close();
    code.line(format_args!("let next := {DATA}"));
    for (index, output) in forest.outputs().iter().enumerate() {
        let trees = output.trees.len();
        let base = i128::from(output.base) + i128::from(format.least_leaf) * trees as i128;
        code.open("");
        code.line(format_args!("let sum := {}", hex(word([(base, 0), (1, OUTPUT_BITS)]))));
        code.open(format_args!("for {{ let left := {trees} }} left {{ left := sub(left, 1) }} "));
        code.line("let value");
        code.line("value, next := leaf(next)");
        code.line("sum := add(sum, value)");
        code.close();
        code.line(format_args!("let x := calldataload({})", after("outputs", 32 * index)));
        let most = hex(shifted(1, OUTPUT_BITS));
        code.line(format_args!("fits := and(fits, and(lt(x, R), eq(sum, addmod(x, {most}, R))))"));
        code.close();
    }
    let code_bytes = REST_CODE_BYTES + OUTPUT_CODE_BYTES * forest.outputs().len();
    Ok(Written { body: code, data, code_bytes })
}

/// The function that finds a tree's leaf.
fn walk(code: &mut Lines, format: &Format, columns: usize) {
    let after_column = |bytes: usize| 248 - 8 * bytes;
    let ones = |bytes: usize| hex(mask(8 * bytes as u32));
    code.line("// The leaf of the tree at `tree`, and where the next tree begins.");
    code.open("function leaf(tree) -> value, next ");
    code.line(format_args!("let node := add(tree, {COUNT_BYTES})"));
    code.line(format_args!("next := add(node, shr({}, mload(tree)))", 256 - 8 * COUNT_BYTES));
    code.open("for {} 1 {} ");
    code.line("let record := mload(node)");
    code.line("let column := byte(0, record)");
    code.open(format_args!("if eq(column, {LEAF}) "));
    code.line(format_args!(
        "value := and(shr({}, record), {})",
        after_column(format.leaf_bytes),
        ones(format.leaf_bytes)
    ));
    code.line("break");
    code.close();
    let (threshold, below) = (format.threshold_bytes, format.threshold_bytes + COUNT_BYTES);
    code.line(format_args!("let threshold := and(shr({}, record), {})", after_column(threshold), ones(threshold)));
    code.line(format_args!("let below := and(shr({}, record), {})", after_column(below), ones(COUNT_BYTES)));
    code.line(format_args!("let is_below := slt(mload(add({columns}, shl(5, column))), threshold)"));
    code.line(format_args!("node := add(add(node, {}), mul(iszero(is_below), below))", format.split_bytes()));
    code.close();
    code.close();
}
