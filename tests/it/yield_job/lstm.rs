//! The documented LSTM, small: trained, exported unrolled, proven by EZKL and published; and what it is refused.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use veriregime_agent::audit::compare::Verdict;
use veriregime_agent::audit::market::MarketAuditor;
use veriregime_agent::audit::offline;
use veriregime_agent::audit::publication::FeedAuditor;
use veriregime_agent::bundle::Bundle;
use veriregime_agent::devnet::CHAIN_ID;
use veriregime_agent::node::{parts, yields};
use veriregime_agent::state::Store;
use veriregime_agent::verification::ezkl::protocol::{CircuitFiles, Prove};
use veriregime_agent::verification::ezkl::prover::EzklProver;
use veriregime_agent::verification::ezkl::supervisor::Ezkl;
use veriregime_agent::verification::ezkl::worker::Settings as WorkerSettings;
use veriregime_core::model::table::TableModel;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::manifest::inputs::Inputs;
use veriregime_core::types::manifest::network::{Lstm, ModelKind};
use veriregime_core::types::manifest::{
    CIRCUIT_FILE, ONNX_FILE, PROVING_KEY_FILE, SETTINGS_FILE, VERIFIER_BYTECODE_FILE, VERIFYING_KEY_FILE,
};
use veriregime_core::types::public_inputs::instances;
use veriregime_core::yields::GRID;
use veriregime_core::yields::model::StrategyModel;

use super::{FIRST, Scene};
use crate::given::reference;
use crate::proof::python;
use crate::yields::{folder, refused, said, table};

/// Longest code that a chain keeps.
const MAX_CODE_BYTES: usize = 24_576;
/// Rows on which EZKL's witness and our integers are compared.
const ROWS: usize = 40;

fn worker() -> WorkerSettings {
    WorkerSettings { python: python(), deadline: Duration::from_mins(2), memory_limit_mb: 2048 }
}

/// EZKL's own arithmetic is ours, to the bit, on rows all over the range.
async fn is_what_ezkl_computes(bundle: &Bundle, srs: &Path, model: &TableModel) {
    let mut prover = EzklProver::start(worker(), bundle, srs, CHAIN_ID).await.unwrap();
    let bound = bundle.table().unwrap().bound();
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let (mut rows, mut computed) = (Vec::new(), Vec::new());
    while rows.len() < ROWS {
        // From near the middle to the ends of the range, beyond which tables need not reach.
        let most = bound >> random.random_range(0..5);
        let row: Vec<i32> = (0..bundle.manifest.columns()).map(|_| random.random_range(-most..=most)).collect();
        match model.evaluate(&row) {
            Ok(outputs) => {
                computed.push(outputs);
                rows.push(row);
            }
            Err(error) => assert_eq!(error.code(), "VR-MODEL-015", "{error}"),
        }
    }
    let witnessed = prover.witness(&rows).await.unwrap();
    for ((row, ours), theirs) in rows.iter().zip(&computed).zip(&witnessed) {
        assert_eq!(*theirs, instances(row, ours), "{row:?}");
    }
    let different: BTreeSet<_> = computed.into_iter().collect();
    assert!(different.len() > ROWS / 4, "only {} rows say something", different.len());
    prover.stop().await;
}

/// A row that the tables do not reach is refused before anything is proven; the worker goes on.
async fn is_refused_out_of_tables(bundle: &Bundle, srs: &Path, lstm: Lstm, scene: &Scene) {
    // By our own integers, with the features named.
    let onnx = std::fs::read(bundle.path(ONNX_FILE)).unwrap();
    let Inputs::Table(table) = bundle.manifest.inputs.clone() else { unreachable!("a table") };
    let tight = Lstm { lookup_bound: 3, ..lstm };
    let outputs = bundle.manifest.outputs.clone();
    let network = TableModel::lstm(&onnx, &tight, &table, &outputs).unwrap();
    let model = StrategyModel { table, outputs, network };
    let service = yields::service(&scene.jobs[0]).await.unwrap();
    let at_ms = GRID.start_ms(FIRST) + 3_600_000;
    let (snapshot, _) = service.snapshot("aave", FIRST.0 as i32, at_ms, true, &BTreeSet::new()).await.unwrap();
    let error = model.compute(&snapshot).unwrap_err();
    assert_eq!(error.code(), "VR-MODEL-015");
    assert!(["level ", "gas ", "market_return "].iter().all(|name| error.to_string().contains(name)), "{error}");

    // By the witness, where manifest and circuit do not belong together.
    let settings = scene.scratch.path().join("tight.json");
    let text = std::fs::read_to_string(bundle.path(SETTINGS_FILE)).unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    document["run_args"]["lookup_range"] = serde_json::json!([-3, 3]);
    std::fs::write(&settings, document.to_string()).unwrap();
    let logrows = bundle.manifest.ezkl().unwrap().logrows;
    let files = CircuitFiles {
        circuit: bundle.path(CIRCUIT_FILE),
        proving_key: bundle.path(PROVING_KEY_FILE),
        verifying_key: bundle.path(VERIFYING_KEY_FILE),
        settings,
        srs: srs.join(format!("kzg{logrows}.srs")),
    };
    let mut ezkl = Ezkl::new(worker());
    ezkl.load(files).await.unwrap();
    let process = ezkl.process_id();
    let error = ezkl.call(&Prove { row: vec![1.0; bundle.manifest.columns()] }).await.unwrap_err();
    assert_eq!(error.code(), "VR-PROVE-024", "{error}");
    assert!(error.to_string().contains("from -3 to 3"), "{error}");
    assert_eq!(ezkl.process_id(), process, "the worker is not to blame");
    ezkl.stop().await;
}

