//! Standard errors of the figures of an evaluation, from blocks of days.

use super::figure::Figure;
use super::outcomes::Outcomes;
use super::tallies::{Metric, SIZE, Tally};
use veriregime_core::bootstrap::{BLOCK_DAYS, mean, means_of_rows, standard_error, starts};

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
        let starts = starts(days.len());
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
        let means: Vec<f64> = means_of_rows(&self.starts, &sums).collect();
        Figure { value: mean(sums.into_iter()), standard_error: standard_error(means.into_iter()) }
    }
}
