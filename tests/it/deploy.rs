//! `deploy` on a bare chain: it goes on from wherever it was broken off, and touches nothing that is not as compiled.

mod refusals;
mod stuck;

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use ::veriregime_files;
use alloy::primitives::Address;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;
use veriregime_agent::bundle::Bundle;
use veriregime_agent::chain::Chain;
use veriregime_agent::clock::Clock;
use veriregime_agent::config::Config;
use veriregime_agent::config::signer::Signer;
use veriregime_agent::devnet;
use veriregime_agent::devnet::{Anvil, CHAIN_ID, OWNER_KEY};
use veriregime_agent::node::parts;
use veriregime_agent::state::Store;
use veriregime_core::types::manifest::inputs::Market;

use crate::proxy::{Proxy, RpcFaultMode};
use crate::world::{config, toml};

/// Three contracts, a market, its policy, the model's proposal and its activation.
const STEPS: u64 = 7;

const DAY_SECONDS: u64 = 86_400;

const POLICY: &str = include_str!("../../deploy/policy.toml");

/// A copy for a development chain says what was measured of its network where the markets are the same, and that its keys are others.
#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_s_copy_has_its_card_and_no_copy_for_other_markets_has() {
    let (scratch, config) = (TempDir::new().unwrap(), config());
    let original = Bundle::open(&config.bundle).unwrap();
    let markets = original.manifest.markets().unwrap().to_vec();
    let srs = scratch.path().join("srs");
    let copy = |name: &str| scratch.path().join(name);
    let same = devnet::bundles::bundle_for(&config, &original, markets.clone(), &srs, &copy("same")).await.unwrap();
    let card = veriregime_files::read_text(&same.path("MODEL_CARD.md"), 1 << 20).unwrap();
    assert!(card.starts_with("# btc-regime-4h-v1\n\n**A copy for a development chain:**"), "{card}");
    assert!(card.contains("## Test split") && same.manifest.files.contains_key("VERIFICATION.md"));
    assert_eq!(same.reliability(), original.reliability());
    let rows: u64 = same.reliability().iter().map(|bin| bin.count).sum();
    assert_eq!(Some(rows), original.manifest.training.metrics["rows"].as_u64());
    let other = vec![markets[0].clone(), Market { name: "ETH-USD".into(), symbol: "ETHUSDT".into() }];
    let other = devnet::bundles::bundle_for(&config, &original, other, &srs, &copy("other")).await.unwrap();
    assert!(other.reliability().is_empty() && !other.manifest.files.contains_key("MODEL_CARD.md"));
    assert_eq!(other.manifest.training.metrics, json!({}), "what was measured is of other markets");
}

/// A chain with nothing on it, and settings for the program.
pub struct Bare {
    pub anvil: Anvil,
    pub wallet: Chain,
    pub scratch: TempDir,
    pub config: Config,
}

impl Bare {
    pub async fn new() -> Self {
        let scratch = TempDir::new().unwrap();
        let mut config = config();
        devnet::bundles::provable_bundle(&mut config, scratch.path()).await.unwrap();
        let (anvil, wallet) = devnet::bare_chain().await.unwrap();
        let key = scratch.path().join("key");
        veriregime_files::write_private(&key, OWNER_KEY.as_bytes()).unwrap();
        config.chain.use_rpc(anvil.rpc_url.clone());
        config.chain.chain_id = CHAIN_ID;
        config.signer = Signer::file(key);
        config.state_path = scratch.path().join("state/agent.sqlite");
        let bare = Self { anvil, wallet, scratch, config };
        bare.settle(&bare.anvil.rpc_url, None);
        bare
    }

    /// Writes the settings: that RPC, and that contract where there is one.
    pub fn settle(&self, rpc_url: &Url, oracle: Option<&Value>) {
        let (config, empty) = (&self.config, json!(""));
        let settings = toml(&json!({
            "model": {"bundle": std::path::absolute(&config.bundle).unwrap()},
            "prover": {"python": config.prover.python, "srs_dir": config.prover.srs_dir},
            "chain": {"rpc_url": rpc_url.as_str(), "oracle": oracle.unwrap_or(&empty)},
            "signer": {"file": self.scratch.path().join("key")},
            "state": {"path": config.state_path},
        }));
        veriregime_files::write_atomic(&self.scratch.path().join("agent.toml"), settings.as_bytes()).unwrap();
    }

