//! A build without the features `training` and `halo2` says how to get them, and does all the rest.

use std::process::Command;

fn refused(arguments: &[&str]) {
    refused_by("VR-TRAIN-012", "build with it: `make build`", arguments);
}

fn refused_by(code: &str, next: &str, arguments: &[&str]) {
    let agent = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("VERIREGIME_CONFIG")
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8(agent.stderr).unwrap();
    assert_eq!(agent.status.code(), Some(1), "{arguments:?}: {said}");
    assert!(said.contains(&format!("error {code}: ")) && said.contains(&format!("next: {next}")), "{said}");
}

#[test]
fn what_needs_training_is_refused_with_the_way_to_build_it() {
    let bundle = "models/btc-regime-4h-v1";
    refused(&["train", "--candles", "any.parquet"]);
    refused(&["evaluate", "--model", bundle, "--candles", "any.parquet"]);
    refused(&["hedge", "train", "--data", "any", "--out", "models/never"]);
    refused(&["hedge", "evaluate", "--data", "any", "--from", "2024-05-01"]);
    refused(&["hedge", "backtest", "--data", "any"]);
    refused(&["yield", "train", "--data", "any", "--out", "models/never"]);
    refused(&["yield", "evaluate", "--data", "any", "--from", "2025-08-01"]);
    refused(&["bench", "--training"]);
    refused(&["bench", "--jobs", "1", "--plot", "never.svg"]);
    refused(&["models", "check", "btc-regime-4h-v1", "--candles", "any.parquet"]);
    refused(&["models", "compare", "btc-regime-4h-v1", "btc-regime-4h-v1", "--candles", "any.parquet"]);
}

#[cfg(not(feature = "halo2"))]
#[test]
fn what_needs_halo2_is_refused_with_the_way_to_build_it() {
    let set_up = ["models", "set-up", "btc-regime-4h-v1", "--way", "halo2"];
    refused_by("VR-PROVE-023", "build it with `cargo build --release --features halo2`", &set_up);
}
