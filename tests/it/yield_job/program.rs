//! The program itself: feeds put on a chain in one command, and the demo as whoever has just cloned the project runs it.

use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use veriregime_agent::devnet::{Anvil, OWNER_KEY, foundry};
use veriregime_core::yields::GRID;

use super::{FIRST, Scene};

fn last_line(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().last().and_then(|line| serde_json::from_str(line).ok());
    line.unwrap_or_else(|| Value::String(String::from_utf8_lossy(&output.stderr).into_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_are_put_on_a_chain_in_one_command_that_goes_on() {
    let scratch = TempDir::new().unwrap();
    let anvil = Anvil::start(&foundry("anvil"), GRID.start_ms(FIRST) / 1000, 0).await.unwrap();
    let path = |name: &str| scratch.path().join(name);
    veriregime_files::write_private(&path("key"), OWNER_KEY.as_bytes()).unwrap();
    let (key, state) = (path("key").display().to_string(), path("agent.sqlite").display().to_string());
    let strategy = |name: &str, kind: &str| {
        format!("[[yields.strategies]]\nname = \"{name}\"\nkind = \"{kind}\"\npool = \"{name}\"\n")
    };
    let write = |strategies: &str| {
        let text = format!(
            "[prover]\nkind = \"direct\"\n[chain]\nrpc_url = [\"{}\"]\npoll_interval_ms = 20\n[signer]\nfile = {key:?}\n\
             [state]\npath = {state:?}\n{strategies}",
            anvil.rpc_url
        );
        std::fs::write(path("agent.toml"), text).unwrap();
    };
    let deploy = |more: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
        program.arg("--config").arg(path("agent.toml")).args(["--json", "yield", "deploy"]).args(more);
        let output = program.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).output().unwrap();
        (output.status.code().unwrap(), last_line(&output))
    };
    write("");
    let (code, none) = deploy(&["--dry-run"]);
    assert!(code == 1 && none.to_string().contains("VR-YIELD-008"), "{none}");
    write(&(strategy("aave", "lending") + &strategy("btc", "delta")));
    // Registry, two verifiers, two feeds; two models proposed and activated.
    let (code, plan) = deploy(&["--dry-run"]);
    assert_eq!((code, plan["missing"].as_array().map(Vec::len)), (3, Some(9)), "{plan}");
    assert!(plan["cost"].to_string().contains("gas"), "{plan}");
    let (code, done) = deploy(&["--strategy", "aave"]);
    assert_eq!((code, done["sent"].as_array().map(Vec::len)), (0, Some(5)), "{done}");
    assert_eq!(done["feeds"]["aave"]["feed"], plan["feeds"]["aave"]["feed"]);
    let (code, rest) = deploy(&[]);
    assert_eq!((code, rest["sent"].as_array().map(Vec::len)), (0, Some(4)), "what is there is skipped: {rest}");
    let (code, again) = deploy(&[]);
    assert_eq!((code, &again["sent"], &again["missing"]), (0, &json!([]), &json!([])), "{again}");
    let (code, unknown) = deploy(&["--strategy", "aavee"]);
    assert!(code == 1 && unknown.to_string().contains("VR-YIELD-006"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_says_what_it_would_publish_and_publishes_it_in_the_running_day() {
    let now_ms = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let running = GRID.period_at(now_ms);
    let scene = Scene::of(running, now_ms / 1000).await;
    let file = scene.settings_file("");
    let program = |arguments: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
        program.arg("--config").arg(&file).args(["--json", "--job", "aave"]).args(arguments);
        let output = program.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        (output.status.code().unwrap(), last_line(&output))
    };
    let (code, dry) = program(&["once", "--dry-run"]);
    assert_eq!((code, &dry["outcome"]), (0, &json!("proved")), "{dry}");
    let apy = dry["strategy"]["forecast"]["apy_percent"].as_f64().unwrap();
    assert!((1.0..10.0).contains(&apy), "{dry}");
    let (_, before) = program(&["status"]);
    assert_eq!((&before["feed"]["strategy"], &before["feed"]["period_start"]), (&json!("aave"), &json!(0)), "{before}");

    let (code, once) = program(&["once"]);
    assert_eq!((code, &once["outcome"]), (0, &json!("confirmed")), "{once}");
    let (code, status) = program(&["status"]);
    assert_eq!(code, 0, "{status}");
    assert!((status["feed"]["apy_e8"].as_f64().unwrap() - apy * 1e6).abs() < 2.0, "{status}");
    let mut left = std::fs::read_dir(scene.scratch.path().join("evidence")).unwrap();
    let evidence = left.next().unwrap().unwrap().path();
    let (code, verified) = program(&["verify-bundle", evidence.to_str().unwrap()]);
    assert_eq!((code, &verified["verdict"]), (0, &json!("match")), "{verified}");
    let (code, audited) = program(&["audit", "--period", &running.0.to_string()]);
    assert_eq!((code, &audited[0]["verdict"]), (0, &json!("match")), "{audited}");
    let (_, doctor) = program(&["doctor"]);
    assert!(doctor.to_string().contains("is forecast to yield"), "{doctor}");
}

#[test]
fn the_demo_of_strategies_publishes_day_by_day_and_says_what_came() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
    program.args(["--json", "yield", "demo", "--days", "3", "--verify", "direct"]);
    let output = program.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let demo = last_line(&output);
    let days = demo["days"].as_array().unwrap();
    assert_eq!(days.len(), 3);
    assert_eq!(days[2]["day"], "2024-10-23");
    assert_eq!(demo["feeds"].as_object().unwrap().len(), 3);
    let number = |value: &Value| value.as_f64().unwrap();
    for one in days.iter().flat_map(|day| day["forecasts"].as_array().unwrap()) {
        let (low, high, came) =
            (number(&one["low_percent"]), number(&one["high_percent"]), number(&one["came_percent"]));
        assert!(low < number(&one["apy_percent"]) && number(&one["apy_percent"]) < high, "{one}");
        assert_eq!(one["is_inside"].as_bool(), Some((low..=high).contains(&came)), "{one}");
        assert!(one["tx_hash"].as_str().unwrap().starts_with("0x") && number(&one["gas_used"]) > 0.0, "{one}");
    }
    // The money: parts add up, the first day enters, and what is not worth its costs stays where it is.
    let money: Vec<&Value> = days.iter().map(|day| &day["money"]).collect();
    for one in &money {
        let parts: f64 = one["weights"].as_object().unwrap().values().map(number).sum();
        assert!(parts <= 1.0 + 1e-9 && number(&one["worth_usd"]) > 90_000.0, "{one}");
    }
    assert!(number(&money[0]["made"]) > 0.0 && number(&money[0]["cost_usd"]) > 0.0, "{demo}");
    assert!(money.iter().map(|one| number(&one["refused"])).sum::<f64>() > 0.0, "{demo}");
    // What the API answered over HTTP is what is on chain, as shares, with the update that proves it.
    assert!(demo["url"].as_str().unwrap().ends_with("/predict"), "{demo}");
    for one in days[2]["forecasts"].as_array().unwrap() {
        let said = &demo["answer"]["predictions"][one["strategy"].as_str().unwrap()];
        assert!((number(&said["apy"]) * 100.0 - number(&one["apy_percent"])).abs() < 1e-5, "{said} {one}");
        assert_eq!((&said["as_of"], &said["proof"]["landed"]["transaction"]), (&json!("2024-10-22"), &one["tx_hash"]));
    }
}
