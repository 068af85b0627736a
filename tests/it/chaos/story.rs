//! The story: a node lives through period after period, and whatever it stands on is killed under it.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::Read;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use veriregime_agent::devnet::{Anvil, foundry};
use veriregime_agent::state::Store;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::period::PeriodId;

use super::round::{Kill, Memory, Victim};
use crate::fleet::{Daemon, Fleet, FleetJob};
use crate::world::{DELAY_SECONDS, FIRST, accepted};

/// A period that has not ended by then never will.
const PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(10);
/// The node's clock goes so much faster than ours: what waits for a minute waits for three seconds.
const HASTE: i64 = 20;
/// Latest return of a chain that was away beyond its period.
const LATEST_RETURN_MS: u64 = 600;
/// Lines of the node's log that a failure shows.
const LAST_WORDS: usize = 300;

/// A chain's dumps, and when it comes back where it is away.
struct Stand {
    at_period_start: PathBuf,
    returns_with: PathBuf,
    away: Option<Away>,
}

enum Away {
    Until(Instant),
    BeyondThePeriod,
}

pub(super) struct Story {
    pub(super) fleet: Fleet,
    pub(super) daemon: Daemon,
    pub(super) store: Store,
    pub(super) seed: u64,
    pub(super) period: PeriodId,
    /// Chains and periods in which they went away and did not come back.
    pub(super) outages: BTreeSet<(usize, PeriodId)>,
    pub(super) killed: Vec<Victim>,
    stands: Vec<Stand>,
    random: ChaCha8Rng,
}

impl Story {
    pub(super) fn begin(fleet: Fleet, seed: u64) -> Self {
        println!("chaos: {} jobs, seed {seed}", fleet.jobs.len());
        let folder = fleet.world.scratch.path();
        let stand = |chain: usize| Stand {
            at_period_start: folder.join(format!("chain-{chain}-start.json")),
            returns_with: folder.join(format!("chain-{chain}-last.json")),
            away: None,
        };
        let stands = (0..fleet.chains()).map(stand).collect();
        let store = Store::open(&folder.join("agent.sqlite")).unwrap();
        let log = folder.join("log");
        let daemon = Daemon::start(fleet.write(&fleet.settings()), log);
        let random = ChaCha8Rng::seed_from_u64(seed);
        let (outages, killed) = (BTreeSet::new(), Vec::new());
        let period = PeriodId(FIRST.0 - 1);
        Self { fleet, daemon, store, seed, period, outages, killed, stands, random }
    }

    /// A period with kills; every chain is back before it ends.
    pub(super) async fn live_through_kills(&mut self) {
        let kills = Kill::draw_some(self.fleet.chains(), &mut self.random);
        self.live_through(kills).await;
    }

    /// A period with kills, in which a chain goes away and does not come back.
    pub(super) async fn live_through_an_outage(&mut self) {
        let kills = Kill::draw_outage(self.fleet.chains(), &mut self.random);
        self.live_through(kills).await;
    }

