//! kill -9 of a process that works a hedge job, after each of its stages and at any moment: each week sells once, for days that
//! no other week has sold for, and nothing is lost.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use veriregime_agent::clock::Clock;
use veriregime_agent::config;
use veriregime_agent::evidence;
use veriregime_agent::node::{assemble, parts};
use veriregime_agent::state::Store;
use veriregime_core::hedge::GRID;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;

use super::{AT_ONCE, FIRST, FUNDS_SATS, Scene};
use crate::fleet::Daemon;

/// Where the process finds what it is to do.
const ORDERS: &str = "VERIREGIME_TEST_ORDERS";
/// Longest wait for a stage.
const PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(2);
/// Weeks with kills at random, and the most kills of one.
const RANDOM_WEEKS: u64 = 5;
const MOST_KILLS: usize = 3;
/// Latest kill after a stage was reached: an undisturbed cycle is over by then.
const LATEST_KILL_MS: u64 = 25;
/// The stages of a cycle that goes on.
const OPEN: [Stage; 5] = [Stage::Planned, Stage::Collected, Stage::Forecast, Stage::Proved, Stage::Submitting];

/// What the process is to do, which tells the time by no clock.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Orders {
    settings: PathBuf,
    period: u64,
    now_ms: i64,
    /// The stage at which it stands still; it goes on to the end without one.
    last: Option<String>,
}

/// The process: works until it is killed, or to the end.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the process that other tests kill"]
async fn works_until_it_is_killed() {
    let text = std::fs::read(std::env::var(ORDERS).expect("another test starts it")).unwrap();
    let orders: Orders = serde_json::from_slice(&text).unwrap();
    let settings = std::fs::read_to_string(&orders.settings).unwrap();
    let config = config::parse(&settings).unwrap().job(None).unwrap().clone();
    let store = Store::open(&config.state_path).unwrap();
    let mut agent = parts::agent(&config, Clock::manual(orders.now_ms), store).await.unwrap();
    let (period, go) = (PeriodId(orders.period), CancellationToken::new());
    match orders.last {
        Some(name) => {
            let last = Stage::ALL.into_iter().find(|stage| stage.name() == name).unwrap();
            agent.run_until(last, period, &go).await.unwrap();
            std::future::pending::<()>().await;
        }
        None => assert_eq!(agent.run(period, &go).await.unwrap().stage, Stage::Confirmed),
    }
}

/// A scene whose job is worked by other processes.
struct Killing {
    scene: Scene,
    store: Store,
    job: JobKey,
    settings: PathBuf,
}

impl Killing {
    async fn new() -> Self {
        let scene = Scene::new().await;
        let settings = scene.settings_file("");
        let agent = scene.agent("agent.sqlite").await;
        let (job, store) = (agent.job(), Store::open(&scene.scratch.path().join("agent.sqlite")).unwrap());
        Self { scene, store, job, settings }
    }

