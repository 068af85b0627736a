//! What is refused before anything is sent.

use ::veriregime_files;
use alloy::primitives::{Address, keccak256};
use serde_json::{Value, json};
use veriregime_agent::deployment::code::CREATE2_DEPLOYER;

use super::{Bare, DAY_SECONDS, STEPS, refused, said};
use crate::given;
use crate::proxy::{Proxy, RpcFaultMode};

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
        &["deploy", "--market-owner"],
        &["admin", "set-market-owner", "BTC-USD"],
        &["admin", "set-sequencer-feed"],
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
    let mut real = bare.command(&["--timelock", "86399", "--i-know-one-key-rules-all"]);
    real.env("VERIREGIME__CHAIN__CHAIN_ID", "1");
    refused(real, "VR-DEPLOY-003");
    assert_eq!(bare.nonce().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_real_chain_every_role_is_named_or_one_key_is_warned_of() {
    let Some(_srs) = given::reference("srs") else { return };
    let bare = Bare::new().await;
    let proxy = Proxy::start(&bare.anvil.rpc_url, RpcFaultMode::Chain(1)).await;
    bare.settle(&proxy.url, None);
    let on_mainnet = |arguments: &[&str]| {
        let mut command = bare.command(&[&["--dry-run"], arguments].concat());
        command.env("VERIREGIME__CHAIN__CHAIN_ID", "1");
        command
    };
    let account = |byte: u8| Address::repeat_byte(byte).to_string();
    let named = [
        ["--owner".to_owned(), account(1)],
        ["--market-owner".to_owned(), account(2)],
        ["--guardian".to_owned(), account(3)],
        ["--attestor".to_owned(), account(4)],
    ];
    for absent in 0..named.len() {
        let rest = named.iter().enumerate().filter(|(index, _)| *index != absent).flat_map(|(_, one)| one);
        let refusal = refused(on_mainnet(&rest.map(String::as_str).collect::<Vec<_>>()), "VR-DEPLOY-011");
        assert!(refusal.contains(&format!("{} absent", named[absent][0])), "{refusal}");
    }
    let all: Vec<&str> = named.iter().flatten().map(String::as_str).collect();
    let (code, plan) = said(on_mainnet(&all));
    assert_eq!((code, &plan["warning"]), (3, &Value::Null), "{plan}");
    let (code, plan) = said(on_mainnet(&["--i-know-one-key-rules-all"]));
    let warning = plan["warning"].as_str().unwrap();
    assert!(code == 3 && warning.contains(&bare.wallet.address().to_string()), "{warning}");
    let text = on_mainnet(&["--i-know-one-key-rules-all"]);
    let arguments: Vec<_> = text.get_args().filter(|one| *one != "--json").map(ToOwned::to_owned).collect();
    let output = std::process::Command::new(text.get_program())
        .args(arguments)
        .env("VERIREGIME__CHAIN__CHAIN_ID", "1")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.contains(warning), "{printed}");
    assert_eq!(bare.nonce().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_recorded_and_doctor_finds_who_has_another_one() {
    let bare = Bare::new().await;
    let owner = Address::repeat_byte(5).to_string();
    let (code, deployed) = bare.deploy(&["--market-owner", &owner]);
    assert_eq!(code, 3, "the policy is the market owner's to set");
    bare.settle(&bare.anvil.rpc_url, Some(&deployed["oracle"]));
    let record = bare.record();
    let market = keccak256("BTC-USD").to_string();
    assert_eq!(record["roles"]["market_owners"][&market], owner.to_lowercase(), "{record}");
    let folder = bare.scratch.path().to_str().unwrap().to_owned();
    let roles = |folder: &str| {
        let (_, said) = said(bare.program(&["doctor", "--record", folder]));
        said["checks"].as_array().unwrap().iter().find(|check| check["name"] == "roles").cloned()
    };
    assert_eq!(roles(&folder).unwrap()["level"], "ok");
    assert_eq!(roles("/nowhere"), None, "nothing is claimed without a record");

    let guardian = Address::repeat_byte(6).to_string();
    let (code, _) = said(bare.program(&["admin", "set-guardian", &guardian]));
    assert_eq!(code, 0, "without a timelock it is announced and done");
    let check = roles(&folder).unwrap();
    assert_eq!((&check["level"], &check["code"]), (&json!("fail"), &json!("VR-DOCTOR-005")), "{check}");
    let figure = check["figure"].as_str().unwrap();
    assert!(figure.contains("the oracle's guardian is 0x0606") && !figure.contains("registry"), "{figure}");
    assert_eq!(bare.deploy(&[]).0, 3);
    assert_eq!(roles(&folder).unwrap()["level"], "ok", "deploy has recorded it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_the_contract_must_refuse_passes_no_dry_run_and_is_never_announced() {
    let bare = Bare::new().await;
    let cases = [
        ("borrow_collateral_ratio_bps = 18_000", "borrow_collateral_ratio_bps = 12_900", "borrowCollateralRatioBps"),
        (
            "liquidation_collateral_ratio_bps = 13_000\namm_fee_pips = 15_000",
            "liquidation_collateral_ratio_bps = 12_900\namm_fee_pips = 15_000",
            "liquidationCollateralRatioBps",
        ),
        ("amm_fee_pips = 15_000", "amm_fee_pips = 20_001", "ammFeePips"),
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
