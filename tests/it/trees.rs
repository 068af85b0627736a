//! Models of trees, imported and asked.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use veriregime_agent::bundle::{Bundle, import};
use veriregime_agent::verification::direct::DirectProver;
use veriregime_agent::verification::ezkl::build::{CircuitConfig, Decomposition};
use veriregime_agent::verification::ezkl::prover::EzklProver;
use veriregime_agent::verification::ezkl::worker::Settings;
use veriregime_core::trees::grid::IntegerForest;
use veriregime_core::types::manifest::inputs::Inputs;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::public_inputs::instances;

use super::direct::asking::Asking;
use super::given::reference;
use super::proof::python;

fn agent() -> Command {
    Command::new(env!("CARGO_BIN_EXE_veriregime-agent"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    (1..=4).map(|number| folder.join(format!("xgb_{number}.json"))).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn the_published_miner_s_models_answer_as_xgboost_does() {
    let Some(published) = reference("seeds/aidala") else { return };
    let Some(golden) = reference("data/daily/aidala_golden.json") else { return };
    let golden: Value = serde_json::from_slice(&std::fs::read(golden).unwrap()).unwrap();
    let folder = TempDir::new().unwrap();
    let imported = import::xgboost(&files(&published), &folder.path().join("miner")).unwrap();
    let leaves: Vec<usize> = imported.outputs.iter().map(|output| output.leaves).collect();
    assert_eq!(leaves, [466, 475, 494, 531]);
    let bundle = Bundle::open(&imported.folder).unwrap();
    let forest = bundle.forest().unwrap();
    let Inputs::Table(table) = &bundle.manifest.inputs else { panic!("trees have a table") };
    let output_scale = bundle.manifest.outputs[0].scale;
    let integers = IntegerForest::new(&forest, table, output_scale).unwrap();

    let samples = ["readme_sample", "cli_sample", "cli_sample_true_units"].map(|name| &golden[name]);
    let mut cases: Vec<(Vec<f64>, Vec<f64>)> =
        samples.iter().map(|sample| (numbers(&sample["input"]), numbers(&sample["xgb_1_4"]))).collect();
    let rows = golden["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 120);
    for row in rows {
        let trained = numbers(&row["input_trained_units"]);
        let mut served = trained.clone();
        served[1] /= 1e3;
        served[4] /= 1e3;
        cases.push((trained, numbers(&row["xgb_1_4"])));
        cases.push((served, numbers(&row["xgb_1_4_if_served_scaled"])));
    }
    let mut rounded = 0;
    for (input, expected) in &cases {
        let row: Vec<f32> = input.iter().map(|number| *number as f32).collect();
        let found = forest.evaluate(&row).unwrap();
        for (found, expected) in found.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-7, "{input:?}: {found} instead of {expected}");
        }
        let on_grid = table.quantised(&row.iter().map(|number| f64::from(*number)).collect::<Vec<_>>()).unwrap();
        if !integers.crossed(&forest, &row, &on_grid).unwrap().is_empty() {
            rounded += 1;
            continue;
        }
        let grid = f64::from(output_scale).exp2();
        for (exact, expected) in integers.evaluate(&on_grid).unwrap().iter().zip(expected) {
            assert!((*exact as f64 / grid - expected).abs() < 1e-7, "{input:?}: {exact} instead of {expected}");
        }
    }
    assert_eq!(rounded, 0, "rows that rounding to the grid sends another way");
}

#[test]
fn a_miner_s_question_in_thousands_and_kilowatts_is_answered_both_ways() {
    let Some(published) = reference("seeds/aidala") else { return };
    let folder = TempDir::new().unwrap();
    let model = folder.path().join("miner");
    import::xgboost(&files(&published), &model).unwrap();
    let ask = |flags: &[&str]| {
        let output = agent()
            .args(["hedge", "predict", "--model"])
            .arg(&model)
            .args(flags)
            .env("COLUMNS", "80")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    // As their documents print it, underscores and all.
    let numbers = "--electricity_day_price 5.38 --difficulty 8.6 --hash_rate 12.2 --power 2.2 --block_reward 3.25 \
                   --cost_2_months 31.5 --cost_3_months 41.5 --cost_4_months 51.5 --cost_5_months 54.3 \
                   --cost_6_months 62.2 --btc_price 74.6";
    let mut flags: Vec<&str> = numbers.split_whitespace().collect();
    let text = ask(&flags);
    assert!(text.contains("0.07492") && text.contains("kilowatts: btc_price, power."), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    flags.push("--json");
    let answer: Value = serde_json::from_str(ask(&flags).trim()).unwrap();
    assert_eq!(answer["units"], "served");
    assert_eq!(answer["outputs"].as_array().unwrap().len(), 4);
    assert_eq!(answer["outputs_in_trained_units"].as_array().unwrap().len(), 4);
    let dashed: Vec<String> = flags
        .iter()
        .map(|flag| match *flag {
            "2.2" => "2200".into(),
            "74.6" => "74600".into(),
            flag if flag.starts_with("--") => flag.replace('_', "-"),
            number => number.into(),
        })
        .collect();
    let trained: Value =
        serde_json::from_str(ask(&dashed.iter().map(String::as_str).collect::<Vec<_>>()).trim()).unwrap();
    assert_eq!(trained["units"], "trained");
    assert_eq!(trained["outputs"], answer["outputs_in_trained_units"]);
}

/// A bundle without a circuit was refused by every command that lists models.
#[test]
fn trees_without_a_circuit_are_listed_shown_and_checked() {
    let Some(published) = reference("seeds/aidala") else { return };
    let folder = TempDir::new().unwrap();
    import::xgboost(&files(&published), &folder.path().join("miner")).unwrap();
    let models = |arguments: &[&str]| {
        let output = agent().args(["models", "--models"]).arg(folder.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let listed: Value = serde_json::from_str(&models(&["list", "--json"])).unwrap();
    assert_eq!(listed["models"][0]["id"], "miner");
    assert_eq!(listed["models"][0]["logrows"], Value::Null);
    assert!(models(&["list"]).contains("miner"));
    let shown = models(&["show", "miner"]);
    assert!(shown.contains("11 of a table") && shown.contains("btc_for_5_months"), "{shown}");
    assert!(models(&["check"]).contains("miner: 2 files in order"));
}

/// All four outputs in one proof: for every golden row in both units the circuit's outputs are the integers of
/// [`IntegerForest`], bit for bit.
#[tokio::test]
async fn one_proof_holds_all_four_outputs_and_they_are_the_integers() {
    let Some(published) = reference("seeds/aidala") else { return };
    let Some(golden) = reference("data/daily/aidala_golden.json") else { return };
    let Some(srs) = reference("srs") else { return };
    let golden: Value = serde_json::from_slice(&std::fs::read(golden).unwrap()).unwrap();
    let folder = TempDir::new().unwrap();
    import::xgboost(&files(&published), &folder.path().join("miner")).unwrap();
    let models = |arguments: &[&str]| {
        let mut command = agent();
        command.args(["models", "--json", "--models"]).arg(folder.path()).args(arguments);
        command.arg("--srs-dir").arg(&srs).arg("--python").arg(python());
        let output = command.output().unwrap();
        assert!(output.status.code() != Some(1), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let made = models(&["set-up", "miner", "--inner-columns", "2"]);
    println!("{made}");
    assert_eq!((&made["logrows"], &made["instances"]), (&Value::from(14), &Value::from(15)));
    let bundle = Bundle::open(&folder.path().join("miner")).unwrap();
    let form = CircuitConfig::of(&bundle.manifest).unwrap();
    assert_eq!(form.decomposition, Some(Decomposition { base: 128, legs: 4 }));

    let (model, table) = (bundle.table_model().unwrap(), bundle.table().unwrap());
    let mut rows = Vec::new();
    for row in golden["rows"].as_array().unwrap() {
        let trained = numbers(&row["input_trained_units"]);
        let mut served = trained.clone();
        served[1] /= 1e3;
        served[4] /= 1e3;
        rows.extend([trained, served]);
    }
    let inputs: Vec<Vec<i32>> = rows.iter().map(|row| table.quantised(row).unwrap()).collect();
    let settings = Settings { python: python(), deadline: Duration::from_mins(2), memory_limit_mb: 2048 };
    let mut prover = EzklProver::start(settings, &bundle, &srs, 31_337).await.unwrap();
    let witnessed = prover.witness(&inputs).await.unwrap();
    assert_eq!(witnessed.len(), 240);
    for (row, found) in inputs.iter().zip(&witnessed) {
        assert_eq!(*found, instances(row, &model.evaluate(row).unwrap()));
    }
    prover.stop().await;

    let sample = "5.38,74600,8.6,12.2,2200,3.25,301.5,401.5,501.5,504.3,602.2";
    let proof = folder.path().join("proof.json");
    let proven = models(&["prove", "miner", "--row", sample, "--output", proof.to_str().unwrap()]);
    println!("{} ms, {} bytes of memory", proven["prove_ms"], proven["peak_memory_bytes"]);
    for (number, expected) in
        proven["numbers"].as_array().unwrap().iter().zip(numbers(&golden["cli_sample_true_units"]["xgb_1_4"]))
    {
        assert!((number["value"].as_f64().unwrap() - expected).abs() < 1e-6, "{number} instead of {expected}");
    }
    let verify = |path: &Path| models(&["verify", "miner", "--proof", path.to_str().unwrap()]);
    assert_eq!(verify(&proof)["valid"], true);
    let mut document: Value = serde_json::from_slice(&std::fs::read(&proof).unwrap()).unwrap();
    document["outputs"][3] = "1".into();
    let other = folder.path().join("other.json");
    std::fs::write(&other, document.to_string()).unwrap();
    assert_eq!(verify(&other)["reason"], "its public inputs are not its inputs and outputs");
}

/// From the published files to a contract on a chain that computes all four outputs, and no other.
#[tokio::test(flavor = "multi_thread")]
async fn a_contract_that_models_set_up_makes_computes_the_published_miner() {
    let Some(published) = reference("seeds/aidala") else { return };
    let Some(golden) = reference("data/daily/aidala_golden.json") else { return };
    let golden: Value = serde_json::from_slice(&std::fs::read(golden).unwrap()).unwrap();
    let folder = TempDir::new().unwrap();
    import::xgboost(&files(&published), &folder.path().join("miner")).unwrap();
    let models = |arguments: &[&str]| {
        let mut command = agent();
        command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["models", "--json", "--models"]).arg(folder.path());
        let output = command.args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let before = std::fs::read_to_string(folder.path().join("miner/manifest.json")).unwrap();
    let made = models(&["set-up", "miner", "--way", "direct"]);
    assert_eq!((&made["way"], &made["instances"], &made["proof_bytes"]), (&"direct".into(), &15.into(), &0.into()));
    assert!(made["verify_gas"].as_u64().is_some_and(|gas| gas > 21_000), "{made}");
    assert_eq!(models(&["check", "miner"])["whole"][0]["id"], "miner");

    // What the trees and their table are was not written anew.
    let after = std::fs::read_to_string(folder.path().join("miner/manifest.json")).unwrap();
    let part = |text: &str| text.split_once("\"verification\"").unwrap().0.to_owned();
    assert_eq!(part(&before), part(&after));

    let bundle = Bundle::open(&folder.path().join("miner")).unwrap();
    let prover = DirectProver::new(&bundle).unwrap();
    let (model, table) = (bundle.table_model().unwrap(), bundle.table().unwrap());
    let (mut honest, mut altered) = (Vec::new(), Vec::new());
    for row in golden["rows"].as_array().unwrap() {
        let inputs = table.quantised(&numbers(&row["input_trained_units"])).unwrap();
        let outputs = model.evaluate(&inputs).unwrap();
        let proved = prover.prove(&inputs, &outputs).unwrap();
        assert!(proved.proof.bytes.is_empty() && prover.verify(&proved.proof));
        for output in 0..outputs.len() {
            let mut other = outputs.clone();
            other[output] += 1;
            assert!(prover.prove(&inputs, &other).is_err());
            altered.push(instances(&inputs, &other));
        }
        honest.push(proved.proof.instances);
    }
    let chain = Asking::new().await;
    let code = std::fs::read_to_string(bundle.path(bundle.manifest.offer(Way::Direct).unwrap().bytecode_file)).unwrap();
    let contract = chain.put(code.trim().parse().unwrap()).await;
    assert!(chain.ask(contract, &honest).await.iter().all(|answer| answer.is_accepted));
    assert!(!chain.ask(contract, &altered).await.iter().any(|answer| answer.is_accepted));
}

#[test]
fn what_is_no_model_of_xgboost_is_refused_by_its_file() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("other.json");
    std::fs::write(&file, b"{\"version\":[1,7,0]}").unwrap();
    let output =
        agent().args(["models", "import-xgboost"]).arg(&file).arg("--to").arg(folder.path().join("to")).output();
    let output = output.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("VR-TREES-001") && said.contains("other.json"), "{said}");
    assert!(!folder.path().join("to").exists());
}
