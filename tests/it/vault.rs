//! A vault on a real Uniswap pool: from nothing to its sale, with a real proof, and what keeps it from selling.

use std::path::Path;
use std::process::{Command, Stdio};

use alloy::primitives::Address;
use alloy::signers::local::PrivateKeySigner;
use serde_json::{Value, json};
use tempfile::TempDir;
use veriregime_agent::devnet::uniswap::{FEE_PIPS, PoolShape, Uniswap};
use veriregime_agent::devnet::{Anvil, OWNER_KEY, foundry};

use super::given::{reference, shared};
use super::proof::python;
use super::world::toml;

/// Thursday 2024-04-18 00:00 UTC, with a week of data left.
const PERIOD: i64 = 2833;
const WEEK: i64 = 604_800;
const WATTS: u64 = 300_000;
/// A pool that a sale of 20 WBTC moves.
const POOL: PoolShape = PoolShape { btc_usd: 60_000.0, range_ticks: 1_800, wbtc: 200 };

/// A program with settings and a vault's file, on a chain with a pool.
struct Miner {
    scratch: TempDir,
    anvil: Anvil,
    data: std::path::PathBuf,
}

impl Miner {
    /// `None` where data or the ceremony's SRS are not here.
    async fn new() -> Option<Self> {
        let data = reference("data/daily")?;
        reference("srs/kzg8.srs")?;
        let anvil = Anvil::start(&foundry("anvil"), PERIOD * WEEK + 3600, 0).await.unwrap();
        Some(Self { scratch: TempDir::new().unwrap(), anvil, data })
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.scratch.path().join(name)
    }

    fn write(&self, uniswap: &Uniswap) {
        veriregime_files::write_private(&self.path("key"), OWNER_KEY.as_bytes()).unwrap();
        let settings = json!({
            "prover": {"python": python(), "srs_dir": shared("srs")},
            "chain": {"rpc_url": [self.anvil.rpc_url.as_str()], "poll_interval_ms": 20},
            "signer": {"kind": "file", "file": self.path("key")},
            "state": {"path": self.path("agent.sqlite")},
        });
        veriregime_files::write_atomic(&self.path("agent.toml"), toml(&settings).as_bytes()).unwrap();
        let vault = json!({
            "vault": {
                "factory": uniswap.factory.to_string(),
                "wbtc": uniswap.wbtc.to_string(),
                "usdc": uniswap.usdc.to_string(),
            },
            "terms": {
                "watts": WATTS,
                "months": 2,
                "share_bps": 10_000,
                "slippage_bps": 100,
                "twap_seconds": 300,
                "min_observations": 10,
                "deadline": "2024-12-31",
                "max_per_period_sats": 100_000_000,
                "max_in_all_sats": 500_000_000,
                "floor_usd_per_btc": 40_000,
                "operator_seconds": 0,
            },
        });
        let text = format!("country = \"DEU\"\n{}", toml(&vault));
        veriregime_files::write_atomic(&self.path("hedge.toml"), text.as_bytes()).unwrap();
    }

    /// Exit status and the last line as JSON, or what it says to people where it fails.
    fn hedge(&self, arguments: &[&str]) -> (i32, Value) {
        let mut program = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
        program.arg("--config").arg(self.path("agent.toml")).args(["--json", "hedge"]).args(arguments);
        let output = program.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let line = said.lines().last().and_then(|line| serde_json::from_str(line).ok());
        let failed = || Value::String(String::from_utf8_lossy(&output.stderr).into_owned());
        (output.status.code().unwrap(), line.unwrap_or_else(failed))
    }

    fn deploy(&self, more: &[&str]) -> (i32, Value) {
        let file = self.path("hedge.toml");
        self.hedge(&[&["deploy", "--vault-file", file.to_str().unwrap()], more].concat())
    }

    fn swap(&self, router: &str, more: &[&str]) -> (i32, Value) {
        let (file, data) = (self.path("hedge.toml"), &self.data);
        let given = ["swap", "--from-wallet", "--router", router, "--vault-file", file.to_str().unwrap()];
        self.hedge(&[&given[..], &["--data", data.to_str().unwrap()], more].concat())
    }

