//! What a miner's models are asked: how much BTC pays the electricity of the next months. Pure.
//!
//! Models of this kind were published by the project "Aidala" (Gizathon, 2024). They were trained on dollars and watts, and
//! asked in thousands of dollars and kilowatts.

pub mod electricity;
pub mod features;
pub mod forecast;
pub mod need;
pub mod panel;
pub mod prices;
pub mod snapshot;
pub mod treasury;

use serde::Serialize;

use crate::types::period::Grid;

/// A column of the models: its name, its unit as it was trained.
pub const COLUMNS: [(&str, &str); 11] = [
    ("electricity_day_price", "USD a day"),
    ("btc_price", "USD"),
    ("difficulty", "1e13"),
    ("hash_rate", "TH/s"),
    ("power", "W"),
    ("block_reward", "BTC"),
    ("cost_2_months", "USD in the last 2 months"),
    ("cost_3_months", "USD in the last 3 months"),
    ("cost_4_months", "USD in the last 4 months"),
    ("cost_5_months", "USD in the last 5 months"),
    ("cost_6_months", "USD in the last 6 months"),
];
/// Months ahead, one output each.
pub const HORIZON_MONTHS: [u32; 4] = [2, 3, 4, 5];
/// Every week from Thursday on, as contracts count them from the Unix epoch; five months ahead.
pub const GRID: Grid = Grid { period_seconds: 7 * 86_400, horizon_seconds: 150 * 86_400, offset_seconds: 0 };

const BTC_PRICE: usize = 1;
const POWER: usize = 4;
/// No bitcoin has cost less since these models' data begin.
const LOWEST_PRICE_USD: f64 = 1000.0;
/// No machine that mines draws less.
const LOWEST_POWER_W: f64 = 100.0;
/// How many of the trained unit one of the served is: dollars in a thousand, watts in a kilowatt.
const SERVED: f64 = 1000.0;

/// In which units a question's price and power are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Units {
    /// Dollars and watts, as the models were trained.
    Trained,
    /// Thousands of dollars or kilowatts, as their command line asked them: below every split, so that the outputs are 2.6
    /// to 8 times too high.
    Served,
}

/// Numbers in the order of [`COLUMNS`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Question(pub [f64; COLUMNS.len()]);

impl Question {
    /// The units that the numbers look like.
    pub fn units(&self) -> Units {
        if self.served().is_empty() { Units::Trained } else { Units::Served }
    }

    /// Names of the columns that look like the served units.
    pub fn served(&self) -> Vec<&'static str> {
        self.too_small().map(|column| COLUMNS[column].0).collect()
    }

    /// The same question in the trained units.
    #[must_use]
    pub fn corrected(&self) -> Self {
        let mut numbers = self.0;
        for column in self.too_small() {
            numbers[column] *= SERVED;
        }
        Self(numbers)
    }

    fn too_small(&self) -> impl Iterator<Item = usize> {
        let numbers = self.0;
        [(BTC_PRICE, LOWEST_PRICE_USD), (POWER, LOWEST_POWER_W)]
            .into_iter()
            .filter(move |(column, lowest)| numbers[*column] < *lowest)
            .map(|(column, _)| column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVED_SAMPLE: Question = Question([5.38, 74.6, 8.6, 12.2, 2.2, 3.25, 31.5, 41.5, 51.5, 54.3, 62.2]);

    #[test]
    fn thousands_of_dollars_and_kilowatts_are_seen() {
        assert_eq!(SERVED_SAMPLE.units(), Units::Served);
        assert_eq!(SERVED_SAMPLE.served(), ["btc_price", "power"]);
        let corrected = SERVED_SAMPLE.corrected();
        assert_eq!(corrected.units(), Units::Trained);
        assert_eq!((corrected.0[BTC_PRICE], corrected.0[POWER]), (74_600.0, 2200.0));
        assert_eq!(corrected.corrected(), corrected);
    }
}
