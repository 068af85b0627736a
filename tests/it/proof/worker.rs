//! The worker behind the prover: killed, too slow, too large, stopped.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use ::veriregime_files;
use veriregime_agent::verification::ezkl::srs::Srs;
use veriregime_agent::verification::ezkl::supervisor::Ezkl;
use veriregime_agent::verification::ezkl::worker::Settings;
use veriregime_core::types::diagnostic::Diagnostic;

use super::{Fixture, INPUTS, settings};

/// Sends a signal to one process of ours.
fn signal(name: &str, process_id: u32) {
    assert!(Command::new("kill").args([name, &process_id.to_string()]).status().unwrap().success());
}

#[tokio::test]
async fn a_worker_killed_at_work_is_reported_and_replaced() {
    let fixture = Fixture::new(9).await;
    let outputs = fixture.outputs(&INPUTS);
    let mut prover = fixture.prover(settings()).await;
    for _ in 0..3 {
        let process_id = prover.process_id().unwrap();
        // Stopped first, so that it cannot have answered by the time that it dies.
        signal("-STOP", process_id);
        let (outcome, ()) = tokio::join!(prover.prove(&INPUTS, &outputs), async { signal("-KILL", process_id) });
        let fault = outcome.expect_err("killed");
        assert_eq!(fault.code(), "VR-PROVE-010", "{fault}");
        assert!(prover.prove(&INPUTS, &outputs).await.is_ok());
        assert_ne!(prover.process_id(), Some(process_id));
    }
    let process_id = prover.process_id().unwrap();
    let busy: Vec<Vec<i32>> = vec![INPUTS.to_vec(); 20_000];
    let (outcome, ()) = tokio::join!(prover.witness(&busy), async { signal("-KILL", process_id) });
    assert_eq!(outcome.expect_err("killed").code(), "VR-PROVE-010");
    assert!(prover.prove(&INPUTS, &outputs).await.is_ok());
}

#[tokio::test]
async fn a_worker_that_does_not_answer_in_time_is_killed_and_replaced() {
    let fixture = Fixture::new(10).await;
    let outputs = fixture.outputs(&INPUTS);
    let mut prover = fixture.prover(Settings { deadline: Duration::from_secs(5), ..settings() }).await;
    let process_id = prover.process_id().unwrap();
    signal("-STOP", process_id);
    let fault = prover.prove(&INPUTS, &outputs).await.expect_err("stopped");
    assert_eq!(fault.code(), "VR-PROVE-009");
    assert!(prover.prove(&INPUTS, &outputs).await.is_ok());
    assert_ne!(prover.process_id(), Some(process_id));
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_no_answer_for_the_next() {
    let fixture = Fixture::new(11).await;
    let outputs = fixture.outputs(&INPUTS);
    let mut prover = fixture.prover(settings()).await;
    let busy: Vec<Vec<i32>> = vec![INPUTS.to_vec(); 20_000];
    let given_up = tokio::time::timeout(Duration::from_millis(10), prover.witness(&busy)).await;
    assert!(given_up.is_err());
    assert!(prover.prove(&INPUTS, &outputs).await.is_ok());
}

#[tokio::test]
async fn a_worker_beyond_its_memory_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut ezkl = Ezkl::new(Settings { memory_limit_mb: 40, ..settings() });
    let fault = Srs::generate(&mut ezkl, folder.path(), 18).await.expect_err("40 MB");
    assert_eq!(fault.code(), "VR-PROVE-011", "{fault}");
    Srs::generate(&mut ezkl, folder.path(), 6).await.unwrap();
}

#[tokio::test]
async fn a_stopped_worker_is_gone_and_so_is_its_scratch_folder() {
    let mut ezkl = Ezkl::new(settings());
    ezkl.peak_rss_bytes().await.unwrap();
    let process = PathBuf::from(format!("/proc/{}", ezkl.process_id().unwrap()));
    let command_line = veriregime_files::read_text(&process.join("cmdline"), 4096).unwrap();
    let scratch = PathBuf::from(command_line.split('\0').nth(3).unwrap());
    assert!(scratch.is_dir());
    ezkl.stop().await;
    assert!(!process.exists());
    assert!(!scratch.exists());
}

#[tokio::test]
async fn what_is_no_worker_is_found_out() {
    let cases = [
        ("echo hello; exec cat > /dev/null", "VR-PROVE-012"),
        ("yes | tr -d '\\n'", "VR-PROVE-012"),
        (
            r#"echo '{"id":9,"ok":{"ezkl_version":"23.0.5","python_version":"3"}}'; exec cat > /dev/null"#,
            "VR-PROVE-012",
        ),
        (r#"echo '{"id":1}'; exec cat > /dev/null"#, "VR-PROVE-012"),
        (
            r#"echo '{"id":1,"ok":{"ezkl_version":"22.3.0","python_version":"3"}}'; exec cat > /dev/null"#,
            "VR-PROVE-002",
        ),
        ("echo no module named ezkl >&2; exit 1", "VR-PROVE-010"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("python");
    for (body, code) in cases {
        // Written by another process: one of ours that is forked meanwhile would keep the file busy.
        let write = r#"printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod 700 "$1""#;
        let path = script.to_str().unwrap();
        assert!(Command::new("sh").args(["-c", write, "sh", path, body]).status().unwrap().success());
        let mut ezkl = Ezkl::new(Settings { python: script.clone(), ..settings() });
        let fault = ezkl.peak_rss_bytes().await.expect_err(body);
        assert_eq!(fault.code(), code, "{body}: {fault}");
        assert!(code != "VR-PROVE-010" || fault.to_string().contains("no module named ezkl"));
    }
    let mut ezkl = Ezkl::new(Settings { python: folder.path().join("absent"), ..settings() });
    assert_eq!(ezkl.peak_rss_bytes().await.expect_err("absent").code(), "VR-PROVE-001");
}