    /// A period in peace, in which what is open is closed.
    pub(super) async fn end(&mut self) {
        self.live_through(Vec::new()).await;
        let begun = Instant::now();
        while !self.is_evidence_there() {
            if begun.elapsed() > PATIENCE {
                self.fail(&"evidence is missing");
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn live_through(&mut self, kills: Vec<Kill>) {
        self.enter(PeriodId(self.period.0 + 1)).await;
        let begun = Instant::now();
        let mut kills = kills.into_iter().peekable();
        loop {
            while let Some(kill) = kills.next_if(|kill| begun.elapsed() >= Duration::from_millis(kill.at_ms)) {
                self.kill(kill).await;
            }
            self.raise_chains().await;
            self.daemon.revive();
            let passed_ms = i64::try_from(begun.elapsed().as_millis()).unwrap() * HASTE;
            self.fleet.world.clock.set_ms(self.start_seconds() * 1000 + passed_ms);
            if kills.peek().is_none() && self.have_all_ended().await {
                break;
            }
            if begun.elapsed() > PATIENCE {
                self.fail(&format!("{} does not end: {}", self.period, self.stages()));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Moves clock and chains into a period. A chain that is away comes back soon.
    async fn enter(&mut self, period: PeriodId) {
        self.period = period;
        self.fleet.world.clock.set_ms(self.start_seconds() * 1000);
        for chain in 0..self.stands.len() {
            if self.stands[chain].away.is_some() {
                let wait = Duration::from_millis(self.random.random_range(0..LATEST_RETURN_MS));
                let stand = &mut self.stands[chain];
                stand.away = Some(Away::Until(Instant::now() + wait));
                std::fs::copy(&stand.returns_with, &stand.at_period_start).unwrap();
            } else {
                self.fleet.move_chain(chain, self.start_seconds()).await;
                dump(self.fleet.anvil(chain), &self.stands[chain].at_period_start).await;
            }
        }
    }

    fn start_seconds(&self) -> i64 {
        self.period.start_seconds() + DELAY_SECONDS
    }

    async fn kill(&mut self, kill: Kill) {
        let is_dead = match kill.victim {
            Victim::Daemon => self.daemon.kill(),
            Victim::Prover => self.daemon.kill_prover(),
            Victim::Chain(chain) => self.kill_chain(chain, kill).await,
        };
        if is_dead {
            self.killed.push(kill.victim);
        }
    }

    /// False where the chain is away already.
    async fn kill_chain(&mut self, chain: usize, kill: Kill) -> bool {
        let stand = &mut self.stands[chain];
        let was_away = stand.away.is_some();
        if !was_away {
            match kill.memory {
                Memory::Everything => dump(self.fleet.anvil(chain), &stand.returns_with).await,
                Memory::PeriodStart => {
                    std::fs::copy(&stand.at_period_start, &stand.returns_with).unwrap();
                }
            }
            self.fleet.anvil_mut(chain).kill().await.unwrap();
        }
        match kill.rest_ms {
            Some(rest_ms) if !was_away => {
                stand.away = Some(Away::Until(Instant::now() + Duration::from_millis(rest_ms)));
            }
            Some(_) => {}
            None => {
                stand.away = Some(Away::BeyondThePeriod);
                self.outages.insert((chain, self.period));
            }
        }
        !was_away
    }

    async fn raise_chains(&mut self) {
        for chain in 0..self.stands.len() {
            if matches!(self.stands[chain].away, Some(Away::Until(moment)) if Instant::now() >= moment) {
                self.raise(chain).await;
            }
        }
    }

    /// Starts a chain again on its port, at the time that it is.
    async fn raise(&mut self, chain: usize) {
        let (port, id) = (self.fleet.anvil(chain).rpc_url.port().unwrap(), self.fleet.chain_id(chain));
        let now_seconds = self.fleet.world.clock.now_ms() / 1000;
        let stand = &self.stands[chain];
        let program = foundry("anvil");
        let starting = Anvil::restart(&program, &stand.returns_with, id, now_seconds, port);
        *self.fleet.anvil_mut(chain) = starting.await.unwrap();
        self.fleet.move_chain(chain, now_seconds).await;
        self.stands[chain].away = None;
    }

    /// Whether every job whose chain is there has brought its update there.
    async fn have_all_ended(&self) -> bool {
        for job in &self.fleet.jobs {
            match &self.stands[job.chain].away {
                Some(Away::BeyondThePeriod) => {}
                None if self.has_landed(job).await => {}
                Some(Away::Until(_)) | None => return false,
            }
        }
        true
    }

    async fn has_landed(&self, job: &FleetJob) -> bool {
        let Some(record) = self.record(job, self.period) else { return false };
        if record.stage == Stage::Missed {
            self.fail(&format!("{} is lost although the chain came back: {}", self.period, self.stages()));
        }
        let is_over = matches!(record.stage, Stage::Confirmed | Stage::AlreadyByOther);
        is_over && accepted(&job.config).await.contains(&self.period)
    }

    fn is_evidence_there(&self) -> bool {
        let of_job = |job: &FleetJob| {
            self.lived()
                .filter_map(|period| self.record(job, period))
                .all(|record| record.stage != Stage::Confirmed || job.has_evidence(&record))
        };
        self.fleet.jobs.iter().all(of_job)
    }

    /// The periods up to this one.
    pub(super) fn lived(&self) -> impl Iterator<Item = PeriodId> + use<> {
        (FIRST.0..=self.period.0).map(PeriodId)
    }

    pub(super) fn record(&self, job: &FleetJob, period: PeriodId) -> Option<CycleRecord> {
        self.store.cycle(job.key, period).unwrap()
    }

    fn stages(&self) -> String {
        let stage = |job: &FleetJob| format!("{} {:?}", job.name, self.record(job, self.period));
        self.fleet.jobs.iter().map(stage).collect::<Vec<_>>().join("\n")
    }

    /// Ends the test with what is needed to repeat and understand it.
    #[expect(clippy::panic, reason = "a test ends so")]
    pub(super) fn fail(&self, what: &dyn Display) -> ! {
        let (seed, words) = (self.seed, self.daemon.last_words(LAST_WORDS));
        panic!("seed {seed}, killed {:?}: {what}\n{words}", self.killed)
    }
}

/// Writes a chain's state into a file, as anvil reads it at its start.
async fn dump(anvil: &Anvil, file: &std::path::Path) {
    let state = anvil.request("anvil_dumpState", json!([])).await.unwrap();
    let packed = alloy::hex::decode(state.as_str().unwrap()).unwrap();
    let mut bytes = Vec::new();
    GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).unwrap();
    veriregime_files::write_atomic(file, &bytes).unwrap();
}
