//! The program as a person meets it: help, completions, and what it says to input that is not right.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ::veriregime_files;
use tempfile::TempDir;

use crate::doctor::{copy_of_the_bundle, make_another_model};
use crate::world::{World, config};

const BUNDLE: &str = "models/btc-regime-4h-v1";
const KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

fn agent(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_veriregime-agent"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("VERIREGIME_CONFIG")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Exit status 1, the code, and what to do next.
fn refused(arguments: &[&str], code: &str) -> String {
    let output = agent(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    assert!(said.contains(&format!("error {code}: ")) && said.contains("\n  next: "), "{arguments:?}: {said}");
    said
}

/// A settings file with a good key and whatever else is given.
struct Settings {
    folder: TempDir,
}

impl Settings {
    fn new(text: &str) -> Self {
        let settings = Self { folder: TempDir::new().unwrap() };
        veriregime_files::write_private(&settings.path("key"), KEY.as_bytes()).unwrap();
        let key = format!("file = {:?}", settings.path("key").to_str().unwrap());
        // The section's own line, and no mention of it.
        let text = if text.starts_with("[signer]") || text.contains("\n[signer]") {
            format!("\n{text}").replace("\n[signer]", &format!("\n[signer]\n{key}"))
        } else {
            format!("{text}\n[signer]\n{key}\n")
        };
        veriregime_files::write_atomic(&settings.path("agent.toml"), text.as_bytes()).unwrap();
        settings
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn refused(&self, command: &[&str], code: &str) -> String {
        let path = self.path("agent.toml");
        refused(&[&["--config", path.to_str().unwrap()], command].concat(), code)
    }
}

#[test]
fn every_command_explains_itself() {
    let commands = [
        "daemon",
        "once",
        "status",
        "demo",
        "deploy",
        "prove",
        "verify",
        "bench",
        "train",
        "evaluate",
        "backtest",
        "models list",
        "models show",
        "models compare",
        "models promote",
        "models rollback",
        "models check",
        "candles fetch",
        "candles import",
        "candles check",
        "candles features",
        "candles serve",
        "config check",
        "config show",
        "key new",
        "key import",
        "key address",
    ];
    for command in commands {
        let arguments: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let output = agent(&arguments);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && said.contains("Examples:"), "{command}: {said}");
    }
    assert_eq!(agent(&["no-such-command"]).status.code(), Some(2));
    assert!(String::from_utf8(agent(&["completions", "bash"]).stdout).unwrap().contains("veriregime-agent"));
}

#[test]
fn the_printed_settings_are_settings() {
    let shown = String::from_utf8(agent(&["config", "show"]).stdout).unwrap();
    let settings = Settings::new(&shown.replace("file = \"secrets/wallet.key\"", ""));
    let path = settings.path("agent.toml");
    let output = agent(&["--config", path.to_str().unwrap(), "config", "check"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn settings_that_mean_nothing_are_refused_by_name() {
    let said = Settings::new("[chain]\nrpc_ulr = \"http://x\"").refused(&["config", "check"], "VR-CONFIG-001");
    assert!(said.contains("rpc_ulr"), "{said}");
    let said = Settings::new("[schedule]\ncron = \"sometimes\"").refused(&["config", "check"], "VR-CONFIG-002");
    assert!(said.contains("schedule.cron"), "{said}");
}

#[test]
fn no_sentence_of_an_error_is_printed_twice() {
    let said = Settings::new("[chain]\nconfirmations = 2.5").refused(&["config", "check"], "VR-CONFIG-001");
    assert_eq!(said.matches("chain.confirmations = 2.5").count(), 1, "{said}");
    // What cannot be read as TOML may hold a key: its line is named and not repeated.
    let said = Settings::new("[chain]\nrpc_url = \"https://node/secret").refused(&["status"], "VR-CONFIG-001");
    assert!(said.contains("line 2 (rpc_url)") && !said.contains("secret"), "{said}");
}

#[test]
fn what_an_error_quotes_does_not_steer_the_terminal() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("agent.toml");
    veriregime_files::write_atomic(&path, br#""oracle\u001b[31m" = 1"#).unwrap();
    let said = refused(&["--config", path.to_str().unwrap(), "status"], "VR-CONFIG-001");
    assert!(said.contains("oracle\u{fffd}[31m") && !said.contains('\x1b'), "{said:?}");
}

#[test]
fn a_key_file_must_be_there_private_and_a_key() {
    let settings = Settings::new("");
    let key = settings.path("key");
    veriregime_files::write_atomic(&key, KEY.as_bytes()).unwrap();
    let said = settings.refused(&["config", "check"], "VR-KEY-002");
    assert!(!said.contains(KEY), "the key must not be printed");
    veriregime_files::write_private(&key, b"correct horse battery staple").unwrap();
    let said = settings.refused(&["config", "check"], "VR-KEY-003");
    assert!(!said.contains("horse"), "what might be a key must not be printed");
    std::fs::remove_file(&key).unwrap();
    settings.refused(&["config", "check"], "VR-KEY-001");
}

#[test]
fn a_bundle_with_one_wrong_byte_is_refused_by_every_command() {
    let folder = TempDir::new().unwrap();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(BUNDLE)).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    let settings = Settings::new(&format!("[model]\nbundle = {:?}", folder.path().to_str().unwrap()));
    let model = folder.path().join("model.onnx");
    let whole = std::fs::read(&model).unwrap();
    std::fs::write(&model, &whole[..whole.len() - 1]).unwrap();
    for command in [&["config", "check"][..], &["once"], &["daemon"], &["status"], &["deploy"]] {
        let oracle = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
        let said = Settings::new(&format!(
            "[model]\nbundle = {:?}\n[chain]\noracle = \"{oracle}\"\n[state]\npath = {:?}",
            folder.path().to_str().unwrap(),
            folder.path().join("db").to_str().unwrap()
        ))
        .refused(command, "VR-PROVE-003");
        assert!(said.contains("model.onnx"), "{said}");
    }
    std::fs::write(&model, &whole).unwrap();
    std::fs::remove_file(folder.path().join("vk.key")).unwrap();
    settings.refused(&["config", "check"], "VR-PROVE-004");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_is_not_the_right_one_or_not_there_is_named() {
    let world = World::new().await;
    let rpc = world.config.chain.rpc_url();
    let wrong = format!("[chain]\nrpc_url = \"{rpc}\"\nchain_id = 1337");
    let dead = "[chain]\nrpc_url = \"http://127.0.0.1:9\"";
    let (bundle, srs_dir) = (&world.config.bundle, &world.config.prover.srs_dir);
    let provable = format!("[model]\nbundle = {bundle:?}\n[prover]\nsrs_dir = {srs_dir:?}");
    let poor = Settings::new(&format!("[chain]\nrpc_url = \"{rpc}\"\n{provable}"));
    veriregime_files::write_private(&poor.path("key"), "7".repeat(64).as_bytes()).unwrap();
    tokio::task::spawn_blocking(move || {
        let record = poor.path("");
        let deploy = ["deploy", "--timelock", "86400", "--record", record.to_str().unwrap()];
        Settings::new(&wrong).refused(&deploy, "VR-CHAIN-003");
        Settings::new(dead).refused(&deploy, "VR-CHAIN-001");
        poor.refused(&deploy, "VR-CHAIN-006");
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_with_another_model_than_the_contract_s_does_not_start() {
    let mut world = World::new().await;
    let folder = world.scratch.path().join("other");
    copy_of_the_bundle(&world, &folder);
    make_another_model(&folder);
    world.config.bundle = folder;
    let output = world.program(&["daemon"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("error VR-CHAIN-005: ") && said.contains("its manifest differs"), "{said}");
}

#[test]
fn a_reference_string_of_another_origin_is_refused() {
    let (config, folder) = (config(), TempDir::new().unwrap());
    // Long enough to be one.
    std::fs::write(folder.path().join("kzg8.srs"), vec![0; 256 * 128 + 260]).unwrap();
    let settings = Settings::new(&format!(
        "[prover]\nsrs_dir = {:?}\npython = {:?}\n[chain]\noracle = \"0x5FbDB2315678afecb367f032d93F642f64180aa3\"\n[state]\npath = {:?}",
        folder.path().to_str().unwrap(),
        config.prover.python.to_str().unwrap(),
        folder.path().join("agent.sqlite").to_str().unwrap()
    ));
    settings.refused(&["once"], "VR-PROVE-007");
}

/// How often a file is opened by the program.
fn times_opened(path: &Path, run: impl FnOnce()) -> usize {
    use rustix::fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init};
    let watch = init(CreateFlags::NONBLOCK).unwrap();
    add_watch(&watch, path, WatchFlags::OPEN).unwrap();
    run();
    let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
    let mut events = Reader::new(&watch, &mut buffer);
    std::iter::from_fn(|| events.next().ok().map(|_| ())).count()
}

#[test]
fn the_daemon_reads_its_settings_once() {
    let settings = Settings::new("");
    std::fs::remove_file(settings.path("key")).unwrap();
    let oracle = "[chain]\noracle = \"0x5FbDB2315678afecb367f032d93F642f64180aa3\"\n";
    let text = std::fs::read_to_string(settings.path("agent.toml")).unwrap();
    let state = format!("[state]\npath = {:?}\n", settings.path("db").to_str().unwrap());
    std::fs::write(settings.path("agent.toml"), text + oracle + &state).unwrap();
    let opened = times_opened(&settings.path("agent.toml"), || {
        settings.refused(&["daemon"], "VR-KEY-001");
    });
    assert_eq!(opened, 1, "what is compared with at a reload is what was checked at the start");
}

#[test]
fn a_new_key_s_folder_belongs_to_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (wallet, passphrase) = (path("secrets/deep/wallet.json"), path("words/passphrase"));
    let output = agent(&["key", "new", &wallet, "--passphrase-file", &passphrase]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for made in ["secrets", "secrets/deep", "words"] {
        let mode = std::fs::metadata(path(made)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o700, "{made}");
    }
}

#[test]
fn the_settings_check_looks_at_the_reference_string() {
    let config = config();
    let empty = TempDir::new().unwrap();
    let of = |folder: &Path, chain_id: u64| {
        Settings::new(&format!("[prover]\nsrs_dir = {:?}\n[chain]\nchain_id = {chain_id}", folder.to_str().unwrap()))
    };
    of(empty.path(), 1).refused(&["config", "check"], "VR-PROVE-006");
    // A development chain's string may be made later, but not go unmentioned.
    let settings = of(empty.path(), 31_337);
    let output = agent(&["--config", settings.path("agent.toml").to_str().unwrap(), "config", "check"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.contains("NO SRS in "), "{said}");
    let size = 256 * 128 + 260;
    std::fs::write(empty.path().join("kzg8.srs"), vec![0; size]).unwrap();
    of(empty.path(), 31_337).refused(&["config", "check"], "VR-PROVE-007");
    if config.prover.srs_dir.join("kzg8.srs").exists() {
        let settings = of(&config.prover.srs_dir, 1);
        let output = agent(&["--config", settings.path("agent.toml").to_str().unwrap(), "config", "check"]);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains("kzg8.srs, the public ceremony's"), "{said}");
    }
}

#[test]
fn a_setting_s_variable_with_single_underscores_is_pointed_out() {
    let output = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"))
        .args(["config", "check"])
        .env("VERIREGIME_CHAIN_RPC_URL", "http://node:8545")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("error VR-CONFIG-010") && said.contains("VERIREGIME__CHAIN__RPC_URL is one"), "{said}");
}

#[test]
fn no_error_says_a_thing_twice() {
    let bundle = TempDir::new().unwrap();
    let bundle = format!("[model]\nbundle = {:?}", bundle.path().to_str().unwrap());
    let cases = [
        ("[chain]\nchain_id = \"one\"", "VR-CONFIG-001"),
        ("[chain]\nrpc_url = ", "VR-CONFIG-001"),
        ("[chain]\nrpc_url = \"127.0.0.1:8545\"", "VR-CONFIG-002"),
        (&bundle, "VR-PROVE-004"),
    ];
    for (text, code) in cases {
        let said = Settings::new(text).refused(&["config", "check"], code);
        let words: Vec<&str> = said.split_whitespace().collect();
        let phrases: Vec<&[&str]> = words.windows(3).collect();
        let twice = phrases.iter().enumerate().find(|(at, phrase)| phrases[..*at].contains(*phrase));
        assert!(twice.is_none(), "{twice:?}: {said}");
        assert!(code != "VR-CONFIG-002" || said.contains("http:// missing?"), "{said}");
    }
}

/// Every command's help at a width, by its words.
fn helps(columns: &str) -> Vec<(String, String)> {
    fn collect(command: &clap::Command, path: &[&str], columns: &str, found: &mut Vec<(String, String)>) {
        let arguments: Vec<&str> = path.iter().copied().chain(["--help"]).collect();
        let output = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"))
            .args(&arguments)
            .env("COLUMNS", columns)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        found.push((path.join(" "), String::from_utf8(output.stdout).unwrap()));
        for one in command.get_subcommands().filter(|one| one.get_name() != "help") {
            collect(one, &[path, &[one.get_name()]].concat(), columns, found);
        }
    }
    let mut found = Vec::new();
    collect(&veriregime_agent::cmd::help::command(), &[], columns, &mut found);
    found
}

#[test]
fn help_is_wrapped_once_and_fits_into_eighty_and_a_hundred_columns() {
    for columns in [80, 100] {
        for (command, said) in helps(&columns.to_string()) {
            let lines: Vec<&str> = said.lines().collect();
            for (line, next) in lines.iter().zip(&lines[1..]) {
                let width = line.chars().count();
                // clap leaves this line whole.
                assert!(width <= columns || line.starts_with("Usage: "), "{command}: {line}");
                assert!(!line.contains('\\'), "{command}: {line}");
                // A line that ends before its width does so because the next word would not have fitted.
                let is_prose =
                    |line: &str| line.chars().next().is_some_and(char::is_alphabetic) && !line.ends_with(':');
                if is_prose(line) && is_prose(next) && !line.starts_with("Usage") {
                    let word = next.split(' ').next().unwrap().chars().count();
                    assert!(width + 1 + word > columns, "{command} is wrapped twice: {line}\n{next}");
                }
            }
        }
    }
}

#[test]
fn a_file_that_is_no_proof_document_is_named() {
    refused(&["verify", "--proof", "Cargo.toml"], "VR-FILE-001");
    // The committed fixture of the contracts' tests is another format: still no proof document.
    refused(&["verify", "--proof", "contracts/test/fixtures/btc-regime-4h-v1.json"], "VR-FILE-001");
}

#[test]
fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    refused(&["candles", "serve", "--port", &port], "VR-CANDLE-014");
}

#[test]
fn candle_files_that_are_none_or_broken_are_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("candles.csv");
    let check = |text: &str, code: &str| {
        std::fs::write(&path, text).unwrap();
        refused(&["candles", "check", path.to_str().unwrap()], code);
    };
    let row = |time: i64, prices: &str, volume: &str| format!("{time},{prices},{volume},{},0,0,0,0,0\n", time + 59_999);
    check("not candles at all", "VR-CANDLE-011");
    check(&row(60_000, "1,2,0.5,-1", "1"), "VR-DATA-002");
    check(&row(60_000, "1,2,0.5,0", "1"), "VR-DATA-002");
    check(&row(60_000, "1,2,0.5,NaN", "1"), "VR-DATA-002");
    check(&row(60_000, "1,1,0.5,2", "1"), "VR-DATA-003");
    check(&row(60_000, "1,2,0.5,1", "1e30"), "VR-DATA-004");
    check(&(row(60_000, "1,2,0.5,1", "1") + &row(60_000, "1,2,0.5,1", "1")), "VR-DATA-005");
    check(&(row(120_000, "1,2,0.5,1", "1") + &row(60_000, "1,2,0.5,1", "1")), "VR-DATA-006");
    std::fs::write(&path, b"PAR1 this is cut off").unwrap();
    refused(&["candles", "check", path.to_str().unwrap()], "VR-CANDLE-012");
    refused(&["candles", "check", "/no/such/file"], "VR-FILE-001");
}
