//! What is refused before anything is sent.

use ::veriregime_files;
use alloy::primitives::Address;
use serde_json::{Value, json};
use veriregime_agent::deployment::code::CREATE2_DEPLOYER;

use super::{Bare, DAY_SECONDS, STEPS};

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_without_the_deployer_or_with_foreign_code_is_refused() {
    let bare = Bare::new().await;
    let code = bare.anvil.request("eth_getCode", json!([CREATE2_DEPLOYER, "latest"])).await.unwrap();
    bare.anvil.request("anvil_setCode", json!([CREATE2_DEPLOYER, "0x"])).await.unwrap();
    bare.refused(&[], "VR-DEPLOY-001");
    bare.anvil.request("anvil_setCode", json!([CREATE2_DEPLOYER, code])).await.unwrap();
    assert_eq!(bare.deploy(&[]).0, 0);
    let contracts = bare.record()["contracts"].clone();
    for name in ["RiskOracle", "ModelRegistry", "Halo2Verifier"] {
        let address = &contracts[name]["address"];
        let code = bare.anvil.request("eth_getCode", json!([address, "latest"])).await.unwrap();
        let code = code.as_str().unwrap();
        // One bit of the last byte.
        let (head, last) = code.split_at(code.len() - 1);
        let wrong = format!("{head}{:x}", u8::from_str_radix(last, 16).unwrap() ^ 1);
        bare.anvil.request("anvil_setCode", json!([address, wrong])).await.unwrap();
        bare.refused(&[], "VR-DEPLOY-002");
        bare.anvil.request("anvil_setCode", json!([address, code])).await.unwrap();
    }
    assert_eq!(bare.deploy(&[]).0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_oracle_is_not_made_by_accident() {
    let bare = Bare::new().await;
    assert_eq!(bare.deploy(&[]).0, 0);
    bare.refused(&["--guardian", &Address::repeat_byte(7).to_string()], "VR-DEPLOY-004");
    std::fs::write(bare.record_file(), "{}").unwrap();
    bare.refused(&[], "VR-DEPLOY-005");
    assert_eq!(bare.nonce().await, STEPS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mis_cased_address_is_no_argument() {
    const MIS_CASED: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed";
    let bare = Bare::new().await;
    let commands = [
        &["deploy", "--owner"][..],
        &["deploy", "--guardian"],
        &["deploy", "--attestor"],
        &["deploy", "--sequencer-feed"],
        &["admin", "set-guardian"],
        &["admin", "hand-over"],
        &["admin", "set-attestors", "--threshold", "1"],
    ];
    for command in commands {
        let output = bare.program(&[command, &[MIS_CASED]].concat()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains("EIP-55"), "{command:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_that_cannot_be_right_are_refused_before_anything_is_sent() {
    let bare = Bare::new().await;
    let policy = bare.scratch.path().join("policy.toml");
    veriregime_files::write_atomic(&policy, b"[knot.1]\n").unwrap();
    bare.refused(&["--policy", policy.to_str().unwrap()], "VR-DEPLOY-008");
    let real = bare.command(&["--timelock", "86399"]).env("VERIREGIME__CHAIN__CHAIN_ID", "1").output().unwrap();
    assert!(String::from_utf8_lossy(&real.stderr).contains("error VR-DEPLOY-003: "));
    assert_eq!(bare.nonce().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_the_contract_must_refuse_passes_no_dry_run_and_is_never_announced() {
    let bare = Bare::new().await;
    let cases = [
        ("borrow_collateral_ratio_bps = 18_000", "borrow_collateral_ratio_bps = 12_900", "borrowCollateralRatioBps"),
        (
            "liquidation_collateral_ratio_bps = 13_000\namm_fee_pips = 3_000",
            "liquidation_collateral_ratio_bps = 12_900\namm_fee_pips = 3_000",
            "liquidationCollateralRatioBps",
        ),
        ("amm_fee_pips = 3_000", "amm_fee_pips = 20_001", "ammFeePips"),
    ];
    // With nothing on the chain yet, and as a change that waits for the timelock.
    for nonce in [0, STEPS - 1] {
        for (index, (from, to, field)) in cases.iter().enumerate() {
            let policy = bare.policy(&format!("policy-{index}.toml"), from, to);
            for arguments in [&["--policy", &policy, "--dry-run"][..], &["--policy", &policy]] {
                let said = bare.refused(arguments, "VR-DEPLOY-009");
                assert!(said.contains("set the policy of BTC-USD") && said.contains(field), "{said}");
                assert_eq!(bare.nonce().await, nonce, "{field}");
            }
        }
        bare.refused(&["--overlap-periods", "43", "--dry-run"], "VR-DEPLOY-009");
        if nonce == 0 {
            assert!(!bare.record_file().exists());
            assert_eq!(bare.deploy(&["--timelock", "86400"]).0, 3);
            // The proposed overlap stands.
            bare.pass(DAY_SECONDS * 20).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_deployment_that_fails_locks_no_arguments() {
    let bare = Bare::new().await;
    let guardian = Address::repeat_byte(7).to_string();
    bare.anvil.request("anvil_setBalance", json!([bare.wallet.address(), "0x1"])).await.unwrap();
    let said = bare.refused(&["--guardian", &guardian], "VR-CHAIN-006");
    assert!(said.contains("then run this again") && !said.contains("period"), "{said}");
    assert!(!bare.record_file().exists());
    bare.anvil.request("anvil_setBalance", json!([bare.wallet.address(), "0x3635c9adc5dea00000"])).await.unwrap();
    assert_eq!(bare.deploy(&[]).0, 0);
    bare.refused(&["--guardian", &guardian], "VR-DEPLOY-004");

    // A record of an oracle that never came to be: it was killed before. Without arguments it goes on, with others it begins anew.
    let mut record = bare.record();
    record["contracts"]["RiskOracle"]["code_hash"] = Value::Null;
    let other = Bare::new().await;
    std::fs::write(other.record_file(), record.to_string()).unwrap();
    let oracle = |said: &Value| said["oracle"].as_str().unwrap().to_lowercase();
    let recorded = record["contracts"]["RiskOracle"]["address"].as_str().unwrap().to_lowercase();
    assert_eq!(oracle(&other.deploy(&["--dry-run"]).1), recorded);
    let (code, said) = other.deploy(&["--guardian", &guardian]);
    assert_eq!(code, 0);
    assert_ne!(oracle(&said), recorded);
    assert_eq!(other.record()["constructor"]["guardian"], guardian.to_lowercase());
    // Now there is one.
    other.refused(&["--timelock", "86400"], "VR-DEPLOY-004");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_cost_is_told_and_the_funds_for_all_of_it_checked_before_anything_is_sent() {
    let bare = Bare::new().await;
    let cost = bare.deploy(&["--dry-run"]).1["cost"].clone();
    assert_eq!((&cost["transactions"], &cost["coin"]), (&json!(STEPS), &json!("ETH")));
    let needed_wei: u128 = cost["needed_wei"].as_str().unwrap().parse().unwrap();
    let hold = async |wei: u128| {
        bare.anvil.request("anvil_setBalance", json!([bare.wallet.address(), format!("{wei:#x}")])).await.unwrap();
    };
    // Enough for most steps. A proof costs a little more or less gas each time.
    hold(needed_wei / 100 * 99).await;
    bare.refused(&[], "VR-CHAIN-006");
    assert_eq!(bare.nonce().await, 0);
    hold(needed_wei / 100 * 101).await;
    let (code, said) = bare.deploy(&[]);
    assert_eq!(code, 0, "{said}");
    let used: u64 = said["sent"].as_array().unwrap().iter().map(|one| one["gas_used"].as_u64().unwrap()).sum();
    let foretold = cost["gas"].as_u64().unwrap();
    assert!(foretold.abs_diff(used) * 100 <= used, "{foretold} foretold, {used} used");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_attestor_for_an_oracle_that_is_there_leads_to_admin_and_not_to_a_second_oracle() {
    let bare = Bare::new().await;
    assert_eq!(bare.deploy(&[]).0, 0);
    let said = bare.refused(&["--attestor", &Address::repeat_byte(7).to_string()], "VR-DEPLOY-004");
    assert!(said.contains("with --attestor there would") && said.contains("admin set-attestors"), "{said}");
    assert!(!said.contains("move"), "{said}");
}
