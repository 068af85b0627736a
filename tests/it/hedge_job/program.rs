//! The program itself in the running week: what it would sell, what it sells, and what it says of it.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use veriregime_core::hedge::GRID;
use veriregime_core::types::time::{format_day, parse_day};

use super::publisher::Publisher;
use super::{AT_ONCE, FIRST, FUNDS_SATS, Scene};
use crate::cycles::{api_address, until};
use crate::fleet::Daemon;

impl Scene {
    /// In the week that runs by the machine's clock: the tables of 2023 are told as those of now.
    pub(super) async fn now() -> Self {
        let now_ms = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
        let running = GRID.period_at(now_ms);
        let publisher = Publisher::start().await;
        let shift = i32::try_from(running.0 - FIRST.0).unwrap() * 7;
        let later = |day: &str| format_day(parse_day(day).unwrap() + shift);
        publisher.rows(|cells| {
            let mut cells = cells.to_vec();
            cells[2] = later(&cells[2]);
            Some(cells)
        });
        {
            let mut answers = publisher.answers.lock().unwrap();
            let rates = answers.rates.clone().unwrap();
            let (header, rows) = rates.split_once('\n').unwrap();
            let rows: String = rows.lines().map(|line| later(&line[..10]) + &line[10..] + "\n").collect();
            answers.rates = Some(format!("{header}\n{rows}"));
        }
        Self::of(publisher, running, now_ms / 1000).await
    }

    /// A file with the scene's settings, and more of the job.
    pub(super) fn settings_file(&self, of_job: &str) -> PathBuf {
        let path = self.scratch.path().join("agent.toml");
        let text = self.settings(&format!("contract = \"{}\"\n{of_job}", self.world.vault()));
        let key = self.scratch.path().join("node.key").display().to_string();
        let own = format!("[signer]\nfile = {key:?}\n[chain]\nrpc_url = [\"{}\"]\n", self.config.chain.rpc_url());
        veriregime_files::write_atomic(&path, text.replacen("[chain]\n", &own, 1).as_bytes()).unwrap();
        path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
        program.arg("--config").arg(self.settings_file("")).arg("--json").args(arguments);
        program.current_dir(env!("CARGO_MANIFEST_DIR"));
        program
    }

    /// Runs the program with the scene's settings: exit status, last line as JSON, and what it says to people.
    fn program(&self, arguments: &[&str]) -> (i32, Value, String) {
        let output = self.command(arguments).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let last = said.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
        (output.status.code().unwrap(), last, String::from_utf8(output.stderr).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_says_what_it_would_sell_and_sells_it_in_the_running_week() {
    let scene = Scene::now().await;
    let running = GRID.period_at(scene.clock.now_ms());
    let seen = scene.scratch.path().join("seen");
    let follows = scene.command(&["audit", "--follow"]).stdout(std::fs::File::create(&seen).unwrap()).spawn();
    let mut watcher = follows.unwrap();

    let (code, dry, said) = scene.program(&["once", "--dry-run"]);
    assert_eq!((code, &dry["outcome"]), (0, &"proved".into()), "{dry} {said}");
    let estimate = &dry["sale"]["estimate"];
    let number = |value: &Value| value.as_f64().unwrap();
    assert!(number(&estimate["sold_sats"]) > 1e6 && number(&estimate["forecast_eur_mwh"]) > 10.0, "{dry}");
    assert!(scene.sold().await.is_empty(), "a dry run sends nothing");

    let (code, sold, said) = scene.program(&["once"]);
    assert_eq!((code, &sold["outcome"]), (0, &"confirmed".into()), "{sold} {said}");
    let figures = &sold["sale"]["sold"];
    let (meant, came) = (number(&estimate["sold_sats"]), number(&figures["sats"]));
    assert!((came / meant - 1.0).abs() < 0.001, "{came} of {meant}");
    assert_eq!(scene.sold().await.len(), 1);
    assert_eq!(sold["tables"]["vintages"].as_array().unwrap().len(), 2, "{sold}");

    let (code, status, said) = scene.program(&["status"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(
        (&status["vault"]["country"], &status["vault"]["sold_sats"]),
        (&"DEU".into(), &figures["sats"]),
        "{status}"
    );
    assert_eq!(status["cycles"][0]["outcome"], "confirmed", "{status}");

    // What it left behind can be computed again by whoever has it.
    let mut left = std::fs::read_dir(scene.scratch.path().join("evidence")).unwrap();
    let file = left.next().unwrap().unwrap().path();
    let (code, verified, said) = scene.program(&["verify-bundle", file.to_str().unwrap()]);
    assert_eq!((code, &verified["verdict"]), (0, &"match".into()), "{verified} {said}");
    let (code, audited, said) = scene.program(&["audit", "--period", &running.0.to_string()]);
    assert_eq!((code, &audited[0]["verdict"]), (0, &"match".into()), "{audited} {said}");

    // And whoever follows the vault has seen it land.
    let begun = Instant::now();
    let lines = || std::fs::read_to_string(&seen).unwrap();
    while lines().lines().next().is_none() {
        assert!(begun.elapsed() < Duration::from_mins(1), "nothing is seen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let report: Value = serde_json::from_str(lines().lines().next().unwrap()).unwrap();
    assert_eq!((&report["verdict"], &report["sold_sats"]), (&"match".into(), &figures["sats"]), "{report}");
    assert!(Command::new("kill").arg(watcher.id().to_string()).status().unwrap().success());
    assert_eq!(watcher.wait().unwrap().code(), Some(0), "all match");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_node_counts_what_a_vault_s_owner_wants_to_see() {
    let scene = Scene::now().await;
    let api =
        "[api]\nlisten = \"127.0.0.1:0\"\ncheck_seconds = 1\nrequests_per_second = 1_000_000\nburst = 1_000_000\n";
    let settings = scene.settings_file(&(AT_ONCE.to_owned() + api));
    let log = scene.scratch.path().join("log");
    let _daemon = Daemon::start(settings, log.clone());
    until("the API listens", async || api_address(&log).is_some()).await;
    let url = format!("http://{}", api_address(&log).unwrap());
    let figure = async |name: &str| {
        let text = reqwest::get(format!("{url}/metrics")).await.unwrap().text().await.unwrap();
        let start = format!("{name}{{job_name=\"miner\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&start)?.parse::<f64>().ok())
    };
    let is_counted = async || {
        figure("veriregime_vault_sold_sats").await > Some(0.0)
            && figure("veriregime_vault_need_sats").await == Some(0.0)
    };
    until("a sale is counted, and nothing is needed after it", is_counted).await;
    let sold = scene.sold().await[0].1 as f64;
    for (name, expected) in [
        ("veriregime_vault_sold_sats", sold),
        ("veriregime_vault_balance_sats", FUNDS_SATS as f64 - sold),
        ("veriregime_vault_budget_left_sats", 5e9 - sold),
        ("veriregime_vault_covered_until_seconds", f64::from(scene.sales().await[0].untilDay) * 86_400.0),
        ("veriregime_vault_paused", 0.0),
    ] {
        assert_eq!(figure(name).await, Some(expected), "{name}");
    }
    for name in ["veriregime_electricity_last_month_eur_mwh", "veriregime_electricity_forecast_eur_mwh"] {
        assert!(figure(name).await > Some(10.0), "{name}");
    }
    let ready: Value = reqwest::get(format!("{url}/readyz")).await.unwrap().json().await.unwrap();
    let sales = ready["checks"].as_array().unwrap().iter().find(|check| check["name"] == "vault sales");
    assert_eq!(sales.unwrap()["level"], "ok", "{ready}");
}
