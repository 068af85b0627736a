//! What is wrong with a list of candles: everything, not only the first broken rule.

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde::Serialize;

use crate::render::Render;
use veriregime_core::types::candle::{Candle, SeriesError};
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::time::format_utc;

/// Most gaps that are listed; all are counted.
pub const MAX_LISTED_GAPS: usize = 100;

/// A quality report. Times are open times in Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Report {
    /// Candles in all, bad ones included.
    pub rows: usize,
    /// Earliest and latest minute.
    pub range: Option<[i64; 2]>,
    /// Minutes between the earliest and the latest, both included.
    pub minutes: i64,
    /// Minutes of those that are absent.
    pub missing_minutes: i64,
    /// Number of runs of absent minutes.
    pub gaps: usize,
    /// The longest of the gaps first, at most [`MAX_LISTED_GAPS`].
    pub listed_gaps: Vec<Gap>,
    /// Candles whose minute was seen before.
    pub duplicates: usize,
    /// Candles that come after a later one.
    pub unordered: usize,
    /// Candles in which the price never moved.
    pub flat: usize,
    /// Candles without volume.
    pub without_volume: usize,
    /// Candles that break a rule by themselves.
    pub bad: BadRows,
    /// Largest move from one close to the next minute's.
    pub largest_move: Option<Move>,
}

/// A run of absent minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// First absent minute.
    pub from_ms: i64,
    /// How many there are.
    pub minutes: i64,
}

/// Candles that break a rule by themselves, by the first rule that they break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct BadRows {
    /// Not on the minute grid, or outside the years 1970 to 9999.
    pub off_grid: usize,
    /// A price that is not finite, not positive or absurd.
    pub price: usize,
    /// `low <= open, close <= high` is broken.
    pub range: usize,
    /// A volume that is not finite, negative or absurd.
    pub volume: usize,
}

/// A move of the price within one minute.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Move {
    /// The minute at whose close it was complete.
    pub open_time_ms: i64,
    /// Size in bps of the close before, with its sign.
    pub bps: f64,
}

impl Report {
    /// Whether a series can be made of the candles as they are; gaps do not matter here, they are judged window by window.
    pub fn is_clean(&self) -> bool {
        self.rows > 0 && self.duplicates == 0 && self.unordered == 0 && self.bad == BadRows::default()
    }
}

/// Reports on `candles` in the order in which they come. Candles off the grid only count as such.
pub fn report(candles: &[Candle]) -> Report {
    let mut report = Report { rows: candles.len(), ..Report::default() };
    let mut latest = i64::MIN;
    for candle in candles {
        match candle.check() {
            Err(SeriesError::OffGrid { .. }) => {
                report.bad.off_grid += 1;
                continue;
            }
            Err(SeriesError::Price { .. }) => report.bad.price += 1,
            Err(SeriesError::Range { .. }) => report.bad.range += 1,
            Err(_) => report.bad.volume += 1,
            Ok(()) => {
                report.flat += usize::from(candle.low.to_bits() == candle.high.to_bits());
                report.without_volume += usize::from(candle.volume <= 0.0);
            }
        }
        report.unordered += usize::from(candle.open_time_ms < latest);
        latest = latest.max(candle.open_time_ms);
    }
    // A stable sort, so that the first of two candles of a minute stays the first.
    let mut sorted: Vec<&Candle> = candles.iter().filter(|candle| is_on_grid(candle)).collect();
    sorted.sort_by_key(|candle| candle.open_time_ms);
    if let [first, .., last] | [first @ last] = sorted[..] {
        report.range = Some([first.open_time_ms, last.open_time_ms]);
        report.minutes = (last.open_time_ms - first.open_time_ms) / MINUTE_MS + 1;
    }
    for pair in sorted.windows(2) {
        let [before, after] = [pair[0], pair[1]];
        match (after.open_time_ms - before.open_time_ms) / MINUTE_MS {
            0 => report.duplicates += 1,
            1 => note_move(&mut report, before, after),
            distance => {
                report.gaps += 1;
                report.missing_minutes += distance - 1;
                report.listed_gaps.push(Gap { from_ms: before.close_time_ms(), minutes: distance - 1 });
            }
        }
    }
    report.listed_gaps.sort_by_key(|gap| (-gap.minutes, gap.from_ms));
    report.listed_gaps.truncate(MAX_LISTED_GAPS);
    report
}

fn is_on_grid(candle: &Candle) -> bool {
    !matches!(candle.check(), Err(SeriesError::OffGrid { .. }))
}

fn note_move(report: &mut Report, before: &Candle, after: &Candle) {
    let bps = (after.close / before.close - 1.0) * 10_000.0;
    let is_larger = report.largest_move.is_none_or(|largest| bps.abs() > largest.bps.abs());
    if bps.is_finite() && is_larger && before.close > 0.0 && after.close > 0.0 {
        report.largest_move = Some(Move { open_time_ms: after.open_time_ms, bps });
    }
}

