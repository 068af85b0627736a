//! One-minute candles put together to longer ones.

use crate::types::candle::Candle;
use crate::types::period::MINUTE_MS;

/// Bars of `minutes` on the grid of Unix time, of those minutes that there are: first open, highest high, lowest low, last
/// close, summed volume. `candles` are in ascending order; the last bar may not be over yet.
pub fn bars(candles: &[Candle], minutes: u32) -> Vec<Candle> {
    let length_ms = i64::from(minutes.max(1)) * MINUTE_MS;
    let start_ms = |candle: &Candle| candle.open_time_ms.div_euclid(length_ms) * length_ms;
    let bar = |group: &[Candle]| {
        let (first, last) = (group.first()?, group.last()?);
        let highest = group.iter().map(|candle| candle.high).fold(f64::NEG_INFINITY, f64::max);
        let lowest = group.iter().map(|candle| candle.low).fold(f64::INFINITY, f64::min);
        Some(Candle {
            open_time_ms: start_ms(first),
            open: first.open,
            high: highest,
            low: lowest,
            close: last.close,
            volume: group.iter().map(|candle| candle.volume).sum(),
        })
    };
    candles.chunk_by(|one, next| start_ms(one) == start_ms(next)).filter_map(bar).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candle(minute: i64, price: f64) -> Candle {
        Candle {
            open_time_ms: minute * MINUTE_MS,
            open: price,
            high: price + 2.0,
            low: price - 1.0,
            close: price + 1.0,
            volume: 3.0,
        }
    }

    #[test]
    fn bars_lie_on_the_grid_and_leave_out_what_is_absent() {
        let candles = [candle(3, 10.0), candle(4, 12.0), candle(5, 11.0), candle(12, 20.0)];
        let found = bars(&candles, 5);
        let of = |open_time_ms, open, high, low, close, volume| Candle { open_time_ms, open, high, low, close, volume };
        assert_eq!(
            found,
            [
                of(0, 10.0, 14.0, 9.0, 13.0, 6.0),
                of(300_000, 11.0, 13.0, 10.0, 12.0, 3.0),
                of(600_000, 20.0, 22.0, 19.0, 21.0, 3.0),
            ]
        );
        assert_eq!(bars(&candles, 1), candles);
        assert!(bars(&[], 240).is_empty());
    }

    proptest! {
        #[test]
        fn nothing_is_lost_whatever_the_length(steps in proptest::collection::vec((1_i64..90, 1.0_f64..1e5), 1..200), minutes in 1_u32..300) {
            let mut minute = 0;
            let candles: Vec<Candle> = steps.iter().map(|(step, price)| { minute += step; candle(minute, *price) }).collect();
            let found = bars(&candles, minutes);
            let volume = |all: &[Candle]| all.iter().map(|one| one.volume).sum::<f64>();
            prop_assert!((volume(&found) - volume(&candles)).abs() < 1e-6);
            prop_assert!(found.is_sorted_by(|one, next| one.open_time_ms < next.open_time_ms));
            let highest = |all: &[Candle]| all.iter().map(|one| one.high).fold(0.0, f64::max);
            prop_assert!((highest(&found) - highest(&candles)).abs() < 1e-9);
            prop_assert!(found.iter().all(|bar| bar.check().is_ok()));
        }
    }
}
