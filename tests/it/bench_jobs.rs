//! `bench --jobs`: its daemon lands updates, and whatever it has started ends with it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for what was killed to be gone.
const GONE: Duration = Duration::from_secs(20);

/// Processes that were started with this folder for their scratch.
fn of(folder: &Path) -> Vec<String> {
    let wanted = folder.to_str().unwrap().as_bytes();
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        let environment = fs::read(path.join("environ")).ok()?;
        let is_ours = environment.windows(wanted.len()).any(|part| part == wanted);
        is_ours.then(|| String::from_utf8_lossy(&fs::read(path.join("cmdline")).unwrap_or_default()).replace('\0', " "))
    });
    processes.collect()
}

#[test]
fn a_bench_of_jobs_lands_updates_and_an_interrupt_leaves_nothing_running() {
    let scratch = tempfile::tempdir().unwrap();
    let mut bench = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("TMPDIR", scratch.path())
        .env_remove("VERIREGIME_CONFIG")
        .args(["bench", "--jobs", "2", "--json"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    let mut lines = BufReader::new(bench.stderr.take().unwrap()).lines().map(Result::unwrap);
    let landed = lines.by_ref().inspect(|line| said.push(line.clone())).any(|line| {
        // What comes first is the period without any candles.
        line == "2 jobs: 2 updates landed in period 1 of 4"
    });
    assert!(landed, "{said:#?}");
    let started = of(scratch.path());
    for program in ["anvil", " daemon", "python"] {
        assert!(started.iter().any(|command| command.contains(program)), "{program} in {started:#?}");
    }
    assert!(Command::new("kill").args(["-INT", &bench.id().to_string()]).status().unwrap().success());
    assert_eq!(bench.wait().unwrap().code(), Some(1));
    let said: Vec<String> = lines.collect();
    assert!(said.iter().any(|line| line.contains("stopped before the end")), "{said:#?}");
    let killed = Instant::now();
    while !of(scratch.path()).is_empty() {
        assert!(killed.elapsed() < GONE, "{:#?}", of(scratch.path()));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "no scratch is left");
}
