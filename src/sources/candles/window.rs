//! Which minutes of a window to ask for, and what changed in those that were asked for before.

use std::ops::Range;

use super::holes::{holes, joined};
use veriregime_core::types::candle::Candle;
use veriregime_core::types::period::MINUTE_MS;

/// The ranges of `window_ms` (whole minutes) to ask for when `held` (strictly increasing) is there already: every minute
/// that is not held, and the last `overlap_minutes` of those that are and `again_ms`, to see whether they still are what
/// they were. Ranges less than `join_minutes` apart become one, since a request for one brings the other along.
pub fn to_fetch(
    held: &[Candle],
    window_ms: &Range<i64>,
    again_ms: Range<i64>,
    overlap_minutes: i64,
    join_minutes: i64,
) -> Vec<Range<i64>> {
    let mut wanted = holes(held, window_ms);
    if let Some(newest) = held.iter().rfind(|candle| window_ms.contains(&candle.open_time_ms)) {
        let end_ms = newest.close_time_ms();
        wanted.push(window_ms.start.max(end_ms - overlap_minutes * MINUTE_MS)..end_ms);
    }
    wanted.push(again_ms);
    wanted.retain(|range| !range.is_empty());
    wanted.sort_by_key(|range| range.start);
    joined(&wanted, join_minutes)
}

/// The part of a window that is looked at again in a turn: of blocks of `minutes` on a grid that stands still, the one whose
/// turn it is, or none. In as many turns as a window has blocks, and one, every minute has had its own.
pub fn rolling_refresh(window_ms: &Range<i64>, turn: u64, minutes: i64) -> Range<i64> {
    let length_ms = minutes * MINUTE_MS;
    let turns = (window_ms.end - window_ms.start + length_ms - 1) / length_ms + 1;
    let first = window_ms.start.div_euclid(length_ms);
    let ahead = (i64::try_from(turn).unwrap_or(0) - first).rem_euclid(turns);
    let start_ms = (first + ahead) * length_ms;
    let end_ms = window_ms.end.min(start_ms + length_ms);
    let start_ms = window_ms.start.max(start_ms).min(end_ms);
    start_ms..end_ms
}

/// Cuts ranges into pieces of at most `minutes`.
pub fn pieces(ranges: Vec<Range<i64>>, minutes: i64) -> impl Iterator<Item = Range<i64>> {
    let length_ms = minutes.max(1) * MINUTE_MS;
    ranges.into_iter().flat_map(move |range| {
        let count = (range.end - range.start + length_ms - 1) / length_ms;
        (0..count).map(move |index| {
            let start = range.start + index * length_ms;
            start..range.end.min(start + length_ms)
        })
    })
}

