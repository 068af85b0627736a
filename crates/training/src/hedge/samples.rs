//! Decisions with their features and what came.

use veriregime_core::hedge::HORIZON_MONTHS;
use veriregime_core::hedge::features::{Europe, MONTH_DAYS, Row, row, target};
use veriregime_core::hedge::panel::{Day, Panel};

/// Horizons of the model.
pub const HORIZONS: usize = HORIZON_MONTHS.len();

/// One country at the end of one day.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The country's place in the panel.
    pub country: usize,
    /// The day, as a position of the panel.
    pub at: usize,
    /// The features.
    pub row: Row,
    /// What came, for each horizon that has passed.
    pub targets: [Option<f64>; HORIZONS],
}

/// All decisions of a panel, day after day.
#[derive(Debug, Clone)]
pub struct Samples {
    /// The decisions.
    pub all: Vec<Sample>,
    /// Names of the countries, in their order.
    pub countries: Vec<String>,
    first_day: Day,
    days: usize,
}

impl Samples {
    /// Of a panel.
    pub fn new(panel: &Panel) -> Self {
        let europe = Europe::new(panel);
        let mut all = Vec::new();
        for at in 0..panel.days() {
            for (country, (_, prices)) in panel.countries().enumerate() {
                if let Some(row) = row(panel, &europe, prices, at) {
                    all.push(Sample {
                        country,
                        at,
                        row,
                        targets: HORIZON_MONTHS.map(|months| target(prices, at, months)),
                    });
                }
            }
        }
        Self {
            all,
            countries: panel.countries().map(|(name, _)| name.to_owned()).collect(),
            first_day: panel.first_day(),
            days: panel.days(),
        }
    }

    /// Decisions before the position `cut`, in their order.
    pub fn before(&self, cut: usize) -> &[Sample] {
        &self.all[..self.all.partition_point(|sample| sample.at < cut)]
    }

    /// Decisions in the positions `from..to`.
    pub fn within(&self, from: usize, to: usize) -> &[Sample] {
        let start = self.all.partition_point(|sample| sample.at < from);
        &self.all[start..self.all.partition_point(|sample| sample.at < to).max(start)]
    }

    /// The day at a position.
    pub fn day(&self, at: usize) -> Day {
        self.first_day + at as Day
    }

    /// Days of the panel.
    pub fn days(&self) -> usize {
        self.days
    }
}

/// What came of a sample at a horizon, as far as it is known before the position `cut`.
pub fn known(sample: &Sample, horizon: usize, cut: usize) -> Option<f64> {
    let ends = sample.at + MONTH_DAYS * HORIZON_MONTHS[horizon] as usize;
    (ends < cut).then_some(sample.targets[horizon]).flatten()
}
