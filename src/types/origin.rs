//! Where the candles of a cycle came from: kept with it as evidence.

use serde::{Deserialize, Serialize};

use super::venue::Venue;

/// The source of a cycle's candles, for all of its markets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Name of the source in the settings.
    pub source: String,
    /// The exchange.
    pub venue: Venue,
    /// What the exchange calls each market.
    pub symbols: Vec<String>,
    /// The sources that come before this one in the policy and failed.
    pub failed: Vec<FailedSource>,
    /// Minutes that the exchange had changed since they were fetched for an earlier cycle, as the last try saw them.
    pub revised_minutes: usize,
    /// Another exchange's view of each market, where it was asked.
    pub witnesses: Vec<Witness>,
}

/// A source that was passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedSource {
    /// Name of the source in the settings.
    pub source: String,
    /// Stable code of its fault.
    pub code: String,
}

/// How far another exchange's candles were from those that were used. A pip is a hundredth of a basis point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// Name of the other source in the settings.
    pub source: String,
    /// What the other exchange calls the market.
    pub symbol: String,
    /// Minutes that both have.
    pub common_minutes: usize,
    /// Median of the used closes over the other's, less one: what the quote currencies differ by, for the most part.
    pub basis_pips: i64,
    /// Minutes whose returns differ by more than the band.
    pub minutes_beyond: usize,
    /// Largest difference of a minute's returns.
    pub worst_pips: u64,
    /// How much larger one of the two realised volatilities is than the other.
    pub volatility_pips: u64,
}
