//! Transactions on a chain that does not mine them, drops them, or makes them dear: one update at most, none late, and
//! no nonce that stays stuck.

mod depth;

use std::time::Duration;

use alloy::network::TransactionBuilder;
use alloy::rpc::types::TransactionRequest;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use veriregime_agent::chain::floor::Floor;
use veriregime_agent::config::signer::Signer;
use veriregime_agent::job::Agent;
use veriregime_agent::node::assemble;
use veriregime_agent::state::{Step, Store};
use veriregime_core::types::cycle::{Attempt, CycleRecord, Purpose, Stage};
use veriregime_core::types::period::PeriodId;

use crate::proxy::{Proxy, RpcFaultMode, SEND};
use crate::world::{FIRST, KEYS, World};

pub const GWEI: u128 = 1_000_000_000;

/// A world in its first period, and a second connection to the database of its only agent.
pub struct Scene {
    pub world: World,
    store: Store,
}

impl Scene {
    pub async fn new() -> Self {
        let mut world = World::new().await;
        world.config.chain.poll_interval = Duration::from_millis(20);
        world.enter(FIRST).await;
        let store = Store::open(&world.scratch.path().join("agent.sqlite")).unwrap();
        Self { world, store }
    }

    pub async fn agent(&self) -> Agent {
        self.world.agent("agent.sqlite").await
    }

    pub async fn request(&self, method: &'static str, params: Value) -> Value {
        self.world.chain.anvil.request(method, params).await.unwrap()
    }

    pub async fn mine(&self) {
        self.request("evm_mine", json!([])).await;
    }

    pub async fn stop_mining(&self) {
        self.request("evm_setAutomine", json!([false])).await;
    }

    /// Runs the period's cycle meanwhile.
    pub async fn run(&self, period: PeriodId) -> JoinHandle<CycleRecord> {
        let mut agent = self.agent().await;
        tokio::spawn(async move { agent.run(period, &CancellationToken::new()).await.unwrap() })
    }

    pub fn record(&self, period: PeriodId) -> Option<CycleRecord> {
        self.store.cycle(self.world.job(), period).unwrap()
    }

    pub fn attempts(&self, period: PeriodId) -> Vec<Attempt> {
        self.store.attempts(self.world.job(), period).unwrap()
    }

    /// Whether the newest transaction waits in anvil's pool.
    pub async fn newest_waits(&self, period: PeriodId) -> bool {
        let Some(newest) = self.attempts(period).pop() else { return false };
        let found = self.request("eth_getTransactionByHash", json!([newest.hash])).await;
        !found.is_null() && found["blockNumber"].is_null()
    }

    /// Waits until so many transactions are signed and the newest of them waits to be mined.
    pub async fn waits(&self, period: PeriodId, attempts: usize) {
        let holds = async || self.attempts(period).len() == attempts && self.newest_waits(period).await;
        self.world.until(&format!("{attempts} transactions"), holds).await;
    }

    pub fn set_clock(&self, period: PeriodId, left_seconds: i64) {
        self.world.clock.set_ms(period.end_ms() - left_seconds * 1000);
    }

