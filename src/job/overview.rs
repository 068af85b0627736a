//! What the jobs of a node are doing, for whoever asks: status, readiness, metrics, alerts.

use std::sync::Arc;

use alloy::primitives::Address;
use tokio::sync::watch;

use veriregime_core::types::cycle::Stage;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;

/// A job, as its settings describe it and as it was when it was last looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobState {
    /// Name in the settings.
    pub name: String,
    /// Name of its chain in the settings.
    pub chain: String,
    /// EIP-155 id of that chain.
    pub chain_id: u64,
    /// The contract that takes its updates; `None` where the settings name none.
    pub contract: Option<Address>,
    /// What its cycles are stored by; `None` where its bundle could not be read at the start.
    pub key: Option<JobKey>,
    /// Id of its model; `None` until its bundle was opened.
    pub model: Option<String>,
    pub activity: Activity,
    /// The cycle that ended last since the start of the process.
    pub last_cycle: Option<(PeriodId, Stage)>,
}

/// Whether a job works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Activity {
    /// It is being opened.
    Starting,
    /// It waits until that time, in Unix milliseconds, for its next cycle.
    Waiting { until_ms: i64 },
    /// It runs a cycle, or closes earlier ones.
    Running,
    /// It could not be opened, or it broke down. It is tried again.
    Failed(Failure),
}

/// Why a job does not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Stable code.
    pub code: &'static str,
    pub message: String,
    pub hint: &'static str,
    /// Since when it has not worked, in Unix milliseconds.
    pub since_ms: i64,
    /// How often it was tried since then.
    pub tries: u32,
}

impl JobState {
    /// Why it does not work; `None` where it does.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.activity {
            Activity::Failed(failure) => Some(failure),
            Activity::Starting | Activity::Waiting { .. } | Activity::Running => None,
        }
    }
}

/// Every job of a node, in the order of the settings.
#[derive(Debug, Clone)]
pub struct Overview(watch::Receiver<Vec<JobState>>);

impl Overview {
    /// Of jobs as they begin, with what each tells of itself by.
    pub fn new(jobs: Vec<JobState>) -> (Self, Vec<Progress>) {
        let count = jobs.len();
        let (sender, receiver) = watch::channel(jobs);
        let sender = Arc::new(sender);
        let progress = (0..count).map(|index| Progress { jobs: sender.clone(), index }).collect();
        (Self(receiver), progress)
    }

    /// The jobs as they are now.
    pub fn jobs(&self) -> Vec<JobState> {
        self.0.borrow().clone()
    }

    /// Names of the jobs whose cycles are stored by that.
    pub fn names_of(&self, key: JobKey) -> Vec<String> {
        self.0.borrow().iter().filter(|job| job.key == Some(key)).map(|job| job.name.clone()).collect()
    }
}

/// What one job tells of itself by.
#[derive(Debug, Clone)]
pub struct Progress {
    jobs: Arc<watch::Sender<Vec<JobState>>>,
    index: usize,
}

impl Progress {
    /// Changes what is known of the job.
    pub fn tell(&self, change: impl FnOnce(&mut JobState)) {
        self.jobs.send_modify(|jobs| jobs.get_mut(self.index).map_or((), change));
    }
}
