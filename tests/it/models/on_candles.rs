//! Versions that are judged by candles, which only a build with training does.

use serde_json::{Value, json};
use veriregime_agent::sources::candles::parquet;
use veriregime_agent::sources::candles::simulated::SimulatedMarket;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::time::parse_utc_ms;

use super::{Models, tested_from};

#[test]
fn models_of_different_test_periods_are_compared_on_candles_that_neither_was_trained_on() {
    let models = Models::new(&["one"]);
    models.add("newer", tested_from("2026-01-20T00:00Z"));
    let start_ms = parse_utc_ms("2025-12-01").unwrap();
    let file = models.path("candles.parquet");
    parquet::write(&file, &SimulatedMarket::new(7).candles(start_ms..start_ms + 70 * 1440 * MINUTE_MS)).unwrap();
    let candles = ["--candles", file.to_str().unwrap()];
    let compared = models.json(&[&["compare", "one", "newer"], &candles[..]].concat());
    assert_eq!(compared["rows"]["from"], "2026-01-20T00:00Z", "{compared}");
    assert_eq!(compared["rows"]["to"], "2026-02-08T20:00Z", "{compared}");
    assert_eq!(compared["rows"]["rows"], 19 * 1440 + 20 * 60 + 1);
    // The same network on the same rows.
    assert_eq!(compared["first"]["scores"], compared["second"]["scores"]);
    assert!(
        compared["figures"].as_array().unwrap().iter().all(|figure| figure["first"] == figure["second"]),
        "{compared}"
    );
    models.json(&["promote", "one"]);
    let change = models.json(&[&["promote", "newer"], &candles[..]].concat());
    assert_eq!(change["to"], "newer");
    let early = SimulatedMarket::new(7).candles(start_ms..start_ms + 31 * 1440 * MINUTE_MS);
    parquet::write(&file, &early).unwrap();
    models.refused(&[&["compare", "one", "newer"], &candles[..]].concat(), "VR-EVAL-001");
}

#[test]
fn a_check_names_features_and_what_to_do_as_people_do() {
    let models = Models::new(&["one"]);
    let start_ms = parse_utc_ms("2026-01-05").unwrap();
    let file = models.path("candles.parquet");
    parquet::write(&file, &SimulatedMarket::new(7).candles(start_ms..start_ms + 40 * 1440 * MINUTE_MS)).unwrap();
    let output = models.agent(&["check", "one", "--candles", file.to_str().unwrap()]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("log_mean_absolute_return minutes=240 ") && said.contains("\ntrain it again: "), "{said}");
    assert!(!said.contains('{') && !said.contains("Retrain"), "{said}");
}

#[test]
fn candles_since_training_say_whether_to_train_again() {
    let models = Models::new(&["one"]);
    // The regression that the circuit has to beat, turned round.
    models.add("ahead", |manifest| {
        manifest["training"]["baselines"]["har_logistic"] = json!([0.0, -1.0, 0.0, 0.0, 0.0]);
    });
    let start_ms = parse_utc_ms("2026-01-05").unwrap();
    let days = 60;
    let file = models.path("candles.parquet");
    let check = |id: &str, from: &[&str]| {
        let arguments = ["check", id, "--candles", file.to_str().unwrap(), "--json"];
        let output = models.agent(&[&arguments, from].concat());
        let said: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        (output.status.code(), said)
    };
    // Another market than the one of the training: its volatility has less of a rhythm.
    parquet::write(&file, &SimulatedMarket::new(7).candles(start_ms..start_ms + days * 1440 * MINUTE_MS)).unwrap();
    let (status, said) = check("ahead", &[]);
    assert_eq!((status, &said["verdict"]["action"]), (Some(0), &json!("watch")), "{said}");
    let (_, later) = check("ahead", &["--from", "2026-03-01"]);
    assert!(later["rows"].as_u64() < said["rows"].as_u64(), "{later}");
    let (status, said) = check("one", &[]);
    assert_eq!((status, &said["verdict"]["action"]), (Some(3), &json!("retrain")), "{said}");
    let reason = said["verdict"]["reasons"][0].as_str().unwrap();
    assert!(reason.starts_with("a regression on four volatilities"), "{reason}");

    // Always a little below the threshold: High is promised now and then and never comes.
    let close = |minute: i64| 20_000.0 * (1.0 + 4.95e-4 * (minute % 2) as f64);
    let flat: Vec<Candle> = (0..days * 1440)
        .map(|minute| {
            let (open, close) = (close(minute - minute.min(1)), close(minute));
            let (high, low) = (open.max(close), open.min(close));
            Candle { open_time_ms: start_ms + minute * MINUTE_MS, open, high, low, close, volume: 10.0 }
        })
        .collect();
    parquet::write(&file, &flat).unwrap();
    let (status, said) = check("ahead", &[]);
    assert_eq!((status, &said["verdict"]["action"]), (Some(3), &json!("retrain")), "{said}");
    let reason = said["verdict"]["reasons"][0].as_str().unwrap();
    assert!(reason.starts_with("promised probabilities of High are off by +"), "{reason}");
}
