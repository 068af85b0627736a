//! `make install`, and the program far from its checkout.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ::veriregime_files;
use serde_json::{Value, json};
use tempfile::TempDir;
use veriregime_agent::bundle::Bundle;
use veriregime_agent::devnet::uniswap::{PoolShape, Uniswap};
use veriregime_agent::devnet::{Anvil, foundry};
use veriregime_agent::sources::candles::parquet;
use veriregime_core::features;
use veriregime_core::types::period::{MINUTE_MS, PeriodId};

use crate::market::candles;
use crate::world::{FIRST, KEYS, config};

const MODEL: &str = "btc-regime-4h-v1";

/// What `make install` made of the checkout, and an empty folder to work in.
struct Installed {
    scratch: TempDir,
}

impl Installed {
    fn new() -> Self {
        let installed = Self { scratch: TempDir::new().unwrap() };
        let made = Command::new("make")
            .args(["--silent", "install-files"])
            .arg(format!("AGENT={}", env!("CARGO_BIN_EXE_veriregime-agent")))
            .arg(format!("PREFIX={}", installed.path("prefix").display()))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        veriregime_files::create_folder(&installed.path("empty")).unwrap();
        veriregime_files::write_private(&installed.path("key"), KEYS[0].as_bytes()).unwrap();
        installed
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(&[], arguments)
    }

    fn run_with(&self, settings: &[(&str, &str)], arguments: &[&str]) -> Output {
        Command::new(self.path("prefix/bin/veriregime-agent"))
            .args(arguments)
            .envs(settings.iter().copied())
            .current_dir(self.path("empty"))
            .env("VERIREGIME__PROVER__SRS_DIR", &config().prover.srs_dir)
            .env("VERIREGIME__SIGNER__FILE", self.path("key"))
            .env_remove("VERIREGIME_CONFIG")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// The last line of a command with `--json` that works.
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_str(String::from_utf8(output.stdout).unwrap().lines().last().unwrap()).unwrap()
    }
}

#[test]
fn an_installed_program_works_far_from_its_checkout() {
    let installed = Installed::new();
    assert_eq!(installed.json(&["config", "check"])["model_id"], MODEL);
    assert_eq!(installed.json(&["models", "list"])["models"][0]["id"], MODEL);

    // A whole demo: its chain, its prover, its model and, without the ceremony's SRS, the compiler of its verifier.
    let told = installed.json(&["demo", "--periods", "1"]);
    assert!(told["periods"][0]["tx_hash"].as_str().unwrap().starts_with("0x"), "{told}");
    // And that of a vault, with the tables that came with it.
    let told = installed.json(&["hedge", "demo", "--weeks", "1"]);
    assert!(told["weeks"][0]["sold_sats"].as_u64().unwrap() > 0, "{told}");
    assert_eq!(std::fs::read_dir(installed.path("empty")).unwrap().count(), 0, "nothing is left behind");

    let share = |name: &str| installed.path("prefix/share").join(name);
    let page = std::fs::read_to_string(share("man/man1/veriregime-agent-models-compare.1")).unwrap();
    assert!(page.contains("veriregime\\-agent models compare btc\\-regime\\-4h\\-v1"), "{page}");
    assert!(share("man/man1/veriregime-agent.1").exists() && !share("man/man1/veriregime-agent-man.1").exists());
    for script in [
        "bash-completion/completions/veriregime-agent",
        "zsh/site-functions/_veriregime-agent",
        "fish/vendor_completions.d/veriregime-agent.fish",
    ] {
        assert!(std::fs::read_to_string(share(script)).unwrap().contains("verify-bundle"), "{script}");
    }
}

/// The vault's file that came with it, on a chain that has Uniswap elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn an_installed_program_deploys_a_vault_by_the_file_that_came_with_it() {
    let installed = Installed::new();
    let now_seconds = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
    let anvil = Anvil::start(&foundry("anvil"), now_seconds - 3600, 0).await.unwrap();
    let shape = PoolShape { btc_usd: 60_000.0, range_ticks: 1_800, wbtc: 200 };
    let uniswap = Uniswap::deploy(&anvil, shape).await.unwrap();
    let shipped = installed.path("prefix/share/veriregime-agent/deploy/hedge.toml");
    let text = std::fs::read_to_string(shipped).unwrap();
    let ours = [("factory", uniswap.factory), ("wbtc", uniswap.wbtc), ("usdc", uniswap.usdc)];
    let lines = text.lines().map(|line| {
        let found = ours.iter().find(|(key, _)| line.starts_with(&format!("{key} = ")));
        found.map_or_else(|| line.to_owned(), |(key, address)| format!("{key} = \"{address}\""))
    });
    let file = installed.path("hedge.toml");
    std::fs::write(&file, lines.collect::<Vec<_>>().join("\n")).unwrap();
    let settings = [("VERIREGIME__CHAIN__RPC_URL", anvil.rpc_url.as_str()), ("VERIREGIME__PROVER__KIND", "direct")];
    let output = installed.run_with(&settings, &["--json", "hedge", "deploy", "--vault-file", file.to_str().unwrap()]);
    let (said, told) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{said}");
    let done: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    assert_eq!((done["sent"].as_array().map(Vec::len), &done["absent_attestors"]), (Some(6), &json!([])), "{done}");
}

#[test]
fn an_installed_program_proves_with_the_model_of_the_working_folder_first() {
    let installed = Installed::new();
    let shipped = Bundle::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(MODEL)).unwrap();
    if config().prover.srs_dir.join("kzg8.srs").exists() {
        let (from_ms, to_ms) = features::window_ms(shipped.manifest.features().unwrap(), FIRST.start_ms());
        let minutes = (to_ms - from_ms) / MINUTE_MS + 1;
        let file = installed.path("candles.parquet");
        parquet::write(&file, &candles(5, from_ms - MINUTE_MS, minutes as usize)).unwrap();
        let at = veriregime_core::types::time::format_utc(PeriodId::start_ms(FIRST));
        let told = installed.json(&["prove", "--candles", file.to_str().unwrap(), "--at", &at]);
        assert_eq!(told["model_id"], MODEL);
    }
    veriregime_files::create_folder(&installed.path("empty/models").join(MODEL)).unwrap();
    let refused = installed.run(&["config", "check"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("error VR-PROVE-004"), "the empty bundle of this folder: {said}");
}
