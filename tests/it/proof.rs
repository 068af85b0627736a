//! Proofs: the real EZKL in its worker, on small circuits that the tests make; and workers that misbehave.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ::veriregime_files;
use alloy::primitives::{Bytes, U256, keccak256};
use prost::Message;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use tempfile::TempDir;
use tract_onnx::pb::ModelProto;
use veriregime_agent::bundle::Bundle;
use veriregime_agent::modelling::circuit;
use veriregime_agent::verification::error::ProofError;
use veriregime_agent::verification::ezkl::baseline;
use veriregime_agent::verification::ezkl::build::{Build, CircuitConfig, Compiler, Decomposition, build};
use veriregime_agent::verification::ezkl::prover::EzklProver;
use veriregime_agent::verification::ezkl::search::{Candidate, Outcome, SearchRequest};
use veriregime_agent::verification::ezkl::srs::Srs;
use veriregime_agent::verification::ezkl::supervisor::Ezkl;
use veriregime_agent::verification::ezkl::worker::Settings;
use veriregime_core::model::export::{Layer, LayeredNetwork};
use veriregime_core::model::integer::compared_bits;
use veriregime_core::model::onnx::Network;
use veriregime_core::model::{Layout, Model};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::field::FIELD_ORDER;
use veriregime_core::types::manifest::regime::outputs;
use veriregime_core::types::manifest::{Manifest, ONNX_FILE, SCHEMA, VERIFIER_BYTECODE_FILE, VERIFYING_KEY_FILE};
use veriregime_core::types::period::Grid;
use veriregime_core::types::prediction::REGIME_OUTPUTS;
use veriregime_core::types::proof::Proof;
use veriregime_core::types::public_inputs::instances;

use crate::given;

const ANVIL: u64 = 31_337;
const MAINNET: u64 = 1;
const FEATURES: usize = 6;
const UNITS: usize = 2;
const INPUTS: [i32; FEATURES] = [0, 1, -1, 32_768, -32_768, 4711];
/// The goal that `bench` reports against, in bytes.
const RSS_GOAL_BYTES: u64 = 150_000_000;

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A Python with EZKL: the project's own, or the one in `VERIREGIME_PYTHON`.
fn python() -> PathBuf {
    let local = project(".venv/bin/python");
    if local.exists() {
        return local;
    }
    std::env::var_os("VERIREGIME_PYTHON").expect("`make setup` first, or name a Python in VERIREGIME_PYTHON").into()
}

fn settings() -> Settings {
    Settings { python: python(), deadline: Duration::from_mins(1), memory_limit_mb: 512 }
}

pub fn compiler() -> Compiler {
    Compiler { node: "node".into(), script: project("contracts/verifier.mjs") }
}

fn linear(random: &mut ChaCha8Rng, inputs: usize, outputs: usize) -> Layer {
    let mut draw = |count: usize| (0..count).map(|_| random.random_range(-0.5..0.5)).collect();
    Layer::Linear { inputs, outputs, weights: draw(inputs * outputs), bias: draw(outputs) }
}

fn network_with(seed: u64, activation: Layer) -> LayeredNetwork {
    let random = &mut ChaCha8Rng::seed_from_u64(seed);
    let layers = vec![linear(random, FEATURES, UNITS), activation, linear(random, UNITS, REGIME_OUTPUTS.len())];
    LayeredNetwork { features: FEATURES, layers }.on_grid(16)
}

fn network(seed: u64) -> LayeredNetwork {
    network_with(seed, Layer::Square)
}

/// A folder with a bundle in `bundle/` and its insecure development SRS in `srs/`.
struct Fixture {
    folder: TempDir,
    bundle: Bundle,
}

impl Fixture {
    async fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Srs::generate(&mut Ezkl::new(settings()), &folder.path().join("srs"), 6).await.unwrap();
        let bundle = bundle_in(folder.path(), &folder.path().join("srs"), &network(seed).to_onnx(1)).await.unwrap();
        Self { folder, bundle }
    }

    fn srs(&self) -> PathBuf {
        self.folder.path().join("srs")
    }

    async fn prover(&self, settings: Settings) -> EzklProver {
        EzklProver::start(settings, &self.bundle, &self.srs(), ANVIL).await.unwrap()
    }

    /// Exact outputs for feature integers.
    fn outputs(&self, inputs: &[i32]) -> Vec<i128> {
        let onnx = veriregime_files::read_bounded(&self.bundle.path(ONNX_FILE), 1 << 20).unwrap();
        let model = Model::load(&onnx, Layout::of(&self.bundle.manifest.regime().unwrap())).unwrap();
        model.integer().evaluate(inputs).unwrap().concat()
    }
}

