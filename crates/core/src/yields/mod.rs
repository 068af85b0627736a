//! What strategies on chain yield: daily rates as a model sees them, and what it says of the week after a day's end. Pure, f64,
//! in a fixed order: the same numbers on every machine.

pub mod conformal;
pub mod costs;
pub mod features;
pub mod forecast;
pub mod level;
pub mod market;
pub mod model;
pub mod risk;
pub mod scale;
pub mod series;
pub mod snapshot;

use serde::{Deserialize, Serialize};

use crate::types::period::Grid;

/// Days that are forecast.
pub const HORIZON_DAYS: usize = 7;
/// Days that a forecast begins from.
pub const WINDOW_DAYS: usize = 7;
/// Every day from midnight UTC on; a week ahead.
pub const GRID: Grid = Grid { period_seconds: 86_400, horizon_seconds: 7 * 86_400, offset_seconds: 0 };

/// What a strategy does with money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Gives liquidity to a pool of two tokens. Its rate leaves out what it loses where their prices part.
    Lp,
    /// Lends.
    Lending,
    /// Holds a token and sells its perpetual future: paid by funding.
    Delta,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Lp, Self::Lending, Self::Delta];

    /// Its name in files, settings and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lp => "lp",
            Self::Lending => "lending",
            Self::Delta => "delta",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A strategy that an operator has forecast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strategy {
    /// What its operator calls it.
    pub name: String,
    /// What it does.
    pub kind: Kind,
    /// What publishers call it: a pool's id, or a perpetual's symbol.
    pub pool: String,
}
