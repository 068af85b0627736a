//! What is stored, for whoever follows it while it happens.

use tokio::sync::broadcast;

use veriregime_core::types::cycle::Stage;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;

/// Changes that a follower may be late by; it misses older ones.
const LATE: usize = 256;

/// A stage of a cycle that was stored by this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    pub job: JobKey,
    pub period: PeriodId,
    pub stage: Stage,
}

/// Where changes are told. Nobody is waited for.
#[derive(Debug)]
pub(super) struct Changes(broadcast::Sender<Change>);

impl Default for Changes {
    fn default() -> Self {
        Self(broadcast::channel(LATE).0)
    }
}

impl Changes {
    pub(super) fn tell(&self, job: JobKey, period: PeriodId, stage: Stage) {
        // Nobody may follow.
        let _followers = self.0.send(Change { job, period, stage });
    }

    pub(super) fn follow(&self) -> broadcast::Receiver<Change> {
        self.0.subscribe()
    }
}
