//! Proofs: the real EZKL in its worker, on small circuits that the tests make; and workers that misbehave.

mod build;
mod worker;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ::veriregime_files;
use alloy::primitives::{Bytes, U256};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use tempfile::TempDir;
use veriregime_agent::bundle::Bundle;
use veriregime_agent::verification::compiler::Compiler;
use veriregime_agent::verification::error::ProofError;
use veriregime_agent::verification::ezkl::build::{Build, CircuitConfig, build};
use veriregime_agent::verification::ezkl::prover::EzklProver;
use veriregime_agent::verification::ezkl::srs::{CEREMONY, Srs};
use veriregime_agent::verification::ezkl::supervisor::Ezkl;
use veriregime_agent::verification::ezkl::worker::Settings;
use veriregime_core::model::export::{Layer, LayeredNetwork};
use veriregime_core::model::onnx::Network;
use veriregime_core::model::{Layout, Model};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::field::FIELD_ORDER;
use veriregime_core::types::manifest::regime::outputs;
use veriregime_core::types::manifest::{Manifest, ONNX_FILE, SCHEMA, VERIFYING_KEY_FILE};
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
pub fn python() -> PathBuf {
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

/// Those that no test can download stand beside the others in EZKL's own list.
#[test]
fn the_ceremony_s_digests_are_those_that_the_pinned_ezkl_lists() {
    let found = Command::new(python()).args(["-c", "import ezkl; print(ezkl.__file__)"]).output().unwrap();
    let package = PathBuf::from(String::from_utf8(found.stdout).unwrap().trim()).parent().unwrap().to_owned();
    let library = std::fs::read_dir(package).unwrap().map(|entry| entry.unwrap().path());
    let library = library.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "so")).unwrap();
    let bytes = std::fs::read(library).unwrap();
    let listed: String = CEREMONY.iter().map(|(_, digest)| *digest).collect();
    assert_eq!(listed.len(), 15 * 64);
    assert!(bytes.windows(listed.len()).any(|window| window == listed.as_bytes()));
}
