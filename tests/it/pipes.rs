//! Readers that leave: `| head`, a terminal that is closed, a log that is rotated away.

use std::io::pipe;
use std::process::{Command, Output, Stdio};

use ::veriregime_files;
use serde_json::json;
use veriregime_core::types::cycle::Stage;

use crate::world::{FIRST, World, toml};

fn program(arguments: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
    program.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    program
}

/// A pipe whose reader is gone before anything is written.
fn unread() -> Stdio {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    writer.into()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn nothing_panics_when_standard_output_is_closed() {
    let commands = [
        "completions bash",
        "completions zsh",
        "completions fish",
        "completions elvish",
        "completions powershell",
        "--help",
        "--version",
        "help deploy",
        "config show",
        "models list",
        "models list --json",
        "models check",
        "candles --help",
        // What it logs of a chain that is not there is no complaint of a pipe.
        "status --json",
        "evidence list",
    ];
    let scratch = tempfile::tempdir().unwrap();
    for command in commands {
        let arguments: Vec<&str> = command.split(' ').collect();
        let mut program = program(&arguments);
        program.env("VERIREGIME__STATE__PATH", scratch.path().join("agent.sqlite"));
        program.env("VERIREGIME__EVIDENCE__DIR", scratch.path());
        let output = program.stdout(unread()).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{command}: {}", said(&output));
        assert!(!said(&output).contains("panicked"), "{command}: {}", said(&output));
    }
}

#[test]
fn the_exit_status_is_the_same_whether_anybody_reads() {
    // An error on standard error, an argument that clap refuses, and an error while nobody reads either of the two.
    let cases =
        [(&["verify", "--proof", "Cargo.toml"][..], 1), (&["no-such-command"], 2), (&["deploy", "--policy", "/no"], 1)];
    for (arguments, status) in cases {
        let output = program(arguments).stdout(unread()).stderr(unread()).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
    }
}

#[test]
fn a_full_disk_behind_standard_output_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = program(&["config", "show"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("error VR-FILE-003: no space left to write standard output"), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_whose_log_nobody_reads_any_more_goes_on() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let settings = world.scratch.path().join("agent.toml");
    let mut sections = world.settings();
    sections["log"] = json!({"level": "debug", "format": "json"});
    veriregime_files::write_atomic(&settings, toml(&sections).as_bytes()).unwrap();
    let arguments = ["--config", settings.to_str().unwrap(), "daemon"];
    let mut daemon = program(&arguments).stdout(unread()).stderr(unread()).spawn().unwrap();
    let store = veriregime_agent::state::Store::open(&world.scratch.path().join("agent.sqlite")).unwrap();
    let job = world.job();
    let landed = async || store.cycle(job, FIRST).unwrap().is_some_and(|one| one.stage == Stage::Confirmed);
    world.until("the update of a daemon whose log has no reader", landed).await;
    assert!(daemon.try_wait().unwrap().is_none(), "it goes on");
    daemon.kill().unwrap();
    daemon.wait().unwrap();
}
