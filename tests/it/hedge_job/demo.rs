//! The demo as whoever has just cloned the project runs it.

use std::process::Command;

use serde_json::Value;

#[test]
fn the_demo_of_a_vault_sells_week_by_week_and_compares_rules() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
    program.args(["--json", "hedge", "demo", "--weeks", "3", "--verify", "direct"]);
    let output = program.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let demo: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    let weeks = demo["weeks"].as_array().unwrap();
    assert_eq!(weeks.iter().map(|week| week["days"].as_u64().unwrap()).collect::<Vec<_>>(), [60, 7, 7]);
    let number = |value: &Value| value.as_f64().unwrap();
    for week in weeks {
        let (need, got) = (number(&week["need_usd"]), number(&week["usdc"]));
        assert!((got / need - 1.0).abs() < 0.01, "{week}");
        assert!(number(&week["real_usd"]) > 0.0 && number(&week["real_eur_mwh"]) > 0.0, "{week}");
        assert!(week["tx_hash"].as_str().unwrap().starts_with("0x"), "{week}");
    }
    let rules = demo["rules"].as_array().unwrap();
    let names: Vec<&str> = rules.iter().map(|rule| rule["rule"].as_str().unwrap()).collect();
    assert_eq!(names, ["the vault, by the forecast", "persistence", "pay as due", "convert everything now"]);
    let received: f64 = weeks.iter().map(|week| number(&week["usdc"])).sum();
    assert!((number(&rules[0]["received_usd"]) - received).abs() < 1e-6);
    // All pay the same bills: what is received and not left.
    let paid = |rule: &Value| number(&rule["received_usd"]) - number(&rule["left_usd"]);
    assert!(rules.iter().all(|rule| (paid(rule) - paid(&rules[2])).abs() < 1e-6), "{demo}");
    assert!(demo["bitcoin"].as_str().unwrap().contains("SIMULATED"), "{demo}");
}