impl Render for Report {
    fn text(&self) -> String {
        let mut table = Table::new();
        table.load_preset(NOTHING).add_rows(lines(self).into_iter().map(|(label, value)| [label.to_owned(), value]));
        table.to_string()
    }
}

/// The report as label and value, line by line, for people.
fn lines(report: &Report) -> Vec<(&'static str, String)> {
    let moment = |at: Option<i64>| at.map_or_else(|| "none".to_owned(), format_utc);
    let largest_move = report.largest_move.map_or_else(
        || "none".to_owned(),
        |largest| format!("{:+.1} bps at {}", largest.bps, format_utc(largest.open_time_ms)),
    );
    let mut lines = vec![
        ("rows", report.rows.to_string()),
        ("first minute", moment(report.range.map(|range| range[0]))),
        ("last minute", moment(report.range.map(|range| range[1]))),
        ("minutes in between", report.minutes.to_string()),
        ("missing minutes", format!("{} in {} gaps", report.missing_minutes, report.gaps)),
        ("duplicates", report.duplicates.to_string()),
        ("out of order", report.unordered.to_string()),
        ("off the minute grid", report.bad.off_grid.to_string()),
        ("bad prices", report.bad.price.to_string()),
        ("open or close outside low..high", report.bad.range.to_string()),
        ("bad volumes", report.bad.volume.to_string()),
        ("flat minutes", report.flat.to_string()),
        ("minutes without volume", report.without_volume.to_string()),
        ("largest one-minute move", largest_move),
    ];
    let gap = |gap: &Gap| ("gap", format!("{} minutes from {}", gap.minutes, format_utc(gap.from_ms)));
    lines.extend(report.listed_gaps.iter().map(gap));
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use veriregime_core::types::candle::check_all;

    fn candle(minute: i64, close: f64) -> Candle {
        let open = 100.0;
        let (low, high) = (close.min(open), close.max(open));
        Candle { open_time_ms: minute * MINUTE_MS, open, high, low, close, volume: 1.0 }
    }

    #[test]
    fn every_kind_of_fault_is_counted() {
        let good = candle(9, 101.0);
        let candles = [
            candle(0, 100.0),
            candle(1, 102.0),
            candle(5, 102.0),
            candle(4, 103.0),
            candle(5, 104.0),
            Candle { open_time_ms: 7, ..good },
            Candle { close: f64::NAN, open_time_ms: 6 * MINUTE_MS, ..good },
            Candle { low: 100.5, open_time_ms: 7 * MINUTE_MS, ..good },
            Candle { volume: -1.0, open_time_ms: 8 * MINUTE_MS, ..good },
            Candle { volume: 0.0, ..good },
            candle(20, 99.0),
        ];
        let report = report(&candles);
        insta::assert_snapshot!(serde_json::to_string(&report).unwrap(), @r#"{"rows":11,"range":[0,1200000],"minutes":21,"missing_minutes":12,"gaps":2,"listed_gaps":[{"from_ms":600000,"minutes":10},{"from_ms":120000,"minutes":2}],"duplicates":1,"unordered":1,"flat":1,"without_volume":1,"bad":{"off_grid":1,"price":1,"range":1,"volume":1},"largest_move":{"open_time_ms":60000,"bps":200.00000000000017}}"#);
        assert!(!report.is_clean());
        let lines: Vec<String> = lines(&report).iter().map(|(label, value)| format!("{label}: {value}")).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        rows: 11
        first minute: 1970-01-01T00:00Z
        last minute: 1970-01-01T00:20Z
        minutes in between: 21
        missing minutes: 12 in 2 gaps
        duplicates: 1
        out of order: 1
        off the minute grid: 1
        bad prices: 1
        open or close outside low..high: 1
        bad volumes: 1
        flat minutes: 1
        minutes without volume: 1
        largest one-minute move: +200.0 bps at 1970-01-01T00:01Z
        gap: 10 minutes from 1970-01-01T00:10Z
        gap: 2 minutes from 1970-01-01T00:02Z
        ");
    }

    #[test]
    fn nothing_is_not_clean() {
        assert!(!report(&[]).is_clean());
        assert_eq!(report(&[candle(3, 1.0)]).minutes, 1);
        assert!(report(&[candle(3, 1.0), candle(9, 1.0)]).is_clean());
    }

    proptest! {
        #[test]
        fn clean_means_that_every_rule_holds(minutes in proptest::collection::vec(0_i64..20, 1..12), bad in 0_usize..40) {
            let mut candles: Vec<Candle> = minutes.iter().map(|minute| candle(*minute, 100.0)).collect();
            if let Some(candle) = candles.get_mut(bad) {
                candle.volume = f64::INFINITY;
            }
            let report = report(&candles);
            prop_assert_eq!(report.is_clean(), check_all(&candles).is_ok());
            let distinct = candles.len() - report.duplicates;
            prop_assert_eq!(report.minutes - report.missing_minutes, i64::try_from(distinct).unwrap());
            prop_assert_eq!(report.listed_gaps.iter().map(|gap| gap.minutes).sum::<i64>(), report.missing_minutes);
        }
    }
}
