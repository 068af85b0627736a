//! The electricity model: trained, walked forward, judged and proven on real prices.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use veriregime_agent::bundle::Bundle;

use super::given::reference;
use super::proof::python;

const SHIPPED: &str = "models/eu-electricity-v1";
/// Skill over persistence that the walk forward must reach, for 2, 3, 4 and 5 months.
const LEAST_SKILL: [f64; 4] = [0.13, 0.13, 0.12, 0.09];

fn hedge(arguments: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
    let output = command.args(["hedge", "--json"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(said.lines().last().unwrap()).unwrap()
}

fn skills(report: &Value) -> Vec<f64> {
    report["horizons"].as_array().unwrap().iter().map(|score| score["skill"].as_f64().unwrap()).collect()
}

#[test]
fn fitted_anew_each_quarter_it_beats_persistence_in_every_horizon() {
    let Some(data) = reference("data/daily") else { return };
    let report = hedge(&["evaluate", "--data", data.to_str().unwrap(), "--from", "2019-01-01", "--walk-forward"]);
    for (skill, least) in skills(&report).iter().zip(LEAST_SKILL) {
        assert!(*skill >= least, "{skill} is below {least}");
    }
    let months: Vec<u64> =
        report["horizons"].as_array().unwrap().iter().map(|score| score["months"].as_u64().unwrap()).collect();
    assert_eq!(months, [2, 3, 4, 5]);
    let cells: Vec<u64> = report["cells"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).collect();
    assert!(cells[0] >= 20 && cells[1] == 23, "{cells:?}");
    let rivals = report["rivals"].as_array().unwrap();
    assert_eq!(rivals[0]["horizons"][0]["skill"].as_f64(), Some(0.0), "persistence has none over itself");
    let score = &report["horizons"][0];
    assert_eq!(score["nominal"].as_f64(), Some(0.8));
    assert!((0.3..1.0).contains(&score["coverage"].as_f64().unwrap()), "{score}");
}

/// What ships is what its data give: the card's figures and every weight, but for the circuit.
#[test]
fn the_shipped_model_is_the_one_that_is_trained() {
    let Some(data) = reference("data/daily") else { return };
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("eu-electricity-v1");
    hedge(&["train", "--data", data.to_str().unwrap(), "--out", out.to_str().unwrap(), "--no-circuit"]);
    let [trained, shipped] = [out.as_path(), Path::new(SHIPPED)].map(|folder| Bundle::open(folder).unwrap());
    assert_eq!(trained.manifest.inputs, shipped.manifest.inputs);
    assert_eq!(trained.manifest.model, shipped.manifest.model);
    assert_eq!(trained.manifest.training, shipped.manifest.training);
    for name in ["model.onnx", "MODEL_CARD.md"] {
        assert_eq!(std::fs::read(trained.path(name)).unwrap(), std::fs::read(shipped.path(name)).unwrap(), "{name}");
    }
    let report = hedge(&["evaluate", "--model", SHIPPED, "--data", data.to_str().unwrap(), "--from", "2023-01-01"]);
    assert!(skills(&report).iter().all(|skill| *skill > 0.0), "{report}");
}

#[test]
fn all_horizons_and_widths_are_in_one_short_proof() {
    let Some(srs) = reference("srs") else { return };
    let models = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
        command.args(["models", "--json"]).args(arguments).arg("--srs-dir").arg(&srs).arg("--python").arg(python());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let folder = TempDir::new().unwrap();
    let proof = folder.path().join("proof.json");
    let row = "-0.1,0.2,0.3,-0.4,0.5,0.1,-1.2,0.3,0.1,0.7,-0.7,1,0";
    let proven = models(&["prove", "eu-electricity-v1", "--row", row, "--output", proof.to_str().unwrap()]);
    println!("{} ms", proven["prove_ms"]);
    assert_eq!(proven["numbers"].as_array().unwrap().len(), 8);
    assert_eq!(models(&["verify", "eu-electricity-v1", "--proof", proof.to_str().unwrap()])["valid"], true);
}

#[test]
fn a_country_s_bill_is_forecast_in_bitcoin() {
    let Some(data) = reference("data/daily") else { return };
    let data = data.to_str().unwrap();
    let asked = ["forecast", "--data", data, "--country", "AUT", "--at", "2024-03-31", "--watts", "3050"];
    let said = hedge(&asked);
    assert_eq!((&said["day"], &said["country"]), (&"2024-03-31".into(), &"AUT".into()));
    let number = |value: &Value| value.as_f64().unwrap();
    let horizons = said["horizons"].as_array().unwrap();
    assert_eq!(horizons.len(), 4);
    for one in horizons {
        let [low, price, high] = ["eur_mwh_low", "eur_mwh", "eur_mwh_high"].map(|name| number(&one[name]));
        assert!(low < price && price < high, "{one}");
        let days = 30.0 * number(&one["months"]);
        let dollars = price * number(&said["usd_per_eur"]) * 24.0 * 3050.0 / 1e6 * days;
        assert!((number(&one["btc"]) - dollars / number(&said["btc_usd"])).abs() < 1e-12, "{one}");
    }
    let refused = |country: &str, at: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
        command.args(["hedge", "forecast", "--data", data, "--country", country, "--at", at]);
        String::from_utf8(command.output().unwrap().stderr).unwrap()
    };
    for (country, at) in [("ATL", "2024-03-31"), ("AUT", "2030-01-01"), ("MKD", "2023-01-01"), ("MKD", "2023-05-20")] {
        let said = refused(country, at);
        assert!(said.contains("VR-TABLE-010"), "{country} {at}: {said}");
    }
}

#[test]
fn treasuries_live_through_five_years_under_each_rule() {
    let Some(data) = reference("data/daily") else { return };
    let folder = TempDir::new().unwrap();
    let miners = folder.path().join("miners.csv");
    std::fs::write(&miners, "model,hashrate_ths,power_w,evidence\nS19j,100,3050,seen\nS21,200,3500,seen\n").unwrap();
    let asked =
        ["backtest", "--data", data.to_str().unwrap(), "--miners", miners.to_str().unwrap(), "--country", "SWE"];
    let said = hedge(&asked);
    let treasuries = said["treasuries"].as_array().unwrap();
    assert_eq!(treasuries.len(), 2);
    for treasury in treasuries {
        let rules = treasury["rules"].as_array().unwrap();
        assert_eq!(rules.len(), 5);
        for rule in rules {
            assert_eq!(rule["months"].as_u64(), Some(60), "{rule}");
            assert!(rule["btc_left"].as_f64().unwrap() > 0.0, "{rule}");
        }
        let idle = |index: usize| rules[index]["idle_usd"].as_f64().unwrap();
        assert!(idle(0) > idle(3) && idle(3) > idle(1), "who sells all has most dollars, who pays as due none");
    }
    let share = said["sold_better"]["2"].as_f64().unwrap();
    assert!((0.2..0.8).contains(&share), "{share}");
    std::fs::write(&miners, "model,hashrate_ths,power_w\nS19j,100,0\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
    let output = command.arg("hedge").args(asked).output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("VR-TABLE-001"));
}
