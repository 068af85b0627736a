//! Minutes that a source does not have: which they are, and what another source lends for them. Pure.

use std::ops::Range;

use veriregime_core::types::candle::Candle;
use veriregime_core::types::period::MINUTE_MS;

/// Largest difference of the price levels at which another source's candles stand in for one's own: what lies further apart
/// is another market, or a source that is out of its mind.
const MAX_LENT_BASIS: f64 = 0.03;

/// The stretches of `range_ms` (whole minutes) that `candles` (strictly increasing) do not cover.
pub fn holes(candles: &[Candle], range_ms: &Range<i64>) -> Vec<Range<i64>> {
    let mut holes = Vec::new();
    let mut next_ms = range_ms.start;
    for candle in candles.iter().filter(|candle| range_ms.contains(&candle.open_time_ms)) {
        if candle.open_time_ms > next_ms {
            holes.push(next_ms..candle.open_time_ms);
        }
        next_ms = candle.close_time_ms();
    }
    if next_ms < range_ms.end {
        holes.push(next_ms..range_ms.end);
    }
    holes
}

/// Minutes in all of these ranges.
pub fn minutes(ranges_ms: &[Range<i64>]) -> usize {
    ranges_ms.iter().map(|range| usize::try_from((range.end - range.start) / MINUTE_MS).unwrap_or(0)).sum()
}

/// Ranges that overlap or lie less than `apart_minutes` from each other, made one. They come sorted by their start.
pub fn joined(sorted: &[Range<i64>], apart_minutes: i64) -> Vec<Range<i64>> {
    let mut joined: Vec<Range<i64>> = Vec::new();
    for range in sorted {
        match joined.last_mut() {
            Some(last) if range.start - last.end < apart_minutes * MINUTE_MS => last.end = last.end.max(range.end),
            _ => joined.push(range.clone()),
        }
    }
    joined
}

/// All candles of both in order; of a minute that both have, the fresh one.
pub fn merged(held: Vec<Candle>, fresh: &[Candle]) -> Vec<Candle> {
    let mut all = fresh.to_vec();
    all.extend(held);
    // The sort is stable, so that the fresh one comes first.
    all.sort_by_key(|candle| candle.open_time_ms);
    all.dedup_by_key(|candle| candle.open_time_ms);
    all
}

/// What `theirs` has for the holes of `held`, hole by hole: only where a minute beside the hole is known to both and every
/// such minute has about the same price. Without `volumes` nothing counts as traded, as in candles that are carried forward.
pub fn lent(held: &[Candle], theirs: &[Candle], holes: &[Range<i64>], volumes: bool) -> Vec<Candle> {
    let mut lent = Vec::new();
    for hole in holes {
        let levels: Vec<f64> = [hole.start - MINUTE_MS, hole.end]
            .into_iter()
            .filter_map(|beside_ms| Some(at(theirs, beside_ms)?.close / at(held, beside_ms)?.close))
            .collect();
        if levels.is_empty() || levels.iter().any(|level| (level - 1.0).abs() > MAX_LENT_BASIS) {
            continue;
        }
        let inside = theirs.iter().filter(|candle| hole.contains(&candle.open_time_ms));
        lent.extend(inside.map(|candle| if volumes { *candle } else { Candle { volume: 0.0, ..*candle } }));
    }
    lent
}

/// The longest stretch of consecutive minutes among `open_times_ms` (in order).
pub fn longest_run(open_times_ms: &[i64]) -> Option<Range<i64>> {
    let minutes: Vec<Range<i64>> = open_times_ms.iter().map(|open_ms| *open_ms..open_ms + MINUTE_MS).collect();
    // The first one of several that are equally long.
    joined(&minutes, 1).into_iter().rev().max_by_key(|run| run.end - run.start)
}

