//! Every feature by its textbook definition, written a second time and for no other use than to compare.

use std::f64::consts::{FRAC_PI_2, PI};
use std::ops::Range;

use chrono::{Datelike, Weekday};
use veriregime_core::types::candle::Candle;
use veriregime_core::types::feature::{Days, Feature};
use veriregime_core::types::period::MINUTE_MS;

use super::profile;

/// The windows of the last `count` of the `days`, looked for minute by minute with the calendar's own weekdays.
fn windows_of_days(past: &[Candle], days: Days, count: usize, ahead: i64, minutes: usize) -> Vec<Range<usize>> {
    let now_ms = past[past.len() - 1].open_time_ms + MINUTE_MS;
    let weekday = |time_ms: i64| chrono::DateTime::from_timestamp_millis(time_ms).unwrap().weekday();
    let is_weekend = |time_ms: i64| matches!(weekday(time_ms), Weekday::Sat | Weekday::Sun);
    let own_ms = now_ms + ahead * MINUTE_MS;
    let mut found = Vec::new();
    for from in (0..past.len()).rev() {
        let from_ms = past[from].open_time_ms;
        let is_same_time = (own_ms - from_ms) % (1440 * MINUTE_MS) == 0 && from_ms < own_ms;
        let fits = match days {
            Days::Every => true,
            Days::SameKind => is_weekend(from_ms) == is_weekend(own_ms),
            Days::SameWeekday => weekday(from_ms) == weekday(own_ms),
        };
        if is_same_time && fits && found.len() < count {
            found.push(from..from + minutes);
        }
    }
    found
}

