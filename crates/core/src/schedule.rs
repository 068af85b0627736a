//! When cycles are due.

use chrono::DateTime;
use cron::Schedule;

use crate::types::period::PeriodId;

/// The ticks after `after_ms`, in Unix milliseconds; none of a schedule that has ended.
pub fn ticks_ms(schedule: &Schedule, after_ms: i64) -> impl Iterator<Item = i64> {
    let after = DateTime::from_timestamp_millis(after_ms);
    after.into_iter().flat_map(|after| schedule.after(&after)).map(|tick| tick.timestamp_millis())
}

/// The first tick after `after_ms`, in Unix milliseconds; `None` for a schedule that has ended.
pub fn next_tick_ms(schedule: &Schedule, after_ms: i64) -> Option<i64> {
    ticks_ms(schedule, after_ms).next()
}

/// Periods with a tick that began after `last` and ended by `now_ms`, at most a week of them: nobody ran these.
pub fn absent(schedule: &Schedule, last: PeriodId, now_ms: i64) -> Vec<PeriodId> {
    let current = PeriodId::at_ms(now_ms);
    let oldest = last.next().max(PeriodId(current.0.saturating_sub(PeriodId::PER_WEEK)));
    (oldest.0..current.0)
        .map(PeriodId)
        .filter(|period| next_tick_ms(schedule, period.start_ms() - 1).is_some_and(|tick_ms| tick_ms < period.end_ms()))
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
        assert_eq!(absent(&every_four_hours(), last, now_ms), [PeriodId(119_646), PeriodId(119_647)]);
        assert!(absent(&every_four_hours(), last, last.next().start_ms()).is_empty());
        let daily = Schedule::from_str("0 0 0 * * *").unwrap();
        assert_eq!(absent(&daily, last, PeriodId(last.0 + 12).start_ms()).len(), 2);
        let years = absent(&every_four_hours(), PeriodId(1), now_ms);
        assert_eq!(years.len() as u64, PeriodId::PER_WEEK);
    }
}
