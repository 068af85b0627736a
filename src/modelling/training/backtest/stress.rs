//! The worst days by name, with the forecast that preceded each.

use std::ops::Range;

use serde::Serialize;

use super::signals::PERIOD_MINUTES;
use veriregime_backtest::market::{DAY_MINUTES, MINUTE_MS, Market};
use veriregime_core::types::time::format_utc;

/// Days that are told.
const DAYS: usize = 5;

/// A day on which the price fell far.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct StressDay {
    /// UTC.
    pub day: String,
    /// Deepest fall from an earlier close of the day, a fraction.
    pub fall: f64,
    /// Minute of the close that it fell from, UTC.
    pub from: String,
    /// Volatility of one-minute returns that was forecast in that minute, and of the four hours after it.
    pub forecast_volatility: f64,
    pub realised_volatility: f64,
}

/// The days of `judged` with the deepest falls, deepest first; `forecast` has a volatility for each minute.
pub(super) fn days(market: &Market, judged: &Range<usize>, forecast: &[f32]) -> Vec<StressDay> {
    let mut days: Vec<StressDay> =
        whole_days(market, judged).map(|minutes| day(market, &minutes, judged.end, forecast)).collect();
    days.sort_by(|left, right| right.fall.total_cmp(&left.fall));
    days.truncate(DAYS);
    days
}

/// The whole days of UTC within `judged`.
pub(super) fn whole_days(market: &Market, judged: &Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let first = judged.start + (-(market.time_ms(judged.start) / MINUTE_MS)).rem_euclid(DAY_MINUTES as i64) as usize;
    let last = (judged.end + 1).saturating_sub(DAY_MINUTES);
    (first..last).step_by(DAY_MINUTES).map(|at| at..at + DAY_MINUTES)
}

fn day(market: &Market, minutes: &Range<usize>, end: usize, forecast: &[f32]) -> StressDay {
    let (mut high, mut from, mut fall) = (minutes.start, minutes.start, 0.0);
    for at in minutes.clone() {
        if market.closes[at] > market.closes[high] {
            high = at;
        }
        let fallen = 1.0 - market.closes[at] / market.closes[high];
        if fallen > fall {
            (fall, from) = (fallen, high);
        }
    }
    let after = &market.closes[from..(from + PERIOD_MINUTES + 1).min(end)];
    let squares: f64 = after.windows(2).map(|pair| libm::log(pair[1] / pair[0]).powi(2)).sum();
    StressDay {
        day: format_utc(market.time_ms(minutes.start))[..10].to_owned(),
        fall,
        from: format_utc(market.time_ms(from)),
        forecast_volatility: f64::from(forecast[from]),
        realised_volatility: (squares / (after.len() - 1).max(1) as f64).sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_fall_is_named_with_the_forecast_before_it() {
        let mut closes = vec![100.0; 3 * DAY_MINUTES];
        closes[DAY_MINUTES + 100] = 110.0;
        closes[DAY_MINUTES + 200..2 * DAY_MINUTES].fill(88.0);
        closes[2 * DAY_MINUTES..].fill(87.0);
        let volumes = vec![1.0; closes.len()];
        let market = Market { name: "m".to_owned(), start_ms: 0, closes, volumes };
        let forecast: Vec<f32> = (0..market.len()).map(|at| at as f32).collect();
        let found = days(&market, &(0..market.len()), &forecast);
        assert_eq!(found.len(), 3);
        assert_eq!((found[0].day.as_str(), found[0].from.as_str()), ("1970-01-02", "1970-01-02T01:40Z"));
        assert!((found[0].fall - 0.2).abs() < 1e-12, "{found:?}");
        assert!((found[0].forecast_volatility - (DAY_MINUTES + 100) as f64).abs() < 1e-3);
        assert!(found[0].realised_volatility > 0.01 && found[2].fall.abs() < 1e-12);
    }
}
