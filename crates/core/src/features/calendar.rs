//! Features that depend on the decision time alone. The contract holds them as a table, a row for each period of a week.

use std::f64::consts::TAU;

use super::scale;
use crate::types::feature::{Feature, FeatureSpec, HOURS_PER_WEEK};
use crate::types::period::MINUTE_MS;

const DAY_MINUTES: i64 = 1440;
const WEEK_MINUTES: i64 = 7 * DAY_MINUTES;
/// Entries of a weekly profile are millionths.
const PROFILE_UNIT: f64 = 1e-6;

/// The value of a calendar feature at `time_ms`; `weekly_profile` is the spec's. A candle feature is 0 here.
pub fn value(feature: &Feature, weekly_profile: &[i32], time_ms: i64) -> f64 {
    let minute = time_ms.div_euclid(MINUTE_MS);
    let angle = |harmonic: u32| {
        let turns = minute.rem_euclid(DAY_MINUTES) * i64::from(harmonic);
        turns.rem_euclid(DAY_MINUTES) as f64 / DAY_MINUTES as f64 * TAU
    };
    match feature {
        Feature::DaySine { harmonic } => libm::sin(angle(*harmonic)),
        Feature::DayCosine { harmonic } => libm::cos(angle(*harmonic)),
        Feature::Weekday { days } => {
            // Day 0 of Unix time was a Thursday, which is day 3 when Monday is 0.
            let weekday = (minute.div_euclid(DAY_MINUTES) + 3).rem_euclid(7);
            f64::from(u8::from(days.iter().any(|day| i64::from(*day) == weekday)))
        }
        Feature::WeeklyProfile { minutes_before } => {
            let before = i64::try_from(*minutes_before).unwrap_or(0);
            profile_at(weekly_profile, minute - before)
        }
        _ => 0.0,
    }
}

/// The quantised calendar features of a decision time, in the spec's order.
pub fn integers(spec: &FeatureSpec, time_ms: i64) -> Vec<i32> {
    let mut row = Vec::with_capacity(spec.calendar.len());
    append(spec, time_ms, &mut row);
    row
}

/// Appends them to `row`.
pub fn append(spec: &FeatureSpec, time_ms: i64, row: &mut Vec<i32>) {
    row.extend(spec.calendar.iter().map(|scaled| {
        let value = value(&scaled.feature, &spec.weekly_profile, time_ms);
        scale::integer(scaled, spec, value)
    }));
}

/// Linear between the middles of the hours; in integers up to the last step, so that no rounding can differ.
fn profile_at(profile: &[i32], minute: i64) -> f64 {
    let since_middle = (minute - 30).rem_euclid(WEEK_MINUTES);
    let hour = usize::try_from(since_middle / 60).expect("a week has 168 hours");
    let past = since_middle % 60;
    let (left, right) = (i64::from(profile[hour]), i64::from(profile[(hour + 1) % HOURS_PER_WEEK]));
    (left * (60 - past) + right * past) as f64 / 60.0 * PROFILE_UNIT
}