fn at(candles: &[Candle], open_time_ms: i64) -> Option<&Candle> {
    candles.binary_search_by_key(&open_time_ms, |candle| candle.open_time_ms).ok().map(|at| &candles[at])
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_set;
    use proptest::prelude::*;

    use super::*;

    fn candle(minute: i64, close: f64) -> Candle {
        Candle { open_time_ms: minute * MINUTE_MS, open: close, high: close, low: close, close, volume: 1.0 }
    }

    fn range(from: i64, to: i64) -> Range<i64> {
        from * MINUTE_MS..to * MINUTE_MS
    }

    #[test]
    fn another_source_lends_what_fits_and_nothing_else() {
        let held = [candle(0, 100.0), candle(3, 101.0), candle(6, 102.0)];
        let holes = holes(&held, &range(0, 9));
        assert_eq!(holes, [range(1, 3), range(4, 6), range(7, 9)]);
        let theirs: Vec<Candle> = (0..9).map(|minute| candle(minute, 100.5)).collect();
        let minutes = |lent: &[Candle]| lent.iter().map(|one| one.open_time_ms / MINUTE_MS).collect::<Vec<_>>();
        assert_eq!(minutes(&lent(&held, &theirs, &holes, true)), [1, 2, 4, 5, 7, 8]);
        let without = lent(&held, &theirs, &holes, false);
        assert!(without.iter().all(|one| one.volume.to_bits() == 0 && one.close.to_bits() == 100.5_f64.to_bits()));
        // A minute beside each hole must be there, and no such minute may have another price.
        assert_eq!(minutes(&lent(&held, &theirs[..6], &holes, true)), [1, 2, 4, 5]);
        assert_eq!(minutes(&lent(&held, &theirs[1..3], &holes, true)), [0; 0]);
        let mut bent = theirs.clone();
        bent[3].close = 110.0;
        assert_eq!(minutes(&lent(&held, &bent, &holes, true)), [7, 8]);
        let far: Vec<Candle> = (0..9).map(|minute| candle(minute, 10_000.0)).collect();
        assert_eq!(lent(&held, &far, &holes, true), []);
    }

    #[test]
    fn the_longest_run_is_of_consecutive_minutes() {
        assert_eq!(longest_run(&[]), None);
        let times = [1, 2, 5, 6, 7, 9, 20, 21, 22].map(|minute| minute * MINUTE_MS);
        assert_eq!(longest_run(&times), Some(range(5, 8)));
    }

    proptest! {
        #[test]
        fn holes_are_the_minutes_that_are_absent(
            held in btree_set(0_i64..200, 0..150), start in 0_i64..100, length in 0_i64..120, apart in 1_i64..20,
        ) {
            let candles: Vec<Candle> = held.iter().map(|minute| candle(*minute, 1.0)).collect();
            let window = range(start, start + length);
            let found = holes(&candles, &window);
            for minute in 0..300 {
                let absent = window.contains(&(minute * MINUTE_MS)) && !held.contains(&minute);
                prop_assert_eq!(found.iter().any(|hole| hole.contains(&(minute * MINUTE_MS))), absent);
            }
            prop_assert_eq!(minutes(&found), (start..start + length).filter(|minute| !held.contains(minute)).count());
            for pair in joined(&found, apart).windows(2) {
                prop_assert!(pair[1].start - pair[0].end >= apart * MINUTE_MS);
            }
        }

        #[test]
        fn what_is_fresh_replaces_what_is_held(held in btree_set(0_i64..60, 0..50), fresh in btree_set(0_i64..60, 0..50)) {
            let old = held.iter().map(|minute| candle(*minute, 1.0)).collect();
            let new: Vec<Candle> = fresh.iter().map(|minute| candle(*minute, 2.0)).collect();
            let expected: Vec<Candle> = held
                .union(&fresh)
                .map(|minute| candle(*minute, if fresh.contains(minute) { 2.0 } else { 1.0 }))
                .collect();
            prop_assert_eq!(merged(old, &new), expected);
        }
    }
}
