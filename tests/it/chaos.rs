//! kill -9 of daemon, prover and chain at random points of a replay: every period lands once.
//!
//! Short by default; `make chaos` sets `CHAOS_PERIODS` and `CHAOS_KILLS` for the long run.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ::veriregime_files;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use veriregime_agent::devnet::{Anvil, foundry};
use veriregime_agent::state::Store;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;

use crate::world::{DELAY_SECONDS, FIRST, World, accepted, toml};

/// A period that has not ended by then never will.
const PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(10);
/// Latest kill after a period has begun: by then an undisturbed cycle is over.
const LATEST_KILL_MS: u64 = 900;

#[derive(Debug, Clone, Copy)]
enum Victim {
    Daemon,
    Prover,
    Chain,
}

struct Replay {
    world: World,
    daemon: Child,
    settings: PathBuf,
    log: PathBuf,
    store: Store,
    job: JobKey,
    /// The chain as it was at the end of the last period: what it falls back to when it is killed.
    checkpoint: Value,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_period_lands_once_whatever_is_killed() {
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (periods, kills) = (number("CHAOS_PERIODS", 10), number("CHAOS_KILLS", 9));
    let seed = number("CHAOS_SEED", 1);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut replay = Replay::start().await;
    let mut killed = Vec::new();
    for index in 0..periods {
        let period = PeriodId(FIRST.0 + index);
        // As even as the numbers allow.
        let count = kills * (index + 1) / periods - kills * index / periods;
        let mut moments: Vec<u64> = (0..count).map(|_| random.random_range(0..LATEST_KILL_MS)).collect();
        moments.sort_unstable();
        replay.world.enter(period).await;
        let begun = Instant::now();
        loop {
            if moments.first().is_some_and(|ms| begun.elapsed() >= Duration::from_millis(*ms)) {
                moments.remove(0);
                let victim = *[Victim::Daemon, Victim::Prover, Victim::Chain].choose(&mut random).unwrap();
                if replay.kill(victim, period).await {
                    killed.push(victim);
                }
            }
            replay.revive();
            if moments.is_empty() && replay.has_ended(period).await {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "seed {seed}: {period} does not end\n{}", replay.log());
            tokio::time::sleep(POLL).await;
        }
        replay.checkpoint = replay.world.chain.anvil.request("anvil_dumpState", json!([])).await.unwrap();
    }
    // One period more, so that the daemon closes the last one should it be open.
    let last = PeriodId(FIRST.0 + periods);
    replay.world.enter(last).await;
    let begun = Instant::now();
    while !replay.has_ended(last).await {
        assert!(begun.elapsed() < PATIENCE, "seed {seed}: {last} does not end\n{}", replay.log());
        replay.revive();
        tokio::time::sleep(POLL).await;
    }
    replay.judge(periods, &killed, seed).await;
}

impl Replay {
    async fn start() -> Self {
        let world = World::new().await;
        let path = |name: &str| world.scratch.path().join(name);
        let (settings, log) = (path("agent.toml"), path("log"));
        veriregime_files::write_atomic(&settings, toml(&world.settings()).as_bytes()).unwrap();
        let store = Store::open(&path("agent.sqlite")).unwrap();
        let job = world.job();
        let checkpoint = world.chain.anvil.request("anvil_dumpState", json!([])).await.unwrap();
        world.enter(FIRST).await;
        let daemon = daemon(&settings, &log);
        Self { world, daemon, settings, log, store, job, checkpoint }
    }

    /// Kills the victim; false where there was none to kill.
    async fn kill(&mut self, victim: Victim, period: PeriodId) -> bool {
        match victim {
            Victim::Daemon => self.daemon.kill().is_ok(),
            Victim::Prover => kill_prover(self.daemon.id()),
            Victim::Chain => {
                let port = self.world.config.chain.rpc_url().port().unwrap();
                self.world.chain.anvil.kill().await.unwrap();
                let seconds = period.start_seconds() + DELAY_SECONDS;
                self.world.chain.anvil = Anvil::start(&foundry("anvil"), seconds - 1, port).await.unwrap();
                let checkpoint = json!([self.checkpoint]);
                self.world.chain.anvil.request("anvil_loadState", checkpoint).await.unwrap();
                self.world.chain.anvil.set_time(seconds).await.unwrap();
                true
            }
        }
    }

    /// Starts the daemon again if it has ended, as a supervisor would.
    fn revive(&mut self) {
        if self.daemon.try_wait().unwrap().is_some() {
            self.daemon = daemon(&self.settings, &self.log);
        }
    }

    async fn has_ended(&self, period: PeriodId) -> bool {
        let Some(record) = self.record(period) else { return false };
        match record.stage {
            Stage::Missed => true,
            Stage::Confirmed | Stage::AlreadyByOther => self.world.updates(period).await > 0,
            _ => false,
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn record(&self, period: PeriodId) -> Option<CycleRecord> {
        self.store.cycle(self.job, period).unwrap()
    }

    async fn judge(&mut self, periods: u64, killed: &[Victim], seed: u64) {
        let on_chain = accepted(&self.world.config).await;
        for period in (FIRST.0..FIRST.0 + periods).map(PeriodId) {
            let record = self.record(period).expect("every period leaves a record");
            let updates = on_chain.iter().filter(|one| **one == period).count();
            let has_landed = matches!(record.stage, Stage::Confirmed | Stage::AlreadyByOther);
            assert!(
                has_landed && updates == 1,
                "seed {seed}: {period} is {:?} with {updates} updates on chain\n{}",
                record.stage,
                self.log()
            );
        }
        let of = |wanted: fn(&Victim) -> bool| killed.iter().filter(|victim| wanted(victim)).count();
        println!(
            "chaos: seed {seed}, all {periods} periods landed once each; killed {} daemons, {} provers, {} chains",
            of(|victim| matches!(victim, Victim::Daemon)),
            of(|victim| matches!(victim, Victim::Prover)),
            of(|victim| matches!(victim, Victim::Chain)),
        );
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// Kills the worker of that daemon; false where it has none.
pub fn kill_prover(daemon: u32) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{daemon}/task")).into_iter().flatten().flatten();
    let children = threads.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let all: String = children.collect();
    let Some(prover) = all.split_whitespace().next() else { return false };
    Command::new("kill").args(["-9", prover]).status().unwrap().success()
}

/// Starts the daemon; what it logs is added to `log`.
pub fn daemon(settings: &Path, log: &Path) -> Child {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
    Command::new(env!("CARGO_BIN_EXE_veriregime-agent"))
        .args(["--config".as_ref(), settings.as_os_str(), "daemon".as_ref()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}
