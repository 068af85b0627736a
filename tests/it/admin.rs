//! `admin`: rights of a contract's owner and guardian, used or handed to whoever has them.

use alloy::primitives::{Address, B256, keccak256};
use alloy::sol_types::SolCall;
use serde_json::{Value, json};
use veriregime_agent::actions::risk_oracle::abi::oracle::RiskOracle;

use crate::deploy::{Bare, missing, refused, said};

const DAY_SECONDS: u64 = 86_400;

/// A contract with a timelock of a day, whose model is only proposed.
async fn deployed(arguments: &[&str]) -> (Bare, Value) {
    let bare = Bare::new().await;
    let (code, deployed) = bare.deploy(&[&["--timelock", "86400"], arguments].concat());
    assert_eq!(code, 3);
    bare.settle(&bare.anvil.rpc_url, Some(&deployed["oracle"]));
    (bare, deployed)
}

impl Bare {
    fn admin(&self, arguments: &[&str]) -> (i32, Value) {
        said(self.program(&[&["admin"], arguments].concat()))
    }

    fn shown(&self) -> Value {
        self.admin(&["show"]).1
    }
}

fn attestor(index: u8) -> String {
    Address::repeat_byte(index).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn attestors_are_replaced_by_the_same_command_before_and_after_the_timelock() {
    let (bare, _) = deployed(&[]).await;
    let (one, two) = (attestor(9), attestor(8));
    let command = ["set-attestors", one.as_str(), two.as_str(), "--threshold", "2"];
    let (code, announced) = bare.admin(&command);
    assert_eq!((code, missing(&announced)), (3, vec![("set 2 attestors, 2 of whom must sign", "timelock")]));
    assert_eq!(announced["sent"].as_array().unwrap().len(), 1);
    let shown = bare.shown();
    assert_eq!(shown["announced"][1]["what"], "setAttestors");
    assert_eq!(shown["announced"][1]["ready_at"], announced["missing"][0]["ready_at"]);
    // Too early: nothing is sent, and nothing is announced twice.
    let nonce = bare.nonce().await;
    let (code, waiting) = bare.admin(&command);
    assert_eq!((code, waiting["sent"].as_array().unwrap().len(), bare.nonce().await), (3, 0, nonce));
    bare.pass(DAY_SECONDS).await;
    let (code, done) = bare.admin(&command);
    assert_eq!((code, missing(&done).len()), (0, 0));
    assert_eq!(
        (&bare.shown()["roles"]["threshold"], &bare.shown()["roles"]["attestor_set_version"]),
        (&2.into(), &2.into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_account_must_send_is_printed_with_address_and_calldata() {
    let guardian = attestor(7);
    let (bare, deployed) = deployed(&["--guardian", &guardian]).await;
    assert_eq!(bare.admin(&["set-guardian", &attestor(6)]).0, 3);
    let shown = bare.shown();
    let announced = shown["announced"].as_array().unwrap().iter().find(|one| one["what"] == "setGuardian").unwrap();
    let operation: B256 = announced["id"].as_str().unwrap().parse().unwrap();
    let nonce = bare.nonce().await;
    let wanted = RiskOracle::vetoCall { operation }.abi_encode();
    for arguments in [&["veto", &operation.to_string()][..], &["veto", &operation.to_string(), "--dry-run"]] {
        let (code, said) = bare.admin(arguments);
        let step = &said["missing"][0];
        assert_eq!((code, &step["blocked"], &step["to"]), (3, &json!("sender"), &deployed["oracle"]));
        assert_eq!(
            (&step["sender"], &step["data"]),
            (&json!(guardian.to_lowercase()), &json!(alloy::hex::encode_prefixed(&wanted)))
        );
    }
    assert_eq!(bare.nonce().await, nonce);
    // It needs no key.
    std::fs::remove_file(bare.scratch.path().join("key")).unwrap();
    assert_eq!(bare.admin(&["set-guardian", &attestor(6), "--dry-run"]).0, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_contract_must_refuse_is_not_even_announced() {
    let (bare, _) = deployed(&[]).await;
    let nonce = bare.nonce().await;
    let one = attestor(9);
    let cases: [&[&str]; 4] = [
        &["set-attestors", &one, &one, "--threshold", "1"],
        &["set-attestors", &one, "--threshold", "2"],
        &["pause", "ETH-USD", "--hours", "1"],
        &["veto", &B256::repeat_byte(1).to_string()],
    ];
    for arguments in cases {
        let said = refused(bare.program(&[&["admin"], arguments].concat()), "VR-DEPLOY-009");
        assert!(said.contains("nothing of this was sent"), "{said}");
    }
    assert_eq!(bare.nonce().await, nonce);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guardian_pauses_a_market_and_vetoes_what_is_announced() {
    let (bare, _) = deployed(&[]).await;
    assert_eq!(bare.admin(&["pause", "BTC-USD", "--hours", "168"]).0, 0);
    bare.pass(DAY_SECONDS).await;
    let said = refused(bare.program(&["admin", "pause", "BTC-USD", "--hours", "168"]), "VR-DEPLOY-009");
    assert!(said.contains("PauseTooLong"), "{said}");
    let market = keccak256("BTC-USD").to_string();
    assert_eq!(bare.admin(&["pause", &market, "--hours", "0"]).0, 0, "a pause by mistake is lifted");

    assert_eq!(bare.admin(&["set-guardian", &attestor(6)]).0, 3);
    let shown = bare.shown();
    let ids: Vec<&str> = shown["announced"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!((shown["announced"][0]["what"].as_str(), ids.len()), (Some("a model"), 2));
    assert_eq!(bare.admin(&["veto-model", ids[0]]).0, 0);
    assert_eq!(bare.admin(&["cancel", ids[1]]).0, 0);
    assert_eq!(bare.shown()["announced"], json!([]));
    bare.pass(DAY_SECONDS).await;
    let (code, again) = bare.admin(&["set-guardian", &attestor(6)]);
    assert_eq!((code, again["sent"][0]["name"].as_str().unwrap().starts_with("announce: ")), (3, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_market_owner_and_a_retired_feed_are_replaced_through_the_timelock() {
    let (bare, deployed) = deployed(&[]).await;
    let (owner, feed) = (attestor(4), attestor(3));
    let commands: [&[&str]; 2] = [&["set-market-owner", "BTC-USD", &owner], &["set-sequencer-feed", &feed]];
    for command in commands {
        let (code, announced) = bare.admin(command);
        assert_eq!((code, missing(&announced)[0].1), (3, "timelock"), "{announced}");
    }
    bare.pass(DAY_SECONDS).await;
    for command in commands {
        assert_eq!(bare.admin(command).0, 0);
    }
    let oracle = deployed["oracle"].as_str().unwrap().parse().unwrap();
    let holders = bare.wallet.read.role_holders(oracle, [keccak256("BTC-USD")], &[]).await.unwrap();
    assert_eq!(holders.market_owners.into_values().collect::<Vec<_>>(), [Address::repeat_byte(4)]);
    assert_eq!(holders.sequencer_feed, Address::repeat_byte(3));
    // A market that is not there cannot get an owner, and nothing is announced.
    let nonce = bare.nonce().await;
    let said = refused(bare.program(&["admin", "set-market-owner", "ETH-USD", &owner]), "VR-DEPLOY-009");
    assert!(said.contains("UnknownMarket") && said.contains("check the market's name"), "{said}");
    assert_eq!(bare.nonce().await, nonce);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposed_model_is_withdrawn_and_proposed_again() {
    let (bare, deployed) = deployed(&[]).await;
    let model_id = deployed["model_id"].as_str().unwrap();
    let said = refused(bare.program(&["admin", "propose-model"]), "VR-DEPLOY-009");
    assert!(said.contains("ModelAlreadyRegistered"), "{said}");
    assert_eq!(bare.admin(&["withdraw-model", model_id]).0, 0);
    assert_eq!(bare.shown()["announced"], json!([]));
    // A stranger cannot activate what was withdrawn: `deploy` would propose it anew.
    bare.pass(DAY_SECONDS).await;
    let steps = bare.deploy(&["--dry-run"]).1;
    assert_eq!(missing(&steps)[0].0, "propose the model");
    let (code, proposed) = bare.admin(&["propose-model", "--overlap-periods", "3"]);
    assert_eq!((code, proposed["sent"].as_array().unwrap().len()), (0, 1), "{proposed}");
    assert_eq!(bare.shown()["announced"][0]["id"], *model_id);
    bare.pass(DAY_SECONDS).await;
    assert_eq!(bare.deploy(&[]).0, 0, "ripe, and activated");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_owner_is_named_asks_and_is_made_one() {
    let (bare, _) = deployed(&[]).await;
    let new_owner = attestor(5);
    let (code, announced) = bare.admin(&["hand-over", &new_owner]);
    let steps: Vec<_> =
        announced["missing"].as_array().unwrap().iter().map(|step| step["sender"].as_str().unwrap()).collect();
    let owner = bare.wallet.address().to_string().to_lowercase();
    assert_eq!((code, steps), (3, vec![new_owner.to_lowercase().as_str(), owner.as_str()]));
    bare.pass(DAY_SECONDS).await;
    let ask = &bare.admin(&["hand-over", &new_owner]).1["missing"][0];
    bare.anvil.request("anvil_impersonateAccount", json!([new_owner])).await.unwrap();
    bare.anvil.request("anvil_setBalance", json!([new_owner, "0xde0b6b3a7640000"])).await.unwrap();
    let asked = json!([{"from": new_owner, "to": ask["to"], "data": ask["data"]}]);
    bare.anvil.request("eth_sendTransaction", asked).await.unwrap();
    assert_eq!(bare.admin(&["hand-over", &new_owner]).0, 0);
    assert_eq!(bare.shown()["roles"]["owner"], new_owner.to_lowercase());
}
