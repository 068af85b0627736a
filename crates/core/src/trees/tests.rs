use proptest::prelude::*;
use serde_json::{Value, json};

use super::error::TreesError;
use super::grid::{IntegerForest, column};
use super::xgboost::{XgboostModel, combined};
use super::{Forest, MAX_DEPTH, Node, Tree};
use crate::types::diagnostic::Diagnostic;
use crate::types::manifest::inputs::{Column, Table};

/// `x0 < 1.5 ? (x1 < -2.25 ? 0.5 : -0.25) : 0.125` behind a base of 0.01, with a pruned node.
fn saved() -> Value {
    json!({
        "version": [2, 0, 3],
        "learner": {
            "feature_names": ["price", "power"],
            "gradient_booster": { "name": "gbtree", "model": { "trees": [{
                "left_children": [1, 3, -1, -1, -1, -1],
                "right_children": [2, 4, -1, -1, -1, -1],
                "split_indices": [0, 1, 0, 0, 0, 0],
                "split_conditions": [1.5, -2.25, 0.125, 0.5, -0.25, 9.0],
                "split_type": [0, 0, 0, 0, 0, 0],
                "categories_nodes": [],
                "tree_param": { "size_leaf_vector": "1" }
            }] } },
            "learner_model_param": { "base_score": "1E-2", "num_class": "0", "num_feature": "2", "num_target": "1" },
            "objective": { "name": "reg:squarederror" }
        }
    })
}

fn parsed(saved: &Value) -> Result<XgboostModel, TreesError> {
    XgboostModel::parse(&serde_json::to_vec(saved).unwrap())
}

fn forest() -> Forest {
    combined(vec![parsed(&saved()).unwrap()]).unwrap()
}

#[test]
fn a_row_takes_the_way_that_xgboost_takes() {
    let forest = forest();
    assert_eq!((forest.columns, forest.trees(), forest.depth()), (2, 1, 2));
    // On a threshold the way is the right one.
    for (row, leaf) in [([1.4, -2.3], 0.5), ([1.4, -2.25], -0.25), ([1.5, -3.0], 0.125), ([9.0, 0.0], 0.125)] {
        assert_eq!(forest.evaluate(&row).unwrap(), [0.01_f32 + leaf], "{row:?}");
    }
}

#[test]
fn a_forest_is_read_again_as_it_was_written() {
    let forest = forest();
    assert_eq!(Forest::parse(&serde_json::to_vec(&forest).unwrap()).unwrap(), forest);
}

#[test]
fn a_row_that_is_no_row_is_refused() {
    for row in [&[1.0][..], &[1.0, 2.0, 3.0], &[f32::NAN, 0.0], &[0.0, f32::INFINITY]] {
        assert_eq!(forest().evaluate(row).unwrap_err().code(), "VR-TREES-005", "{row:?}");
    }
}

#[test]
fn another_kind_of_model_is_refused_and_the_field_named() {
    let cases = [
        ("/version/0", json!(1), "version"),
        ("/learner/gradient_booster/name", json!("dart"), "gradient_booster"),
        ("/learner/objective/name", json!("binary:logistic"), "objective"),
        ("/learner/learner_model_param/num_class", json!("3"), "num_class"),
        ("/learner/learner_model_param/num_target", json!("4"), "num_target"),
        ("/learner/feature_names", json!(["price"]), "feature_names"),
        ("/learner/gradient_booster/model/trees/0/split_type/1", json!(1), "split_type"),
        ("/learner/gradient_booster/model/trees/0/tree_param/size_leaf_vector", json!("4"), "size_leaf_vector"),
    ];
    for (pointer, value, field) in cases {
        let mut saved = saved();
        *saved.pointer_mut(pointer).unwrap() = value;
        let error = parsed(&saved).unwrap_err();
        assert_eq!(error.code(), "VR-TREES-002", "{pointer}: {error}");
        assert!(error.to_string().starts_with(field), "{pointer}: {error}");
    }
}

#[test]
fn trees_that_lead_nowhere_are_refused() {
    let trees = "/learner/gradient_booster/model/trees/0";
    for (list, index, value) in [
        ("left_children", 1, json!(0)),
        ("left_children", 0, json!(2)),
        ("right_children", 1, json!(6)),
        ("right_children", 1, json!(-1)),
        ("split_indices", 0, json!(2)),
    ] {
        let mut saved = saved();
        *saved.pointer_mut(&format!("{trees}/{list}/{index}")).unwrap() = value;
        assert_eq!(parsed(&saved).unwrap_err().code(), "VR-TREES-003", "{list} {index}");
    }
    let mut short = saved();
    short.pointer_mut(&format!("{trees}/split_conditions")).unwrap().as_array_mut().unwrap().pop();
    assert_eq!(parsed(&short).unwrap_err().code(), "VR-TREES-003");
    // A chain deeper than the bound.
    let chain = (0..=MAX_DEPTH)
        .flat_map(|level| {
            [Node::Split { column: 0, threshold: 0.0, below: 2 * level + 1, otherwise: 2 * level + 2 }, Node::Leaf(0.0)]
        })
        .chain([Node::Leaf(0.0)]);
    assert!(Tree::<f32, f32>::new(chain.collect(), 1).is_err());
}

