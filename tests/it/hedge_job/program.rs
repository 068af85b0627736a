//! The program itself in the running week: what it would sell, what it sells, and what it says of it.

use std::process::Command;

use serde_json::Value;
use veriregime_core::hedge::GRID;
use veriregime_core::types::time::{format_day, parse_day};

use super::publisher::Publisher;
use super::{FIRST, Scene};

impl Scene {
    /// Runs the program with the scene's settings: exit status, last line as JSON, and what it says to people.
    fn program(&self, arguments: &[&str]) -> (i32, Value, String) {
        let path = self.scratch.path().join("agent.toml");
        let text = self.settings(&format!("contract = \"{}\"\n", self.world.vault()));
        let key = self.scratch.path().join("node.key").display().to_string();
        let own = format!("[signer]\nfile = {key:?}\n[chain]\nrpc_url = [\"{}\"]\n", self.config.chain.rpc_url());
        veriregime_files::write_atomic(&path, text.replacen("[chain]\n", &own, 1).as_bytes()).unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
        program.arg("--config").arg(path).arg("--json").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
        let output = program.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let last = said.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
        (output.status.code().unwrap(), last, String::from_utf8(output.stderr).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_says_what_it_would_sell_and_sells_it_in_the_running_week() {
    let now_ms = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let running = GRID.period_at(now_ms);
    // The tables of 2023, told as those of now.
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
    let scene = Scene::of(publisher, running, now_ms / 1000).await;

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
}
