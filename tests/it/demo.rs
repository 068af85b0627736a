//! The demo with several jobs: two chains, and a model over several markets, in one process.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::world::config;

const MARKETS: [&str; 3] = ["ETH-USD", "SOL-USD", "BNB-USD"];

fn program(arguments: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
    program.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    program.env("VERIREGIME__PROVER__SRS_DIR", config().prover.srs_dir).env_remove("VERIREGIME_CONFIG");
    program
}

/// Head and body of what is answered at a path.
fn get(address: &str, path: &str) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    write!(connection, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

fn last_line(output: &[u8]) -> Value {
    serde_json::from_str(String::from_utf8_lossy(output).lines().last().unwrap()).unwrap()
}

#[test]
fn three_jobs_land_every_period_on_their_chains() {
    let output = program(&["--json", "demo", "--jobs", "3", "--periods", "2"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let told = last_line(&output.stdout);
    let jobs = told["jobs"].as_array().unwrap();
    let places: Vec<_> = jobs.iter().map(|job| (&job["name"], &job["chain"], &job["chain_id"])).collect();
    let place = |name: &'static str, chain: &'static str, id: u64| (name.into(), chain.into(), id.into());
    let expected: [(Value, Value, Value); 3] =
        [place("btc-one", "one", 31_337), place("btc-two", "two", 1337), place("altcoins", "two", 1337)];
    assert_eq!(places, expected.each_ref().map(|(name, chain, id)| (name, chain, id)), "{told}");
    let mut hashes = BTreeSet::new();
    for job in jobs {
        let periods = job["periods"].as_array().unwrap();
        assert_eq!(periods.len(), 2, "{job}");
        assert_eq!(periods[0]["period"].as_u64().unwrap() + 1, periods[1]["period"].as_u64().unwrap());
        hashes.extend(periods.iter().map(|period| period["tx_hash"].as_str().unwrap()));
    }
    assert_eq!(hashes.len(), 6, "each landed in a transaction of its own: {told}");
    // One model and one market: the same forecast on both chains. Each other market has one of its own.
    let forecasts = |job: &Value| -> Vec<f64> {
        job["periods"].as_array().unwrap().iter().map(|period| period["vol_forecast"].as_f64().unwrap()).collect()
    };
    assert_eq!(forecasts(&jobs[0]), forecasts(&jobs[1]));
    for period in jobs[2]["periods"].as_array().unwrap() {
        let markets = period["markets"].as_array().unwrap();
        assert_eq!(markets.iter().map(|market| market["market"].as_str().unwrap()).collect::<Vec<_>>(), MARKETS);
        let forecasts: BTreeSet<String> = markets.iter().map(|market| market["vol_forecast"].to_string()).collect();
        assert_eq!(forecasts.len(), MARKETS.len(), "{period}");
        assert!(markets.iter().all(|market| market["realised_regime"].is_string()), "{period}");
    }
}

#[test]
fn chains_that_stay_up_are_told_of_by_the_command_that_is_printed() {
    let mut demo = program(&["demo", "--jobs", "3", "--periods", "1", "--keep"])
        .env("COLUMNS", "80")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let mut shown = Vec::new();
    let command = loop {
        let line = lines.next().expect("the command is printed").unwrap();
        match line.trim_start().strip_prefix(env!("CARGO_BIN_EXE_veriregime-agent")) {
            Some(arguments) => break arguments.to_owned(),
            None => shown.push(line),
        }
    };
    let text = shown.join("\n");
    for job in ["btc-one", "btc-two", "altcoins"] {
        assert_eq!(text.matches(&format!("\njob {job}: ")).count(), 1, "its table: {text}");
        assert_eq!(text.matches(&format!("\njob {job}   chain ")).count(), 1, "its status: {text}");
    }
    let tables = text.split("\njob ").skip(1).take(3).flat_map(str::lines);
    assert!(tables.clone().all(|line| line.chars().count() <= 80), "{text}");
    assert_eq!(tables.filter(|line| line.contains("01-05 00:00")).count(), 3, "{text}");

    let arguments: Vec<&str> = command.split_whitespace().chain(["--json"]).collect();
    let output = program(&arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let status = last_line(&output.stdout);
    let jobs = status["jobs"].as_array().unwrap();
    assert_eq!(jobs.iter().map(|job| &job["cycles"][0]["outcome"]).collect::<Vec<_>>(), ["confirmed"; 3], "{status}");
    // Two models at one contract: each job has its own cycle, and not the other's.
    for job in jobs {
        let cycles = job["cycles"].as_array().unwrap();
        assert_eq!((cycles.len(), &cycles[0]["model_id"]), (1, &job["model_id"]), "{job}");
    }
    let page = text.lines().find_map(|line| line.trim().strip_prefix("http://")).expect("the dashboard's address");
    let address = page.trim_end_matches('/');
    let told: Value = serde_json::from_str(get(address, "/v1/jobs").split_once("\r\n\r\n").unwrap().1).unwrap();
    for job in told["jobs"].as_array().unwrap() {
        assert_eq!(
            (&job["last_cycle"]["stage"], &job["activity"]["state"]),
            (&"confirmed".into(), &"waiting".into()),
            "{job}"
        );
    }
    let root = get(address, "/").to_ascii_lowercase();
    assert!(root.contains("content-security-policy: default-src 'none'"), "{root}");
    let output = program(&[&arguments[..], &["--job", "altcoins"]].concat()).output().unwrap();
    let only = last_line(&output.stdout);
    assert_eq!((only["cycles"].as_array().unwrap().len(), only["markets"].as_array().unwrap().len()), (1, 3), "{only}");
    let interrupted = Command::new("kill").args(["-INT", &demo.id().to_string()]).status().unwrap();
    assert!(interrupted.success() && demo.wait().unwrap().success());
}

#[test]
fn more_jobs_than_there_are_to_show_are_refused() {
    for jobs in ["0", "4", "many"] {
        let output = program(&["demo", "--jobs", jobs]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("--jobs <JOBS>") && said.contains(jobs), "{said}");
    }
}
