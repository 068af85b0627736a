//! When cycles run, as it is written.

use std::str::FromStr;

use cron::Schedule;

use super::{Config, ConfigError, value};
use veriregime_core::schedule::{next_tick_ms, ticks_ms};
use veriregime_core::types::period::{Grid, MINUTE_MS};

/// Ticks of a schedule among which one must leave time for a cycle.
const MAX_TICKS: usize = 1000;
/// What a cycle needs at least: nothing is signed in a period's last minute.
const LEAST_LEFT_MS: i64 = MINUTE_MS;

impl Config {
    /// When the job's periods are.
    pub fn grid(&self) -> Grid {
        self.schedule.grid
    }

    /// Refuses a model whose periods have another length than the job's.
    ///
    /// # Errors
    /// [`ConfigError::Value`].
    pub fn expect_grid(&self, model: Grid) -> Result<(), ConfigError> {
        let (ours, theirs) = (self.grid().period_seconds, model.period_seconds);
        if ours == theirs {
            return Ok(());
        }
        Err(value("schedule.period_seconds", ours, format!("the periods of the job's model have {theirs} seconds")))
    }
}

/// Six or seven fields, seconds first. Days of the week go by name, because numbers mean different days to different
/// programs. From `from_ms` on there must be a tick of which a cycle can come.
pub(super) fn parse(text: &str, grid: Grid, from_ms: i64, delay_ms: i64) -> Result<Schedule, ConfigError> {
    const KEY: &str = "schedule.cron";
    let fields: Vec<&str> = text.split_whitespace().collect();
    if !(6..=7).contains(&fields.len()) {
        return Err(value(KEY, text, "wants six fields: second minute hour day month weekday"));
    }
    if fields[5].bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(value(KEY, text, "name the days of the week (Mon, Tue, ...)"));
    }
    let schedule = Schedule::from_str(text).map_err(|error| value(KEY, text, error))?;
    if next_tick_ms(&schedule, from_ms).is_none() {
        return Err(value(KEY, text, "it never ticks from now on"));
    }
    let leaves_time = |tick_ms: i64| tick_ms + delay_ms + LEAST_LEFT_MS < grid.end_ms(grid.period_at(tick_ms));
    if !ticks_ms(&schedule, from_ms).take(MAX_TICKS).any(leaves_time) {
        return Err(value(KEY, text, "its ticks, schedule.delay_seconds later, leave no time before the period ends"));
    }
    Ok(schedule)
}
