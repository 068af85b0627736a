//! The loop: wait for a tick, run its cycle, watch over the landed update, never two cycles at once.

use std::time::{Duration, Instant};

use cron::Schedule;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::overview::{Activity, JobState, Progress};
use super::{Agent, StateError};
use crate::job::error::{CycleError, StageError};
use veriregime_core::schedule::next_tick_ms;
use veriregime_core::types::time::format_utc;

/// The clock is looked at this often while waiting, so that a suspended machine or a corrected clock is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// And not more often than this.
const SHORTEST_SLEEP: Duration = Duration::from_millis(20);

/// When the daemon works.
#[derive(Debug, Clone)]
pub struct ScheduleConfig {
    /// Ticks.
    pub schedule: Schedule,
    /// From a tick to its cycle.
    pub delay_ms: i64,
    /// Between two looks at landed updates whose blocks are not final.
    pub recheck: Duration,
}

/// Runs cycles until `stop` is cancelled, and tells `progress` of them. A cycle that is running then is taken up again at the
/// next start.
///
/// # Errors
/// [`CycleError::NoTick`] for a schedule that has ended, or a database that fails.
pub async fn run(
    agent: &mut Agent,
    rhythm: &ScheduleConfig,
    progress: Option<&Progress>,
    stop: &CancellationToken,
) -> Result<(), StageError> {
    let tell = |change: &dyn Fn(&mut JobState)| progress.map_or((), |progress| progress.tell(change));
    // A tick of the running period that has passed still counts.
    let mut after_ms = agent.grid().start_ms(agent.running_period()) - 1;
    while !stop.is_cancelled() {
        let Some(tick_ms) = next_tick_ms(&rhythm.schedule, after_ms) else {
            return Err(CycleError::NoTick.into());
        };
        let due_ms = tick_ms + rhythm.delay_ms;
        tell(&|job| job.activity = Activity::Waiting { until_ms: due_ms });
        if agent.clock.now_ms() < due_ms {
            info!(next = format_utc(due_ms), "waiting");
        }
        wait(agent, rhythm, due_ms, stop).await?;
        if stop.is_cancelled() {
            break;
        }
        tell(&|job| job.activity = Activity::Running);
        agent.settle(&rhythm.schedule).await?;
        let now = agent.running_period();
        if agent.grid().period_at(tick_ms) == now {
            let record = agent.run(now, stop).await?;
            tell(&|job| job.last_cycle = Some((record.period, record.stage)));
            info!(period = now.0, outcome = record.stage.name(), "cycle ended");
            after_ms = tick_ms;
        } else {
            // The clock jumped over the tick's period: what counts is the running one.
            after_ms = agent.grid().start_ms(now) - 1;
        }
    }
    info!("stopped");
    Ok(())
}

/// Waits for `due_ms` by the agent's clock, looking up landed updates now and then.
async fn wait(
    agent: &mut Agent,
    rhythm: &ScheduleConfig,
    due_ms: i64,
    stop: &CancellationToken,
) -> Result<(), StateError> {
    let mut checked = Instant::now();
    loop {
        let now_ms = agent.clock.now_ms();
        if now_ms >= due_ms || stop.is_cancelled() {
            return Ok(());
        }
        if checked.elapsed() >= rhythm.recheck {
            agent.watch_over(agent.grid().period_at(now_ms), stop).await?;
            checked = Instant::now();
        }
        let left = Duration::from_millis((due_ms - now_ms).max(0) as u64);
        tokio::select! {
            () = tokio::time::sleep(left.clamp(SHORTEST_SLEEP, LONGEST_SLEEP)) => {}
            () = stop.cancelled() => {}
        }
    }
}
