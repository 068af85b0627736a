//! A build without the feature `training` says how to get it, and does all the rest.

use std::process::Command;

fn refused(arguments: &[&str]) {
    let agent = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("VERIREGIME_CONFIG")
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8(agent.stderr).unwrap();
    assert_eq!(agent.status.code(), Some(1), "{arguments:?}: {said}");
    assert!(said.contains("error VR-TRAIN-012: ") && said.contains("next: build with it: `make build`"), "{said}");
}

#[test]
fn what_needs_training_is_refused_with_the_way_to_build_it() {
    let bundle = "models/btc-regime-4h-v1";
    refused(&["train", "--candles", "any.parquet"]);
    refused(&["evaluate", "--model", bundle, "--candles", "any.parquet"]);
    refused(&["hedge", "train", "--data", "any", "--out", "models/never"]);
    refused(&["hedge", "evaluate", "--data", "any", "--from", "2024-05-01"]);
    refused(&["hedge", "backtest", "--data", "any"]);
    refused(&["bench", "--training"]);
    refused(&["bench", "--jobs", "1", "--plot", "never.svg"]);
    refused(&["models", "check", "btc-regime-4h-v1", "--candles", "any.parquet"]);
    refused(&["models", "compare", "btc-regime-4h-v1", "btc-regime-4h-v1", "--candles", "any.parquet"]);
}
