//! `make install`, and the program far from its checkout.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ::veriregime_files;
use serde_json::Value;
use tempfile::TempDir;
use veriregime_agent::bundle::Bundle;
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
        Command::new(self.path("prefix/bin/veriregime-agent"))
            .args(arguments)
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

#[test]
fn an_installed_program_proves_with_the_model_of_the_working_folder_first() {
    let installed = Installed::new();
    let shipped = Bundle::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(MODEL)).unwrap();
    if config().prover.srs_dir.join("kzg8.srs").exists() {
        let (from_ms, to_ms) = features::window_ms(shipped.manifest.features().unwrap(), FIRST);
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
