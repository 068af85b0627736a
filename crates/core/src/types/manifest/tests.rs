use serde_json::{Value, json};

use super::*;
use crate::types::diagnostic::Diagnostic;
use crate::types::prediction::REGIME_OUTPUTS;

/// The shipped model's, as it is and as it was.
const SHIPPED: &[u8] = include_bytes!("../../../../../models/btc-regime-4h-v1/manifest.json");
const SHIPPED_1: &[u8] = include_bytes!("../../../../../models/btc-regime-4h-v1/manifest.1.json");

fn edited(edit: impl FnOnce(&mut Value)) -> Result<Manifest, ManifestError> {
    let mut document: Value = serde_json::from_slice(SHIPPED).unwrap();
    edit(&mut document);
    Manifest::parse(document.to_string().as_bytes())
}

/// A model of another kind: trees over a table, with one output of its own scale.
fn hedge() -> Value {
    let mut document: Value = serde_json::from_slice(SHIPPED).unwrap();
    document["inputs"] = json!({
        "kind": "table",
        "columns": [
            {"name": "difficulty", "unit": "hashes / 2^32", "mean": 1e14, "standard_deviation": 2.5e13, "clip": 4.0},
            {"name": "power_price", "unit": "USD / kWh", "mean": 0.07, "standard_deviation": 0.02, "clip": 6.0},
        ],
        "input_scale": 13,
    });
    document["model"] = json!({"kind": "trees", "file": "trees.json", "trees": 200, "depth": 6});
    document["outputs"] = json!([{"name": "btc_to_sell", "unit": "BTC", "scale": 30, "per_market": false}]);
    document["grid"] = json!({"period_seconds": 86_400, "horizon_seconds": 2_592_000, "offset_seconds": 3600});
    document["verification"] = json!({});
    document["files"] = json!({"trees.json": "00".repeat(32)});
    // Not every number of a report reads back as it was written.
    document["training"] = json!({"provenance": {"settings": "hedge.toml"}, "metrics": {"mae": 0.25}});
    document.as_object_mut().unwrap().remove("regime");
    document
}

#[test]
fn the_shipped_manifest_is_the_old_one_converted() {
    let shipped = Manifest::parse(SHIPPED).unwrap();
    let network::ModelKind::Layers(layers) = &shipped.model else { panic!("layers") };
    let converted = Manifest1::parse(SHIPPED_1).unwrap().upgrade(layers.layers.clone()).unwrap();
    // Other ways of verification, and their card, came later, and so did the table of its reliability.
    let is_later = |name: &str| [card::VERIFICATION_CARD_FILE, "reliability.csv"].contains(&name);
    let mut first = shipped.clone();
    let later = Verification { ezkl: None, ..first.verification };
    first.verification = Verification { ezkl: shipped.verification.ezkl.clone(), ..Verification::default() };
    first.files.retain(|name, _| later.files().all(|file| file != name) && !is_later(name));
    assert_eq!(first, converted);
    let [old, new] = [SHIPPED_1, SHIPPED]
        .map(|json| String::from_utf8_lossy(json).split_once("\n  \"training\"").unwrap().1.to_owned());
    assert_eq!(old, new, "what was measured is as it was, letter by letter");
    let regime = shipped.regime().unwrap();
    assert_eq!((regime.horizon_minutes(), regime.output_scale), (240, 74));
    assert_eq!(shipped.instances(), 19);
    assert_eq!(Manifest::parse_kept(SHIPPED).unwrap(), shipped);
}

#[test]
fn a_manifest_of_schema_1_is_refused_but_for_what_was_kept() {
    assert_eq!(Manifest::parse(SHIPPED_1).expect_err("old").code(), "VR-MANIFEST-001");
    let kept = Manifest::parse_kept(SHIPPED_1).unwrap();
    assert_eq!(kept.regime().unwrap().candles, Manifest::parse(SHIPPED).unwrap().regime().unwrap().candles);
    let mut damaged: Value = serde_json::from_slice(SHIPPED_1).unwrap();
    damaged["circuit"]["instances"] = json!(5);
    assert_eq!(Manifest::parse_kept(damaged.to_string().as_bytes()).expect_err("damaged").code(), "VR-PROVE-005");
    for json in [&b"{}"[..], b"[]", b"{\"schema\":3}", b"\"schema\"", b"{\"schema\":1}"] {
        assert_eq!(Manifest::parse_kept(json).expect_err("nothing").code(), "VR-PROVE-005");
    }
}