    /// The program, which is to answer in JSON.
    pub fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
        command
            .args(["--json", "--config"])
            .arg(self.scratch.path().join("agent.toml"))
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env_remove("VERIREGIME_CONFIG")
            .stdin(Stdio::null());
        command
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(&["deploy", "--record"]);
        command.arg(self.scratch.path()).args(arguments);
        command
    }

    /// Exit status and the object on standard output.
    pub fn deploy(&self, arguments: &[&str]) -> (i32, Value) {
        said(self.command(arguments))
    }

    fn refused(&self, arguments: &[&str], code: &str) -> String {
        refused(self.command(arguments), code)
    }

    pub async fn nonce(&self) -> u64 {
        self.wallet.nonce().await.unwrap()
    }

    pub async fn pass(&self, seconds: u64) {
        self.anvil.request("evm_increaseTime", json!([seconds])).await.unwrap();
        self.anvil.request("evm_mine", json!([])).await.unwrap();
    }

    fn record_file(&self) -> PathBuf {
        self.scratch.path().join("31337.json")
    }

    fn record(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.record_file()).unwrap()).unwrap()
    }

    /// The committed policy with a change.
    fn policy(&self, name: &str, from: &str, to: &str) -> String {
        let (path, text) = (self.scratch.path().join(name), POLICY.replace(from, to));
        assert_ne!(text, POLICY);
        veriregime_files::write_atomic(&path, text.as_bytes()).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// Exit status of a command, and the object that it says.
pub fn said(mut command: Command) -> (i32, Value) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let object = said.lines().last().and_then(|line| serde_json::from_str(line).ok());
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(object.is_some(), "{complaint}");
    (output.status.code().unwrap(), object.unwrap())
}

/// What a command says that is refused with `code`.
pub fn refused(mut command: Command, code: &str) -> String {
    let output: Output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("error {code}: ")), "{said}");
    said
}

pub fn missing(said: &Value) -> Vec<(&str, &str)> {
    let steps = said["missing"].as_array().unwrap().iter();
    steps.map(|step| (step["name"].as_str().unwrap(), step["blocked"].as_str().unwrap_or("now"))).collect()
}

