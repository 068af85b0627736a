//! Two jobs, each with a contract of its own, that share a wallet on one chain.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use veriregime_agent::config::Config;
use veriregime_agent::config::signer::Holder;
use veriregime_agent::deployment::complete::complete;
use veriregime_agent::deployment::outbox::Outbox;
use veriregime_agent::deployment::{Constructor, Deployment, Wanted};
use veriregime_agent::job::Agent;
use veriregime_agent::node::assemble;
use veriregime_agent::node::parts::Parts;
use veriregime_agent::node::smoke::smoke_proof;
use veriregime_agent::state::Store;
use veriregime_core::types::cycle::{Attempt, CycleRecord, Purpose, Stage};
use veriregime_core::types::job::JobKey;

use crate::world::{FIRST, KEYS, World, accepted};

const DATABASE: &str = "shared.sqlite";

/// A world with a second contract for the same model.
struct Two {
    world: World,
    second: Config,
    store: Store,
}

impl Two {
    async fn new() -> Self {
        let mut world = World::new().await;
        world.config.chain.poll_interval = Duration::from_millis(20);
        let wanted = world.chain.deployment.wanted.clone();
        let constructor = Constructor { guardian: World::attestors(2)[0], ..wanted.constructor.clone() };
        let deployment = Deployment::new(Wanted { constructor, ..wanted }, world.config.chain.chain_id).unwrap();
        let smoke = smoke_proof(&world.config, &world.chain.bundle).await.unwrap();
        let outbox = Outbox::of(&world.chain.owner);
        let left = complete(&deployment, &outbox, Some(&smoke), || Ok(()), &mut |_| {}).await.unwrap();
        assert!(left.is_empty(), "{left:?}");
        world.enter(FIRST).await;
        let mut second = world.config.clone();
        second.chain.oracle = Some(deployment.contracts.oracle.address);
        let store = Store::open(&world.scratch.path().join(DATABASE)).unwrap();
        Self { world, second, store }
    }

    fn jobs(&self) -> [JobKey; 2] {
        let manifest = self.world.chain.bundle.manifest_digest;
        [&self.world.config, &self.second].map(|config| JobKey::new(assemble::contract(config).unwrap(), manifest))
    }

    /// Both jobs of one process.
    async fn agents(&self) -> [Agent; 2] {
        let store = Arc::new(Store::open(&self.world.scratch.path().join(DATABASE)).unwrap());
        let parts = Parts::by_clock(store, self.jobs().into(), self.world.clock.clone());
        [parts.job(&self.world.config).await.unwrap(), parts.job(&self.second).await.unwrap()]
    }

    fn pass(&self, replacements: u32) {
        let pause = self.world.config.chain.replace_after * replacements;
        self.world.clock.set_ms(self.world.clock.now_ms() + i64::try_from(pause.as_millis()).unwrap());
    }

    fn attempts(&self, job: usize) -> Vec<Attempt> {
        self.store.attempts(self.jobs()[job], FIRST).unwrap()
    }

    fn record(&self, job: usize) -> CycleRecord {
        self.store.cycle(self.jobs()[job], FIRST).unwrap().unwrap()
    }

    /// Waits until the job has signed so many transactions, and the newest is in anvil's pool.
    async fn waits(&self, job: usize, attempts: usize) {
        let holds = async || {
            let signed = self.attempts(job);
            let Some(newest) = signed.last().filter(|_| signed.len() == attempts) else { return false };
            let found = self.world.chain.anvil.request("eth_getTransactionByHash", json!([newest.hash])).await.unwrap();
            !found.is_null() && found["blockNumber"].is_null()
        };
        self.world.until(&format!("{attempts} transactions of job {job}"), holds).await;
    }

    async fn judge(&self) {
        for config in [&self.world.config, &self.second] {
            let landed = accepted(config).await.into_iter().filter(|period| *period == FIRST).count();
            assert_eq!(landed, 1, "one update of each job");
        }
        let chain = assemble::chain(&self.world.config).await.unwrap();
        assert!(chain.is_idle().await.unwrap(), "a nonce is stuck");
    }
}

fn run(agent: Agent) -> JoinHandle<CycleRecord> {
    run_until(agent, CancellationToken::new())
}

fn run_until(mut agent: Agent, stop: CancellationToken) -> JoinHandle<CycleRecord> {
    tokio::spawn(async move { agent.run(FIRST, &stop).await.unwrap() })
}

#[tokio::test(flavor = "multi_thread")]
async fn two_jobs_with_one_wallet_both_land_with_nonces_of_their_own() {
    let two = Two::new().await;
    two.world.chain.anvil.request("evm_setAutomine", json!([false])).await.unwrap();
    let cycles = two.agents().await.map(run);
    two.waits(0, 1).await;
    two.waits(1, 1).await;
    let nonces = [two.attempts(0)[0].nonce, two.attempts(1)[0].nonce];
    assert_eq!(nonces[0].abs_diff(nonces[1]), 1, "one after the other: {nonces:?}");
    two.world.chain.anvil.request("evm_setAutomine", json!([true])).await.unwrap();
    two.world.chain.anvil.request("evm_mine", json!([])).await.unwrap();
    for cycle in cycles {
        let record = cycle.await.unwrap();
        assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    }
    assert_eq!((two.attempts(0).len(), two.attempts(1).len()), (1, 1), "nobody outbid anybody");
    two.judge().await;
}

