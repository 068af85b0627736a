//! Several nodes for one contract: one acts in each period, whoever is killed, and none of two with one key talks over the
//! other.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use ::veriregime_files;
use rand::seq::IteratorRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use veriregime_agent::actions::risk_oracle::abi::registry::ModelRegistry;
use veriregime_agent::state::Store;
use veriregime_agent::state::jobs::Scope;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::replica::Replica;

use crate::fleet::daemon;
use crate::world::{DELAY_SECONDS, FIRST, World, accepted, toml};

const REPLICAS: u64 = 3;
/// Seconds of the replay's clock that one second of the wall takes.
pub const SPEED: i64 = 30;
/// How long each replica gives those before it, by the replay's clock.
const REPLICA_DELAY_SECONDS: i64 = 30;
/// Latest kill after a period has begun: an undisturbed leader has landed by then.
const LATEST_KILL_MS: u64 = 1500;
/// A period in which nothing has landed by then is a failure.
const PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(10);

fn go() -> CancellationToken {
    CancellationToken::new()
}

/// One of the nodes: its settings, its database and, unless it is dead, its process.
pub struct Node {
    pub settings: PathBuf,
    pub log: PathBuf,
    pub database: PathBuf,
    pub store: Store,
    process: Option<Child>,
}

impl Node {
    /// The node with that one of [`crate::world::KEYS`], with settings that `adjust` adjusts.
    pub fn new(world: &World, index: u64, adjust: impl FnOnce(&mut Value)) -> Self {
        let path = |name: &str| world.scratch.path().join(format!("{name}-{index}"));
        let mut settings = world.settings();
        world.sign_with(&mut settings, index as usize);
        settings["state"]["path"] = json!(path("db"));
        settings["replica"] = json!({"index": index, "count": REPLICAS, "delay_seconds": REPLICA_DELAY_SECONDS});
        adjust(&mut settings);
        veriregime_files::write_atomic(&path("toml"), toml(&settings).as_bytes()).unwrap();
        let store = Store::open(&path("db")).unwrap();
        Self { settings: path("toml"), log: path("log"), database: path("db"), store, process: None }
    }

    pub fn start(&mut self) {
        if self.process.is_none() {
            self.process = Some(daemon(&self.settings, &self.log));
        }
    }