fn parameter<'a>(said: &'a Value, name: &str) -> &'a Value {
    said["parameters"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_killed_after_any_transaction_goes_on_and_repeats_none() {
    let bare = Bare::new().await;
    let mut kills = 0;
    loop {
        let before = bare.nonce().await;
        let mut child = bare.command(&[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if bare.nonce().await > before {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        match status {
            None => kills += 1,
            Some(status) => {
                assert!(status.success());
                break;
            }
        }
    }
    assert!(kills >= 3, "only {kills} kills came in time");
    assert_eq!(bare.nonce().await, STEPS);
    let (code, said) = bare.deploy(&[]);
    assert_eq!((code, said["sent"].as_array().unwrap().len(), bare.nonce().await), (0, 0, STEPS));

    let record = bare.record();
    for name in ["RiskOracle", "ModelRegistry", "Halo2Verifier"] {
        assert_eq!(record["contracts"][name]["address"], said["contracts"][name], "{name}");
        assert!(record["contracts"][name]["code_hash"].is_string(), "{name}");
    }
    assert_eq!(record["model_id"], said["model_id"]);
    assert_eq!(record["compiler"]["settings"]["evmVersion"], "cancun");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_names_every_step_and_parameter_and_sends_nothing() {
    let bare = Bare::new().await;
    let (code, said) = bare.deploy(&["--dry-run"]);
    assert_eq!((code, bare.nonce().await), (3, 0));
    assert!(!bare.record_file().exists());
    let steps = missing(&said);
    assert_eq!(steps.len() as u64, STEPS);
    assert_eq!(steps[0], ("create Halo2Verifier", "now"));
    assert_eq!(steps[6], ("activate the model", "earlier_steps"));
    // What contracts/script/Deploy.s.sol reads.
    assert_eq!(said["market_owner"], said["constructor"]["owner"]);
    assert!(said["model_spec"].as_str().is_some_and(|spec| spec.starts_with("0x")));
    let ratio = parameter(&said, "BTC-USD knot.1.borrow_collateral_ratio_bps");
    assert_eq!(
        (&ratio["on_chain"], &ratio["wanted"], &ratio["outcome"]),
        (&Value::Null, &json!("15000"), &json!("set"))
    );

    assert_eq!(bare.deploy(&[]).0, 0);
    let (code, said) = bare.deploy(&["--dry-run"]);
    assert_eq!((code, missing(&said).len()), (0, 0));
    let same = |row: &Value| row["outcome"] == "same" && row["on_chain"] == row["wanted"];
    assert!(said["parameters"].as_array().unwrap().iter().all(same), "{said:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_timelock_holds_back_is_done_by_the_same_command_later() {
    let bare = Bare::new().await;
    let (code, said) = bare.deploy(&["--timelock", "86400"]);
    assert_eq!((code, missing(&said)), (3, vec![("activate the model", "timelock")]));
    let ready_at = said["missing"][0]["ready_at"].as_u64().unwrap();
    assert_eq!(bare.deploy(&[]).0, 3);
    let now = bare.wallet.read.head().await.unwrap().timestamp_seconds.unsigned_abs();
    bare.pass(ready_at - now).await;
    // The record knows the timelock.
    assert_eq!(bare.deploy(&[]).0, 0);

    let policy = bare.policy("policy.toml", "amm_fee_pips = 15_000", "amm_fee_pips = 16_000");
    let policy = ["--policy", policy.as_str()];
    let fee = "BTC-USD knot.3.amm_fee_pips";
    let (code, said) = bare.deploy(&policy);
    assert_eq!((code, missing(&said)), (3, vec![("set the policy of BTC-USD", "timelock")]));
    assert_eq!(parameter(&said, fee)["outcome"], "changed");
    bare.pass(DAY_SECONDS).await;
    assert_eq!(bare.deploy(&policy).0, 0);
    let (code, said) = bare.deploy(&["--dry-run"]);
    // Nobody asked for the starting policy, so it does not come back.
    assert_eq!((code, parameter(&said, fee)["outcome"].as_str()), (0, Some("kept")));
    assert_eq!(parameter(&said, fee)["on_chain"], "16000");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_owner_must_send_is_told_and_not_tried() {
    let bare = Bare::new().await;
    let owner = Address::repeat_byte(7).to_string();
    let (code, said) = bare.deploy(&["--owner", &owner]);
    assert_eq!((code, bare.nonce().await), (3, 3));
    let expected = [
        ("register BTC-USD", "sender"),
        ("set the policy of BTC-USD", "earlier_steps"),
        ("propose the model", "earlier_steps"),
        ("activate the model", "earlier_steps"),
    ];
    assert_eq!(missing(&said), expected);
    assert_eq!(
        (&said["missing"][0]["sender"], &said["missing"][0]["to"]),
        (&json!(owner.to_lowercase()), &said["oracle"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_rpc_cannot_try_out_is_tried_out_on_a_copy_of_the_chain() {
    let bare = Bare::new().await;
    let proxy = Proxy::start(&bare.anvil.rpc_url, RpcFaultMode::Fair).await;
    proxy.set(RpcFaultMode::Status(405), Some("eth_simulateV1"));
    bare.settle(&proxy.url, None);
    let (code, said) = bare.deploy(&["--dry-run"]);
    assert_eq!((code, &said["cost"]["transactions"]), (3, &json!(STEPS)));
    let policy = bare.policy("policy.toml", "dwell_periods = 2", "dwell_periods = 0");
    let said = bare.refused(&["--policy", &policy], "VR-DEPLOY-009");
    assert!(said.contains("dwellPeriods"), "{said}");
    assert_eq!(bare.nonce().await, 0);
    // Where there is no anvil either, nothing is sent.
    bare.settle(&bare.anvil.rpc_url, None);
    assert_eq!(bare.deploy(&[]).0, 0);
    bare.settle(&proxy.url, None);
    let policy = bare.policy("policy.toml", "dwell_periods = 2", "dwell_periods = 3");
    let mut without_anvil = bare.command(&["--policy", &policy]);
    without_anvil.current_dir(bare.scratch.path()).env("PATH", "");
    let said = refused(without_anvil, "VR-DEPLOY-010");
    assert!(said.contains("405") && said.contains("anvil"), "{said}");
    assert_eq!(bare.nonce().await, STEPS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_takes_nothing_that_deploy_has_sent_for_another_node_s() {
    let mut bare = Bare::new().await;
    let (code, said) = bare.deploy(&[]);
    assert_eq!(code, 0);
    bare.config.chain.oracle = Some(said["oracle"].as_str().unwrap().parse().unwrap());
    let agent = async |bare: &Bare| {
        let store = Store::open(&bare.config.state_path).unwrap();
        parts::agent(&bare.config, Clock::System, store).await.unwrap()
    };
    agent(&bare).await.ensure_exclusive_wallet().await.expect("the wallet is explained");
    // And again after a change beside the node's own transactions.
    let policy = bare.policy("policy.toml", "amm_fee_pips = 15_000", "amm_fee_pips = 16_000");
    assert_eq!(bare.deploy(&["--policy", &policy]).0, 0);
    assert_eq!(bare.nonce().await, STEPS + 2);
    agent(&bare).await.ensure_exclusive_wallet().await.expect("the wallet is explained");
    // What nobody noted is still seen.
    let unknown = alloy::rpc::types::TransactionRequest::default().to(bare.wallet.address());
    bare.wallet.send(unknown).await.unwrap();
    agent(&bare).await.ensure_exclusive_wallet().await.expect_err("one more than is known");
}
