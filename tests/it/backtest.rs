//! `backtest` as people run it.

use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use veriregime_agent::sources::candles::parquet;
use veriregime_agent::sources::candles::simulated::SimulatedMarket;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::time::parse_utc_ms;

use super::given;

const DAY_MS: i64 = 1440 * MINUTE_MS;
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/btc-regime-4h-v1");

struct Study {
    folder: TempDir,
}

impl Study {
    /// Ninety days of a simulated market, as `change` leaves them.
    fn new(change: impl Fn(&mut Vec<Candle>)) -> Self {
        let folder = TempDir::new().unwrap();
        let start_ms = parse_utc_ms("2026-01-01").unwrap();
        let mut candles = SimulatedMarket::new(7).candles(start_ms..start_ms + 90 * DAY_MS);
        change(&mut candles);
        parquet::write(&folder.path().join("made-1m.parquet"), &candles).unwrap();
        Self { folder }
    }

    fn run(&self, more: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
        command.args(["backtest", "--candles", "made-1m.parquet", "--model", MODEL]).args(more);
        command.current_dir(self.folder.path()).output().unwrap()
    }

    fn json(&self, more: &[&str]) -> Value {
        let output = self.run(&[&["--from", "2026-03-10", "--json"], more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn refused(&self, more: &[&str], code: &str) {
        let output = self.run(more);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(code), "{more:?}: {said}");
    }
}

#[test]
fn every_policy_is_told_in_every_comparison_and_nobody_sees_more_than_foresight() {
    let study = Study::new(|_| {});
    let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/policy.toml");
    let found = study.json(&["--policy", policy, "--plots", "plots", "--csv", "rows.csv"]);
    let rows = found["amm"].as_array().unwrap();
    // Eighteen policies, nine assumptions on other traders, three comparisons.
    assert_eq!(rows.len(), 18 * 9 * 3);
    let usd = |policy: &str, comparison: &str| {
        let row = rows.iter().find(|row| {
            row["policy"] == policy
                && row["comparison"] == comparison
                && row["theta"] == 0.5
                && row["epsilon"] == 1000.0
        });
        row.unwrap_or_else(|| panic!("{policy} {comparison}"))["usd_per_year"].as_f64().unwrap()
    };
    assert!(usd("static", "own").abs() < 1e-6);
    for policy in ["clock", "persistence", "garch", "har", "har_clock", "ours"] {
        assert!(usd(policy, "static_same_mean") <= usd("foresight", "static_same_mean") * 1.05, "{policy}");
    }
    let fee = |policy: &str| {
        let row = rows.iter().find(|row| row["policy"] == policy && row["comparison"] == "own").unwrap();
        row["mean_fee_pips"].as_f64().unwrap()
    };
    // What the contract holds back is a fall, never a rise.
    assert!(fee("ours_on_chain") > fee("ours") && fee("policy_file_on_chain") > fee("policy_file"));
    let lending = found["lending"].as_array().unwrap();
    assert_eq!(lending.len(), 5 * 2 * 2);
    assert!(lending.iter().all(|row| row["liquidated_share"].as_f64().unwrap() >= 0.0), "{lending:?}");
    let tails: Vec<_> = found["tail"].as_array().unwrap().iter().map(|row| row["by"].as_str().unwrap()).collect();
    assert_eq!(tails, ["unconditional", "volatility_multiple", "head"]);
    let stress = found["stress_days"].as_array().unwrap();
    assert!(stress.len() == 5 && stress.is_sorted_by_key(|day| -day["fall"].as_f64().unwrap()), "{stress:?}");
    // Somebody who feigns a volatility lifts the fee of a pool alone above that of a guarded one.
    assert!(fee("own_pool_15m_attacked") > fee("guarded_pool_15m_attacked"));
    assert!(fee("guarded_pool_15m_attacked") > fee("guarded_pool_15m"));
    assert_eq!(found["break_even_tvl_usd"].as_array().unwrap().len(), 2 * 3 * 3);
    let csv = std::fs::read_to_string(study.folder.path().join("rows.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + rows.len());
    for plot in ["gain", "map", "stress"] {
        let svg = std::fs::read_to_string(study.folder.path().join(format!("plots/plot-{plot}.svg"))).unwrap();
        let drawn = if plot == "map" { "shared map" } else { "ours" };
        assert!(svg.starts_with("<svg") && svg.contains(drawn), "{plot}");
    }
    assert_eq!(found, study.json(&["--policy", policy]), "the same seed, other numbers");
}

#[test]
fn what_cannot_be_measured_is_refused_with_a_code() {
    let study = Study::new(|_| {});
    study.refused(&["--from", "2026-01-20"], "VR-BACKTEST-004");
    study.refused(&["--from", "2026-03-29"], "VR-BACKTEST-004");
    study.refused(&["--from", "2026-03-10", "--block-seconds", "7"], "VR-BACKTEST-005");
    study.refused(&["--from", "2026-03-10", "--eth-usd=-1"], "VR-BACKTEST-006");
    let falling = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/policy.toml")).unwrap();
    std::fs::write(
        study.folder.path().join("falling.toml"),
        falling.replace("amm_fee_pips = 15_000", "amm_fee_pips = 900"),
    )
    .unwrap();
    study.refused(&["--from", "2026-03-10", "--policy", "falling.toml"], "VR-BACKTEST-008");
    for (rows, said) in [
        ("collateral_usd,debt_usd\n200,100\n90,100\n", "position 2"),
        ("collateral_usd,debt_usd\n200,many\n", "position 1"),
        ("collateral_usd,debt_usd\n", "position 0"),
    ] {
        std::fs::write(study.folder.path().join("positions.csv"), rows).unwrap();
        study.refused(&["--from", "2026-03-10", "--positions", "positions.csv"], "VR-BACKTEST-009");
        study.refused(&["--from", "2026-03-10", "--positions", "positions.csv"], said);
    }
    // A listing that ends and begins again: no candles are made up for the days between.
    let delisted = Study::new(|candles| {
        candles.drain(candles.len() - 20 * 1440..candles.len() - 18 * 1440);
    });
    delisted.refused(&["--from", "2026-03-10"], "VR-");
    let silent = Study::new(|candles| {
        let quiet = candles.len() - 10 * 1440..candles.len() - 9 * 1440;
        candles[quiet].iter_mut().for_each(|candle| candle.volume = 0.0);
    });
    silent.refused(&["--from", "2026-03-10"], "VR-BACKTEST-003");
}

#[test]
fn given_borrowers_take_the_place_of_those_that_are_drawn() {
    let study = Study::new(|_| {});
    let rows: Vec<String> = (0..50).map(|row| format!("{},{}\n", 150_000 + 1_000 * row, 100_000)).collect();
    let rows = rows.concat();
    std::fs::write(study.folder.path().join("positions.csv"), format!("collateral_usd,debt_usd\n{rows}")).unwrap();
    let usage = |found: Value| found["lending"][0]["usage"].as_f64().unwrap();
    let (drawn, given) = (study.json(&[]), study.json(&["--positions", "positions.csv"]));
    assert!((usage(drawn) - usage(given)).abs() > 1e-6);
}

#[test]
fn the_forecast_earns_more_than_a_static_fee_on_real_months() {
    let Some(candles) = given::reference("data/BTCUSDT-1m-2021-01-01_2024-11-08.parquet") else { return };
    let study = Study { folder: TempDir::new().unwrap() };
    let path = candles.canonicalize().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
    command.args(["backtest", "--model", MODEL, "--from", "2024-02-01", "--json", "--candles"]).arg(path);
    let output = command.current_dir(study.folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let row = found["amm"].as_array().unwrap().iter().find(|row| {
        row["policy"] == "ours"
            && row["comparison"] == "static_same_mean"
            && row["theta"] == 0.5
            && row["epsilon"] == 1000.0
    });
    let row = row.unwrap();
    let (usd, error) = (row["usd_per_year"].as_f64().unwrap(), row["standard_error"].as_f64().unwrap());
    assert!(usd > 2.0 * error, "{row}");
}
