//! All ways on the same rows: the same integers, and each its own proofs only.

use std::path::Path;

use alloy::primitives::{Address, Bytes, U256};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use veriregime_agent::bundle::Bundle;
use veriregime_agent::node::assemble;
use veriregime_agent::verification::Prover;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::proof::Proof;
use veriregime_core::types::public_inputs::instances;
use veriregime_halo2::field::{from_integer, to_word};
use veriregime_halo2::table::Table;

use crate::direct::asking::{Asking, call};
use crate::direct::{ROWS, row};
use crate::world::config;

/// Rows that EZKL runs its circuit on in one call.
const WITNESS_ROWS: usize = 1_000;
/// Rows that are proven.
const PROVEN: usize = 4;

async fn deployed(chain: &Asking, bundle: &Bundle, way: Way) -> Address {
    let offer = bundle.manifest.offer(way).unwrap();
    let code = std::fs::read_to_string(bundle.path(offer.bytecode_file)).unwrap();
    chain.put(code.trim().parse().unwrap()).await
}

/// Integers in Rust, EZKL's witness, halo2's witness and the deployed contract, on random rows, edges and corners.
#[tokio::test(flavor = "multi_thread")]
async fn all_ways_compute_the_same_integers_on_ten_thousand_rows() {
    let config = config();
    let bundle = Bundle::open(&config.bundle).unwrap();
    let model = bundle.integer_model().unwrap();
    let layout = model.layout();
    let random = &mut ChaCha8Rng::seed_from_u64(1_016);
    let rows: Vec<Vec<i32>> = (0..ROWS).map(|_| row(random, layout.features, layout.feature_bound)).collect();
    let exact: Vec<Vec<U256>> = rows.iter().map(|row| instances(row, &model.evaluate(row).unwrap().concat())).collect();

    let table = Table::of(&model).unwrap();
    for (row, exact) in rows.iter().zip(&exact) {
        let features: Vec<_> = row.iter().map(|value| from_integer(i128::from(*value))).collect();
        let outputs = table.evaluate(&features).unwrap();
        assert_eq!(features.iter().chain(&outputs).map(to_word).collect::<Vec<_>>(), *exact, "halo2, {row:?}");
    }

    let Prover::Ezkl(mut ezkl) = assemble::prover_of(&config, &bundle, Way::Ezkl).await.unwrap() else {
        unreachable!("EZKL was asked for")
    };
    for (rows, exact) in rows.chunks(WITNESS_ROWS).zip(exact.chunks(WITNESS_ROWS)) {
        assert!(ezkl.witness(rows).await.unwrap() == exact, "EZKL");
    }
    ezkl.stop().await;

    let chain = Asking::new().await;
    let contract = deployed(&chain, &bundle, Way::Direct).await;
    let answers = chain.ask(contract, &exact).await;
    assert_eq!(answers.iter().position(|answer| !answer.is_accepted), None, "the contract");
    let mut altered = exact;
    for (index, instances) in altered.iter_mut().enumerate() {
        let output = layout.features + index % layout.outputs;
        instances[output] =
            to_word(&(veriregime_halo2::field::from_word(&instances[output]).unwrap() + from_integer(1)));
    }
    let answers = chain.ask(contract, &altered).await;
    assert_eq!(answers.iter().position(|answer| answer.is_accepted), None, "the contract, of outputs one too high");
}

/// On the deployed contracts: real proofs of some rows, each asked of each verifier.
#[tokio::test(flavor = "multi_thread")]
async fn deployed_verifiers_take_no_proof_of_another_way() {
    let config = config();
    let bundle = Bundle::open(&config.bundle).unwrap();
    let model = bundle.integer_model().unwrap();
    let layout = model.layout();
    let random = &mut ChaCha8Rng::seed_from_u64(2_016);
    let rows: Vec<Vec<i32>> = (0..PROVEN).map(|_| row(random, layout.features, layout.feature_bound)).collect();
    let chain = Asking::new().await;
    let mut calls: Vec<(Way, Bytes)> = Vec::new();
    for way in Way::ALL {
        let mut prover = assemble::prover_of(&config, &bundle, way).await.unwrap();
        for row in &rows {
            let outputs = model.evaluate(row).unwrap().concat();
            let Proof { bytes, instances: shown } = prover.prove(row, &outputs).await.unwrap().proof;
            assert_eq!(shown, instances(row, &outputs), "{way}");
            calls.push((way, call(&bytes, &shown)));
        }
        prover.stop().await;
    }
    let data: Vec<Bytes> = calls.iter().map(|(_, data)| data.clone()).collect();
    for way in Way::ALL {
        let verifier = deployed(&chain, &bundle, way).await;
        for ((made_by, _), answer) in calls.iter().zip(chain.ask_calls(verifier, &data).await) {
            assert_eq!(answer.is_accepted, *made_by == way, "{made_by}'s, asked {way}");
        }
    }
}

/// A proof of several markets says of each market what its own proof says.
#[test]
fn several_markets_in_one_proof_are_the_same_integers() {
    use veriregime_core::model::Layout;
    use veriregime_core::model::integer::IntegerModel;
    use veriregime_core::model::onnx::Network;

    let bundle = Bundle::open(&config().bundle).unwrap();
    let one = bundle.integer_model().unwrap();
    let layout = one.layout();
    let onnx = std::fs::read(Path::new(&bundle.folder).join("model.onnx")).unwrap();
    let network = Network::parse(&onnx, 1, layout.features, layout.outputs).unwrap();
    let several = IntegerModel::new(&network, Layout { markets: 8, ..layout }).unwrap();
    let table = Table::of(&several).unwrap();
    let random = &mut ChaCha8Rng::seed_from_u64(3_016);
    for _ in 0..50 {
        let rows: Vec<Vec<i32>> = (0..8).map(|_| row(random, layout.features, layout.feature_bound)).collect();
        let features: Vec<_> = rows.concat().iter().map(|value| from_integer(i128::from(*value))).collect();
        let exact: Vec<_> = rows.iter().flat_map(|row| one.evaluate(row).unwrap().concat()).map(from_integer).collect();
        assert_eq!(table.evaluate(&features).unwrap(), exact);
    }
}