/// Builds and seals a bundle for `onnx` in `folder/bundle`.
async fn bundle_in(folder: &Path, srs_folder: &Path, onnx: &[u8]) -> Result<Bundle, ProofError> {
    bundle_of(folder, srs_folder, onnx, CircuitConfig::plain(13, 16)).await
}

/// As [`bundle_in`], in a form of one's own.
async fn bundle_of(folder: &Path, srs_folder: &Path, onnx: &[u8], form: CircuitConfig) -> Result<Bundle, ProofError> {
    let folder = folder.join("bundle");
    veriregime_files::create_folder(&folder)?;
    veriregime_files::write_atomic(&folder.join(ONNX_FILE), onnx)?;
    let compiler = compiler();
    let request = Build {
        folder: &folder,
        srs_folder,
        markets: 1,
        features: FEATURES,
        outputs: REGIME_OUTPUTS.len(),
        form,
        compiler: &compiler,
    };
    let built = build(&mut Ezkl::new(settings()), &request).await?;
    let feature = json!({"feature": {"name": "log_rms_return", "minutes": 60}, "mean": 0.0, "standard_deviation": 1.0});
    let layers = Network::parse(onnx, 1, FEATURES, REGIME_OUTPUTS.len())?.layers();
    let document = json!({
        "schema": SCHEMA, "model_id": "fixture",
        "inputs": {"kind": "candles", "markets": [{"name": "BTC-USD", "symbol": "BTCUSDT"}],
            "features": {"candle": vec![feature; FEATURES], "calendar": [], "clip": 4.0, "input_scale": form.input_scale,
                "lookback_minutes": 61, "max_missing_minutes": 1}},
        "model": {"kind": "layers", "param_scale": form.param_scale, "layers": layers}, "outputs": outputs(built.output_scale),
        "grid": Grid::FOUR_HOURS, "regime": {"threshold": 0.0005},
        "verification": {"ezkl": built.circuit}, "files": {},
        "training": {"provenance": null, "baselines": {
                "training_share_high": 0.5,
                "har_logistic": [0.0, 0.0, 0.0, 0.0, 0.0],
                "har_volatility": {
                    "coefficients": [0.0, 0.0, 0.0, 0.0, 0.0],
                    "residual": {"deviation": 1.0, "variance_ratio": 1.0}
                },
                "garch": {
                    "return_minutes": 1, "omega": 1.0, "news": 0.1, "memory": 0.8, "log_shift": 0.0,
                    "residual": {"deviation": 1.0, "variance_ratio": 1.0}
                }
            }, "metrics": null},
    });
    Ok(Bundle::seal(&folder, serde_json::from_value::<Manifest>(document).unwrap()).unwrap())
}

#[tokio::test]
async fn a_forecast_is_proven_and_every_mutation_of_its_proof_fails() {
    let fixture = Fixture::new(1).await;
    let mut prover = fixture.prover(settings()).await;
    let outputs = fixture.outputs(&INPUTS);
    let proved = prover.prove(&INPUTS, &outputs).await.unwrap();
    assert_eq!(proved.proof.instances, instances(&INPUTS, &outputs));
    assert!(prover.verify(&proved.proof).await.unwrap());
    for mutant in mutants(&proved.proof) {
        assert!(!prover.verify(&mutant).await.unwrap(), "{mutant:?}");
    }
    assert!(prover.verify(&proved.proof).await.unwrap(), "the worker survived the mutants");

    let mut wrong = outputs.clone();
    wrong[2] += 1;
    let fault = prover.prove(&INPUTS, &wrong).await.expect_err("another forecast");
    assert!(matches!(fault, ProofError::Instances { index: 8, .. }), "{fault}");
    let fault = prover.prove(&INPUTS[1..], &outputs).await.expect_err("too few inputs");
    assert_eq!(fault.code(), "VR-PROVE-013");
    assert!(prover.peak_rss_bytes().await.unwrap() < RSS_GOAL_BYTES);
    prover.stop().await;
}

