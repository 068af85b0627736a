//! What a network becomes, and which networks become nothing.

use halo2_axiom::halo2curves::bn256::Fr;
use veriregime_core::model::Layout;
use veriregime_core::model::integer::IntegerModel;
use veriregime_core::model::onnx::{Network, Operation};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_halo2::Halo2Error;
use veriregime_halo2::field::{from_integer, from_word, to_word};
use veriregime_halo2::prover::row_bits;
use veriregime_halo2::table::Table;

use crate::given::{SHIPPED, deep, matrix, rows, shipped, shipped_network, with_own_constants};

fn agrees(model: &IntegerModel, count: usize) {
    let table = Table::of(model).unwrap();
    for row in rows(&model.layout(), count) {
        let features: Vec<Fr> = row.iter().map(|value| from_integer(i128::from(*value))).collect();
        let exact: Vec<Fr> = model.evaluate(&row).unwrap().concat().into_iter().map(from_integer).collect();
        assert_eq!(table.evaluate(&features).unwrap(), exact, "{row:?}");
    }
}

#[test]
fn the_witness_holds_the_integers_of_the_shipped_model_on_ten_thousand_rows() {
    agrees(&shipped(), 10_000);
}

#[test]
fn the_witness_holds_the_integers_of_deep_networks_and_of_several_markets() {
    agrees(&deep(1), 2_000);
    agrees(&deep(3), 500);
    let markets = IntegerModel::new(&shipped_network(), Layout { markets: 3, ..SHIPPED }).unwrap();
    agrees(&markets, 200);
}

#[test]
fn the_witness_holds_the_integers_of_markets_with_constants_of_their_own() {
    for network in [with_own_constants(shipped_network(), 3), with_own_constants(linear(), 3)] {
        let layout = Layout { markets: 3, ..SHIPPED };
        let model = IntegerModel::new(&network, layout).unwrap();
        assert_eq!(model.offsets().len(), 3);
        agrees(&model, 200);
        // One market of them alone is the same.
        for market in 0..3 {
            let alone = IntegerModel::new(&network.of_market(market).unwrap(), SHIPPED).unwrap();
            for row in rows(&SHIPPED, 20) {
                let all = model.evaluate(&row.repeat(3)).unwrap();
                assert_eq!(all[market], alone.evaluate(&row).unwrap()[0]);
            }
        }
    }
}

/// A network that is one layer of sums.
fn linear() -> Network {
    let entries: Vec<f32> = (0..48).map(|number| (number - 20) as f32 / 64.0).collect();
    let operations =
        vec![Operation::MatMul(0, matrix(16, 3, &entries)), Operation::AddConstant(1, matrix(1, 3, &[1.0, 2.0, 3.0]))];
    Network { operations, features: 16 }
}

#[test]
fn the_shipped_model_fits_into_256_rows() {
    let table = Table::of(&shipped()).unwrap();
    assert_eq!((table.block, table.blocks, table.row_bits), (20, 12, 8));
}

#[test]
fn rows_grow_with_the_markets_and_not_with_their_square() {
    for (markets, bits) in [(2, 9), (3, 10), (8, 11), (64, 14)] {
        let model = IntegerModel::new(&shipped_network(), Layout { markets, ..SHIPPED }).unwrap();
        assert_eq!(row_bits(&model), Ok(bits), "{markets} markets");
    }
}

#[test]
fn a_relu_is_refused_by_its_place() {
    let mut network = shipped_network();
    network.operations[2] = Operation::Relu(2);
    // Without squares the exact result has a smaller scale.
    let model = IntegerModel::new(&network, SHIPPED).unwrap();
    let error = row_bits(&model).unwrap_err();
    assert_eq!(error, Halo2Error::Unsupported { step: 3, operation: "Relu" });
    assert_eq!(error.code(), "VR-HALO-001");
    assert!(error.hint().contains("EZKL"), "{}", error.hint());
}

#[test]
fn constant_outputs_are_refused() {
    let operations = vec![
        Operation::MatMul(0, matrix(16, 3, &[0.0; 48])),
        Operation::AddConstant(1, matrix(1, 3, &[1.0, 2.0, 3.0])),
    ];
    let model = IntegerModel::new(&Network { operations, features: 16 }, SHIPPED).unwrap();
    assert_eq!(row_bits(&model).unwrap_err(), Halo2Error::Constant);
}

#[test]
fn too_large_a_network_is_refused() {
    let of_markets = |markets| IntegerModel::new(&shipped_network(), Layout { markets, ..SHIPPED }).unwrap();
    assert_eq!(row_bits(&of_markets(546)), Ok(17));
    let error = row_bits(&of_markets(547)).unwrap_err();
    assert_eq!(error.code(), "VR-HALO-003");
    assert!(error.to_string().contains("131280 rows"), "{error}");
}

#[test]
fn words_are_elements_only_below_the_modulus() {
    for integer in [0, 1, -1, i128::from(i32::MIN), i128::MAX, i128::MIN + 1] {
        let element = from_integer(integer);
        assert_eq!(from_word(&to_word(&element)), Some(element));
    }
    let largest = to_word(&from_integer(-1));
    assert_eq!(from_word(&(largest + alloy::primitives::U256::from(1))), None);
}