    fn sell(&self, vault: &str, country: &str, more: &[&str]) -> (i32, Value) {
        let data: &Path = &self.data;
        self.hedge(
            &[&["sell", "--vault", vault, "--data", data.to_str().unwrap(), "--country", country], more].concat(),
        )
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_goes_from_nothing_to_its_sale() {
    let Some(miner) = Miner::new().await else { return };
    let uniswap = Uniswap::deploy(&miner.anvil, POOL).await.unwrap();
    miner.write(&uniswap);
    let owner = OWNER_KEY.parse::<PrivateKeySigner>().unwrap().address();

    // The set-up: tried out, done, and nothing left.
    let (code, plan) = miner.deploy(&["--dry-run"]);
    assert_eq!((code, plan["missing"].as_array().map(Vec::len)), (3, Some(6)), "{plan}");
    let (code, done) = miner.deploy(&[]);
    assert_eq!((code, done["sent"].as_array().map(Vec::len)), (0, Some(6)), "{done}");
    assert_eq!((&done["vault"], &done["fee_pips"]), (&plan["vault"], &json!(FEE_PIPS)));
    assert_eq!(done["absent_attestors"], json!([]));
    let (code, again) = miner.deploy(&[]);
    assert_eq!((code, &again["sent"], &again["missing"]), (0, &json!([]), &json!([])), "{again}");
    let vault = done["vault"].as_str().unwrap();
    let address: Address = vault.parse().unwrap();

    // Without WBTC there is nothing to sell, and the time-weighted price wants its time.
    miner.anvil.set_time(PERIOD * WEEK + 7200).await.unwrap();
    let (code, poor) = miner.sell(vault, "DEU", &[]);
    assert!(code == 1 && poor.to_string().contains("do not pay a day"), "{poor}");
    uniswap.fund(address, 300_000_000).await.unwrap();
    let (code, foreign) = miner.sell(vault, "FRA", &[]);
    assert!(code == 1 && foreign.to_string().contains("another country"), "{foreign}");

    let (code, trial) = miner.sell(vault, "DEU", &["--dry-run"]);
    assert_eq!((code, &trial["transaction"]), (3, &Value::Null), "{trial}");
    assert_eq!(uniswap.dollars(owner).await.unwrap(), 0);
    let (code, sold) = miner.sell(vault, "DEU", &[]);
    assert_eq!((code, &sold["sold_sats"]), (0, &trial["sold_sats"]), "{sold}");
    assert_eq!(
        (&sold["day"], &sold["from_day"], &sold["until_day"]),
        (&json!("2024-04-17"), &json!("2024-04-18"), &json!("2024-06-17"))
    );
    // Of the 60 days at the forecast price: what reached the owner, but for the pool's depth.
    let number = |key: &str| sold[key].as_f64().unwrap();
    let rate = sold["prices"]["usd_per_eur_e6"].as_f64().unwrap() / 1e6;
    let need = 60.0 * 24.0 * WATTS as f64 / 1e6 * number("forecast_eur_mwh") * rate;
    assert!((number("usdc") / need - 1.0).abs() < 0.01, "{} of {need}", number("usdc"));
    assert!((number("mean_btc_usd") / POOL.btc_usd - 1.0).abs() < 0.001, "{sold}");
    assert_eq!(uniswap.dollars(owner).await.unwrap(), (number("usdc") * 1e6).round() as u64);

    // The way without a vault: an allowance, and a swap of the wallet's own.
    let router = uniswap.router.to_string();
    let (code, empty) = miner.swap(&router, &[]);
    assert!(code == 1 && empty.to_string().contains("nothing to sell"), "{empty}");
    uniswap.fund(owner, 100_000_000).await.unwrap();
    let before = uniswap.dollars(owner).await.unwrap();
    let (code, trial) = miner.swap(&router, &["--days", "7", "--dry-run"]);
    assert_eq!((code, &trial["transactions"]), (3, &json!([])), "{trial}");
    let (code, swapped) = miner.swap(&router, &["--days", "7"]);
    assert_eq!((code, swapped["transactions"].as_array().map(Vec::len)), (0, Some(2)), "{swapped}");
    let received = (uniswap.dollars(owner).await.unwrap() - before) as f64 / 1e6;
    let need = swapped["need_usd"].as_f64().unwrap();
    assert!((received / need - 1.0).abs() < 0.01 && received >= swapped["min_usdc"].as_f64().unwrap(), "{swapped}");

    // Once in a week.
    let (code, twice) = miner.sell(vault, "DEU", &[]);
    assert_eq!((code, &twice["covered_until"]), (0, &json!("2024-06-17")), "{twice}");

    // In the next one somebody moves the price first.
    miner.anvil.set_time((PERIOD + 1) * WEEK + 3600).await.unwrap();
    uniswap.dump(2_000_000_000).await.unwrap();
    let (code, moved) = miner.sell(vault, "DEU", &[]);
    assert!(code == 1 && moved.to_string().contains("the sale would bring"), "{moved}");
    // Where it stays, it becomes the mean.
    miner.anvil.set_time((PERIOD + 1) * WEEK + 7200).await.unwrap();
    let (code, later) = miner.sell(vault, "DEU", &[]);
    assert_eq!(
        (code, &later["from_day"], &later["until_day"]),
        (0, &json!("2024-06-17"), &json!("2024-06-24")),
        "{later}"
    );
}
