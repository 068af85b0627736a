//! When cycles are due.

use chrono::DateTime;
use cron::Schedule;

use crate::types::period::{Grid, PeriodId};

/// Seconds of a week.
const WEEK_SECONDS: u64 = 7 * 86_400;

/// The ticks after `after_ms`, in Unix milliseconds; none of a schedule that has ended.
pub fn ticks_ms(schedule: &Schedule, after_ms: i64) -> impl Iterator<Item = i64> {
    let after = DateTime::from_timestamp_millis(after_ms);
    after.into_iter().flat_map(|after| schedule.after(&after)).map(|tick| tick.timestamp_millis())
}

/// The first tick after `after_ms`, in Unix milliseconds; `None` for a schedule that has ended.
pub fn next_tick_ms(schedule: &Schedule, after_ms: i64) -> Option<i64> {
    ticks_ms(schedule, after_ms).next()
}

/// Periods of a grid with a tick that began after `last` and ended by `now_ms`, those of a week at most, and one at least: nobody
/// ran these.
pub fn absent(schedule: &Schedule, grid: Grid, last: PeriodId, now_ms: i64) -> Vec<PeriodId> {
    let current = grid.period_at(now_ms);
    let most = (WEEK_SECONDS / grid.period_seconds.max(1)).max(1);
    let oldest = last.next().max(PeriodId(current.0.saturating_sub(most)));
    (oldest.0..current.0)
        .map(PeriodId)
        .filter(|period| {
            let tick_ms = next_tick_ms(schedule, grid.start_ms(*period) - 1);
            tick_ms.is_some_and(|tick_ms| tick_ms < grid.end_ms(*period))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn every_four_hours() -> Schedule {
        Schedule::from_str("0 0 0,4,8,12,16,20 * * *").unwrap()
    }

    #[test]
    fn the_default_ticks_at_the_start_of_each_period() {
        let period = PeriodId(119_645);
        assert_eq!(next_tick_ms(&every_four_hours(), period.start_ms() - 1), Some(period.start_ms()));
        assert_eq!(next_tick_ms(&every_four_hours(), period.start_ms()), Some(period.next().start_ms()));
    }

    #[test]
    fn only_periods_with_a_tick_can_be_absent_and_not_for_ever() {
        let last = PeriodId(119_645);
        let now_ms = PeriodId(119_648).start_ms() + 1;
        assert_eq!(absent(&every_four_hours(), Grid::FOUR_HOURS, last, now_ms), [PeriodId(119_646), PeriodId(119_647)]);
        assert!(absent(&every_four_hours(), Grid::FOUR_HOURS, last, last.next().start_ms()).is_empty());
        let daily = Schedule::from_str("0 0 0 * * *").unwrap();
        assert_eq!(absent(&daily, Grid::FOUR_HOURS, last, PeriodId(last.0 + 12).start_ms()).len(), 2);
        let years = absent(&every_four_hours(), Grid::FOUR_HOURS, PeriodId(1), now_ms);
        assert_eq!(years.len() as u64, PeriodId::PER_WEEK);
    }

    #[test]
    fn a_weekly_grid_has_one_absent_period_at_most() {
        let weekly = Schedule::from_str("0 0 6 * * Thu").unwrap();
        let grid = Grid { period_seconds: WEEK_SECONDS, horizon_seconds: 1, offset_seconds: 0 };
        let now_ms = grid.start_ms(PeriodId(2833)) + 1;
        assert_eq!(absent(&weekly, grid, PeriodId(2831), now_ms), [PeriodId(2832)]);
        assert_eq!(absent(&weekly, grid, PeriodId(7), now_ms), [PeriodId(2832)]);
        assert!(absent(&weekly, grid, PeriodId(2832), now_ms).is_empty());
    }
}
