//! What the agent beside us computed its updates from, if there is one.

use crate::config::Config;
use crate::evidence::{self, EvidenceStore};
use crate::state::Store;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::evidence::Row;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;

/// The memory of an agent, and the evidence that it has left.
#[derive(Debug)]
pub struct Own {
    store: Store,
    evidence: EvidenceStore,
}

impl Own {
    /// Of the agent with these settings, if it has run.
    ///
    /// # Errors
    /// A database that cannot be used.
    pub fn open(config: &Config) -> anyhow::Result<Option<Self>> {
        if veriregime_files::size_bytes(&config.state_path).is_err() {
            return Ok(None);
        }
        let evidence = EvidenceStore::new(config.evidence_dir.clone());
        Ok(Some(Self { store: Store::open(&config.state_path)?, evidence }))
    }

    /// The candles of each market of a cycle: from the database while it has them, then from its evidence; none where neither
    /// has any.
    ///
    /// # Errors
    /// A database or an evidence bundle that cannot be read.
    pub fn candles(&self, job: JobKey, period: PeriodId) -> anyhow::Result<Vec<Vec<Candle>>> {
        let stored = self.store.candles(job, period)?;
        let digest = self.store.cycle(job, period)?.and_then(|record| record.evidence);
        match digest.filter(|_| stored.is_empty()) {
            Some(digest) => {
                let (_, evidence) = evidence::read(&self.evidence.file(digest))?;
                let rows = |rows: Vec<Row>| rows.into_iter().map(|row| row.0).collect();
                Ok(evidence.markets.into_iter().map(|market| rows(market.candles)).collect())
            }
            None => Ok(stored),
        }
    }
}
