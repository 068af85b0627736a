//! Transactions on a chain that does not mine them, drops them, or makes them dear: one update at most, none late, and
//! no nonce that stays stuck.

use std::time::Duration;

use alloy::network::TransactionBuilder;
use alloy::rpc::types::TransactionRequest;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use veriregime_agent::cycle::Agent;
use veriregime_agent::state::{Step, Store};
use veriregime_agent::types::cycle::{Attempt, CycleRecord, Purpose, Stage};
use veriregime_agent::types::period::PeriodId;

use crate::proxy::{Mood, Proxy, SEND};
use crate::world::{FIRST, World};

const GWEI: u128 = 1_000_000_000;

/// A world in its first period, and a second connection to the database of its only agent.
struct Stage1 {
    world: World,
    store: Store,
}

impl Stage1 {
    async fn new() -> Self {
        let mut world = World::new().await;
        world.config.chain.poll_interval = Duration::from_millis(20);
        world.enter(FIRST).await;
        let store = Store::open(&world.scratch.path().join("agent.sqlite")).unwrap();
        Self { world, store }
    }

    async fn agent(&self) -> Agent {
        self.world.agent("agent.sqlite").await
    }

    async fn request(&self, method: &'static str, params: Value) -> Value {
        self.world.chain.anvil.request(method, params).await.unwrap()
    }

    async fn mine(&self) {
        self.request("evm_mine", json!([])).await;
    }

    async fn stop_mining(&self) {
        self.request("evm_setAutomine", json!([false])).await;
    }

    /// Runs the period's cycle meanwhile.
    async fn run(&self, period: PeriodId) -> JoinHandle<CycleRecord> {
        let mut agent = self.agent().await;
        tokio::spawn(async move { agent.run(period, &CancellationToken::new()).await.unwrap() })
    }

    fn record(&self, period: PeriodId) -> Option<CycleRecord> {
        self.store.cycle(self.world.chain.bundle.manifest_digest, period).unwrap()
    }

    fn attempts(&self, period: PeriodId) -> Vec<Attempt> {
        self.store.attempts(self.world.chain.bundle.manifest_digest, period).unwrap()
    }

    /// Whether the newest transaction waits in anvil's pool.
    async fn newest_waits(&self, period: PeriodId) -> bool {
        let Some(newest) = self.attempts(period).pop() else { return false };
        let found = self.request("eth_getTransactionByHash", json!([newest.hash])).await;
        !found.is_null() && found["blockNumber"].is_null()
    }

    /// Waits until so many transactions are signed and the newest of them waits to be mined.
    async fn waits(&self, period: PeriodId, attempts: usize) {
        let holds = async || self.attempts(period).len() == attempts && self.newest_waits(period).await;
        self.world.until(&format!("{attempts} transactions"), holds).await;
    }

    fn set_clock(&self, period: PeriodId, left_seconds: i64) {
        self.world.clock.set_ms(period.end_ms() - left_seconds * 1000);
    }

    /// The next period's cycle lands as if nothing had happened.
    async fn next_lands(&self, period: PeriodId) {
        self.request("evm_setAutomine", json!([true])).await;
        self.world.enter(period).await;
        let mut agent = self.agent().await;
        agent.settle(&self.world.config.schedule.cron.clone()).await.unwrap();
        let record = agent.run(period, &CancellationToken::new()).await.unwrap();
        assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
        self.world.judge(period, 1).await;
    }
}

fn purposes(attempts: &[Attempt]) -> Vec<Purpose> {
    attempts.iter().map(|attempt| attempt.purpose).collect()
}

