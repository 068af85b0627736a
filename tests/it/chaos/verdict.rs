//! The verdict: what holds of every job, period and wallet, whatever was killed.

use serde_json::json;
use veriregime_agent::chain::Chain;
use veriregime_agent::node::assemble;
use veriregime_agent::state::jobs::Scope;
use veriregime_core::types::cycle::{CycleRecord, Purpose, Stage};

use super::round::Victim;
use super::story::Story;
use crate::fleet::{FleetJob, Update};

impl Story {
    pub(super) async fn judge(&self) {
        let mut missed = 0;
        for job in &self.fleet.jobs {
            let (updates, chain) = (job.updates().await, assemble::chain(&job.config).await.unwrap());
            if let Some(late) = updates.iter().find(|update| update.landed_in != update.period) {
                self.fail(&format!("{}: landed late: {late:?}", job.name));
            }
            for period in self.lived() {
                let of_period: Vec<Update> = updates.iter().copied().filter(|one| one.period == period).collect();
                let Some(record) = self.record(job, period) else {
                    self.fail(&format!("{}: {period} has no record", job.name));
                };
                self.judge_end(job, &record, &of_period);
                self.judge_submissions(job, &chain, &record).await;
                missed += usize::from(record.stage == Stage::Missed);
            }
            if let Some(strange) = updates.iter().find(|update| self.lived().all(|period| period != update.period)) {
                self.fail(&format!("{}: of no period: {strange:?}", job.name));
            }
        }
        for wallet in self.fleet.wallets() {
            self.judge_wallet(wallet).await;
        }
        let open = self.store.unfinished_by(Scope::All, self.period.next().start_ms()).unwrap();
        if !open.is_empty() {
            self.fail(&format!("left open: {open:?}"));
        }
        self.print(missed);
    }

    /// Landed exactly once, with its evidence, or missed for a reason, where the chain was away.
    fn judge_end(&self, job: &FleetJob, record: &CycleRecord, updates: &[Update]) {
        let is_excused = self.outages.contains(&(job.chain, record.period));
        let is_right = match (record.stage, updates) {
            (Stage::Confirmed, [update]) => {
                record.landed.is_some_and(|landed| landed.hash == update.transaction) && job.has_evidence(record)
            }
            (Stage::Missed, []) => is_excused && record.miss.as_ref().is_some_and(|miss| miss.code.starts_with("VR-")),
            _ => false,
        };
        if !is_right {
            self.fail(&format!("{}: outage: {is_excused}, on chain: {updates:?}, {record:?}", job.name));
        }
    }

    /// Nothing was submitted twice: of all that was signed, one update at most is in a block.
    async fn judge_submissions(&self, job: &FleetJob, chain: &Chain, record: &CycleRecord) {
        let mut mined = Vec::new();
        for attempt in self.store.attempts(job.key, record.period).unwrap() {
            if attempt.purpose == Purpose::Action {
                mined.extend(chain.read.mined(attempt.hash).await.unwrap());
            }
        }
        if mined.len() != usize::from(record.stage == Stage::Confirmed) {
            self.fail(&format!("{}: submitted {mined:?} for {record:?}", job.name));
        }
    }

    /// Nothing of the wallet waits, and the database knows all that it has sent.
    async fn judge_wallet(&self, job: &FleetJob) {
        let (chain_id, chain) = (job.config.chain.chain_id, assemble::chain(&job.config).await.unwrap());
        let (wallet, used) = (chain.address(), chain.nonce().await.unwrap());
        let pool = self.fleet.anvil(job.chain).request("txpool_status", json!([])).await.unwrap();
        let is_empty = ["pending", "queued"].iter().all(|list| pool[list] == "0x0");
        let open = self.store.open_attempts(chain_id, wallet).unwrap();
        let known = self.store.next_nonce(chain_id, wallet).unwrap();
        let is_idle = chain.is_idle().await.unwrap();
        if !(is_idle && is_empty && open.is_empty() && used <= known) {
            self.fail(&format!("{wallet} on {chain_id}: {used} used, {known} known, pool {pool}, open {open:?}"));
        }
    }

    fn print(&self, missed: usize) {
        let of = |wanted: fn(&Victim) -> bool| self.killed.iter().filter(|victim| wanted(victim)).count();
        println!(
            "chaos: seed {}, {} periods of {} jobs ended once each, {missed} of them missed in {} outages of a chain; \
             killed {} daemons, {} provers, {} chains",
            self.seed,
            self.lived().count(),
            self.fleet.jobs.len(),
            self.outages.len(),
            of(|victim| matches!(victim, Victim::Daemon)),
            of(|victim| matches!(victim, Victim::Prover)),
            of(|victim| matches!(victim, Victim::Chain(_))),
        );
    }
}
