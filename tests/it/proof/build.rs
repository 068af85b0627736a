//! Circuits and keys as they are built.

use ::veriregime_files;
use alloy::primitives::{Bytes, keccak256};
use prost::Message;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use tract_onnx::pb::ModelProto;
use veriregime_agent::modelling::circuit;
use veriregime_agent::verification::compiler::Compiler;
use veriregime_agent::verification::ezkl::baseline;
use veriregime_agent::verification::ezkl::build::{CircuitConfig, Decomposition};
use veriregime_agent::verification::ezkl::prover::EzklProver;
use veriregime_agent::verification::ezkl::search::{Candidate, Outcome, SearchRequest};
use veriregime_agent::verification::ezkl::srs::Srs;
use veriregime_agent::verification::ezkl::supervisor::Ezkl;
use veriregime_core::model::export::Layer;
use veriregime_core::model::integer::compared_bits;
use veriregime_core::model::onnx::Network;
use veriregime_core::model::{Layout, Model};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::manifest::VERIFIER_BYTECODE_FILE;
use veriregime_core::types::prediction::REGIME_OUTPUTS;
use veriregime_core::types::public_inputs::instances;

use super::{
    ANVIL, FEATURES, Fixture, bundle_in, bundle_of, compiler, network, network_with, project, python, settings,
};

#[tokio::test]
async fn a_network_that_compares_with_zero_is_proven_exactly() {
    const ROWS: usize = 50;
    let folder = tempfile::tempdir().unwrap();
    let srs = folder.path().join("srs");
    for logrows in 6..=10 {
        Srs::generate(&mut Ezkl::new(settings()), &srs, logrows).await.unwrap();
    }
    let onnx = network_with(21, Layer::Relu).to_onnx(1);
    let layout = Layout {
        markets: 1,
        features: FEATURES,
        outputs: REGIME_OUTPUTS.len(),
        feature_bound: 4 << 7,
        input_scale: 7,
        param_scale: 16,
        output_scale: 39,
    };
    let bits =
        compared_bits(&Network::parse(&onnx, 1, FEATURES, REGIME_OUTPUTS.len()).unwrap(), &layout).unwrap().unwrap();
    let decomposition = Some(Decomposition { base: 1 << 7, legs: bits.div_ceil(7) });
    let form = CircuitConfig { decomposition, ..CircuitConfig::plain(7, 16) };
    let bundle = bundle_of(folder.path(), &srs, &onnx, form).await.unwrap();
    assert_eq!(
        CircuitConfig::of(&bundle.manifest).unwrap(),
        CircuitConfig { logrows: Some(bundle.manifest.ezkl().unwrap().logrows), ..form }
    );
    let model = Model::load(&onnx, Layout::of(&bundle.manifest.regime().unwrap())).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(22);
    let mut rows: Vec<Vec<i32>> =
        (2..ROWS).map(|_| (0..FEATURES).map(|_| random.random_range(-512..=512)).collect()).collect();
    rows.extend([vec![512; FEATURES], vec![-512; FEATURES]]);
    let mut prover = EzklProver::start(settings(), &bundle, &srs, ANVIL).await.unwrap();
    let witnessed = prover.witness(&rows).await.unwrap();
    assert_eq!(witnessed.len(), ROWS);
    for (row, found) in rows.iter().zip(&witnessed) {
        let outputs = model.integer().evaluate(row).unwrap().concat();
        assert_eq!(*found, instances(row, &outputs));
    }
    let outputs = model.integer().evaluate(&rows[0]).unwrap().concat();
    let proved = prover.prove(&rows[0], &outputs).await.unwrap();
    assert!(prover.verify(&proved.proof).await.unwrap());
    prover.stop().await;
}