#[test]
fn numbers_that_are_none_are_refused() {
    let mut saved = saved();
    *saved.pointer_mut("/learner/learner_model_param/base_score").unwrap() = json!("NaN");
    let model = parsed(&saved).unwrap();
    assert_eq!(combined(vec![model]).unwrap_err().code(), "VR-TREES-003");
    let huge = serde_json::to_string(&super::tests::saved()).unwrap().replace("-2.25", "1e60");
    assert!(XgboostModel::parse(huge.as_bytes()).and_then(|model| combined(vec![model])).is_err());
    let words = serde_json::to_string(&super::tests::saved()).unwrap().replace("-2.25", "NaN");
    let error = XgboostModel::parse(words.as_bytes()).unwrap_err();
    assert_eq!(error.code(), "VR-TREES-002");
    assert!(error.to_string().starts_with("split_conditions is NaN"), "{error}");
    assert_eq!(XgboostModel::parse(b"{}").unwrap_err().code(), "VR-TREES-001");
}

/// Columns divided by these, on a grid of `2^-input_scale`.
fn table(divisors: &[f64], input_scale: u32) -> Table {
    let columns = divisors
        .iter()
        .enumerate()
        .map(|(index, divisor)| Column { standard_deviation: *divisor, ..column(&format!("column_{index}"), "", 1.0) });
    Table { columns: columns.collect(), input_scale }
}

#[test]
fn a_grid_that_cannot_hold_a_number_is_refused() {
    let new = |divisor, scale, outputs| IntegerForest::new(&forest(), &table(&[divisor, 1.0], scale), outputs);
    assert_eq!(new(0.000_000_5, 20, 20).unwrap_err().code(), "VR-TREES-002");
    assert_eq!(new(libm::exp2(-20.0), 20, 20).unwrap_err().code(), "VR-TREES-006");
    assert_eq!(new(1.0, 2, 70).unwrap_err().code(), "VR-TREES-006");
    assert_eq!(new(1.0, 2, 20).unwrap().evaluate(&[1]).unwrap_err().code(), "VR-TREES-005");
    let narrow = IntegerForest::new(&forest(), &table(&[1.0], 2), 20);
    assert_eq!(narrow.unwrap_err().code(), "VR-TREES-005");
}

#[test]
fn a_column_s_grid_holds_twice_its_largest_threshold() {
    for largest in [0.1, 1.0, 300.0, 65_000.0] {
        let Column { standard_deviation, clip, .. } = column("price", "USD", largest);
        assert!(standard_deviation * clip >= 2.0 * f64::from(largest), "{largest}");
        assert!(largest < 300.0 || standard_deviation * clip < 8.0 * f64::from(largest), "{largest}");
    }
}

#[test]
fn rounding_that_crosses_a_threshold_is_told() {
    let forest = forest();
    let table = table(&[1.0, 1.0], 1);
    let integers = IntegerForest::new(&forest, &table, 20).unwrap();
    let crossed = |row: [f64; 2]| {
        integers.crossed(&forest, &row.map(|value| value as f32), &table.quantised(&row).unwrap()).unwrap()
    };
    assert_eq!(crossed([1.0, -2.5]), []);
    // 1.3 rounds to 1.5, which is not below 1.5 any more; -2.3 to -2.5, -2.2 to -2.0.
    assert_eq!(crossed([1.3, -2.3]), [(0, 1.5)]);
    assert_eq!(crossed([1.2, -2.2]), []);
    assert_eq!(crossed([1.2, -2.25]), [(1, -2.25)]);
}

fn random_tree() -> impl Strategy<Value = Vec<Node<f32, f32>>> {
    (prop::collection::vec((0..3_usize, -50.0..50.0_f32), 1..20), prop::collection::vec(-1.0..1.0_f32, 21)).prop_map(
        |(splits, leaves)| {
            // A vine: each split's right child is the next split.
            let mut nodes = Vec::new();
            for (index, (column, threshold)) in splits.iter().enumerate() {
                let at = nodes.len();
                nodes.push(Node::Split { column: *column, threshold: *threshold, below: at + 1, otherwise: at + 2 });
                nodes.push(Node::Leaf(leaves[index]));
            }
            nodes.push(Node::Leaf(leaves[splits.len()]));
            nodes
        },
    )
}

proptest! {
    #[test]
    fn on_the_grid_integers_take_the_way_of_the_floats(
        nodes in random_tree(),
        row in prop::collection::vec(-1600..1600_i32, 3),
        scale in 0..6_u32,
    ) {
        let tree = Tree::new(nodes, 3).unwrap();
        let forest = Forest { columns: 3, outputs: vec![super::Ensemble { base: 0.0, trees: vec![tree] }] };
        let table = table(&[1.0; 3], scale);
        let integers = IntegerForest::new(&forest, &table, 30).unwrap();
        let floats: Vec<f64> = row.iter().map(|value| f64::from(*value) / libm::exp2(f64::from(scale))).collect();
        let singles: Vec<f32> = floats.iter().map(|value| *value as f32).collect();
        let clipped: Vec<i32> = row.iter().map(|value| (*value).clamp(-(512 << scale), 512 << scale)).collect();
        prop_assert_eq!(&table.quantised(&floats).unwrap(), &clipped);
        prop_assert_eq!(integers.crossed(&forest, &singles, &clipped).unwrap(), vec![]);
        let [exact] = integers.evaluate(&clipped).unwrap()[..] else { panic!("one output") };
        let float = f64::from(forest.evaluate(&singles).unwrap()[0]);
        prop_assert!((exact as f64 / libm::exp2(30.0) - float).abs() <= libm::exp2(-30.0));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = XgboostModel::parse(&bytes);
        let _ = Forest::parse(&bytes);
    }
}