    /// As kill -9 does.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub fn record(&self, world: &World, period: PeriodId) -> Option<CycleRecord> {
        self.store.cycle(world.job(), period).unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_of_which_any_one_or_two_are_killed_land_every_period_once() {
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (periods, seed) = (number("REPLICA_PERIODS", 6), number("REPLICA_SEED", 1));
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let world = World::new().await;
    let attestors = World::attestors(REPLICAS as usize);
    world.announce_and_call(&ModelRegistry::setAttestorsCall { attestors, threshold: 1 }).await;
    let mut nodes: Vec<Node> = (0..REPLICAS).map(|index| Node::new(&world, index, |_| {})).collect();
    let mut killed = 0;
    for period in (FIRST.0..FIRST.0 + periods).map(PeriodId) {
        world.enter(period).await;
        let begun = Instant::now();
        nodes.iter_mut().for_each(Node::start);
        let mut kills: Vec<(u64, usize)> = (0..nodes.len())
            .choose_multiple(&mut random, (period.0 % 2 + 1) as usize)
            .into_iter()
            .map(|victim| (random.random_range(0..LATEST_KILL_MS), victim))
            .collect();
        kills.sort_unstable();
        let survivors: BTreeSet<usize> =
            (0..nodes.len()).filter(|index| kills.iter().all(|(_, victim)| victim != index)).collect();
        // Until the survivors have ended their cycles: at least one of them does not know of the others' deaths.
        while !kills.is_empty() || !survivors.iter().all(|index| ended(&nodes[*index], &world, period)) {
            assert!(begun.elapsed() < PATIENCE, "seed {seed}, {period}: {}", logs(&nodes));
            let elapsed_ms = begun.elapsed().as_millis() as u64;
            while let Some((_, victim)) = kills.first().copied().filter(|(at_ms, _)| *at_ms <= elapsed_ms) {
                nodes[victim].kill();
                killed += 1;
                kills.remove(0);
            }
            world.clock.set_ms((period.start_seconds() + DELAY_SECONDS) * 1000 + elapsed_ms as i64 * SPEED);
            tokio::time::sleep(POLL).await;
        }
        assert_eq!(world.updates(period).await, 1, "seed {seed}, {period}: {}", logs(&nodes));
    }
    // Everybody alive once more, so that each settles what it left open.
    let last = PeriodId(FIRST.0 + periods);
    nodes.iter_mut().for_each(Node::start);
    world.enter(last).await;
    // While the clock stands it is the leader's turn, and nobody else's.
    let leader = &nodes[(last.0 % REPLICAS) as usize];
    world.until("the leader's update", async || ended(leader, &world, last)).await;
    assert_eq!(leader.record(&world, last).unwrap().stage, Stage::Confirmed, "{}", logs(&nodes));
    world
        .until("nobody has anything open", async || {
            let now_ms = world.clock.now_ms();
            world.clock.set_ms(now_ms + SPEED * POLL.as_millis() as i64);
            nodes.iter().all(|node| {
                let open = node.store.unfinished_by(Scope::All, last.start_ms()).unwrap();
                open.is_empty() && ended(node, &world, last)
            })
        })
        .await;
    let on_chain = accepted(&world.config).await;
    for period in (FIRST.0..=last.0).map(PeriodId) {
        assert_eq!(on_chain.iter().filter(|one| **one == period).count(), 1, "seed {seed}, {period}");
        let records = nodes.iter().filter_map(|node| node.record(&world, period));
        let confirmed = records.filter(|record| record.stage == Stage::Confirmed).count();
        assert_eq!(confirmed, 1, "seed {seed}, {period}: one node says that it was it: {}", logs(&nodes));
    }
    println!("replicas: seed {seed}, all of {} periods landed once, {killed} kills", periods + 1);
}

pub fn ended(node: &Node, world: &World, period: PeriodId) -> bool {
    node.record(world, period).is_some_and(|record| record.stage.is_final())
}

pub fn logs(nodes: &[Node]) -> String {
    let log = |node: &Node| std::fs::read_to_string(&node.log).unwrap_or_default();
    nodes.iter().map(log).collect::<Vec<_>>().join("\n--- next node\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_waits_with_its_proof_in_hand_and_leaves_what_is_taken_alone() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let rank = |rank: u64| Replica { index: (FIRST.0 + rank) % 3, count: 3, delay_ms: 60_000, quiet_ms: 0 };
    let (mut leader, mut second) = (world.agent("leader").await, world.agent("second").await);
    (leader.replica, second.replica) = (rank(0), rank(1));
    let waiting = tokio::spawn(async move {
        let record = second.run(FIRST, &go()).await.unwrap();
        (second, record)
    });
    let store = Store::open(&world.scratch.path().join("second")).unwrap();
    let proved = async || {
        let record = store.cycle(world.job(), FIRST).unwrap();
        record.is_some_and(|record| record.stage == Stage::Proved)
    };
    world.until("the follower's proof", proved).await;
    world.clock.set_ms(world.clock.now_ms() + 59_999);
    assert_eq!(leader.run(FIRST, &go()).await.unwrap().stage, Stage::Confirmed);
    let (second, record) = waiting.await.unwrap();
    assert_eq!(record.stage, Stage::AlreadyByOther);
    assert_eq!(second.chain.sent().await.unwrap(), 1, "the only transaction is the leader's, of the same wallet");
    assert!(second.store.attempts(second.job(), FIRST).unwrap().is_empty(), "nothing was even signed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_acts_when_its_turn_comes_and_nobody_did() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let mut third = world.agent("third").await;
    third.replica = Replica { index: (FIRST.0 + 2) % 3, count: 3, delay_ms: 60_000, quiet_ms: 0 };
    let store = Store::open(&world.scratch.path().join("third")).unwrap();
    let cycle = tokio::spawn(async move { third.run(FIRST, &go()).await.unwrap() });
    let job = world.job();
    let stage = || store.cycle(job, FIRST).unwrap().map(|record| record.stage);
    world.until("the proof", async || stage() == Some(Stage::Proved)).await;
    world.clock.set_ms(world.clock.now_ms() + 119_999);
    world.looked_at().await;
    assert_eq!((stage(), world.updates(FIRST).await), (Some(Stage::Proved), 0), "it is not its turn yet");
    world.clock.set_ms(world.clock.now_ms() + 1);
    assert_eq!(cycle.await.unwrap().stage, Stage::Confirmed);
    world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_another_that_the_chain_drops_is_made_up_for() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let mut follower = world.agent("follower").await;
    follower.run_until(Stage::Proved, FIRST, &go()).await.unwrap();
    let snapshot: Value = world.chain.anvil.request("evm_snapshot", json!([])).await.unwrap();
    let mut leader = world.agent("leader").await;
    leader.run(FIRST, &go()).await.unwrap();
    follower.replica = Replica { index: (FIRST.0 + 1) % 2, count: 2, delay_ms: 60_000, quiet_ms: 0 };
    let record = follower.run(FIRST, &go()).await.unwrap();
    assert_eq!(record.stage, Stage::AlreadyByOther);
    assert_eq!(follower.recheck(&record).await.unwrap().stage, Stage::AlreadyByOther, "it is there");
    assert_eq!(follower.store.not_final(Scope::All, 9).unwrap().len(), 1, "and not final");

    world.chain.anvil.request("evm_revert", json!([snapshot])).await.unwrap();
    let dropped = follower.recheck(&record).await.unwrap();
    assert_eq!(dropped.stage, Stage::Proved, "the proof is not made again");
    world.clock.set_ms(world.clock.now_ms() + 60_000);
    assert_eq!(follower.run(FIRST, &go()).await.unwrap().stage, Stage::Confirmed);
    world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_another_is_watched_until_its_block_is_final() {
    let world = World::new().await;
    world.enter(FIRST).await;
    world.agent("one").await.run(FIRST, &go()).await.unwrap();
    let mut two = world.agent("two").await;
    let record = two.run(FIRST, &go()).await.unwrap();
    assert_eq!(record.stage, Stage::AlreadyByOther);
    let watched = || two.store.not_final(Scope::All, 9).unwrap().len();
    two.recheck(&record).await.unwrap();
    assert_eq!(watched(), 1);
    world.chain.anvil.request("anvil_mine", json!([200])).await.unwrap();
    assert_eq!(two.recheck(&record).await.unwrap().stage, Stage::AlreadyByOther);
    assert_eq!(watched(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_that_something_else_uses_signs_nothing_until_it_is_quiet() {
    let world = World::new().await;
    world.enter(FIRST).await;
    // The twin: the same key and another database.
    world.agent("twin").await.run(FIRST, &go()).await.unwrap();
    world.enter(FIRST.next()).await;
    let agent = world.agent("ours").await;
    let fault =
        agent.ensure_exclusive_wallet().await.expect_err("the wallet has sent one transaction more than we know of");
    assert!(fault.to_string().contains("sent 1 transactions, this database knows of 0"), "{fault}");
    let mut agent = agent;
    let cycle = tokio::spawn(async move { agent.run(FIRST.next(), &go()).await.unwrap() });
    let store = Store::open(&world.scratch.path().join("ours")).unwrap();
    let job = world.job();
    let stage = || store.cycle(job, FIRST.next()).unwrap().map(|record| record.stage);
    world.until("the proof", async || stage() == Some(Stage::Proved)).await;
    world.clock.set_ms(world.clock.now_ms() + world.config.replica.quiet_ms - 1);
    world.looked_at().await;
    assert_eq!((stage(), world.updates(FIRST.next()).await), (Some(Stage::Proved), 0));
    world.clock.set_ms(world.clock.now_ms() + 1);
    assert_eq!(cycle.await.unwrap().stage, Stage::Confirmed);
    // From now on the database explains the wallet: no wait at the next start.
    world.agent("ours").await.ensure_exclusive_wallet().await.unwrap();
}
