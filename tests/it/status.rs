//! What `status` says of a market as its state changes.

use alloy::network::TransactionBuilder;
use alloy::primitives::aliases::U40;
use alloy::rpc::types::TransactionRequest;
use alloy::sol_types::SolCall;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use veriregime_agent::chain::abi::RiskOracle;
use veriregime_agent::types::period::PeriodId;

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
    assert!(fresh["next"]["borrow_collateral_ratio_bps"].as_u64().unwrap() < 18_000, "{fresh}");
    assert!(fresh["next"]["effective_at"].as_i64().unwrap() > FIRST.start_seconds() + 600);

    world.enter(PeriodId(FIRST.0 + 2)).await;
    assert_eq!(market(&world)["status"], "overdue");
    world.enter(PeriodId(FIRST.0 + 3)).await;
    assert_eq!(market(&world)["status"], "stale");
    let until = PeriodId(FIRST.0 + 4).start_seconds().unsigned_abs();
    let pause = RiskOracle::pauseMarketCall { market: agent.expected.markets[0], untilTimestamp: U40::from(until) };
    let request = TransactionRequest::default().with_to(agent.oracle).with_input(pause.abi_encode());
    world.chain.owner.send(request).await.unwrap();
    let withheld = market(&world);
    assert_eq!((&withheld["status"], &withheld["borrow_collateral_ratio_bps"]), (&"withheld".into(), &18_000.into()));
}
