//! Whole cycles with real candles over HTTP, real proofs and real transactions.

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;
use veriregime_agent::actions::risk_oracle::update::Update;
use veriregime_agent::chain::floor::Floor;
use veriregime_core::types::cycle::{CycleRecord, Purpose, Stage};
use veriregime_core::types::period::PeriodId;

use crate::world::{FIRST, World};

fn go() -> CancellationToken {
    CancellationToken::new()
}

fn code(record: &CycleRecord) -> &str {
    record.miss.as_ref().map_or("", |miss| &miss.code)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_lands_once_whoever_runs_the_period_again() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let mut agent = world.agent("one").await;
    let record = agent.run(FIRST, &go()).await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    let forecast = record.forecast.unwrap();
    assert_eq!(forecast.outputs.len(), 1);
    let market = agent.regime().unwrap().model.candles.markets[0].id();
    let read = agent.chain.read.params(agent.action.contract(), market).await.unwrap();
    let prediction = agent.regime().unwrap().model.read(&forecast.outputs[0]).unwrap();
    let on_chain = f64::from(read.current.probabilityHighBps) / 1e4;
    assert!((on_chain - prediction.probability_high).abs() <= 0.5e-4 + 1e-9, "{on_chain} {prediction:?}");
    let volatility = f64::from(read.current.volatilityE9) / 1e9;
    // The contract keeps nine decimals, rounded down.
    assert!((-1e-15..1e-9).contains(&(prediction.volatility - volatility)), "{volatility} {prediction:?}");

    assert_eq!(agent.run(FIRST, &go()).await.unwrap().stage, Stage::Confirmed);
    let mut other = world.agent("a database that knows nothing").await;
    assert_eq!(other.run(FIRST, &go()).await.unwrap().stage, Stage::AlreadyByOther);
    assert_eq!(world.updates(FIRST).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_any_stage_ends_with_exactly_one_update() {
    let world = World::new().await;
    let mut period = FIRST;
    for stage in [Stage::Planned, Stage::Collected, Stage::Forecast, Stage::Proved, Stage::Submitting] {
        world.enter(period).await;
        let mut agent = world.agent("crash").await;
        assert_eq!(agent.run_until(stage, period, &go()).await.unwrap().stage, stage);
        if stage == Stage::Submitting {
            // Killed after the bytes went out and before anything was noted of it.
            let attempts = agent.store.attempts(agent.job(), period).unwrap();
            agent.chain.broadcast(&attempts[0]).await.unwrap();
        }
        drop(agent);
        let mut agent = world.agent("crash").await;
        let record = agent.run(period, &go()).await.unwrap();
        assert_eq!(record.stage, Stage::Confirmed, "after {stage:?}: {:?}", record.miss);
        assert_eq!(world.updates(period).await, 1, "after {stage:?}");
        period = period.next();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_race_between_two_agents_has_one_winner_and_no_loser() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let (mut one, mut two) = (world.agent("one").await, world.agent("two").await);
    one.run_until(Stage::Submitting, FIRST, &go()).await.unwrap();
    two.run_until(Stage::Proved, FIRST, &go()).await.unwrap();
    assert_eq!(one.run(FIRST, &go()).await.unwrap().stage, Stage::Confirmed);
    assert_eq!(two.run(FIRST, &go()).await.unwrap().stage, Stage::AlreadyByOther);
    assert_eq!(world.updates(FIRST).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_the_chain_drops_is_sent_again_with_the_same_bytes() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let snapshot: Value = world.chain.anvil.request("evm_snapshot", Value::Array(vec![])).await.unwrap();
    let mut agent = world.agent("one").await;
    let record = agent.run(FIRST, &go()).await.unwrap();
    assert_eq!(agent.recheck(&record).await.unwrap().stage, Stage::Confirmed);

    world.chain.anvil.request("evm_revert", Value::Array(vec![snapshot])).await.unwrap();
    assert_eq!(world.updates(FIRST).await, 0);
    let dropped = agent.recheck(&record).await.unwrap();
    assert_eq!(dropped.stage, Stage::Submitting);
    let again = agent.run(FIRST, &go()).await.unwrap();
    assert_eq!(again.landed.unwrap().hash, record.landed.unwrap().hash);
    assert_eq!(world.updates(FIRST).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_that_ends_first_is_missed_with_the_reason_and_nothing_lands_late() {
    let mut world = World::new().await;
    world.enter(FIRST).await;
    // An RPC that hangs up; the period ends as soon as somebody has called.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let rpc_urls = std::mem::replace(&mut world.config.chain.rpc_urls, vec![dead.into()]);
    let mut agent = world.agent("down").await;
    let clock = world.clock.clone();
    let end = tokio::spawn(async move {
        listener.accept().await.unwrap();
        clock.set_ms(FIRST.end_ms());
    });
    let record = agent.run(FIRST, &go()).await.unwrap();
    end.await.unwrap();
    assert_eq!((record.stage, code(&record)), (Stage::Missed, "VR-CHAIN-001"));
    world.config.chain.rpc_urls = rpc_urls;
    assert_eq!(world.agent("down").await.run(FIRST, &go()).await.unwrap().stage, Stage::Missed);
    assert_eq!(world.updates(FIRST).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_agent_left_open_is_settled_by_what_the_chain_says() {
    let world = World::new().await;
    let schedule = world.config.schedule.cron.clone();
    // Sent, then killed: it landed.
    world.enter(FIRST).await;
    let mut agent = world.agent("dead").await;
    agent.run_until(Stage::Submitting, FIRST, &go()).await.unwrap();
    let attempts = agent.store.attempts(agent.job(), FIRST).unwrap();
    agent.chain.broadcast(&attempts[0]).await.unwrap();
    agent.chain.receipt(attempts[0].clone()).await.unwrap();
    // Signed, never sent, and then nobody ran for two periods.
    let second = FIRST.next();
    world.enter(second).await;
    agent.run_until(Stage::Submitting, second, &go()).await.unwrap();
    drop(agent);
    let now = PeriodId(FIRST.0 + 4);
    world.enter(now).await;
    let agent = world.agent("dead").await;
    agent.settle(&schedule).await.unwrap();
    let stage = |period: u64| {
        let record = agent.store.cycle(agent.job(), PeriodId(period)).unwrap().unwrap();
        (record.stage, code(&record).to_owned())
    };
    assert_eq!(stage(FIRST.0), (Stage::Confirmed, String::new()));
    // It might have been sent: its nonce was used up by a cancellation.
    assert_eq!(stage(FIRST.0 + 1), (Stage::Missed, "VR-CYCLE-004".into()));
    assert_eq!(stage(FIRST.0 + 2), (Stage::Missed, "VR-CYCLE-003".into()));
    assert_eq!(stage(FIRST.0 + 3), (Stage::Missed, "VR-CYCLE-003".into()));
    assert!(agent.store.cycle(agent.job(), now).unwrap().is_none(), "the running period is not settled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_nobody_mines_is_replaced_by_a_dearer_one_with_its_nonce() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let mut agent = world.agent("stuck").await;
    let record = agent.run_until(Stage::Submitting, FIRST, &go()).await.unwrap();
    world.chain.anvil.request("evm_setAutomine", json!([false])).await.unwrap();
    let stuck = agent.store.attempts(agent.job(), FIRST).unwrap().remove(0);
    agent.chain.broadcast(&stuck).await.unwrap();
    // The pending block holds our own update, and that must not look like somebody else's.
    let forecast = record.forecast.unwrap();
    let update = Update {
        model_id: world.chain.deployment.model_id,
        period: FIRST,
        omitted: forecast.omitted,
        features: &forecast.features,
        outputs: &forecast.outputs,
        proof: &record.proof.unwrap().bytes,
        attestations: &agent.attestations(world.chain.deployment.model_id, FIRST, &forecast).await.unwrap(),
    };
    let dearer = agent
        .chain
        .sign(Purpose::Action, update.call(agent.action.contract()), stuck.nonce, Some(Floor::above(&stuck)))
        .await
        .unwrap();
    agent.chain.broadcast(&dearer).await.unwrap();
    world.chain.anvil.request("evm_mine", json!([])).await.unwrap();
    agent.chain.receipt(dearer.clone()).await.unwrap();
    assert_eq!(dearer.nonce, stuck.nonce);
    assert!(agent.chain.read.mined(stuck.hash).await.unwrap().is_none());
    assert_eq!(world.updates(FIRST).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_is_not_given_up_while_its_transaction_may_still_land() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let mut agent = world.agent("late").await;
    agent.run_until(Stage::Submitting, FIRST, &go()).await.unwrap();
    // Our clock says that the period is over. The chain's newest block does not, and the cancellation is not mined.
    world.chain.anvil.request("evm_setAutomine", json!([false])).await.unwrap();
    world.clock.set_ms(FIRST.end_ms());
    assert_eq!(agent.run(FIRST, &go()).await.unwrap().stage, Stage::Submitting);
    let attempts = agent.store.attempts(agent.job(), FIRST).unwrap();
    // A node that never heard of the cancellation mines the update.
    world.chain.anvil.request("anvil_dropAllTransactions", json!([])).await.unwrap();
    agent.chain.broadcast(&attempts[0]).await.unwrap();
    world.chain.anvil.request("evm_mine", json!([])).await.unwrap();
    agent.chain.receipt(attempts[0].clone()).await.unwrap();
    world.enter(FIRST.next()).await;
    agent.settle(&world.config.schedule.cron).await.unwrap();
    let settled = agent.store.cycle(agent.job(), FIRST).unwrap().unwrap();
    assert_eq!(settled.stage, Stage::Confirmed);
    world.judge(FIRST, 1).await;
}
