//! What operators and machines are told of several jobs: each by its name, and what they share once.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use ::veriregime_files;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use veriregime_core::types::manifest::{MANIFEST_1_FILE, MANIFEST_FILE, ONNX_FILE};

use crate::alerts::{hook, webhook};
use crate::doctor::{copy_of_the_bundle, make_another_model};
use crate::jobs::{Contracts, OTHER_CHAIN_ID};
use crate::node::Node;
use crate::proxy::{Proxy, RpcFaultMode};
use crate::world::FIRST;

fn program(settings: &Path, arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
    program.arg("--config").arg(settings).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    program.stdin(Stdio::null()).output().unwrap()
}

/// What the program says in JSON, and its exit status.
fn said(settings: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = program(settings, &[&["--json"], arguments].concat());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = text.lines().last().unwrap_or_else(|| unreachable!("{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), serde_json::from_str(last).unwrap())
}

fn list<'a>(said: &'a Value, key: &str) -> &'a Vec<Value> {
    said[key].as_array().unwrap_or_else(|| unreachable!("no {key} in {said}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_is_named_by_alerts_readiness_figures_and_status_and_a_dead_chain_is_no_job_s() {
    let mut contracts = Contracts::new().await;
    let proxy = Proxy::start(contracts.world.config.chain.rpc_url(), RpcFaultMode::Fair).await;
    contracts.world.config.chain.rpc_urls = vec![proxy.rpc()];
    contracts.second.chain.rpc_urls = vec![proxy.rpc()];
    let world = &contracts.world;
    let (broken, unknown) = (world.scratch.path().join("broken"), world.scratch.path().join("unknown"));
    for folder in [&broken, &unknown] {
        copy_of_the_bundle(world, folder);
    }
    make_another_model(&unknown);
    let network = veriregime_files::read_bounded(&broken.join(ONNX_FILE), 1 << 22).unwrap();
    veriregime_files::write_atomic(&broken.join(ONNX_FILE), b"no network").unwrap();
    let unknown = format!("[[jobs]]\nname = \"fourth\"\nbundle = {}\n", json!(unknown));
    let jobs = contracts.jobs(&broken) + &unknown;
    let server = webhook(0).await;
    let alerts = json!({"webhook_file": hook(world, &server), "low_balance_updates": 1_000_000_000_000_u64});
    let node = Node::start_with(world, json!({"api": {"check_seconds": 1}, "alerts": alerts}), &jobs).await;
    let bodies = async || {
        let requests = server.received_requests().await.unwrap();
        requests.iter().map(|request| request.body_json::<Value>().unwrap()).collect::<Vec<_>>()
    };
    let told = async |key: &str, job: &str, status: &str| {
        let is_it = |body: &Value| body["key"] == key && body["job"] == job && body["status"] == status;
        bodies().await.into_iter().find(is_it)
    };
    world
        .until("the good jobs", async || {
            let (_, jobs) = node.json("/v1/jobs").await;
            [0, 2].iter().all(|job| jobs["jobs"][job]["last_cycle"]["stage"] == "confirmed")
        })
        .await;

    let refusals = [("second", "VR-PROVE-003"), ("fourth", "VR-CHAIN-005")];
    for (job, code) in refusals {
        world.until("it is told", async || told("failed", job, "firing").await.is_some()).await;
        let body = told("failed", job, "firing").await.unwrap();
        assert_eq!((&body["code"], &body["chain_id"]), (&json!(code), &json!(31_337)), "{body}");
        let text = body["text"].as_str().unwrap();
        assert!(text.contains(&format!("{code} job {job} on chain 31337: does not work since ")), "{text}");

        let (status, ready) = node.json("/readyz").await;
        let failing = list(&ready, "checks").iter().find(|check| check["name"] == "job" && check["job"] == job);
        assert_eq!((status, &failing.unwrap()["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(code)), "{ready}");
        assert_eq!(node.json(&format!("/readyz?job={job}")).await.0, StatusCode::SERVICE_UNAVAILABLE);
        let (_, view) = node.json(&format!("/v1/jobs/{job}")).await;
        assert_eq!((&view["activity"]["state"], &view["ready"]), (&json!("failed"), &json!(false)), "{view}");
    }
    let is_ready = async |query: &str| node.json(&format!("/readyz{query}")).await.0 == StatusCode::OK;
    world.until("the others are ready", async || is_ready("?job=first").await && is_ready("?job=third").await).await;
    assert!(!is_ready("").await);
    assert_eq!(node.json("/readyz?job=nobody").await.1["code"], "VR-API-013");
    let figures = async || node.text("/metrics").await.1;
    let works = |job: &str, value: &str| format!("veriregime_ready{{job_name=\"{job}\",check=\"job\"}} {value}");
    world
        .until("figures", async || {
            let text = figures().await;
            [works("first", "1"), works("second", "0"), works("third", "1"), works("fourth", "0")]
                .iter()
                .all(|line| text.contains(line))
        })
        .await;

    // `status` beside it says what the daemon says.
    let settings = world.scratch.path().join("beside.toml");
    let text = veriregime_files::read_text(&node.settings, 1 << 20).unwrap();
    let listen = node.url.socket_addrs(|| None).unwrap()[0].to_string();
    veriregime_files::write_atomic(&settings, text.replace("127.0.0.1:0", &listen).as_bytes()).unwrap();
    let (status, standing) = said(&settings, &["status"]);
    let live: Vec<_> = list(&standing, "jobs").iter().map(|job| (&job["name"], &job["live"]["state"])).collect();
    let wanted = [("first", "waiting"), ("second", "failed"), ("third", "waiting"), ("fourth", "failed")];
    assert_eq!((status, json!(live)), (Some(0), json!(wanted)), "{standing}");
    let table = String::from_utf8(program(&settings, &["status"]).stdout).unwrap();
    for words in ["job second   chain 31337", "now failed since ", "VR-PROVE-003", "now waiting until 2026-01-05"] {
        assert!(table.contains(words), "{words}: {table}");
    }

    // The wallet is low on both chains, for each of the jobs that have it: that is two messages about no job.
    world
        .until("wallets", async || bodies().await.iter().filter(|body| body["key"] == "VR-HEALTH-004").count() >= 2)
        .await;
    // A job that is mended works, which is told; then its chain dies, which is one message.
    veriregime_files::write_atomic(&broken.join(ONNX_FILE), &network).unwrap();
    world.until("it is mended", async || told("failed", "second", "resolved").await.is_some()).await;
    proxy.set(RpcFaultMode::Drop, None);
    let dead = async || bodies().await.into_iter().find(|body| body["key"] == "VR-CHAIN-001");
    world.until("a dead chain", async || dead().await.is_some()).await;
    let body = dead().await.unwrap();
    assert_eq!((&body["chain_id"], &body["job"]), (&json!(31_337), &Value::Null), "{body}");
    assert!(body["text"].as_str().unwrap().contains("VR-CHAIN-001 chain 31337: "), "{body}");
    drop(node);
    let (_, standing) = said(&settings, &["status", "--job", "first"]);
    let reason = standing["live"]["reason"].as_str().unwrap();
    assert!(reason.starts_with(&format!("no daemon answers at {listen}")), "{standing}");
    let bodies = bodies().await;
    let firing = |key: &str| -> Vec<&Value> {
        bodies.iter().filter(|body| body["key"] == key && body["status"] == "firing").collect()
    };
    assert_eq!(firing("VR-CHAIN-001").len(), 1, "{bodies:?}");
    let wallets = firing("VR-HEALTH-004");
    let distinct: BTreeSet<_> =
        wallets.iter().map(|body| (body["wallet"].to_string(), body["chain_id"].as_u64())).collect();
    assert_eq!((wallets.len(), distinct.len()), (2, 2), "{wallets:?}");
    assert!(wallets.iter().all(|body| body["wallet"].is_string() && body["job"].is_null()), "{wallets:?}");
    assert!(distinct.iter().any(|(_, chain)| *chain == Some(OTHER_CHAIN_ID)));
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_audits_and_findings_of_all_jobs_have_their_names() {
    let contracts = Contracts::new().await;
    let world = &contracts.world;
    let jobs = contracts.jobs(&world.config.bundle);
    let (status, output) = contracts.once(&jobs, &[]);
    assert_eq!(status, Some(0), "{output}");
    let settings = world.scratch.path().join("jobs.toml");
    let all = [("first", 31_337), ("second", 31_337), ("third", OTHER_CHAIN_ID)];
    let pairs = |rows: &[Value]| -> BTreeSet<(String, u64)> {
        rows.iter().map(|row| (row["job"].as_str().unwrap().to_owned(), row["chain_id"].as_u64().unwrap())).collect()
    };
    let all: BTreeSet<_> = all.map(|(job, chain)| (job.to_owned(), chain)).into();
    let third: BTreeSet<_> = [("third".to_owned(), OTHER_CHAIN_ID)].into();

    let (_, listed) = said(&settings, &["tx", "list"]);
    assert_eq!((pairs(list(&listed, "transactions")), list(&listed, "wallets").len()), (all.clone(), 2), "{listed}");
    assert!(list(&listed, "transactions").iter().all(|one| one["standing"].as_str().unwrap().starts_with("mined in ")));
    let (_, listed) = said(&settings, &["tx", "list", "--job", "third"]);
    assert_eq!((pairs(list(&listed, "transactions")), list(&listed, "wallets").len()), (third.clone(), 1), "{listed}");
    let refused = program(&settings, &["tx", "cancel"]);
    let words = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(1) && words.contains("error VR-CHAIN-017: "), "{words}");

    let period = FIRST.0.to_string();
    let (status, audited) = said(&settings, &["audit", "--period", &period]);
    assert_eq!((status, pairs(audited.as_array().unwrap())), (Some(0), all), "{audited}");
    let (status, audited) = said(&settings, &["audit", "--period", &period, "--job", "third"]);
    assert_eq!((status, pairs(audited.as_array().unwrap())), (Some(0), third), "{audited}");
    let text = String::from_utf8(program(&settings, &["audit", "--period", &period]).stdout).unwrap();
    assert!(text.contains(&format!("job second on chain 31337, period {FIRST} (")), "{text}");

    let (status, examined) = said(&settings, &["doctor"]);
    assert_eq!((status, &examined["healthy"]), (Some(0), &json!(true)), "{examined}");
    let checks = list(&examined, "checks");
    let of = |name: &str, key: &str| -> Vec<Value> {
        checks.iter().filter(|check| check["name"] == name).map(|check| check[key].clone()).collect()
    };
    for name in ["settings", "database", "disk", "clock", "candle source"] {
        assert_eq!(of(name, "job"), [Value::Null], "{name}");
    }
    for name in ["RPC", "chain head", "wallet balance", "keys"] {
        assert_eq!(
            (of(name, "chain_id"), of(name, "job")),
            (vec![json!(31_337), json!(OTHER_CHAIN_ID)], vec![Value::Null; 2]),
            "{name}"
        );
    }
    for name in ["model files", "SRS", "model on chain", "last update", "attestor"] {
        assert_eq!(of(name, "job"), ["first", "second", "third"], "{name}");
    }
    let text = String::from_utf8(program(&settings, &["doctor"]).stdout).unwrap();
    let headings: Vec<&str> =
        text.lines().filter(|line| !line.starts_with(['o', 'w', ' ']) || line.starts_with("wallet 0x")).collect();
    let wanted = [
        "this node",
        "chain 31337",
        "chain 1337",
        "wallet",
        "wallet",
        "source binance",
        "job first",
        "job second",
        "job third",
    ];
    assert_eq!(headings.len(), wanted.len(), "{text}");
    assert!(headings.iter().zip(wanted).all(|(heading, wanted)| heading.starts_with(wanted)), "{headings:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_transaction_of_one_job_is_cancelled_and_that_of_another_is_not() {
    let contracts = Contracts::new().await;
    let world = &contracts.world;
    let jobs = contracts.jobs(&world.config.bundle);
    contracts.mine(false).await;
    let node = Node::start_with(world, json!({}), &jobs).await;
    let waiting = || -> BTreeSet<String> {
        let (_, listed) = said(&node.settings, &["tx", "list"]);
        let rows = list(&listed, "transactions").iter().filter(|one| one["standing"] == "waiting");
        rows.map(|one| format!("{} {}", one["job"].as_str().unwrap(), one["purpose"].as_str().unwrap())).collect()
    };
    world
        .until("both chains have one", async || {
            waiting().iter().any(|one| one == "third update") && waiting().len() >= 2
        })
        .await;
    let (status, cancelled) = said(&node.settings, &["tx", "cancel", "--job", "third"]);
    assert_eq!(
        (status, &cancelled["job"], &cancelled["chain_id"]),
        (Some(0), &json!("third"), &json!(OTHER_CHAIN_ID)),
        "{cancelled}"
    );
    let after = waiting();
    assert!(
        after.contains("third cancel") && after.iter().any(|one| one == "first update" || one == "second update"),
        "{after:?}"
    );
}

#[test]
fn the_settings_check_has_a_line_for_each_job_and_says_all_that_is_wrong_with_any() {
    let folder = TempDir::new().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/btc-regime-4h-v1");
    let old = folder.path().join("old");
    veriregime_files::create_folder(&old).unwrap();
    for entry in std::fs::read_dir(&shipped).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, old.join(path.file_name().unwrap())).unwrap();
    }
    std::fs::copy(shipped.join(MANIFEST_1_FILE), old.join(MANIFEST_FILE)).unwrap();
    let key = folder.path().join("key");
    veriregime_files::write_private(&key, "77".repeat(32).as_bytes()).unwrap();
    let database = folder.path().join("agent.sqlite");
    let shared = format!(
        "[signer]\nfile = {}\n[prover]\nsrs_dir = {}\n[state]\npath = {}\n[model]\nbundle = {}\n\
         [chains.base]\nrpc_url = \"http://127.0.0.1:1\"\nchain_id = 1337\n",
        json!(key),
        json!(folder.path()),
        json!(database),
        json!(shipped),
    );
    let contract = |digit: char| format!("contract = \"0x{}\"\n", digit.to_string().repeat(40));
    let job = |name: &str, rest: &str| format!("[[jobs]]\nname = \"{name}\"\n{rest}");
    let good = job("good", &contract('1'))
        + &job("other", &(contract('1') + "chain = \"base\"\nschedule = { cron = \"0 0 0 * * *\" }\n"));
    let settings = folder.path().join("agent.toml");
    let write = |jobs: &str| veriregime_files::write_atomic(&settings, (shared.clone() + jobs).as_bytes()).unwrap();

    write(&good);
    let (status, checked) = said(&settings, &["config", "check"]);
    assert_eq!((status, &checked["ok"], list(&checked, "errors").len()), (Some(0), &json!(true), 0), "{checked}");
    let other = &list(&checked, "jobs")[1];
    for (field, value) in [
        ("job", json!("other")),
        ("chain", json!("base")),
        ("chain_id", json!(1337)),
        ("contract", json!("0x1111111111111111111111111111111111111111")),
        ("wallet", json!("default")),
        ("model_id", json!("btc-regime-4h-v1")),
        ("schedule", json!("0 0 0 * * *")),
    ] {
        assert_eq!(other[field], value, "{field}");
    }
    let text = String::from_utf8(program(&settings, &["config", "check"]).stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() == 3 && lines[0].starts_with("job good: chain default (31337), contract 0x1111"), "{text}");
    assert!(lines[1].contains("schedule 0 0 0 * * *") && lines[2] == "all in order", "{text}");
    let (status, checked) = said(&settings, &["config", "check", "--job", "goood"]);
    assert_eq!((status, &checked["errors"][0]["code"]), (Some(1), &json!("VR-CONFIG-004")));

    let bad = [
        job("twin", &contract('1')),
        job("far", &(contract('2') + "chain = \"bsae\"\nwallet = \"treasury\"\nattestor = \"north\"\n")),
        job("old", &(contract('3') + &format!("bundle = {}\n", json!(old)))),
        job("nowhere", "chain = \"base\"\n"),
        job("never", &(contract('4') + "schedule = { cron = \"sometimes\" }\n")),
    ]
    .concat();
    write(&(good + &bad));
    let (status, checked) = said(&settings, &["config", "check"]);
    assert_eq!((status, &checked["ok"]), (Some(1), &json!(false)));
    let errors: Vec<String> =
        list(&checked, "errors").iter().map(|one| format!("{} {}", one["code"], one["message"])).collect();
    for (code, words) in [
        ("VR-CONFIG-005", "the jobs good and twin run one model"),
        ("VR-CONFIG-004", "jobs.far.chain"),
        ("VR-CONFIG-004", "jobs.far.wallet"),
        ("VR-CONFIG-004", "jobs.far.attestor"),
        ("VR-MANIFEST-001", "models upgrade"),
        ("VR-CONFIG-002", "jobs.nowhere.contract"),
        ("VR-CONFIG-002", "jobs.never.schedule.cron"),
    ] {
        assert!(errors.iter().any(|one| one.contains(code) && one.contains(words)), "{code} {words}: {errors:#?}");
    }
    let of_old = list(&checked, "errors").iter().find(|one| one["code"] == "VR-MANIFEST-001").unwrap();
    assert_eq!(of_old["jobs"], json!(["old"]));
    let names: Vec<_> = list(&checked, "jobs").iter().map(|job| job["job"].clone()).collect();
    assert!(names.contains(&json!("good")) && !names.contains(&json!("old")), "{names:?}");
    let refused = program(&settings, &["config", "check"]);
    let words = String::from_utf8_lossy(&refused.stderr);
    assert!(words.contains("error VR-MANIFEST-001: job old: ") && words.matches("\n  next: ").count() >= 7, "{words}");

    // And nothing of it starts.
    for command in ["daemon", "once"] {
        let refused = program(&settings, &[command]);
        let words = String::from_utf8_lossy(&refused.stderr);
        assert!(refused.status.code() == Some(1) && words.contains("error VR-CONFIG-"), "{words}");
        assert!(!database.exists(), "{command} made a database");
    }
}

#[test]
fn help_shows_how_one_of_several_jobs_is_meant() {
    for command in ["status", "doctor", "once", "audit", "tx list", "tx bump", "tx cancel", "config check"] {
        let arguments: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let mut program = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
        let output = program.args(&arguments).stdin(Stdio::null()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(&format!("{command} --job ")), "{command}: {text}");
    }
}