/// The minutes of `fresh` that `held` has with other values (both strictly increasing).
pub fn revised<'a>(held: &'a [Candle], fresh: &'a [Candle]) -> impl Iterator<Item = &'a Candle> {
    fresh.iter().filter(|candle| {
        held.binary_search_by_key(&candle.open_time_ms, |old| old.open_time_ms)
            .is_ok_and(|at| held[at].to_le_bytes() != candle.to_le_bytes())
    })
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_set;
    use proptest::prelude::*;

    use super::*;

    fn candle(minute: i64, close: f64) -> Candle {
        Candle { open_time_ms: minute * MINUTE_MS, open: close, high: close, low: close, close, volume: 1.0 }
    }

    /// First and last minute of each range.
    fn minutes(ranges: &[Range<i64>]) -> Vec<[i64; 2]> {
        ranges.iter().map(|range| [range.start / MINUTE_MS, range.end / MINUTE_MS - 1]).collect()
    }

    #[test]
    fn four_hours_later_only_what_is_new_and_the_overlap_are_asked_for() {
        let held: Vec<Candle> = (0..40_000).map(|minute| candle(minute, 1.0)).collect();
        let window = 240 * MINUTE_MS..40_240 * MINUTE_MS;
        assert_eq!(minutes(&to_fetch(&held, &window, 0..0, 60, 300)), [[39_940, 40_239]]);
        assert_eq!(minutes(&to_fetch(&[], &window, 0..0, 60, 300)), [[240, 40_239]]);
        let rolling_refresh = 2_000 * MINUTE_MS..3_000 * MINUTE_MS;
        assert_eq!(minutes(&to_fetch(&held, &window, rolling_refresh, 60, 300)), [[2_000, 2_999], [39_940, 40_239]]);
        let again = 0..40_000 * MINUTE_MS;
        assert_eq!(minutes(&to_fetch(&held, &again, 0..0, 60, 300)), [[39_940, 39_999]]);
    }

    proptest! {
        #[test]
        fn every_absent_minute_is_asked_for_and_nothing_outside(
            held in btree_set(0_i64..400, 0..300), start in 0_i64..200, length in 1_i64..200, overlap in 0_i64..50, join in 0_i64..40,
            turn in 0_u64..1000, block in 1_i64..100,
        ) {
            let candles: Vec<Candle> = held.iter().map(|minute| candle(*minute, 1.0)).collect();
            let window = start * MINUTE_MS..(start + length) * MINUTE_MS;
            let again = rolling_refresh(&window, turn, block);
            let ranges = minutes(&to_fetch(&candles, &window, again.clone(), overlap, join));
            let inside: Vec<i64> = held.iter().copied().filter(|minute| (start..start + length).contains(minute)).collect();
            for minute in start..start + length {
                let asked = ranges.iter().any(|[first, last]| (*first..=*last).contains(&minute));
                prop_assert!(asked || held.contains(&minute), "{} is neither held nor asked for", minute);
                prop_assert!(asked || !again.contains(&(minute * MINUTE_MS)), "{} is not looked at in its turn", minute);
                if inside.last().is_some_and(|last| held.contains(&minute) && minute > last - overlap) && overlap > 0 {
                    prop_assert!(asked, "{} is not looked at again", minute);
                }
            }
            for [first, last] in &ranges {
                prop_assert!(first <= last && start <= *first && *last < start + length);
            }
            for pair in ranges.windows(2) {
                prop_assert!(pair[1][0] - pair[0][1] > join);
            }
        }

        #[test]
        fn every_minute_of_a_window_that_moves_has_its_turn(
            start in 0_i64..5_000, length in 500_i64..5_000, block in 50_i64..1000, step in 0_i64..20, first in 0_u64..1000, minute in 0_i64..500,
        ) {
            let turns = (length + block - 1) / block + 1;
            // A minute that stays in the window for so many turns.
            let minute = start + (turns * step + minute).min(length - 1);
            let looked_at = (0..turns).any(|turn| {
                let window = (start + turn * step) * MINUTE_MS..(start + turn * step + length) * MINUTE_MS;
                rolling_refresh(&window, first + turn as u64, block).contains(&(minute * MINUTE_MS))
            });
            prop_assert!(looked_at || minute < start + turns * step);
        }

        #[test]
        fn pieces_are_the_ranges_again(starts in btree_set(0_i64..1000, 0..20), longest in 1_i64..50) {
            let starts: Vec<i64> = starts.into_iter().collect();
            let ranges: Vec<Range<i64>> = starts.chunks_exact(2).map(|pair| pair[0] * MINUTE_MS..pair[1] * MINUTE_MS).collect();
            let pieces: Vec<Range<i64>> = pieces(ranges.clone(), longest).collect();
            prop_assert!(pieces.iter().all(|piece| piece.end - piece.start <= longest * MINUTE_MS && !piece.is_empty()));
            prop_assert_eq!(joined(&pieces, 1), joined(&ranges, 1));
        }

        #[test]
        fn exactly_the_changed_minutes_are_revised(
            held in btree_set(0_i64..100, 0..80), fresh in btree_set(0_i64..100, 0..80), changed in btree_set(0_i64..100, 0..10),
        ) {
            let old: Vec<Candle> = held.iter().map(|minute| candle(*minute, 1.0)).collect();
            let close = |minute: &i64| if changed.contains(minute) { 2.0 } else { 1.0 };
            let new: Vec<Candle> = fresh.iter().map(|minute| candle(*minute, close(minute))).collect();
            let found: Vec<i64> = revised(&old, &new).map(|candle| candle.open_time_ms / MINUTE_MS).collect();
            let expected: Vec<i64> =
                fresh.iter().copied().filter(|minute| held.contains(minute) && changed.contains(minute)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
