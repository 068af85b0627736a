//! kill -9 of a process that works a vault's or a feed's job, after each of its stages and at any moment.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use veriregime_agent::clock::Clock;
use veriregime_agent::config::{self, Config};
use veriregime_agent::evidence;
use veriregime_agent::node::{assemble, parts};
use veriregime_agent::state::Store;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::evidence::Evidence;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;

/// Where the process finds what it is to do.
const ORDERS: &str = "VERIREGIME_TEST_ORDERS";
/// Longest wait for a stage.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// Pause between two looks at a record.
pub const POLL: Duration = Duration::from_millis(2);
/// Periods with kills at random, and the most kills of one.
const RANDOM_PERIODS: u64 = 5;
const MOST_KILLS: usize = 3;
/// Latest kill after a stage was reached: an undisturbed cycle is over by then.
const LATEST_KILL_MS: u64 = 25;
/// The stages of a cycle that goes on.
pub const OPEN: [Stage; 5] = [Stage::Planned, Stage::Collected, Stage::Forecast, Stage::Proved, Stage::Submitting];

/// What the process is to do, which tells the time by no clock.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Orders {
    settings: PathBuf,
    job: String,
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
    let config = config::parse(&settings).unwrap().job(Some(&orders.job)).unwrap().clone();
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

/// A job that is worked by other processes.
pub struct Killing<'a> {
    pub config: &'a Config,
    pub clock: &'a Clock,
    /// Where its database and its evidence lie.
    pub scratch: &'a Path,
    pub settings: PathBuf,
    pub store: Store,
    pub job: JobKey,
    pub first: PeriodId,
}

impl Killing<'_> {
    fn start(&self, period: PeriodId, last: Option<Stage>) -> Child {
        let orders = Orders {
            settings: self.settings.clone(),
            job: self.config.names.job.clone(),
            period: period.0,
            now_ms: self.clock.now_ms(),
            last: last.map(|stage| stage.name().to_owned()),
        };
        let path = self.scratch.join("orders.json");
        std::fs::write(&path, serde_json::to_vec(&orders).unwrap()).unwrap();
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killing::works_until_it_is_killed", "--ignored", "--nocapture"])
            .env(ORDERS, path)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// What is stored of a period.
    pub fn record(&self, period: PeriodId) -> Option<CycleRecord> {
        self.store.cycle(self.job, period).unwrap()
    }

    /// Works a period to its end, in a process of its own.
    fn finish(&self, period: PeriodId) -> CycleRecord {
        assert!(self.start(period, None).wait().unwrap().success(), "{:?}", self.record(period));
        self.record(period).unwrap()
    }

    /// Has a process work a period up to a stage, and kills it there.
    async fn kill_at(&self, period: PeriodId, last: Stage) -> CycleRecord {
        let (mut process, begun) = (self.start(period, Some(last)), Instant::now());
        while self.record(period).is_none_or(|record| record.stage != last) {
            assert!(begun.elapsed() < PATIENCE && process.try_wait().unwrap().is_none(), "{last:?} is not reached");
            tokio::time::sleep(POLL).await;
        }
        process.kill().unwrap();
        process.wait().unwrap();
        self.record(period).unwrap()
    }

    /// A period for each stage with a kill there, after which publishers revise what they have said, and one that is killed after it
    /// has sent and before it has noted so. The number of periods.
    pub async fn after_each_stage(&self, enter: impl AsyncFn(PeriodId), revise: impl Fn(PeriodId)) -> u64 {
        let stages = Stage::ALL.into_iter().filter(|stage| *stage != Stage::Missed && *stage != Stage::AlreadyByOther);
        let stages: Vec<Stage> = stages.collect();
        assert_eq!(stages.len(), 6);
        let mut period = self.first;
        for last in &stages {
            enter(period).await;
            let killed = self.kill_at(period, *last).await;
            // What publishers say by now does not matter, once it is stored.
            revise(period);
            let ended = self.finish(period);
            assert_eq!(ended.stage, Stage::Confirmed, "{last:?}: {:?}", ended.miss);
            if *last >= Stage::Collected {
                assert_eq!((&ended.candles, &ended.tables), (&killed.candles, &killed.tables), "{last:?}");
            }
            period = period.next();
        }
        enter(period).await;
        self.kill_at(period, Stage::Submitting).await;
        let attempt = self.store.attempts(self.job, period).unwrap().remove(0);
        assemble::chain(self.config).await.unwrap().broadcast(&attempt).await.unwrap();
        assert_eq!(self.finish(period).landed.unwrap().hash, attempt.hash);
        stages.len() as u64 + 1
    }

    /// Periods with kills at random. The number of periods.
    pub async fn at_any_moment(&self, enter: impl AsyncFn(PeriodId)) -> u64 {
        let seed = std::env::var("CHAOS_SEED").map_or(1, |text| text.parse().unwrap());
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut killed = Vec::new();
        for number in 0..RANDOM_PERIODS {
            let period = PeriodId(self.first.0 + number);
            enter(period).await;
            for _ in 0..random.random_range(1..=MOST_KILLS) {
                let from = OPEN[random.random_range(0..OPEN.len())];
                let (mut process, begun) = (self.start(period, None), Instant::now());
                while self.record(period).is_none_or(|record| record.stage < from) {
                    assert!(begun.elapsed() < PATIENCE, "seed {seed}: {from:?} is not reached");
                    tokio::time::sleep(POLL).await;
                }
                tokio::time::sleep(Duration::from_millis(random.random_range(0..LATEST_KILL_MS))).await;
                process.kill().unwrap();
                process.wait().unwrap();
                killed.push(self.record(period).unwrap().stage);
            }
            let ended = self.finish(period);
            assert_eq!(ended.stage, Stage::Confirmed, "seed {seed}: {:?}", ended.miss);
        }
        println!("seed {seed}, killed at {killed:?}");
        assert!(killed.iter().any(|stage| *stage != killed[0]), "seed {seed}: one stage alone was tried: {killed:?}");
        RANDOM_PERIODS
    }

    /// What holds whatever was killed: evidence of each period, which is returned, and nothing that waits.
    pub async fn judge(&self, periods: u64) -> Vec<Evidence> {
        let chain = assemble::chain(self.config).await.unwrap();
        assert!(chain.is_idle().await.unwrap(), "nothing of the wallet waits");
        assert!(self.store.open_attempts(self.job.contract.chain_id, chain.address()).unwrap().is_empty());
        let left = |number: u64| {
            let record = self.record(PeriodId(self.first.0 + number)).unwrap();
            let name = record.evidence.expect("evidence of each period").to_string();
            let mut files = self.scratch.join("evidence").read_dir().unwrap().map(|entry| entry.unwrap().path());
            let file = files.find(|path| path.display().to_string().contains(&name));
            evidence::read(&file.expect("its file")).unwrap().1
        };
        (0..periods).map(left).collect()
    }
}
