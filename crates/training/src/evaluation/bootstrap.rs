//! Standard errors of figures whose rows are not independent: neighbouring windows overlap, and volatility comes in
//! spells.
//!
//! Whole blocks of days are drawn with replacement (the moving-block bootstrap of Künsch 1989, made circular by Politis
//! and Romano 1992: the last day is followed by the first, so that every day is drawn as often). All forecasters are
//! computed on the same draws, which makes the error of a difference between two of them as small as it is.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::figure::Figure;
use super::outcomes::Outcomes;
use super::tallies::{Metric, SIZE, Tally};

/// Days of a block: longer than any window that a label or most of a feature's weight shares with its neighbours, and
/// short enough that a quarter of a year holds twenty.
pub const BLOCK_DAYS: usize = 5;
/// Draws.
pub const RESAMPLES: usize = 500;
/// Fewer blocks than this tell nothing about how blocks differ.
const MIN_BLOCKS: usize = 4;
const SEED: u64 = 1989;
const DAY_MS: i64 = 86_400_000;

/// Rows by day, and the blocks of days of every draw.
#[derive(Debug)]
pub struct Draws {
    /// Rows of each day that has any.
    days: Vec<Vec<usize>>,
    /// First days of the blocks, draw by draw; none where there are too few days.
    starts: Vec<Vec<usize>>,
}

impl Draws {
    /// Of the rows that `wanted` keeps; the same rows give the same draws.
    pub fn new(outcomes: &Outcomes, wanted: impl Fn(usize) -> bool) -> Self {
        let rows: Vec<usize> = (0..outcomes.len()).filter(|row| wanted(*row)).collect();
        let day = |row: &usize| outcomes.time_ms[*row].div_euclid(DAY_MS);
        let days: Vec<Vec<usize>> =
            rows.chunk_by(|left, right| day(left) == day(right)).map(<[usize]>::to_vec).collect();
        let blocks = days.len().div_ceil(BLOCK_DAYS);
        let mut random = ChaCha8Rng::seed_from_u64(SEED);
        let mut draw = || (0..blocks).map(|_| random.random_range(0..days.len())).collect();
        let starts = if blocks < MIN_BLOCKS { Vec::new() } else { (0..RESAMPLES).map(|_| draw()).collect() };
        Self { days, starts }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.days.iter().map(Vec::len).sum()
    }

    /// The tallies of all rows, and the figures of every draw.
    pub fn tally(&self, tally: &Tally<'_>) -> (Vec<f64>, Vec<[f64; Metric::COUNT]>) {
        // Sums over the first so many days: those of a block are one subtraction.
        let mut running = vec![vec![0.0; SIZE]];
        for day in 0..self.days.len() + BLOCK_DAYS - 1 {
            let mut sums = running[day].clone();
            for row in &self.days[day % self.days.len()] {
                tally.add(*row, &mut sums);
            }
            running.push(sums);
        }
        let figures = self.starts.iter().map(|starts| {
            let mut total = vec![0.0; SIZE];
            for start in starts {
                let block = running[start + BLOCK_DAYS].iter().zip(&running[*start]);
                for (total, (to, from)) in total.iter_mut().zip(block) {
                    *total += to - from;
                }
            }
            tally.figures(&total)
        });
        let figures = figures.collect();
        (running.swap_remove(self.days.len()), figures)
    }

    /// Mean of a number that each row has.
    ///
    /// # Panics
    /// If there are no rows.
    pub fn mean(&self, value: impl Fn(usize) -> f64) -> Figure {
        let sums: Vec<[f64; 2]> =
            self.days.iter().map(|rows| [rows.iter().map(|row| value(*row)).sum(), rows.len() as f64]).collect();
        let mean = |days: &mut dyn Iterator<Item = usize>| {
            let [total, count] = days.fold([0.0, 0.0], |[total, count], day| {
                let [sum, rows] = sums[day % sums.len()];
                [total + sum, count + rows]
            });
            total / count
        };
        let means: Vec<f64> =
            self.starts.iter().map(|starts| mean(&mut starts.iter().flat_map(|day| *day..day + BLOCK_DAYS))).collect();
        Figure { value: mean(&mut (0..sums.len())), standard_error: standard_error(means.iter().copied()) }
    }
}

/// Standard deviation of resampled values; `None` where there are not two.
pub fn standard_error(values: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let values = values.filter(|value| value.is_finite());
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let variance = values.map(|value| (value - mean) * (value - mean)).sum::<f64>() / (count - 1.0);
    (count > 1.0).then(|| variance.sqrt())
}