#[test]
fn other_kinds_are_read_and_written_and_are_no_regime_models() {
    let manifest = Manifest::parse(hedge().to_string().as_bytes()).unwrap();
    assert_eq!((manifest.rows(), manifest.columns(), manifest.instances()), (1, 2, 3));
    let again = Manifest::parse(serde_json::to_string(&manifest).unwrap().as_bytes()).unwrap();
    assert_eq!(again, manifest);
    let error = manifest.regime().expect_err("a table");
    assert_eq!(error.code(), "VR-MANIFEST-002");
    assert!(error.to_string().ends_with("its inputs are a table, not candles"), "{error}");
    assert_eq!(manifest.ezkl().expect_err("nothing").code(), "VR-MANIFEST-004");
}

#[test]
fn a_regime_job_is_told_what_a_model_is_instead() {
    let told = |edit: &dyn Fn(&mut Value)| {
        let manifest = edited(edit).unwrap();
        let error = manifest.regime().expect_err("no regime model");
        (error.code(), error.to_string())
    };
    let trees = told(&|document| {
        document["model"] = json!({"kind": "trees", "file": "model.onnx", "trees": 1, "depth": 1});
    });
    assert_eq!(trees.0, "VR-MANIFEST-002");
    assert!(trees.1.ends_with("it is made of trees, not of layers"), "{}", trees.1);
    let renamed = told(&|document| document["outputs"][1]["name"] = json!("logit_middle"));
    assert!(renamed.1.ends_with("not logit_low, logit_high, log_volatility"), "{}", renamed.1);
    let order = told(&|document| document["outputs"].as_array_mut().unwrap().swap(0, 1));
    assert_eq!(order.0, "VR-MANIFEST-002", "the contract reads them in one order");
    assert_eq!(told(&|document| document["outputs"][2]["scale"] = json!(60)).0, "VR-MANIFEST-002");
    assert_eq!(told(&|document| drop(document.as_object_mut().unwrap().remove("regime"))).0, "VR-MANIFEST-002");
    for (key, seconds) in [("period_seconds", 3601), ("period_seconds", 7 * 3600 + 60), ("offset_seconds", 60)] {
        let grid = told(&|document| document["grid"][key] = json!(seconds));
        assert_eq!(grid.0, "VR-MANIFEST-003", "{}", grid.1);
    }
    assert_eq!(told(&|document| document["grid"]["horizon_seconds"] = json!(90)).0, "VR-MANIFEST-002");
}

#[test]
fn a_manifest_that_contradicts_itself_is_refused() {
    let edits: [fn(&mut Value); 14] = [
        |document| document["schema"] = json!(3),
        |document| document["model_id"] = json!("../m"),
        |document| document["inputs"]["markets"] = json!([]),
        |document| document["inputs"]["markets"][0]["name"] = json!("BTC\u{1b}[31m"),
        |document| document["inputs"]["kind"] = json!("tables"),
        |document| document["inputs"]["surprise"] = json!(1),
        |document| document["model"]["surprise"] = json!(1),
        |document| document["outputs"][1]["name"] = json!("logit_low"),
        |document| document["outputs"][0]["scale"] = json!(127),
        |document| document["grid"]["period_seconds"] = json!(0),
        |document| document["grid"]["offset_seconds"] = json!(14_400),
        |document| document["verification"]["ezkl"]["instances"] = json!(5),
        |document| document["verification"]["ezkl"]["files"] = json!(["pk.key"]),
        |document| document["verification"]["magic"] = json!({}),
    ];
    for (index, edit) in edits.into_iter().enumerate() {
        assert_eq!(edited(edit).expect_err(&index.to_string()).code(), "VR-PROVE-005");
    }
    let edits: [fn(&mut Value); 7] = [
        |document| document["inputs"]["columns"][0]["standard_deviation"] = json!(0.0),
        |document| document["inputs"]["columns"][0]["clip"] = json!(1e9),
        |document| document["inputs"]["columns"][1]["name"] = json!("difficulty"),
        |document| document["inputs"]["input_scale"] = json!(21),
        |document| document["model"]["depth"] = json!(0),
        |document| document["model"]["file"] = json!("forest.json"),
        |document| document["files"]["../x"] = json!("00".repeat(32)),
    ];
    for (index, edit) in edits.into_iter().enumerate() {
        let mut document = hedge();
        edit(&mut document);
        let error = Manifest::parse(document.to_string().as_bytes()).expect_err(&index.to_string());
        assert_eq!(error.code(), "VR-PROVE-005");
    }
}

#[test]
fn the_outputs_of_a_regime_model_are_named_once() {
    let names: Vec<String> = regime::outputs(74).into_iter().map(|output| output.name).collect();
    assert_eq!(names, REGIME_OUTPUTS.map(|(name, _)| name));
}
