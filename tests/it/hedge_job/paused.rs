//! A vault that its owner has paused: no fault, for whoever looks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::primitives::Address;
use serde_json::json;
use veriregime_agent::actions::hedge_vault::abi::vault::HedgeVault;
use veriregime_agent::alerts::conditions::{Shares, active_alerts};
use veriregime_agent::health::monitor::{Probe, Report};
use veriregime_agent::health::vault::{VaultLimits, VaultProbe};
use veriregime_agent::health::{Check, Level};
use veriregime_agent::job::Agent;
use veriregime_agent::node::serving;
use veriregime_agent::operator::status::NodeStatus;
use veriregime_agent::render::Render;
use veriregime_agent::state::reader::Reader;
use veriregime_core::hedge::GRID;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::period::PeriodId;

use super::{FIRST, Scene};

/// What a running node checks of the job.
async fn checks(scene: &Scene, agent: &Agent) -> Vec<Check> {
    let vault = VaultProbe {
        cycles: Arc::new(Reader::open(&scene.scratch.path().join("agent.sqlite")).unwrap()),
        job: agent.job(),
        output_scale: agent.bundle.manifest.outputs[0].scale,
        limits: VaultLimits { rise_percent: 25, low_budget_weeks: 4 },
    };
    Probe { vault: Some(vault), ..serving::probe(&scene.config, agent) }.checks().await
}

fn named<'a>(checks: &'a [Check], name: &str) -> &'a Check {
    checks.iter().find(|check| check.name == name).unwrap()
}

/// Keys of what somebody would be told.
fn alerts(now_ms: i64, record: &CycleRecord, checks: Vec<Check>) -> Vec<String> {
    let shares = Shares { job: "miner".into(), chain_id: 31_337, wallet: Address::ZERO, source: "tables".into() };
    let report = Report { checked: Instant::now(), checks };
    let (records, untold) = ([record.clone()], [record.clone()]);
    let untold = if record.stage.is_final() { &untold[..] } else { &[] };
    let found = active_alerts(now_ms, &shares, &records, untold, &report, Duration::from_mins(20));
    found.into_iter().map(|alert| alert.key).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_vault_is_calm_and_sells_in_the_week_in_which_it_goes_on() {
    let none: [&str; 0] = [];
    let scene = Scene::new().await;
    let mut agent = scene.agent("agent.sqlite").await;
    assert_eq!(scene.run(&mut agent, FIRST).await.stage, Stage::Confirmed);
    let selling = checks(&scene, &agent).await;
    assert!(named(&selling, "vault sales").figure.contains("lets it sell"), "{selling:?}");

    // Paused for three weeks: each waits for the owner's word, and ends without a sale.
    scene.owner_calls(&HedgeVault::pauseCall {}).await;
    for week in 1..=3 {
        let period = PeriodId(FIRST.0 + week);
        scene.enter(period).await;
        let mut agent = scene.agent("agent.sqlite").await;
        assert_eq!(scene.kept_by(&mut agent, period).await, "VR-VAULT-003");
        let waits = agent.store.cycle(agent.job(), period).unwrap().unwrap();
        let found = checks(&scene, &agent).await;
        assert_eq!(named(&found, "last update").level, Level::Ok, "{found:?}");
        assert!(named(&found, "vault sales").figure.contains("paused"), "{found:?}");
        let node = [scene.config.clone()];
        let status = NodeStatus::of(&node, &node, 1).await.unwrap();
        assert!(status.text().contains("paused by its owner"), "{}", status.text());
        assert_eq!(json!(status)["vault"]["paused"], true);
        let days_later_ms = waits.started_ms + 3 * 86_400_000;
        assert_eq!(alerts(days_later_ms, &waits, found), none);
        scene.clock.set_ms(GRID.end_ms(period));
        let ended = scene.run(&mut agent, period).await;
        assert_eq!((ended.stage, ended.miss.as_ref().unwrap().code.as_str()), (Stage::Missed, "VR-VAULT-003"));
        assert_eq!(alerts(scene.clock.now_ms(), &ended, Vec::new()), none);
    }
    assert_eq!(scene.sold().await.len(), 1);

    // It goes on within the fourth, which sells for the days that are open by then.
    let fourth = PeriodId(FIRST.0 + 4);
    scene.enter(fourth).await;
    let mut agent = scene.agent("agent.sqlite").await;
    assert_eq!(scene.kept_by(&mut agent, fourth).await, "VR-VAULT-003");
    scene.owner_calls(&HedgeVault::unpauseCall {}).await;
    assert_eq!(scene.run(&mut agent, fourth).await.stage, Stage::Confirmed);
    let sales = scene.sales().await;
    assert_eq!(sales.len(), 2);
    assert_eq!((sales[1].fromDay, sales[1].untilDay - sales[1].fromDay), (sales[0].untilDay, 28));
}