    fn start(&self, period: PeriodId, last: Option<Stage>) -> Child {
        let last = last.map(|stage| stage.name().to_owned());
        let now_ms = self.scene.clock.now_ms();
        let orders = Orders { settings: self.settings.clone(), period: period.0, now_ms, last };
        let path = self.scene.scratch.path().join("orders.json");
        std::fs::write(&path, serde_json::to_vec(&orders).unwrap()).unwrap();
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "hedge_job::crash::works_until_it_is_killed", "--ignored", "--nocapture"])
            .env(ORDERS, path)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn record(&self, period: PeriodId) -> Option<CycleRecord> {
        self.store.cycle(self.job, period).unwrap()
    }

    /// Works a week to its end, in a process of its own.
    fn finish(&self, period: PeriodId) -> CycleRecord {
        assert!(self.start(period, None).wait().unwrap().success(), "{:?}", self.record(period));
        self.record(period).unwrap()
    }

    /// What holds whatever was killed.
    async fn judge(&self, weeks: u64) {
        let sold: Vec<u64> = self.scene.sold().await.into_iter().map(|(period, _)| period.0).collect();
        assert_eq!(sold, (FIRST.0..FIRST.0 + weeks).collect::<Vec<_>>(), "each week once");
        let sales = self.scene.sales().await;
        for (week, pair) in sales.windows(2).enumerate() {
            assert_eq!(pair[0].untilDay, pair[1].fromDay, "no day twice, and none left out: {week}");
        }
        let chain = assemble::chain(&self.scene.config).await.unwrap();
        let vault = chain.read.hedge_vault(self.scene.world.vault()).await.unwrap();
        let spent: u64 = sales.iter().map(|sale| sale.sats).sum();
        assert_eq!(vault.balance_sats.saturating_to::<u64>(), FUNDS_SATS - spent, "nothing else has left the vault");
        let dollars = self.scene.world.uniswap.dollars(self.scene.world.owner.address()).await.unwrap();
        assert_eq!(u128::from(dollars), sales.iter().map(|sale| sale.usdc.to::<u128>()).sum::<u128>());
        for (week, sale) in sales.iter().enumerate() {
            let record = self.record(PeriodId(FIRST.0 + week as u64)).unwrap();
            let file = self.scene.scratch.path().join("evidence").read_dir().unwrap();
            let name = record.evidence.expect("evidence of each sale").to_string();
            let file = file.map(|entry| entry.unwrap().path()).find(|path| path.display().to_string().contains(&name));
            let left = evidence::read(&file.expect("its file")).unwrap().1.sale.unwrap();
            assert_eq!((left.figures.from_day, left.figures.sats), (sale.fromDay, sale.sats));
        }
        assert!(chain.is_idle().await.unwrap(), "nothing of the wallet waits");
        assert!(self.store.open_attempts(self.job.contract.chain_id, chain.address()).unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_after_any_stage_sells_each_week_once() {
    let killing = Killing::new().await;
    let stages = Stage::ALL.into_iter().filter(|stage| *stage != Stage::Missed && *stage != Stage::AlreadyByOther);
    let stages: Vec<Stage> = stages.collect();
    assert_eq!(stages.len(), 6);
    for (week, last) in stages.iter().enumerate() {
        let period = PeriodId(FIRST.0 + week as u64);
        killing.scene.enter(period).await;
        let mut process = killing.start(period, Some(*last));
        let begun = Instant::now();
        while killing.record(period).is_none_or(|record| record.stage != *last) {
            assert!(begun.elapsed() < PATIENCE && process.try_wait().unwrap().is_none(), "{last:?} is not reached");
            tokio::time::sleep(POLL).await;
        }
        process.kill().unwrap();
        process.wait().unwrap();
        let killed = killing.record(period).unwrap();
        // What publishers say by now does not matter, once it is stored.
        killing.scene.publisher.revise(|price| price + 40.0);
        let ended = killing.finish(period);
        assert_eq!(ended.stage, Stage::Confirmed, "{last:?}: {:?}", ended.miss);
        if *last >= Stage::Collected {
            assert_eq!((&ended.candles, &ended.tables), (&killed.candles, &killed.tables), "{last:?}");
        }
    }
    // Killed after it has sent and before it has noted so.
    let period = PeriodId(FIRST.0 + stages.len() as u64);
    killing.scene.enter(period).await;
    let mut process = killing.start(period, Some(Stage::Submitting));
    let begun = Instant::now();
    while killing.record(period).is_none_or(|record| record.stage != Stage::Submitting) {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(POLL).await;
    }
    process.kill().unwrap();
    process.wait().unwrap();
    let attempt = killing.store.attempts(killing.job, period).unwrap().remove(0);
    assemble::chain(&killing.scene.config).await.unwrap().broadcast(&attempt).await.unwrap();
    assert_eq!(killing.finish(period).landed.unwrap().hash, attempt.hash);
    killing.judge(stages.len() as u64 + 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_at_any_moment_sells_each_week_once() {
    let killing = Killing::new().await;
    let seed = std::env::var("CHAOS_SEED").map_or(1, |text| text.parse().unwrap());
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut killed = Vec::new();
    for week in 0..RANDOM_WEEKS {
        let period = PeriodId(FIRST.0 + week);
        killing.scene.enter(period).await;
        for _ in 0..random.random_range(1..=MOST_KILLS) {
            let from = OPEN[random.random_range(0..OPEN.len())];
            let (mut process, begun) = (killing.start(period, None), Instant::now());
            while killing.record(period).is_none_or(|record| record.stage < from) {
                assert!(begun.elapsed() < PATIENCE, "seed {seed}: {from:?} is not reached");
                tokio::time::sleep(POLL).await;
            }
            tokio::time::sleep(Duration::from_millis(random.random_range(0..LATEST_KILL_MS))).await;
            process.kill().unwrap();
            process.wait().unwrap();
            killed.push(killing.record(period).unwrap().stage);
        }
        let ended = killing.finish(period);
        assert_eq!(ended.stage, Stage::Confirmed, "seed {seed}: {:?}", ended.miss);
    }
    println!("seed {seed}, killed at {killed:?}");
    assert!(killed.iter().any(|stage| *stage != killed[0]), "seed {seed}: one stage alone was tried: {killed:?}");
    killing.judge(RANDOM_WEEKS).await;
}

/// The program itself, which goes by the machine's clock: one week, and a kill at whatever stage it is seen in.
#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_killed_again_and_again_sells_the_running_week_once() {
    let scene = Scene::now().await;
    let period = GRID.period_at(scene.clock.now_ms());
    let settings = scene.settings_file(AT_ONCE);
    let agent = scene.agent("agent.sqlite").await;
    let (job, store) = (agent.job(), Store::open(&scene.scratch.path().join("agent.sqlite")).unwrap());
    let record = || store.cycle(job, period).unwrap();
    let mut daemon = Daemon::start(settings, scene.scratch.path().join("log"));
    let (mut killed, begun) = (Vec::new(), Instant::now());
    for stage in OPEN {
        while record().is_none_or(|record| record.stage < stage) {
            daemon.revive();
            assert!(begun.elapsed() < PATIENCE, "{stage:?} is not reached\n{}", daemon.last_words(50));
            tokio::time::sleep(POLL).await;
        }
        daemon.kill();
        killed.push(record().unwrap().stage);
    }
    while record().is_none_or(|record| record.evidence.is_none()) {
        daemon.revive();
        assert!(begun.elapsed() < PATIENCE, "{:?}\n{}", record(), daemon.last_words(50));
        tokio::time::sleep(POLL).await;
    }
    println!("killed at {killed:?}");
    let ended = record().unwrap();
    assert_eq!(ended.stage, Stage::Confirmed);
    assert_eq!(scene.sold().await.iter().map(|(period, _)| *period).collect::<Vec<_>>(), [period]);
    let pool = scene.world.anvil.request("txpool_status", json!([])).await.unwrap();
    assert!(["pending", "queued"].iter().all(|list| pool[list] == "0x0"), "{pool}");
}
