//! Standard errors of figures whose rows are not independent: neighbouring windows overlap, and volatility comes in
//! spells.
//!
//! Whole blocks of days are drawn with replacement (the moving-block bootstrap of Künsch 1989, made circular by Politis
//! and Romano 1992: the last day is followed by the first, so that every day is drawn as often). Whatever is compared is
//! computed on the same draws, which makes the error of a difference as small as it is.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Days of a block: longer than any window that a label or most of a feature's weight shares with its neighbours, and
/// short enough that a quarter of a year holds twenty.
pub const BLOCK_DAYS: usize = 5;
/// Draws.
pub const RESAMPLES: usize = 500;
/// Fewer blocks than this tell nothing about how blocks differ.
const MIN_BLOCKS: usize = 4;
const SEED: u64 = 1989;

/// First days of the blocks of each draw from `days` days, a day after the last being the first again; none where there are too few days. The
/// same number of days gives the same draws.
pub fn starts(days: usize) -> Vec<Vec<usize>> {
    let blocks = days.div_ceil(BLOCK_DAYS);
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut draw = || (0..blocks).map(|_| random.random_range(0..days)).collect();
    if blocks < MIN_BLOCKS { Vec::new() } else { (0..RESAMPLES).map(|_| draw()).collect() }
}

/// Mean of each draw of `starts` of one value a day.
pub fn means<'a>(starts: &'a [Vec<usize>], daily: &'a [f64]) -> impl Iterator<Item = f64> + Clone + 'a {
    starts.iter().map(|starts| mean(drawn(starts).map(|day| [daily[day % daily.len()], 1.0])))
}

/// Mean of each draw of `starts` of the rows of each day, by their sum and their number.
pub fn means_of_rows<'a>(starts: &'a [Vec<usize>], daily: &'a [[f64; 2]]) -> impl Iterator<Item = f64> + Clone + 'a {
    starts.iter().map(|starts| mean(drawn(starts).map(|day| daily[day % daily.len()])))
}

/// Mean of rows, by sums and numbers of them.
pub fn mean(days: impl Iterator<Item = [f64; 2]>) -> f64 {
    let [total, count] = days.fold([0.0, 0.0], |[total, count], [sum, rows]| [total + sum, count + rows]);
    total / count
}

/// The days of a draw, counted on past the last.
fn drawn(starts: &[usize]) -> impl Iterator<Item = usize> {
    starts.iter().flat_map(|day| *day..day + BLOCK_DAYS)
}

/// Standard deviation of resampled values; `None` where there are not two.
pub fn standard_error(values: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let values = values.filter(|value| value.is_finite());
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let variance = values.map(|value| (value - mean) * (value - mean)).sum::<f64>() / (count - 1.0);
    (count > 1.0).then(|| variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_depend_on_nothing_have_the_error_of_a_mean() {
        let mut random = ChaCha8Rng::seed_from_u64(4);
        let daily: Vec<f64> = (0..400).map(|_| random.random::<f64>()).collect();
        let error = standard_error(means(&starts(daily.len()), &daily)).expect("enough days");
        // The deviation of a uniform number is 1/√12, that of the mean of 400 a twentieth of it.
        assert!((error * 20.0 * 12.0_f64.sqrt() - 1.0).abs() < 0.2, "{error}");
        assert_eq!(starts(400), starts(400));
        assert!(starts(15).is_empty() && starts(16).len() == RESAMPLES);
    }
}