/// One change each: every public input, aliases of it, and the bytes.
fn mutants(proof: &Proof) -> Vec<Proof> {
    let with_instance = |index: usize, value: U256| {
        let mut mutant = proof.clone();
        mutant.instances[index] = value;
        mutant
    };
    let with_bytes = |bytes: Vec<u8>| Proof { bytes: Bytes::from(bytes), ..proof.clone() };
    let mut mutants: Vec<Proof> = (0..proof.instances.len())
        .flat_map(|index| {
            let value = proof.instances[index];
            [with_instance(index, value.add_mod(U256::ONE, FIELD_ORDER)), with_instance(index, value + FIELD_ORDER)]
        })
        .collect();
    let bytes = proof.bytes.to_vec();
    for position in [0, bytes.len() / 2, bytes.len() - 1] {
        let mut flipped = bytes.clone();
        flipped[position] ^= 1;
        mutants.push(with_bytes(flipped));
    }
    mutants.push(with_bytes(bytes[..bytes.len() - 1].to_vec()));
    mutants.push(with_bytes([&bytes[..], &[0]].concat()));
    mutants.push(with_bytes(Vec::new()));
    mutants.push(Proof { instances: proof.instances[1..].to_vec(), ..proof.clone() });
    mutants
}

#[tokio::test]
async fn integers_and_circuit_agree_on_a_thousand_rows() {
    let fixture = Fixture::new(2).await;
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let rows: Vec<Vec<i32>> =
        (0..1000).map(|_| (0..FEATURES).map(|_| random.random_range(-32_768..=32_768)).collect()).collect();
    let mut prover = fixture.prover(settings()).await;
    let witnessed = prover.witness(&rows).await.unwrap();
    assert_eq!(witnessed.len(), rows.len());
    for (row, found) in rows.iter().zip(&witnessed) {
        assert_eq!(*found, instances(row, &fixture.outputs(row)));
    }
}

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
async fn keys_of_unknown_origin_or_of_another_model_prove_nothing_on_a_real_chain() {
    let fixture = Fixture::new(5).await;
    let started = EzklProver::start(settings(), &fixture.bundle, &fixture.srs(), MAINNET).await;
    let fault = started.expect_err("an insecure development SRS");
    assert_eq!(fault.code(), "VR-PROVE-008");

    let other = Fixture::new(6).await;
    let fault = EzklProver::start(settings(), &fixture.bundle, &other.srs(), ANVIL).await.expect_err("foreign string");
    assert_eq!(fault.code(), "VR-PROVE-007");

    let foreign = veriregime_files::read_bounded(&other.bundle.path(VERIFYING_KEY_FILE), 1 << 20).unwrap();
    veriregime_files::write_atomic(&fixture.bundle.path(VERIFYING_KEY_FILE), &foreign).unwrap();
    let fault = Bundle::open(&fixture.bundle.folder).expect_err("foreign key");
    assert_eq!(fault.code(), "VR-PROVE-003");
    let resealed = Bundle::seal(&fixture.bundle.folder, fixture.bundle.manifest.clone()).unwrap();
    let mut prover = EzklProver::start(settings(), &resealed, &fixture.srs(), ANVIL).await.unwrap();
    let fault = prover.prove(&INPUTS, &fixture.outputs(&INPUTS)).await.expect_err("foreign key, digest renewed");
    assert_eq!(fault.code(), "VR-PROVE-015");
}