    /// The next period's cycle lands as if nothing had happened.
    pub async fn next_lands(&self, period: PeriodId) {
        self.request("evm_setAutomine", json!([true])).await;
        // A chain that is there already would refuse to go back to the second that it came at.
        let head = assemble::reader(&self.world.config).unwrap().head().await.unwrap();
        if head.timestamp_seconds < period.start_seconds() {
            self.world.enter(period).await;
        }
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
    let scene = Scene::new().await;
    scene.stop_mining().await;
    let cycle = scene.run(FIRST).await;
    let replace_after_ms = 60_000;
    for number in 1..=3 {
        scene.waits(FIRST, number).await;
        scene.world.clock.set_ms(scene.world.clock.now_ms() + replace_after_ms);
    }
    scene.waits(FIRST, 4).await;
    scene.mine().await;
    assert_eq!(cycle.await.unwrap().stage, Stage::Confirmed);
    for pair in scene.attempts(FIRST).windows(2) {
        assert_eq!(pair[0].nonce, pair[1].nonce);
        assert!(pair[1].max_fee_per_gas_wei * 10 >= pair[0].max_fee_per_gas_wei * 11);
        assert!(pair[1].priority_fee_wei * 10 >= pair[0].priority_fee_wei * 11);
    }
    scene.world.judge(FIRST, 1).await;
    scene.next_lands(FIRST.next()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_land_in_time_is_cancelled_before_the_period_ends() {
    let scene = Scene::new().await;
    scene.stop_mining().await;
    let cycle = scene.run(FIRST).await;
    scene.waits(FIRST, 1).await;
    scene.set_clock(FIRST, 59);
    scene.waits(FIRST, 2).await;
    assert_eq!(purposes(&scene.attempts(FIRST)), [Purpose::Action, Purpose::Cancel]);
    scene.mine().await;
    missed_with(&cycle.await.unwrap(), "VR-CYCLE-004");
    scene.world.judge(FIRST, 0).await;
    scene.next_lands(FIRST.next()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_has_room_above_the_cap_of_updates() {
    let mut scene = Scene::new().await;
    scene.stop_mining().await;
    // The update offers all that it may.
    let base_fee_wei = scene.world.agent("asked").await.chain.read.head().await.unwrap().base_fee_wei;
    scene.world.config.chain.max_fee_per_gas_wei = base_fee_wei + GWEI;
    scene.world.config.chain.max_cancel_fee_per_gas_wei = 2 * (base_fee_wei + GWEI);
    let cycle = scene.run(FIRST).await;
    scene.waits(FIRST, 1).await;
    scene.world.clock.set_ms(scene.world.clock.now_ms() + 60_000);
    scene.set_clock(FIRST, 59);
    scene.waits(FIRST, 2).await;
    let attempts = scene.attempts(FIRST);
    assert_eq!(purposes(&attempts), [Purpose::Action, Purpose::Cancel]);
    assert!(attempts[1].max_fee_per_gas_wei > scene.world.config.chain.max_fee_per_gas_wei);
    scene.mine().await;
    missed_with(&cycle.await.unwrap(), "VR-CYCLE-004");
    scene.world.judge(FIRST, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_update_that_lands_after_all_counts() {
    let mut scene = Scene::new().await;
    let proxy = Proxy::start(scene.world.config.chain.rpc_url(), RpcFaultMode::Fair).await;
    scene.world.config.chain.rpc_urls = vec![proxy.rpc()];
    scene.stop_mining().await;
    let cycle = scene.run(FIRST).await;
    scene.waits(FIRST, 1).await;
    // The cancellation never reaches a node.
    proxy.set(RpcFaultMode::Drop, Some(SEND));
    scene.set_clock(FIRST, 59);
    scene.world.until("the cancellation is signed", async || scene.attempts(FIRST).len() == 2).await;
    scene.mine().await;
    proxy.set(RpcFaultMode::Fair, None);
    assert_eq!(cycle.await.unwrap().stage, Stage::Confirmed);
    assert_eq!(purposes(&scene.attempts(FIRST)), [Purpose::Action, Purpose::Cancel]);
    scene.world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_goes_on_after_kill_9_at_each_of_its_lines() {
    let scene = Scene::new().await;
    for (number, is_sent) in [(0, false), (1, true)] {
        let period = PeriodId(FIRST.0 + number);
        scene.world.enter(period).await;
        let mut agent = scene.agent().await;
        scene.stop_mining().await;
        let record = agent.run_until(Stage::Submitting, period, &CancellationToken::new()).await.unwrap();
        let update = scene.attempts(period).remove(0);
        agent.chain.broadcast(&update).await.unwrap();
        // Signed and stored, and with luck sent; then nobody was there any more.
        let cancel = agent.chain.sign_cancel(update.nonce, Some(Floor::above(&update))).await.unwrap();
        scene.set_clock(period, 59);
        agent.store.advance(record.job, period, &Step::Submitting(&cancel), scene.world.clock.now_ms()).unwrap();
        if is_sent {
            agent.chain.broadcast(&cancel).await.unwrap();
        }
        drop(agent);
        let cycle = scene.run(period).await;
        scene.world.until("the cancellation is sent", async || scene.newest_waits(period).await).await;
        scene.mine().await;
        missed_with(&cycle.await.unwrap(), "VR-CYCLE-004");
        assert_eq!(scene.attempts(period).len(), 2);
        scene.request("evm_setAutomine", json!([true])).await;
        scene.world.judge(period, 0).await;
    }
    scene.next_lands(PeriodId(FIRST.0 + 2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_period_signs_nothing_while_a_nonce_is_stuck() {
    let scene = Scene::new().await;
    scene.stop_mining().await;
    let cycle = scene.run(FIRST).await;
    scene.waits(FIRST, 1).await;
    scene.set_clock(FIRST, 0);
    // The period is over, and neither update nor cancellation is mined.
    assert_eq!(cycle.await.unwrap().stage, Stage::Submitting);
    let second = FIRST.next();
    // Not `enter`: that would mine.
    scene.request("evm_setNextBlockTimestamp", json!([second.start_seconds() + 15])).await;
    scene.world.clock.set_ms(second.start_ms() + 15_000);
    let cycle = scene.run(second).await;
    let proved = async || scene.record(second).is_some_and(|record| record.stage == Stage::Proved);
    scene.world.until("the next period is proved", proved).await;
    scene.world.until("the cancellation waits", async || scene.newest_waits(FIRST).await).await;
    assert!(scene.attempts(second).is_empty());
    scene.mine().await;
    scene.waits(second, 1).await;
    scene.mine().await;
    assert_eq!(cycle.await.unwrap().stage, Stage::Confirmed);
    missed_with(&scene.record(FIRST).unwrap(), "VR-CYCLE-004");
    scene.world.judge(FIRST, 0).await;
    scene.world.judge(second, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_signed_in_the_last_minute() {
    let scene = Scene::new().await;
    scene.set_clock(FIRST, 60);
    missed_with(&scene.run(FIRST).await.await.unwrap(), "VR-CYCLE-001");
    assert!(scene.attempts(FIRST).is_empty());
    scene.world.judge(FIRST, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_that_somebody_else_used_up_is_left_behind() {
    let scene = Scene::new().await;
    let mut agent = scene.agent().await;
    agent.run_until(Stage::Submitting, FIRST, &CancellationToken::new()).await.unwrap();
    let request = TransactionRequest::default().with_to(agent.chain.address());
    agent.chain.send(request).await.unwrap();
    let record = agent.run(FIRST, &CancellationToken::new()).await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    let nonces: Vec<u64> = scene.attempts(FIRST).iter().map(|attempt| attempt.nonce).collect();
    assert_eq!(nonces, [0, 1]);
    scene.world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_somebody_else_sent_beyond_our_nonce_waits_for_ours() {
    let scene = Scene::new().await;
    let mut agent = scene.agent().await;
    let later = agent.chain.sign_cancel(1, None).await.unwrap();
    agent.chain.broadcast(&later).await.unwrap();
    let record = agent.run(FIRST, &CancellationToken::new()).await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    scene.world.until("theirs is mined too", async || agent.chain.nonce().await.unwrap() == 2).await;
    scene.world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_s_update_leads_to_a_cancellation_of_ours() {
    let mut scene = Scene::new().await;
    let wallet = Signer::file(scene.world.key_file("other.key", KEYS[1]));
    let mut agent = scene.agent().await;
    agent.run_until(Stage::Submitting, FIRST, &CancellationToken::new()).await.unwrap();
    // Another wallet relays what the same attestor signs.
    scene.world.config.attestor = Some(std::mem::replace(&mut scene.world.config.signer, wallet));
    let mut other = scene.world.agent("other.sqlite").await;
    assert_eq!(other.run(FIRST, &CancellationToken::new()).await.unwrap().stage, Stage::Confirmed);
    assert_eq!(agent.run(FIRST, &CancellationToken::new()).await.unwrap().stage, Stage::AlreadyByOther);
    assert_eq!(purposes(&scene.attempts(FIRST)), [Purpose::Action, Purpose::Cancel]);
    assert!(agent.chain.is_idle().await.unwrap());
    scene.world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dearer_transaction_of_somebody_else_with_our_key_is_outbid() {
    let scene = Scene::new().await;
    scene.stop_mining().await;
    let mut agent = scene.agent().await;
    agent.run_until(Stage::Submitting, FIRST, &CancellationToken::new()).await.unwrap();
    let ours = scene.attempts(FIRST).remove(0);
    let theirs = agent.chain.sign_cancel(ours.nonce, Some(Floor::above(&ours))).await.unwrap();
    agent.chain.broadcast(&theirs).await.unwrap();
    let cycle = tokio::spawn(async move { agent.run(FIRST, &CancellationToken::new()).await.unwrap() });
    let outbid = async || scene.attempts(FIRST).len() > 1 && scene.newest_waits(FIRST).await;
    scene.world.until("ours is_fee_bump_of theirs", outbid).await;
    scene.mine().await;
    assert_eq!(cycle.await.unwrap().stage, Stage::Confirmed);
    scene.world.judge(FIRST, 1).await;
}

/// Two RPCs that change their mood all the time, mining that comes and goes, and a clock that runs.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_rpcs_do_every_period_ends_once() {
    const MOODS: [RpcFaultMode; 13] = [
        RpcFaultMode::Fair,
        RpcFaultMode::Fair,
        RpcFaultMode::Drop,
        RpcFaultMode::LoseAnswer,
        RpcFaultMode::Delay(Duration::from_millis(50)),
        RpcFaultMode::Duplicate,
        RpcFaultMode::Status(502),
        RpcFaultMode::Garbage,
        RpcFaultMode::Truncate,
        RpcFaultMode::Absurd,
        RpcFaultMode::NoPending,
        RpcFaultMode::Terse,
        RpcFaultMode::Says(r#"{"code": -32000, "message": "execution reverted"}"#),
    ];
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut scene = Scene::new().await;
    let upstream = scene.world.config.chain.rpc_url().clone();
    let proxies =
        [Proxy::start(&upstream, RpcFaultMode::Fair).await, Proxy::start(&upstream, RpcFaultMode::Fair).await];
    scene.world.config.chain.request_timeout = Duration::from_millis(500);
    let rpc_urls = std::mem::replace(&mut scene.world.config.chain.rpc_urls, proxies.iter().map(Proxy::rpc).collect());
    let mut landed = 0;
    for period in (FIRST.0..FIRST.0 + 5).map(PeriodId) {
        scene.request("evm_setAutomine", json!([true])).await;
        scene.world.enter(period).await;
        scene.request("evm_setAutomine", json!([random.random_bool(0.5)])).await;
        let cycle = scene.run(period).await;
        let mut is_mined_by = random.random_range(3..12);
        while !cycle.is_finished() {
            for proxy in &proxies {
                let mood = if is_mined_by < -10 { RpcFaultMode::Fair } else { *MOODS.choose(&mut random).unwrap() };
                proxy.set(mood, None);
            }
            // Not before it is proved: there is enough to do in the hour that is left.
            if scene.record(period).is_some_and(|record| record.stage >= Stage::Proved) {
                is_mined_by -= 1;
                scene.world.clock.set_ms(scene.world.clock.now_ms() + random.random_range(0..600_000));
            }
            if is_mined_by <= 0 {
                scene.mine().await;
            }
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        for proxy in &proxies {
            proxy.set(RpcFaultMode::Fair, None);
        }
        scene.request("evm_setAutomine", json!([true])).await;
        scene.mine().await;
        let agent = scene.agent().await;
        scene.world.clock.set_ms(period.end_ms());
        agent.settle(&scene.world.config.schedule.cron.clone()).await.unwrap();
        let record = scene.record(period).unwrap();
        let updates = usize::from(record.stage == Stage::Confirmed);
        assert!(updates == 1 || record.stage == Stage::Missed, "{record:?}");
        scene.world.judge(period, updates).await;
        landed += updates;
    }
    assert!(landed > 0, "nothing landed at all");
    scene.world.config.chain.rpc_urls = rpc_urls;
    scene.next_lands(PeriodId(FIRST.0 + 5)).await;
}
