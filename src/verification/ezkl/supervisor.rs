//! Keeps a worker: starts it when needed, checks its version, kills it when it misbehaves, starts the next one.

use std::time::Duration;

use tokio::time::sleep;

use super::protocol::{Call, CircuitFiles, Hello, Load, PeakRss};
use super::worker::{Settings, Worker};
use crate::bundle::EZKL_VERSION;
use crate::verification::error::ProofError;

/// Pause before the second start in a row; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause before a start.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// EZKL behind a supervised worker. One call at a time; a call starts at most one worker, so that restarts are bounded
/// by the caller's own retries, and a failing one is never started in a tight loop.
#[derive(Debug)]
pub struct Ezkl {
    settings: Settings,
    /// Absent before the first call, after a failure, and while a call is in flight: a caller that drops the future
    /// of a call drops the worker with it, and no late response can be taken for the next one's.
    worker: Option<Worker>,
    /// What each new worker is told to load.
    loaded: Option<CircuitFiles>,
    /// Workers lost since the last call that was answered.
    losses: u32,
}

impl Ezkl {
    /// Nothing is started before the first call.
    pub fn new(settings: Settings) -> Self {
        Self { settings, worker: None, loaded: None, losses: 0 }
    }

    /// Makes the present worker and those that follow use a circuit.
    ///
    /// # Errors
    /// As [`Ezkl::call`].
    pub async fn load(&mut self, files: CircuitFiles) -> Result<(), ProofError> {
        self.call(&Load(files.clone())).await?;
        self.loaded = Some(files);
        Ok(())
    }

    /// One call, within the deadline of the settings.
    ///
    /// # Errors
    /// What starting a worker or the call itself ran into. After any error but [`ProofError::Refused`] and [`ProofError::OutOfTables`] the worker is
    /// gone and the next call starts another.
    pub async fn call<C: Call>(&mut self, arguments: &C) -> Result<C::Answer, ProofError> {
        self.call_within(arguments, self.settings.deadline).await
    }

    /// As [`Ezkl::call`], within `deadline`.
    ///
    /// # Errors
    /// As [`Ezkl::call`].
    pub async fn call_within<C: Call>(&mut self, arguments: &C, deadline: Duration) -> Result<C::Answer, ProofError> {
        let outcome = match self.ready().await {
            Ok(mut worker) => {
                let outcome = worker.call(arguments, deadline).await;
                if matches!(outcome, Ok(_) | Err(ProofError::Refused { .. } | ProofError::OutOfTables { .. })) {
                    self.worker = Some(worker);
                }
                outcome
            }
            Err(error) => Err(error),
        };
        self.losses = if self.worker.is_some() { 0 } else { self.losses.saturating_add(1) };
        outcome
    }

    /// Largest resident set of the present worker, in bytes.
    ///
    /// # Errors
    /// As [`Ezkl::call`].
    pub async fn peak_rss_bytes(&mut self) -> Result<u64, ProofError> {
        Ok(self.call(&PeakRss {}).await?.peak_rss_bytes)
    }

    /// Id of the worker's process, if one runs.
    pub fn process_id(&self) -> Option<u32> {
        self.worker.as_ref().and_then(Worker::process_id)
    }

    /// Ends the worker in good order.
    pub async fn stop(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.stop().await;
        }
    }

    /// The worker at hand, or a new one of the right version with the circuit loaded.
    async fn ready(&mut self) -> Result<Worker, ProofError> {
        if let Some(mut worker) = self.worker.take()
            && worker.is_running()
        {
            return Ok(worker);
        }
        sleep(pause(self.losses)).await;
        let mut worker = Worker::start(&self.settings)?;
        let found = worker.call(&Hello {}, self.settings.deadline).await?.ezkl_version;
        if found != EZKL_VERSION {
            return Err(ProofError::Version { found, expected: EZKL_VERSION.to_owned() });
        }
        if let Some(files) = &self.loaded {
            worker.call(&Load(files.clone()), self.settings.deadline).await?;
        }
        Ok(worker)
    }
}

/// Pause before a start that follows `losses` workers in a row: nothing, then doubling up to [`LONGEST_PAUSE`].
fn pause(losses: u32) -> Duration {
    match losses {
        0 | 1 => Duration::ZERO,
        _ => FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(losses - 2)).min(LONGEST_PAUSE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_restart_is_at_once_and_the_pause_has_a_ceiling() {
        assert_eq!([0, 1, 2, 3, 4].map(|losses| pause(losses).as_millis()), [0, 0, 100, 200, 400]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}