/// The value of `feature` after all `past` candles, by its textbook definition. Floors are those of a standstill:
/// 0.001 bps a minute.
#[expect(clippy::too_many_lines, reason = "one arm a feature, and none may be left out")]
pub(super) fn naive(feature: &Feature, past: &[Candle]) -> f64 {
    let end = past.len();
    let last = |minutes: &usize| end - minutes..end;
    let mean = |range: Range<usize>, of: &dyn Fn(usize) -> f64| {
        let count = range.len() as f64;
        range.map(of).sum::<f64>() / count
    };
    let change = |at: usize| past[at].close / past[at - 1].close - 1.0;
    let square = |at: usize| change(at).powi(2);
    let magnitude = |at: usize| change(at).abs();
    let root = |square: f64| (square + 1e-14).sqrt().ln();
    let log = |magnitude: f64| (magnitude + 1e-7).ln();
    let ago = |ago: usize, minutes: &usize| end - ago..end - ago + minutes;
    let earlier = |count: &usize, every: usize, minutes: &usize, of: &dyn Fn(usize) -> f64| {
        (1..=*count).map(|one| mean(ago(one * every, minutes), of)).sum::<f64>() / *count as f64
    };
    let typical = |at: usize| (past[at].high + past[at].low + past[at].close) / 3.0;
    let true_range = |at: usize| {
        let before = past[at - 1].close;
        let ranges = [past[at].high - past[at].low, (past[at].high - before).abs(), (past[at].low - before).abs()];
        ranges.into_iter().fold(0.0, f64::max)
    };
    let share =
        |at: usize, part: f64| if past[at].high > past[at].low { part / (past[at].high - past[at].low) } else { 0.0 };
    let rising = |at: usize| if change(at) > 0.0 { square(at) } else { 0.0 };
    let falling = |at: usize| if change(at) < 0.0 { square(at) } else { 0.0 };
    let bipower = |minutes: &usize| {
        let range = end - minutes + 1..end;
        FRAC_PI_2 * mean(range, &|at| magnitude(at) * magnitude(at - 1))
    };
    let close = past[end - 1].close;
    let before = |minutes: &usize| past[end - 1 - minutes].close;
    let ema = |span: usize, values: &[f64]| {
        let weight = 2.0 / (span as f64 + 1.0);
        let mut means = vec![values[0]];
        for value in &values[1..] {
            means.push(weight * value + (1.0 - weight) * means[means.len() - 1]);
        }
        means
    };
    let closes: Vec<f64> = past.iter().map(|candle| candle.close).collect();
    let bands = |minutes: &usize| {
        let middle = mean(last(minutes), &|at| closes[at]);
        (middle, mean(last(minutes), &|at| (closes[at] - middle).powi(2)).sqrt())
    };
    let place = |minutes: &usize| {
        let lowest = past[last(minutes)].iter().map(|candle| candle.low).fold(f64::INFINITY, f64::min);
        let highest = past[last(minutes)].iter().map(|candle| candle.high).fold(0.0, f64::max);
        ((close - lowest) / (highest - lowest), (highest - close) / (highest - lowest))
    };
    match feature {
        Feature::LogRmsReturn { minutes } => root(mean(last(minutes), &square)),
        Feature::LogRmsReturnFrom { minutes_ago, minutes } => root(mean(ago(*minutes_ago, minutes), &square)),
        Feature::LogRmsReturnSameWindow { days, minutes } => root(earlier(days, 1440, minutes, &square)),
        Feature::LogRmsReturnSameWeekday { weeks, minutes } => root(earlier(weeks, 10_080, minutes, &square)),
        Feature::LogRmsRatio { minutes, relative_to_minutes } => {
            let relative_to = ago(minutes + relative_to_minutes, relative_to_minutes);
            (mean(last(minutes), &square) / mean(relative_to, &square)).sqrt().ln()
        }
        Feature::LogMeanAbsoluteReturn { minutes } => log(mean(last(minutes), &magnitude)),
        Feature::LogMeanAbsoluteReturnFrom { minutes_ago, minutes } => {
            log(mean(ago(*minutes_ago, minutes), &magnitude))
        }
        Feature::LogMeanAbsoluteReturnSameWindow { days, minutes } => log(earlier(days, 1440, minutes, &magnitude)),
        Feature::LogMedianAbsoluteReturn { minutes } => {
            let mut sorted: Vec<f64> = last(minutes).map(magnitude).collect();
            sorted.sort_by(f64::total_cmp);
            log(f64::midpoint(sorted[(minutes - 1) / 2], sorted[minutes / 2]))
        }
        Feature::LogMaximumAbsoluteReturn { minutes } => log(last(minutes).map(magnitude).fold(0.0, f64::max)),
        Feature::LogDownsideRms { minutes } => root(mean(last(minutes), &falling)),
        Feature::LogUpsideRms { minutes } => root(mean(last(minutes), &rising)),
        Feature::SemivarianceAsymmetry { minutes } => {
            let (up, down) = (mean(last(minutes), &rising), mean(last(minutes), &falling));
            (up - down) / (up + down)
        }
        Feature::LogBipower { minutes } => root(bipower(minutes)),
        Feature::JumpRatio { minutes } => {
            let variance = mean(last(minutes), &square);
            (variance - bipower(minutes)) / variance
        }
        Feature::LogMedianVariation { minutes } => {
            let median = |at: usize| {
                let mut three = [magnitude(at - 2), magnitude(at - 1), magnitude(at)];
                three.sort_by(f64::total_cmp);
                three[1].powi(2)
            };
            root(PI / (6.0 - 4.0 * 3.0_f64.sqrt() + PI) * mean(end - minutes + 2..end, &median))
        }
        Feature::LogQuarticity { minutes } => {
            (mean(last(minutes), &|at| change(at).powi(4)) / 3.0 + 1e-28).powf(0.25).ln()
        }
        Feature::VolatilityOfVolatility { minutes, block_minutes } => {
            let blocks: Vec<f64> = (1..=minutes / block_minutes)
                .map(|block| root(mean(ago(block * block_minutes, block_minutes), &square)))
                .collect();
            let middle = mean(0..blocks.len(), &|block| blocks[block]);
            mean(0..blocks.len(), &|block| (blocks[block] - middle).powi(2)).sqrt()
        }
        Feature::MeanLogRms { minutes, block_minutes } => {
            let blocks = (minutes / block_minutes) as f64;
            past[last(minutes)]
                .chunks(*block_minutes)
                .enumerate()
                .map(|(block, _)| {
                    let from = end - minutes + block * block_minutes;
                    root(mean(from..from + block_minutes, &square)) / blocks
                })
                .sum()
        }
        Feature::LogFadingAbsoluteReturn { half_life_minutes, block_minutes } => {
            let minutes = 6 * half_life_minutes;
            let weight = |at: usize| {
                let age = (end - 1 - at) / block_minutes * block_minutes;
                0.5_f64.powf(age as f64 / *half_life_minutes as f64)
            };
            log(mean(last(&minutes), &|at| weight(at) * magnitude(at)) / mean(last(&minutes), &weight))
        }
        Feature::MeanLogRmsOfDays { days, count, ahead_minutes, minutes } => {
            let windows = windows_of_days(past, *days, *count, *ahead_minutes, *minutes);
            windows.into_iter().map(|window| root(mean(window, &square))).sum::<f64>() / *count as f64
        }
        Feature::LogMeanAbsoluteReturnOfDays { days, count, ahead_minutes, minutes } => {
            let windows = windows_of_days(past, *days, *count, *ahead_minutes, *minutes);
            log(windows.into_iter().map(|window| mean(window, &magnitude)).sum::<f64>() / *count as f64)
        }
        Feature::ZeroReturnShare { minutes } => {
            mean(last(minutes), &|at| f64::from(u8::from(past[at].close.to_bits() == past[at - 1].close.to_bits())))
        }
        Feature::LogParkinson { minutes } => {
            let ranges = mean(last(minutes), &|at| (past[at].high / past[at].low).ln().powi(2));
            root(ranges / (4.0 * 2.0_f64.ln()))
        }
        Feature::LogGarmanKlass { minutes } => root(mean(last(minutes), &|at| {
            let (range, body) = (past[at].high / past[at].low, past[at].close / past[at].open);
            0.5 * range.ln().powi(2) - (2.0 * 2.0_f64.ln() - 1.0) * body.ln().powi(2)
        })),
        Feature::LogRogersSatchell { minutes } => root(mean(last(minutes), &|at| {
            let [up, down, drift] = [past[at].high, past[at].low, past[at].close].map(|to| (to / past[at].open).ln());
            up * (up - drift) + down * (down - drift)
        })),
        Feature::LogTrueRange { minutes } => log(mean(last(minutes), &|at| true_range(at) / past[at - 1].close)),
        Feature::LogRelativeVolume { minutes, relative_to_minutes } => {
            let volume = |minutes| mean(last(minutes), &|at| past[at].volume) + 1e-3;
            (volume(minutes) / volume(relative_to_minutes)).ln()
        }
        Feature::VwapDistance { minutes } => {
            let value = mean(last(minutes), &|at| typical(at) * past[at].volume);
            (close / (value / mean(last(minutes), &|at| past[at].volume))).ln()
        }
        Feature::OnBalanceVolume { minutes } => {
            let mut balance = vec![0.0];
            for at in 1..end {
                let before = balance[at - 1];
                balance.push(match past[at].close.total_cmp(&past[at - 1].close) {
                    std::cmp::Ordering::Less => before - past[at].volume,
                    std::cmp::Ordering::Equal => before,
                    std::cmp::Ordering::Greater => before + past[at].volume,
                });
            }
            let traded: f64 = past[last(minutes)].iter().map(|candle| candle.volume).sum();
            (balance[end - 1] - balance[end - 1 - minutes]) / traded
        }
        Feature::LogReturn { minutes } => close.ln() - before(minutes).ln(),
        Feature::RateOfChange { minutes } => (close - before(minutes)) / before(minutes),
        Feature::Momentum { minutes } => {
            let unit = mean(last(minutes), &|at| true_range(at) / past[at - 1].close);
            (close - before(minutes)) / before(minutes) / unit
        }
        Feature::EfficiencyRatio { minutes } => {
            last(minutes).map(change).sum::<f64>().abs() / last(minutes).map(magnitude).sum::<f64>()
        }
        Feature::BodyShare { minutes } => mean(last(minutes), &|at| share(at, (past[at].close - past[at].open).abs())),
        Feature::UpperShadowShare { minutes } => {
            mean(last(minutes), &|at| share(at, past[at].high - past[at].open.max(past[at].close)))
        }
        Feature::LowerShadowShare { minutes } => {
            mean(last(minutes), &|at| share(at, past[at].open.min(past[at].close) - past[at].low))
        }
        Feature::EmaDistance { span_minutes } => (close / ema(*span_minutes, &closes)[end - 1]).ln(),
        Feature::MacdHistogram { fast_minutes, slow_minutes, signal_minutes } => {
            let (fast, slow) = (ema(*fast_minutes, &closes), ema(*slow_minutes, &closes));
            let line: Vec<f64> = fast.iter().zip(slow).map(|(fast, slow)| fast - slow).collect();
            (line[end - 1] - ema(*signal_minutes, &line)[end - 1]) / close
        }
        Feature::RelativeStrength { minutes } => {
            let gains = mean(last(minutes), &|at| (closes[at] - closes[at - 1]).max(0.0));
            let losses = mean(last(minutes), &|at| (closes[at - 1] - closes[at]).max(0.0));
            1.0 - 1.0 / (1.0 + gains / losses)
        }
        Feature::BollingerPosition { minutes } => {
            let (middle, deviation) = bands(minutes);
            let (lower, upper) = (middle - 2.0 * deviation, middle + 2.0 * deviation);
            ((close - lower) / (upper - lower) - 0.5) * 4.0
        }
        Feature::LogBollingerWidth { minutes } => {
            let (middle, deviation) = bands(minutes);
            log(((middle + 2.0 * deviation) - (middle - 2.0 * deviation)) / middle)
        }
        Feature::Stochastic { minutes } => place(minutes).0,
        Feature::WilliamsR { minutes } => -place(minutes).1,
        Feature::CommodityChannel { minutes } => {
            let middle = mean(last(minutes), &typical);
            (typical(end - 1) - middle) / (0.015 * mean(last(minutes), &|at| (typical(at) - middle).abs()))
        }
        Feature::DaySine { harmonic } => (f64::from(*harmonic) * day_angle(past)).sin(),
        Feature::DayCosine { harmonic } => (f64::from(*harmonic) * day_angle(past)).cos(),
        Feature::Weekday { days } => {
            // 1970-01-01 was a Thursday, day 3.
            let weekday = u32::try_from((past[end - 1].close_time_ms() / 86_400_000 + 3) % 7).unwrap();
            f64::from(u8::from(days.contains(&weekday)))
        }
        Feature::WeeklyProfile { minutes_before } => {
            let hours = past[end - 1 - minutes_before].close_time_ms() as f64 / 3_600_000.0 - 0.5;
            let (hour, part) = (hours.floor() as i64, hours.fract());
            let at = |hour: i64| f64::from(profile(hour.rem_euclid(168))) * 1e-6;
            at(hour) * (1.0 - part) + at(hour + 1) * part
        }
    }
}

fn day_angle(past: &[Candle]) -> f64 {
    let since_midnight_ms = past[past.len() - 1].close_time_ms() % 86_400_000;
    since_midnight_ms as f64 / 86_400_000.0 * std::f64::consts::TAU
}