fn missed_with(record: &CycleRecord, code: &str) {
    assert_eq!((record.stage, record.miss.as_ref().map(|miss| miss.code.as_str())), (Stage::Missed, Some(code)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_mines_is_replaced_at_a_rising_price_and_lands_once() {
    let stage = Stage1::new().await;
    stage.stop_mining().await;
    let cycle = stage.run(FIRST).await;
    let replace_after_ms = 60_000;
    for number in 1..=3 {
        stage.waits(FIRST, number).await;
        stage.world.clock.set_ms(stage.world.clock.now_ms() + replace_after_ms);
    }
    stage.waits(FIRST, 4).await;
    stage.mine().await;
    assert_eq!(cycle.await.unwrap().stage, Stage::Confirmed);
    for pair in stage.attempts(FIRST).windows(2) {
        assert_eq!(pair[0].nonce, pair[1].nonce);
        assert!(pair[1].max_fee_per_gas_wei * 10 >= pair[0].max_fee_per_gas_wei * 11);
        assert!(pair[1].priority_fee_wei * 10 >= pair[0].priority_fee_wei * 11);
    }
    stage.world.judge(FIRST, 1).await;
    stage.next_lands(FIRST.next()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_land_in_time_is_cancelled_before_the_period_ends() {
    let stage = Stage1::new().await;
    stage.stop_mining().await;
    let cycle = stage.run(FIRST).await;
    stage.waits(FIRST, 1).await;
    stage.set_clock(FIRST, 59);
    stage.waits(FIRST, 2).await;
    assert_eq!(purposes(&stage.attempts(FIRST)), [Purpose::Update, Purpose::Cancel]);
    stage.mine().await;
    missed_with(&cycle.await.unwrap(), "VR-CYCLE-004");
    stage.world.judge(FIRST, 0).await;
    stage.next_lands(FIRST.next()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_has_room_above_the_cap_of_updates() {
    let mut stage = Stage1::new().await;
    stage.stop_mining().await;
    // The update offers all that it may.
    let base_fee_wei = stage.world.agent("asked").await.chain.read.head().await.unwrap().base_fee_wei;
    stage.world.config.chain.max_fee_per_gas_wei = base_fee_wei + GWEI;
    stage.world.config.chain.max_cancel_fee_per_gas_wei = 2 * (base_fee_wei + GWEI);
    let cycle = stage.run(FIRST).await;
    stage.waits(FIRST, 1).await;
    stage.world.clock.set_ms(stage.world.clock.now_ms() + 60_000);
    stage.set_clock(FIRST, 59);
    stage.waits(FIRST, 2).await;
    let attempts = stage.attempts(FIRST);
    assert_eq!(purposes(&attempts), [Purpose::Update, Purpose::Cancel]);
    assert!(attempts[1].max_fee_per_gas_wei > stage.world.config.chain.max_fee_per_gas_wei);
    stage.mine().await;
    missed_with(&cycle.await.unwrap(), "VR-CYCLE-004");
    stage.world.judge(FIRST, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_update_that_lands_after_all_counts() {
    let mut stage = Stage1::new().await;
    let proxy = Proxy::start(stage.world.config.chain.rpc_url(), Mood::Fair).await;
    stage.world.config.chain.rpc_urls = vec![proxy.rpc()];
    stage.stop_mining().await;
    let cycle = stage.run(FIRST).await;
    stage.waits(FIRST, 1).await;
    // The cancellation never reaches a node.
    proxy.set(Mood::Drop, Some(SEND));
    stage.set_clock(FIRST, 59);
    stage.world.until("the cancellation is signed", async || stage.attempts(FIRST).len() == 2).await;
    stage.mine().await;
    proxy.set(Mood::Fair, None);
    assert_eq!(cycle.await.unwrap().stage, Stage::Confirmed);
    assert_eq!(purposes(&stage.attempts(FIRST)), [Purpose::Update, Purpose::Cancel]);
    stage.world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_goes_on_after_kill_9_at_each_of_its_lines() {
    let stage = Stage1::new().await;
    for (number, is_sent) in [(0, false), (1, true)] {
        let period = PeriodId(FIRST.0 + number);
        stage.world.enter(period).await;
        let mut agent = stage.agent().await;
        stage.stop_mining().await;
        let record = agent.run_until(Stage::Submitting, period, &CancellationToken::new()).await.unwrap();
        let update = stage.attempts(period).remove(0);
        agent.chain.broadcast(&update).await.unwrap();
        // Signed and stored, and with luck sent; then nobody was there any more.
        let cancel = agent.chain.sign_cancel(update.nonce, Some(&update)).await.unwrap();
        stage.set_clock(period, 59);
        agent.store.advance(record.manifest, period, &Step::Submitting(&cancel), stage.world.clock.now_ms()).unwrap();
        if is_sent {
            agent.chain.broadcast(&cancel).await.unwrap();
        }
        drop(agent);
        let cycle = stage.run(period).await;
        stage.world.until("the cancellation is sent", async || stage.newest_waits(period).await).await;
        stage.mine().await;
        missed_with(&cycle.await.unwrap(), "VR-CYCLE-004");
        assert_eq!(stage.attempts(period).len(), 2);
        stage.request("evm_setAutomine", json!([true])).await;
        stage.world.judge(period, 0).await;
    }
    stage.next_lands(PeriodId(FIRST.0 + 2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_period_signs_nothing_while_a_nonce_is_stuck() {
    let stage = Stage1::new().await;
    stage.stop_mining().await;
    let cycle = stage.run(FIRST).await;
    stage.waits(FIRST, 1).await;
    stage.set_clock(FIRST, 0);
    // The period is over, and neither update nor cancellation is mined.
    assert_eq!(cycle.await.unwrap().stage, Stage::Submitting);
    let second = FIRST.next();
    // Not `enter`: that would mine.
    stage.request("evm_setNextBlockTimestamp", json!([second.start_seconds() + 15])).await;
    stage.world.clock.set_ms(second.start_ms() + 15_000);
    let cycle = stage.run(second).await;
    let proved = async || stage.record(second).is_some_and(|record| record.stage == Stage::Proved);
    stage.world.until("the next period is proved", proved).await;
    stage.world.until("the cancellation waits", async || stage.newest_waits(FIRST).await).await;
    assert!(stage.attempts(second).is_empty());
    stage.mine().await;
    stage.waits(second, 1).await;
    stage.mine().await;
    assert_eq!(cycle.await.unwrap().stage, Stage::Confirmed);
    missed_with(&stage.record(FIRST).unwrap(), "VR-CYCLE-004");
    stage.world.judge(FIRST, 0).await;
    stage.world.judge(second, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_that_somebody_else_used_up_is_left_behind() {
    let stage = Stage1::new().await;
    let mut agent = stage.agent().await;
    agent.run_until(Stage::Submitting, FIRST, &CancellationToken::new()).await.unwrap();
    let request = TransactionRequest::default().with_to(agent.chain.address());
    agent.chain.send(request).await.unwrap();
    let record = agent.run(FIRST, &CancellationToken::new()).await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    let nonces: Vec<u64> = stage.attempts(FIRST).iter().map(|attempt| attempt.nonce).collect();
    assert_eq!(nonces, [0, 1]);
    stage.world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dearer_transaction_of_somebody_else_with_our_key_is_outbid() {
    let stage = Stage1::new().await;
    stage.stop_mining().await;
    let mut agent = stage.agent().await;
    agent.run_until(Stage::Submitting, FIRST, &CancellationToken::new()).await.unwrap();
    let ours = stage.attempts(FIRST).remove(0);
    let theirs = agent.chain.sign_cancel(ours.nonce, Some(&ours)).await.unwrap();
    agent.chain.broadcast(&theirs).await.unwrap();
    let cycle = tokio::spawn(async move { agent.run(FIRST, &CancellationToken::new()).await.unwrap() });
    let outbid = async || stage.attempts(FIRST).len() > 1 && stage.newest_waits(FIRST).await;
    stage.world.until("ours outbids theirs", outbid).await;
    stage.mine().await;
    assert_eq!(cycle.await.unwrap().stage, Stage::Confirmed);
    stage.world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_fee_above_the_cap_is_waited_out() {
    let mut stage = Stage1::new().await;
    stage.world.config.chain.max_fee_per_gas_wei = 5 * GWEI;
    let spike = format!("{:#x}", 1_000 * GWEI);
    stage.request("anvil_setNextBlockBaseFeePerGas", json!([spike])).await;
    stage.mine().await;
    let cycle = stage.run(FIRST).await;
    let proved = async || stage.record(FIRST).is_some_and(|record| record.stage == Stage::Proved);
    stage.world.until("proved", proved).await;
    stage.request("anvil_setNextBlockBaseFeePerGas", json!(["0x3b9aca00"])).await;
    stage.mine().await;
    assert_eq!(cycle.await.unwrap().stage, Stage::Confirmed);
    assert!(stage.attempts(FIRST).iter().all(|attempt| attempt.max_fee_per_gas_wei <= 5 * GWEI));
    stage.world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_fee_that_jumps_over_a_sent_transaction_leads_to_a_dearer_one() {
    let stage = Stage1::new().await;
    stage.stop_mining().await;
    let cycle = stage.run(FIRST).await;
    stage.waits(FIRST, 1).await;
    let spike_wei = stage.attempts(FIRST)[0].max_fee_per_gas_wei * 4;
    stage.request("anvil_setNextBlockBaseFeePerGas", json!([format!("{spike_wei:#x}")])).await;
    stage.mine().await;
    assert_eq!(stage.record(FIRST).unwrap().stage, Stage::Submitting, "it was too cheap for that block");
    stage.world.clock.set_ms(stage.world.clock.now_ms() + 60_000);
    stage.world.until("a dearer one", async || stage.attempts(FIRST).len() == 2).await;
    assert!(stage.attempts(FIRST)[1].max_fee_per_gas_wei > spike_wei * 7 / 8);
    stage.waits(FIRST, 2).await;
    stage.mine().await;
    assert_eq!(cycle.await.unwrap().stage, Stage::Confirmed);
    stage.world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_confirmed_once_it_is_as_deep_as_wanted() {
    let mut stage = Stage1::new().await;
    stage.world.config.chain.confirmations = 3;
    stage.stop_mining().await;
    let cycle = stage.run(FIRST).await;
    stage.waits(FIRST, 1).await;
    for _ in 0..2 {
        stage.mine().await;
        assert_eq!(stage.record(FIRST).unwrap().stage, Stage::Submitting);
    }
    // A reorganisation takes it back before it is deep enough: the same bytes land again.
    let hash = stage.attempts(FIRST)[0].hash;
    stage.request("anvil_rollback", json!([2])).await;
    stage.waits(FIRST, 1).await;
    for _ in 0..3 {
        stage.mine().await;
    }
    let record = cycle.await.unwrap();
    assert_eq!((record.stage, record.landed.unwrap().hash), (Stage::Confirmed, hash));
    stage.world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_looked_up_until_its_block_is_final() {
    let stage = Stage1::new().await;
    let mut agent = stage.agent().await;
    let record = agent.run(FIRST, &CancellationToken::new()).await.unwrap();
    let open = || stage.store.not_final(record.manifest, 9).unwrap().len();
    agent.recheck(&record).await.unwrap();
    assert_eq!(open(), 1);
    // anvil calls final what lies two epochs of 32 slots back.
    stage.request("anvil_mine", json!(["0x50"])).await;
    assert_eq!(agent.recheck(&record).await.unwrap().stage, Stage::Confirmed);
    assert_eq!(open(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_the_chain_drops_after_its_period_is_missed_and_its_nonce_is_freed() {
    let stage = Stage1::new().await;
    let snapshot = stage.request("evm_snapshot", json!([])).await;
    let mut agent = stage.agent().await;
    let record = agent.run(FIRST, &CancellationToken::new()).await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    let second = FIRST.next();
    stage.request("evm_revert", json!([snapshot])).await;
    stage.world.enter(second).await;
    assert_eq!(agent.recheck(&record).await.unwrap().stage, Stage::Submitting);
    agent.settle(&stage.world.config.schedule.cron.clone()).await.unwrap();
    let settled = stage.record(FIRST).unwrap();
    missed_with(&settled, "VR-CYCLE-004");
    assert_eq!(settled.landed, None);
    stage.world.judge(FIRST, 0).await;
    stage.next_lands(second).await;
}