/// No other way can do it, and each refusal says which can.
async fn is_refused_elsewhere(models: &str, scene: &Scene) {
    for way in ["direct", "halo2"] {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
        program.args(["models", "set-up", "lending", "--models", models, "--way", way]);
        let output = program.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && told.contains("VR-MANIFEST-007") && told.contains("ezkl"), "{told}");
    }
    let mut config = scene.jobs[0].clone();
    config.prover.kind = veriregime_core::types::manifest::verification::Way::Direct.into();
    let store = Store::open(&scene.scratch.path().join("direct.sqlite")).unwrap();
    let error = parts::agent(&config, scene.clock.clone(), store).await.expect_err("no such way");
    assert!(format!("{error:#}").contains("ezkl is the only way"), "{error:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_lstm_is_trained_proven_by_ezkl_and_published() {
    let Some(srs) = reference("srs") else { return };
    let root = folder(&[("yields_lending.csv", &table(4, 120))]);
    let [data, models] = ["", "models"].map(|name| root.path().join(name).display().to_string());
    let [srs_text, python_text] = [srs.display().to_string(), python().display().to_string()];
    let trained = said(&[
        "train",
        "--data",
        &data,
        "--kind",
        "lending",
        "--form",
        "lstm",
        "--units",
        "4-4-4",
        "--epochs",
        "60",
        "--batch-size",
        "32",
        "--out",
        &models,
        "--srs-dir",
        &srs_text,
        "--python",
        &python_text,
    ]);
    assert_eq!(trained["bundles"][0]["weights"], 16 * (6 + 1 + 4) + 16 * (4 + 1 + 4) + 5 * 4 + 5 * 3);
    let bundle = Bundle::open(&PathBuf::from(&models).join("lending")).unwrap();
    let ModelKind::Lstm(lstm) = bundle.manifest.model else { panic!("an LSTM") };
    assert_eq!((lstm.days, lstm.units), (7, [4, 4, 4]));
    let circuit = bundle.manifest.ezkl().unwrap();
    assert_eq!((circuit.instances, circuit.srs_is_ceremony), (12 + 3, true));
    assert_eq!(bundle.manifest.offers().count(), 1, "by EZKL alone");
    let code = std::fs::read_to_string(bundle.path(VERIFIER_BYTECODE_FILE)).unwrap();
    assert!(code.trim().len() / 2 < MAX_CODE_BYTES, "the verifier has {} bytes", code.len() / 2);
    let model = bundle.table_model().unwrap();
    is_what_ezkl_computes(&bundle, &srs, &model).await;

    // A job publishes what it forecasts, with a proof; whoever looks finds the same integers without EZKL.
    let change = |text: String| {
        let (first, _) = text.split_once("[[yields.strategies]]\nname = \"lido\"").unwrap();
        let own = format!("[prover]\nsrs_dir = {srs_text:?}\npython = {python_text:?}\nmemory_limit_mb = 2048\n");
        let ezkl = first.replace("verification = \"direct\"", "verification = \"ezkl\"");
        own + &ezkl.replace("[yields]\n", &format!("[yields]\nmodels = {models:?}\n"))
    };
    let scene = Scene::with(FIRST, GRID.start_ms(FIRST) / 1000, change).await;
    scene.enter(FIRST, 1).await;
    is_refused_out_of_tables(&bundle, &srs, lstm, &scene).await;
    is_refused_elsewhere(&models, &scene).await;
    let mut agent = scene.agent(0, "agent.sqlite").await;
    let record = scene.run(&mut agent, FIRST).await;
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    let said = agent.strategy().unwrap().model.told(&record.forecast.unwrap()).unwrap();
    let feed = agent.chain.read.feed(agent.action.contract()).await.unwrap();
    for (told, percent) in [(feed.apyE8 as f64, said.apy_percent), (feed.highE8 as f64, said.high_percent)] {
        assert!((told - percent * 1e6).abs() < 2.0, "{told} {percent}");
    }
    assert_eq!(scene.published(&agent).await.len(), 1);
    let file = agent.evidence.file(agent.store.cycle(agent.job(), FIRST).unwrap().unwrap().evidence.unwrap());
    let verified = offline::verify_file(&scene.jobs[0], &file).await.unwrap().found;
    assert_eq!(verified.verdict, Verdict::Match, "{verified:?}");
    let auditor = FeedAuditor::new(scene.jobs[0].clone()).await.unwrap();
    let reports = auditor.audit_periods(FIRST.0..FIRST.0 + 1, scene.clock.now_ms()).await.unwrap();
    assert_eq!(reports.iter().map(|report| report.found.verdict).collect::<Vec<_>>(), [Verdict::Match], "{reports:?}");
}

#[test]
fn units_that_are_none_are_refused() {
    let root = folder(&[("yields_lending.csv", &table(4, 120))]);
    let data = root.path().display().to_string();
    for units in ["16-8", "16-8-8-2", "0-8-8", "16-8-x", "1000-8-8"] {
        let told = refused(&["train", "--data", &data, "--out", &data, "--form", "lstm", "--units", units]);
        assert!(told.contains("as 16-8-8"), "{told}");
    }
}
