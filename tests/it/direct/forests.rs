//! Trees.

use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;
use veriregime_agent::bundle::{Bundle, import};
use veriregime_core::model::solidity;
use veriregime_core::model::table::TableModel;
use veriregime_core::trees::grid::{IntegerForest, column};
use veriregime_core::trees::{Ensemble, Forest, Node, Tree};
use veriregime_core::types::manifest::inputs::Table;

use super::asking::Asking;
use super::{ROWS, agrees, refuses, row};
use crate::given::reference;

/// Thresholds of each column.
fn thresholds(forest: &IntegerForest) -> Vec<Vec<i32>> {
    let mut thresholds = vec![vec![]; forest.columns()];
    for node in forest.outputs().iter().flat_map(|output| &output.trees).flat_map(Tree::nodes) {
        if let Node::Split { column, threshold, .. } = node {
            thresholds[*column].push(*threshold);
        }
    }
    thresholds
}

/// Compares a contract with its trees, in most rows just below, at or just above thresholds; gives the most gas of a call.
async fn compare(chain: &Asking, forest: &IntegerForest, bound: i32, rows: usize) -> u64 {
    let random = &mut ChaCha8Rng::seed_from_u64(78);
    let contract = chain.deploy(&solidity::trees(forest, bound, "trees").unwrap()).await;
    println!("{} bytes of code, {} of creation", contract.code_bytes, contract.creation_bytes);
    let thresholds = thresholds(forest);
    let evaluate = |row: &[i32]| forest.evaluate(row).unwrap().into_iter().map(i128::from).collect::<Vec<_>>();
    let near = |random: &mut ChaCha8Rng, found: &[i32]| match found.len() {
        0 => random.random_range(-bound..=bound),
        count => (found[random.random_range(0..count)] + random.random_range(-1..=1)).clamp(-bound, bound),
    };
    let mut asked = Vec::with_capacity(rows);
    for index in 0..rows {
        asked.push(match index % 4 {
            0 => row(random, forest.columns(), bound),
            _ => thresholds.iter().map(|found| near(random, found)).collect(),
        });
    }
    let gas = agrees(chain, contract.address, &asked, &evaluate, random).await;
    refuses(chain, contract.address, &asked[1], bound, &evaluate).await;
    gas
}

/// All four outputs in one call, with the columns and public inputs of the circuit.
#[tokio::test(flavor = "multi_thread")]
async fn the_published_miner_s_trees_are_computed_by_a_contract() {
    let Some(published) = reference("seeds/aidala") else { return };
    let folder = TempDir::new().unwrap();
    let files: Vec<_> = (1..=4).map(|number| published.join(format!("xgb_{number}.json"))).collect();
    let bundle =
        import::xgboost(&files, &folder.path().join("miner")).map(|made| Bundle::open(Path::new(&made.folder)));
    let bundle = bundle.unwrap().unwrap();
    let TableModel::Trees(forest) = bundle.table_model().unwrap() else { panic!("trees") };
    let gas = compare(&Asking::new().await, &forest, bundle.table().unwrap().bound(), ROWS).await;
    println!("{gas} gas a call");
    assert!(gas <= 20_000, "{gas}");
}

fn random_tree(random: &mut ChaCha8Rng, columns: usize, splits: usize) -> Tree<f32, f32> {
    let mut nodes = vec![Node::Leaf(0.0)];
    let mut leaves = vec![0];
    for _ in 0..splits {
        let parent = leaves.swap_remove(random.random_range(0..leaves.len()));
        let below = nodes.len();
        nodes.extend([Node::Leaf(0.0), Node::Leaf(0.0)]);
        let (column, threshold) = (random.random_range(0..columns), random.random_range(-400.0..400.0));
        nodes[parent] = Node::Split { column, threshold, below, otherwise: below + 1 };
        leaves.extend([below, below + 1]);
    }
    for leaf in leaves {
        nodes[leaf] = Node::Leaf(random.random_range(-3.0..3.0));
    }
    Tree::new(nodes, columns).unwrap()
}

/// Ensembles of many trees, none and single leaves; in the contract's own code and in contracts of data.
#[tokio::test(flavor = "multi_thread")]
async fn ensembles_of_any_shape_are_computed_by_a_contract() {
    let chain = Asking::new().await;
    let random = &mut ChaCha8Rng::seed_from_u64(9);
    for (shapes, is_large) in [(vec![vec![0], vec![1, 0, 5], vec![]], false), (vec![vec![60; 25], vec![600; 2]], true)]
    {
        let outputs = shapes.iter().map(|shape| Ensemble {
            base: random.random_range(-9.0..9.0),
            trees: shape.iter().map(|splits| random_tree(random, 5, *splits)).collect(),
        });
        let forest = Forest { columns: 5, outputs: outputs.collect() };
        let columns = (0..5).map(|index| column(&format!("c{index}"), "", 400.0)).collect();
        let table = Table { columns, input_scale: 14 };
        let integers = IntegerForest::new(&forest, &table, 20).unwrap();
        let source = solidity::trees(&integers, table.bound(), "trees").unwrap();
        assert_eq!(source.contains("constructor()"), is_large);
        let gas = compare(&chain, &integers, table.bound(), 1_000).await;
        println!("{shapes:?}: {gas} gas a call");
    }
}