#[tokio::test]
async fn the_ceremony_s_string_is_good_for_a_real_chain() {
    let Some(ceremony) = given::reference("srs") else { return };
    for logrows in 6..=14 {
        let srs = Srs::open(&ceremony, logrows).unwrap();
        assert!(srs.is_ceremony && srs.permit(MAINNET).is_ok(), "kzg{logrows}");
    }
    let folder = tempfile::tempdir().unwrap();
    let bundle = bundle_in(folder.path(), &ceremony, &network(7).to_onnx(1)).await.unwrap();
    assert!(bundle.manifest.ezkl().unwrap().srs_is_ceremony);
    EzklProver::start(settings(), &bundle, &ceremony, MAINNET).await.unwrap().stop().await;
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
    let fault = compiler.compile(&project("Cargo.toml")).await.expect_err("no compiler");
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

/// Sends a signal to one process of ours.
fn signal(name: &str, process_id: u32) {
    assert!(Command::new("kill").args([name, &process_id.to_string()]).status().unwrap().success());
}

#[tokio::test]
async fn a_worker_killed_at_work_is_reported_and_replaced() {
    let fixture = Fixture::new(9).await;
    let outputs = fixture.outputs(&INPUTS);
    let mut prover = fixture.prover(settings()).await;
    for _ in 0..3 {
        let process_id = prover.process_id().unwrap();
        // Stopped first, so that it cannot have answered by the time that it dies.
        signal("-STOP", process_id);
        let (outcome, ()) = tokio::join!(prover.prove(&INPUTS, &outputs), async { signal("-KILL", process_id) });
        let fault = outcome.expect_err("killed");
        assert_eq!(fault.code(), "VR-PROVE-010", "{fault}");
        assert!(prover.prove(&INPUTS, &outputs).await.is_ok());
        assert_ne!(prover.process_id(), Some(process_id));
    }
    let process_id = prover.process_id().unwrap();
    let busy: Vec<Vec<i32>> = vec![INPUTS.to_vec(); 20_000];
    let (outcome, ()) = tokio::join!(prover.witness(&busy), async { signal("-KILL", process_id) });
    assert_eq!(outcome.expect_err("killed").code(), "VR-PROVE-010");
    assert!(prover.prove(&INPUTS, &outputs).await.is_ok());
}

#[tokio::test]
async fn a_worker_that_does_not_answer_in_time_is_killed_and_replaced() {
    let fixture = Fixture::new(10).await;
    let outputs = fixture.outputs(&INPUTS);
    let mut prover = fixture.prover(Settings { deadline: Duration::from_secs(5), ..settings() }).await;
    let process_id = prover.process_id().unwrap();
    signal("-STOP", process_id);
    let fault = prover.prove(&INPUTS, &outputs).await.expect_err("stopped");
    assert_eq!(fault.code(), "VR-PROVE-009");
    assert!(prover.prove(&INPUTS, &outputs).await.is_ok());
    assert_ne!(prover.process_id(), Some(process_id));
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_no_answer_for_the_next() {
    let fixture = Fixture::new(11).await;
    let outputs = fixture.outputs(&INPUTS);
    let mut prover = fixture.prover(settings()).await;
    let busy: Vec<Vec<i32>> = vec![INPUTS.to_vec(); 20_000];
    let given_up = tokio::time::timeout(Duration::from_millis(10), prover.witness(&busy)).await;
    assert!(given_up.is_err());
    assert!(prover.prove(&INPUTS, &outputs).await.is_ok());
}

#[tokio::test]
async fn a_worker_beyond_its_memory_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut ezkl = Ezkl::new(Settings { memory_limit_mb: 40, ..settings() });
    let fault = Srs::generate(&mut ezkl, folder.path(), 18).await.expect_err("40 MB");
    assert_eq!(fault.code(), "VR-PROVE-011", "{fault}");
    Srs::generate(&mut ezkl, folder.path(), 6).await.unwrap();
}

#[tokio::test]
async fn a_stopped_worker_is_gone_and_so_is_its_scratch_folder() {
    let mut ezkl = Ezkl::new(settings());
    ezkl.peak_rss_bytes().await.unwrap();
    let process = PathBuf::from(format!("/proc/{}", ezkl.process_id().unwrap()));
    let command_line = veriregime_files::read_text(&process.join("cmdline"), 4096).unwrap();
    let scratch = PathBuf::from(command_line.split('\0').nth(3).unwrap());
    assert!(scratch.is_dir());
    ezkl.stop().await;
    assert!(!process.exists());
    assert!(!scratch.exists());
}

#[tokio::test]
async fn what_is_no_worker_is_found_out() {
    let cases = [
        ("echo hello; exec cat > /dev/null", "VR-PROVE-012"),
        ("yes | tr -d '\\n'", "VR-PROVE-012"),
        (
            r#"echo '{"id":9,"ok":{"ezkl_version":"23.0.5","python_version":"3"}}'; exec cat > /dev/null"#,
            "VR-PROVE-012",
        ),
        (r#"echo '{"id":1}'; exec cat > /dev/null"#, "VR-PROVE-012"),
        (
            r#"echo '{"id":1,"ok":{"ezkl_version":"22.3.0","python_version":"3"}}'; exec cat > /dev/null"#,
            "VR-PROVE-002",
        ),
        ("echo no module named ezkl >&2; exit 1", "VR-PROVE-010"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("python");
    for (body, code) in cases {
        // Written by another process: one of ours that is forked meanwhile would keep the file busy.
        let write = r#"printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod 700 "$1""#;
        let path = script.to_str().unwrap();
        assert!(Command::new("sh").args(["-c", write, "sh", path, body]).status().unwrap().success());
        let mut ezkl = Ezkl::new(Settings { python: script.clone(), ..settings() });
        let fault = ezkl.peak_rss_bytes().await.expect_err(body);
        assert_eq!(fault.code(), code, "{body}: {fault}");
        assert!(code != "VR-PROVE-010" || fault.to_string().contains("no module named ezkl"));
    }
    let mut ezkl = Ezkl::new(Settings { python: folder.path().join("absent"), ..settings() });
    assert_eq!(ezkl.peak_rss_bytes().await.expect_err("absent").code(), "VR-PROVE-001");
}