/// Gas is measured on an anvil of the search's own.
#[tokio::test]
async fn the_search_takes_the_cheapest_circuit_that_keeps_the_answers() {
    let folder = tempfile::tempdir().unwrap();
    let srs = folder.path().join("srs");
    let mut ezkl = Ezkl::new(settings());
    Srs::generate(&mut ezkl, &srs, 6).await.unwrap();
    let network = network(31);
    let mut random = ChaCha8Rng::seed_from_u64(32);
    let rows: Vec<Vec<i32>> =
        (0..500).map(|_| (0..FEATURES).map(|_| random.random_range(-32_768..=32_768)).collect()).collect();
    let request = SearchRequest {
        float_onnx: &network.to_onnx(1),
        on_grid: &|param_scale| network.clone().on_grid(param_scale).to_onnx(1),
        rows: &rows,
        input_scale: 13,
        feature_bound: 4 << 13,
        param_scale: 16,
        srs_folder: &srs,
        compiler: &compiler(),
    };
    let search = circuit::choose(&mut ezkl, &request).await.unwrap();
    println!("{}", circuit::table(&search));
    let Outcome::Measured(chosen) = &search.tried[search.chosen].outcome else { panic!("chose what was not built") };
    assert!(chosen.agreement >= 0.999);
    let least = chosen.gas.expect("anvil is part of the set-up");
    assert!((200_000..600_000).contains(&least), "{least}");
    for candidate in &search.tried {
        if let Outcome::Measured(measured) = &candidate.outcome
            && measured.agreement >= 0.999
        {
            assert!(measured.gas.unwrap() as f64 >= least as f64 * 0.999, "{candidate:?}");
        }
    }
    // The rounding of coarser scales is seen, and sizes without a string are named.
    let exact = |candidate: &Candidate| {
        matches!(&candidate.outcome,
        Outcome::Measured(measured) if measured.largest_probability_difference < 1e-4)
    };
    assert!(search.tried.iter().any(exact));
    let differs = |candidate: &Candidate| {
        matches!(&candidate.outcome,
        Outcome::Measured(measured) if measured.largest_probability_difference > 1e-4)
    };
    assert!(search.tried.iter().any(differs));
    let missing = |candidate: &Candidate| {
        matches!(&candidate.outcome,
        Outcome::Skipped(reason) if reason.starts_with("no SRS"))
    };
    assert!(search.tried.iter().any(missing), "{:?}", search.tried);
    ezkl.stop().await;
}

#[tokio::test]
async fn the_same_network_and_string_make_the_same_bundle_byte_for_byte() {
    let fixture = Fixture::new(4).await;
    let again = tempfile::tempdir().unwrap();
    let bundle = bundle_in(again.path(), &fixture.srs(), &network(4).to_onnx(1)).await.unwrap();
    for name in bundle.manifest.required_files() {
        assert_eq!(bundle.manifest.files[name], fixture.bundle.manifest.files[name], "{name}");
    }
    assert_eq!(bundle.manifest_digest, fixture.bundle.manifest_digest);
    let circuit = bundle.manifest.ezkl().unwrap();
    assert_eq!(circuit.instances, FEATURES + REGIME_OUTPUTS.len());
    assert!(circuit.rows <= 1 << circuit.logrows);
    assert!(!circuit.srs_is_ceremony);
    let creation = veriregime_files::read_text(&bundle.path(VERIFIER_BYTECODE_FILE), 1 << 20).unwrap();
    let creation: Bytes = creation.parse().unwrap();
    // The constructor only returns what follows it: the code on chain is the tail of the code that creates it.
    assert!((0..creation.len()).any(|start| keccak256(&creation[start..]) == circuit.verifier_code_hash));
}

#[tokio::test]
async fn what_is_not_plain_arithmetic_gets_no_keys() {
    let folder = tempfile::tempdir().unwrap();
    let onnx = network(8).to_onnx(1);
    let refused = |onnx: Vec<u8>| {
        let folder = folder.path();
        async move { bundle_in(folder, folder, &onnx).await.map(|_| ()).expect_err("no circuit") }
    };
    assert_eq!(refused(onnx[..onnx.len() / 2].to_vec()).await.code(), "VR-PROVE-013");
    assert_eq!(refused(network(8).to_onnx(2)).await.code(), "VR-PROVE-017");
    let mut rectified = ModelProto::decode(&onnx[..]).unwrap();
    let square = &mut rectified.graph.as_mut().unwrap().node[2];
    "Relu".clone_into(&mut square.op_type);
    square.input.truncate(1);
    assert_eq!(refused(rectified.encode_to_vec()).await.code(), "VR-PROVE-017");
    let compiler = Compiler { node: "node".into(), script: folder.path().join("absent.mjs") };
    let fault = compiler.compile_file(&project("Cargo.toml")).await.expect_err("no compiler");
    assert_eq!(fault.code(), "VR-PROVE-018");
}

#[tokio::test]
async fn another_network_is_proven_with_ezkl_as_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let (onnx, input) = (folder.path().join("other.onnx"), folder.path().join("input.json"));
    veriregime_files::write_atomic(&onnx, &network(12).to_onnx(1)).unwrap();
    veriregime_files::write_atomic(&input, json!({"input_data": [vec![0.5; FEATURES]]}).to_string().as_bytes())
        .unwrap();
    let baseline = baseline::measure(python(), &compiler(), &onnx, &input).await.unwrap();
    assert_eq!(baseline.proof.instances.len(), FEATURES + REGIME_OUTPUTS.len());
    assert!(baseline.prove_ms > 0.0);
    // With EZKL's own arguments the network is rounded by lookups: far more rows than in ours.
    assert!(baseline.logrows > 7, "{}", baseline.logrows);
    assert!(baseline.pk_bytes > 1 << baseline.logrows);
    assert!(!baseline.verifier.bytecode.is_empty());
}
