//! Where the candles of a cycle came from: kept with it as evidence.

use serde::{Deserialize, Serialize};

use super::omission::{Omission, OmittedMarkets};
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
    pub witnesses: Vec<CrossCheckResult>,
    /// Of each market with minutes that the source does not have, what was done about them. Absent where there are none, and
    /// in cycles of versions that did not keep it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gaps>,
    /// The markets that this and every other source failed for. Absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub omitted: Vec<Omission>,
}

impl Origin {
    /// The markets without candles, as the contract takes them.
    pub fn omitted_markets(&self) -> OmittedMarkets {
        self.omitted.iter().map(|omission| omission.index).collect()
    }

    /// Minutes of all markets that were carried forward.
    pub fn carried_minutes(&self) -> usize {
        self.gaps.iter().map(|gaps| gaps.carried_minutes).sum()
    }

    /// Longest stretch of one market's minutes that was carried forward.
    pub fn longest_run_minutes(&self) -> usize {
        self.gaps.iter().map(|gaps| gaps.longest_run_minutes).max().unwrap_or(0)
    }
}

/// Minutes of one market's window that its source does not have, each asked for at least twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gaps {
    /// The model's name of the market.
    pub market: String,
    /// Minutes that nobody had: carried forward, flat and without volume.
    pub carried_minutes: usize,
    /// The first of them, Unix milliseconds; `None` where there are none.
    pub first_carried_ms: Option<i64>,
    /// The longest stretch of them.
    pub longest_run_minutes: usize,
    /// Minutes that other sources had, by source.
    pub lent: Vec<Lent>,
}

/// Minutes that another source stood in for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lent {
    /// Name of the other source in the settings.
    pub source: String,
    /// What it calls the market.
    pub symbol: String,
    /// How many.
    pub minutes: usize,
    /// The first of them, Unix milliseconds.
    pub first_ms: i64,
    /// Whether its volumes were taken as well; else they count as nothing.
    pub with_volumes: bool,
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
pub struct CrossCheckResult {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// As versions wrote it that kept no gaps.
    const OLD: &str = r#"{"source":"binance","venue":"binance","symbols":["BTCUSDT"],"failed":[],"revised_minutes":0,"witnesses":[]}"#;

    #[test]
    fn evidence_from_before_gaps_were_kept_is_read_and_written_as_it_was() {
        let old: Origin = serde_json::from_str(OLD).unwrap();
        assert_eq!((old.carried_minutes(), old.longest_run_minutes()), (0, 0));
        assert_eq!(serde_json::to_string(&old).unwrap(), OLD);
        let lent =
            Lent { source: "okx".into(), symbol: "BTC-USDT".into(), minutes: 2, first_ms: 0, with_volumes: false };
        let gaps = Gaps {
            market: "BTC-USD".into(),
            carried_minutes: 7,
            first_carried_ms: Some(60_000),
            longest_run_minutes: 5,
            lent: vec![lent],
        };
        let new = Origin { gaps: vec![gaps], ..old };
        assert_eq!((new.carried_minutes(), new.longest_run_minutes()), (7, 5));
        assert_eq!(serde_json::from_str::<Origin>(&serde_json::to_string(&new).unwrap()).unwrap(), new);
    }
}
