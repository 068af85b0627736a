//! What `status` says of a market as its state changes.

use std::time::Duration;

use alloy::network::TransactionBuilder;
use alloy::primitives::aliases::U40;
use alloy::rpc::types::TransactionRequest;
use alloy::sol_types::SolCall;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use veriregime_agent::actions::risk_oracle::abi::oracle::RiskOracle;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::time::format_utc;

use crate::proxy::{Proxy, RpcFaultMode};
use crate::world::{FIRST, World};

fn market(world: &World) -> Value {
    let output = world.program(&["--json", "status"]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    said["markets"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_state_of_a_market_has_its_word() {
    let world = World::new().await;
    assert_eq!(market(&world)["status"], "unset");
    world.enter(FIRST).await;
    let mut agent = world.agent("status").await;
    agent.run(FIRST, &CancellationToken::new()).await.unwrap();
    let fresh = market(&world);
    assert_eq!((&fresh["status"], &fresh["period"]), (&"fresh".into(), &FIRST.0.into()));
    // Readers keep the cautious values of before the first update until the looser ones hold.
    assert_eq!(
        (&fresh["borrow_collateral_ratio_bps"], &fresh["liquidation_collateral_ratio_bps"]),
        (&18_000.into(), &13_000.into())
    );
    assert_eq!(fresh["next"]["borrow_collateral_ratio_bps"], 18_000, "one forecast alone loosens nothing: {fresh}");
    world.enter(FIRST.next()).await;
    agent.run(FIRST.next(), &CancellationToken::new()).await.unwrap();
    let looser = market(&world);
    assert_eq!(looser["borrow_collateral_ratio_bps"], 18_000);
    assert!(looser["next"]["borrow_collateral_ratio_bps"].as_u64().unwrap() < 18_000, "{looser}");
    assert!(looser["next"]["effective_at"].as_i64().unwrap() > FIRST.next().start_seconds() + 600);

    world.enter(PeriodId(FIRST.0 + 3)).await;
    assert_eq!(market(&world)["status"], "grace");
    world.enter(PeriodId(FIRST.0 + 4)).await;
    assert_eq!(market(&world)["status"], "stale");
    let until = PeriodId(FIRST.0 + 5).start_seconds().unsigned_abs();
    let pause = RiskOracle::pauseMarketCall {
        market: agent.regime().unwrap().model.candles.markets[0].id(),
        untilTimestamp: U40::from(until),
    };
    let request = TransactionRequest::default().with_to(agent.action.contract()).with_input(pause.abi_encode());
    world.chain.owner.send(request).await.unwrap();
    let withheld = market(&world);
    assert_eq!((&withheld["status"], &withheld["borrow_collateral_ratio_bps"]), (&"withheld".into(), &18_000.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_stage_is_tried_again_and_since_when_is_said_with_what_the_wallet_pays_for() {
    let mut world = World::new().await;
    world.enter(FIRST).await;
    let settings = world.settings();
    let proxy = Proxy::start(world.config.chain.rpc_url(), RpcFaultMode::Drop).await;
    world.config.chain.rpc_urls = vec![proxy.rpc()];
    world.config.chain.poll_interval = Duration::from_millis(20);
    let mut agent = world.agent("agent.sqlite").await;
    let began = format_utc(world.clock.now_ms());
    let cycle = tokio::spawn(async move { agent.run(FIRST, &CancellationToken::new()).await.unwrap() });
    let said = || -> Value {
        let output = world.program_with(&settings, &["--json", "status"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    world.until("it is said", async || said()["cycles"][0]["retrying"]["code"] == "VR-CHAIN-001").await;
    world.clock.set_ms(world.clock.now_ms() + 60_000);
    let status = said();
    assert_eq!(status["cycles"][0]["retrying"]["since"], began, "{status}");
    assert!(status["wallet"]["updates"].as_u64().unwrap() > 0 && status["wallet"]["balance_wei"].is_string());
    assert_eq!((&status["markets"][0]["status"], &status["markets"][0]["regime"]), (&"unset".into(), &Value::Null));
    let table = world.program_with(&settings, &["status"]);
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(table.contains("3 h 58 min left") && table.contains("enough for"), "{table}");

    proxy.set(RpcFaultMode::Fair, None);
    assert_eq!(cycle.await.unwrap().stage, Stage::Confirmed);
    let status = said();
    assert_eq!(status["cycles"][0]["retrying"], Value::Null, "{status}");
    let regime = if status["markets"][0]["prob_high_bps"].as_u64().unwrap() > 5_000 { "High" } else { "Low" };
    assert_eq!(status["markets"][0]["regime"], regime);
}