/// What becomes of the first job.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Runs,
    /// It is in the settings, and does nothing.
    BreaksDown,
    /// It is not in the settings any more.
    IsRemoved,
}

/// The first job's transaction is not mined until it is replaced, and the second's waits for it.
async fn one_that_waits_for_the_other(two: &Two, fate: Fate) {
    let anvil = &two.world.chain.anvil;
    anvil.request("evm_setAutomine", json!([false])).await.unwrap();
    let [first, mut second] = two.agents().await;
    let stop = CancellationToken::new();
    let first = run_until(first, stop.clone());
    two.waits(0, 1).await;
    if fate != Fate::Runs {
        stop.cancel();
        first.await.unwrap();
    }
    if fate == Fate::IsRemoved {
        second.running = [two.jobs()[1]].into();
    }
    let second = run(second);
    two.waits(1, 1).await;
    assert_eq!(two.attempts(1)[0].nonce, two.attempts(0)[0].nonce + 1);
    two.pass(1);
    if fate == Fate::BreaksDown {
        two.world.looked_at().await;
        assert_eq!(two.attempts(0).len(), 1, "it is still its own job's to replace");
        two.pass(1);
    }
    two.waits(0, 2).await;
    anvil.request("evm_setAutomine", json!([true])).await.unwrap();
    anvil.request("evm_mine", json!([])).await.unwrap();
    let record = second.await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    let raised = two.attempts(0);
    assert!(raised.len() == 2 && raised[1].purpose == Purpose::Action && raised[1].nonce == raised[0].nonce);
    assert_eq!(two.attempts(1).len(), 1, "a higher price does not help one that waits for another");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_is_stuck_holds_up_another_job_s_until_it_is_replaced() {
    let two = Two::new().await;
    one_that_waits_for_the_other(&two, Fate::Runs).await;
    two.world.until("the first one lands", async || two.record(0).stage == Stage::Confirmed).await;
    two.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_job_left_that_has_broken_down_is_replaced_by_the_wallet_s_others() {
    let two = Two::new().await;
    one_that_waits_for_the_other(&two, Fate::BreaksDown).await;
    let [mut first, _] = two.agents().await;
    let record = first.run(FIRST, &CancellationToken::new()).await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    two.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_job_left_that_does_not_run_any_more_is_driven_by_the_wallet_s_others() {
    let two = Two::new().await;
    one_that_waits_for_the_other(&two, Fate::IsRemoved).await;
    let [_, mut second] = two.agents().await;
    second.running = [two.jobs()[1]].into();
    second.watch_over(FIRST, &CancellationToken::new()).await.unwrap();
    assert_eq!(two.record(0).stage, Stage::Confirmed, "{:?}", two.record(0).miss);
    two.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_that_several_drive_at_once_ends_in_one_way_for_all_of_them() {
    let two = Two::new().await;
    let anvil = &two.world.chain.anvil;
    anvil.request("evm_setAutomine", json!([false])).await.unwrap();
    let (mut drivers, stop) = (JoinSet::new(), CancellationToken::new());
    let [first, _] = two.agents().await;
    let signing = run_until(first, stop.clone());
    two.waits(0, 1).await;
    stop.cancel();
    signing.await.unwrap();
    for _ in 0..6 {
        let [first, _] = two.agents().await;
        drivers.spawn(run(first));
    }
    two.world.looked_at().await;
    anvil.request("evm_mine", json!([])).await.unwrap();
    while let Some(driver) = drivers.join_next().await {
        let record = driver.unwrap().unwrap();
        assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    }
    assert_eq!(accepted(&two.world.config).await, [FIRST]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_with_two_names_on_a_chain_with_two_names_is_one_wallet() {
    let two = Two::new().await;
    let mut second = two.second.clone();
    second.signer.holder = Holder::File(two.world.key_file("copy", KEYS[0]));
    (second.names.wallet, second.names.chain) = ("copy".into(), "other".into());
    let store = Arc::new(Store::open(&two.world.scratch.path().join(DATABASE)).unwrap());
    let parts = Parts::by_clock(store, two.jobs().into(), two.world.clock.clone());
    let (one, other) = (parts.job(&two.world.config).await.unwrap(), parts.job(&second).await.unwrap());
    assert_eq!(one.chain.address(), other.chain.address());
    assert!(Arc::ptr_eq(&one.wallet_guard, &other.wallet_guard));
    let turn = one.chain.wallet.turn().await;
    let waited = tokio::time::timeout(Duration::from_millis(20), other.chain.wallet.turn()).await;
    assert!(waited.is_err(), "it is the other one's turn");
    drop(turn);
}
