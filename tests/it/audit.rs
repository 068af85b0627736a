//! Updates on a real chain, with real proofs, audited from outside.

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use veriregime_agent::types::cycle::Stage;
use veriregime_agent::types::period::PeriodId;

use crate::world::{FIRST, World};

/// Lands an update whose candle features are changed by `alter` before they are proven and attested.
async fn land(world: &World, period: PeriodId, alter: impl FnOnce(&mut Vec<i32>)) {
    world.enter(period).await;
    let mut agent = world.agent("operator").await;
    let stop = CancellationToken::new();
    let record = agent.run_until(Stage::Forecast, period, &stop).await.unwrap();
    let mut forecast = record.forecast.unwrap();
    alter(&mut forecast.features[0].candle);
    let inputs = veriregime_agent::types::feature::FeatureVector::concat(&forecast.features);
    let outputs: Vec<_> = agent.model.predict(&inputs).unwrap().into_iter().map(|one| one.circuit).collect();
    let proved =
        agent.prover.prove(&inputs, &veriregime_agent::types::prediction::Outputs::concat(&outputs)).await.unwrap();
    let model_id = agent.chain.read.model_id(agent.oracle, &agent.expected).await.unwrap();
    let update = veriregime_agent::chain::Update {
        model_id,
        period,
        features: &forecast.features,
        outputs: &outputs,
        proof: &proved.proof.bytes,
    };
    let nonce = agent.chain.nonce().await.unwrap();
    let attempt = agent.chain.sign_update(agent.oracle, &update, nonce, None).await.unwrap();
    agent.chain.broadcast(&attempt).await.unwrap();
    agent.chain.read.receipt(attempt.hash).await.unwrap();
    agent.prover.stop().await;
}

fn audit(world: &World, period: PeriodId) -> (i32, Value) {
    let output = world.program(&["--json", "audit", "--period", &period.0.to_string()]);
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().last().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), serde_json::from_str(line).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_tells_honest_updates_from_swapped_features() {
    let world = World::new().await;
    land(&world, FIRST, |_| ()).await;
    let (code, reports) = audit(&world, FIRST);
    assert_eq!((code, &reports[0]["verdict"]), (0, &Value::from("match")), "{reports}");
    assert_eq!(reports[0]["attestors"][0]["signed"], true);
    assert_eq!(reports[0]["attestors"][0]["in_set"], true);

    let second = FIRST.next();
    land(&world, second, |features| features.swap(0, 1)).await;
    let (code, reports) = audit(&world, second);
    assert_eq!((code, &reports[0]["verdict"]), (3, &Value::from("data_differ")), "{reports}");
    let indices: Vec<_> = reports[0]["differences"].as_array().unwrap().iter().map(|one| &one["index"]).collect();
    assert_eq!(indices, [&Value::from(0), &Value::from(1)]);

    let (code, reports) = audit(&world, second.next());
    assert_eq!((code, reports), (0, Value::Array(vec![])), "nothing landed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_finds_an_operator_whose_exchange_altered_one_candle() {
    let world = World::new().await;
    land(&world, FIRST, |features| features[0] += 1).await;
    let output = world.program(&["audit", "--period", &FIRST.0.to_string()]);
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("data differ") && text.contains("feature 0 ("), "{text}");
}

#[test]
fn periods_of_an_audit_are_bounded() {
    let run = |arguments: &[&str]| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
        program.args(arguments).output().unwrap()
    };
    let output = run(&["audit", "--from", "2026-01-05", "--to", "2030-01-05"]);
    assert_eq!(output.status.code(), Some(1));
    let output = run(&["audit", "--from", "2026-01-05"]);
    assert_eq!(output.status.code(), Some(2), "--to is wanted, too");
}
