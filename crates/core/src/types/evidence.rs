//! Everything that a stranger needs to compute one update again and to verify it.

use alloy::primitives::{Address, Bytes, U256};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::candle::Candle;
use super::digest::Digest;
use super::feature::FeatureVector;
use super::manifest::verification::Way;
use super::origin::Origin;
use super::prediction::Outputs;
use super::update::PublishedUpdate;
use super::vintage::TablesOrigin;
use crate::hedge::prices::Prices;
use crate::hedge::snapshot::Snapshot;
use crate::yields;
use crate::yields::level::Level;

/// The form described here.
pub const FORMAT: u32 = 1;

/// One update with all that led to it. Its bytes as JSON are what its digest is of: nothing in them depends on when or
/// how often they are written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// [`FORMAT`].
    pub format: u32,
    /// What made it.
    pub versions: Versions,
    /// Digest of the model bundle's manifest, which names every other file of the model.
    pub manifest_sha256: Digest,
    /// The chain.
    pub chain_id: u64,
    /// The contract.
    pub oracle: Address,
    /// The registry of its models and attestors.
    pub registry: Address,
    /// The model's verifier.
    pub verifier: Address,
    /// The way of verification that it is of.
    #[serde(default, skip_serializing_if = "is_ezkl")]
    pub verification: Way,
    /// The update as the chain tells it, with its proof and attestations.
    pub update: PublishedUpdate,
    /// What was sent to the contract.
    pub calldata: Bytes,
    /// Gas that the transaction used.
    pub gas_used: u64,
    /// Where the candles came from.
    pub origin: Option<Origin>,
    /// The markets in the model's order.
    pub markets: Vec<MarketEvidence>,
    /// The proof's public inputs.
    pub instances: Vec<U256>,
    /// Digest of EZKL's witness for the features; `None` where it was not EZKL that proved.
    pub witness_sha256: Option<Digest>,
    /// Of a vault's sale: what the forecast was made from, and what came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sale: Option<SaleEvidence>,
    /// Of a strategy's forecast: what it was made from, and what the feed made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publication: Option<PublicationEvidence>,
}

/// A strategy's forecast, from the tables to the feed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicationEvidence {
    /// What was known of the strategy when the forecast was made.
    pub snapshot: yields::snapshot::Snapshot,
    /// Which editions of the publishers' tables that is from.
    pub tables: TablesOrigin,
    /// What attestors stated beside the forecast.
    pub level: Level,
    /// Their signatures of that, as the feed takes them.
    pub level_attestations: Bytes,
    /// What the feed made of it.
    pub figures: YieldFigures,
}

/// A forecast as a feed tells it: shares of 1 a year, times 1e8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct YieldFigures {
    /// Mean rate of the next 7 days.
    pub apy_e8: i64,
    /// Standard deviation of their daily rate.
    pub volatility_e8: u64,
    /// Lower end of the mean rate's interval.
    pub low_e8: i64,
    /// Upper end.
    pub high_e8: i64,
}

/// A vault's sale, from the tables to the dollars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaleEvidence {
    /// What was known of all countries when the forecast was made.
    pub snapshot: Snapshot,
    /// Which editions of the publishers' tables that is from.
    pub tables: TablesOrigin,
    /// What attestors stated beside the forecast.
    pub prices: Prices,
    /// Their signatures of that, as the vault takes them.
    pub price_attestations: Bytes,
    /// What came of it.
    pub figures: SaleFigures,
}

/// What a sale came to, as the vault tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaleFigures {
    /// WBTC sold, in units of 1e-8.
    pub sats: u64,
    /// USDC that the owner received, in units of 1e-6.
    pub usdc: u64,
    /// First day that it pays, counted from 1970-01-01.
    pub from_day: u32,
    /// First day that it does not pay.
    pub until_day: u32,
    /// The pool's time-weighted price: units of USDC for a unit of WBTC, wad.
    pub twap_wad: U256,
}

/// Evidence from before there were other ways does not say it, and has to keep its digest.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_ezkl(way: &Way) -> bool {
    *way == Way::Ezkl
}

/// The software behind an update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Versions {
    /// This program.
    pub agent: String,
    /// EZKL, where it proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ezkl: Option<String>,
}

/// One market's way from candles to outputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketEvidence {
    /// The model's name for it.
    pub market: String,
    /// Digest of the window's candles, those carried forward included.
    pub candles_sha256: Digest,
    /// Minutes of the window that were carried forward.
    pub carried_minutes: usize,
    /// The candles of the window that there were, and the first one in any case.
    pub candles: Vec<Row>,
    /// Features on the model's integer grid.
    pub features: FeatureVector,
    /// The circuit's outputs.
    pub outputs: Outputs,
}

/// A candle as exchanges write it: `[open_time_ms, "open", "high", "low", "close", "volume"]`. Prices and volume are
/// the shortest decimals that read back as the same 64-bit floats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row(pub Candle);

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Candle { open_time_ms, open, high, low, close, volume } = self.0;
        let [open, high, low, close, volume] = [open, high, low, close, volume].map(|number| number.to_string());
        (open_time_ms, open, high, low, close, volume).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (open_time_ms, open, high, low, close, volume) =
            <(i64, String, String, String, String, String)>::deserialize(deserializer)?;
        let number = |text: String| text.parse().map_err(serde::de::Error::custom);
        Ok(Self(Candle {
            open_time_ms,
            open: number(open)?,
            high: number(high)?,
            low: number(low)?,
            close: number(close)?,
            volume: number(volume)?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn candles_are_read_back_bit_for_bit(bits in proptest::array::uniform5(any::<u64>()), minute in any::<i64>()) {
            let numbers = bits.map(f64::from_bits);
            prop_assume!(numbers.iter().all(|number| number.is_finite()));
            let [open, high, low, close, volume] = numbers;
            let candle = Candle { open_time_ms: minute, open, high, low, close, volume };
            let text = serde_json::to_string(&Row(candle)).unwrap();
            let Row(read) = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(read.to_le_bytes(), candle.to_le_bytes());
        }
    }

    #[test]
    fn a_candle_looks_as_at_an_exchange() {
        let candle = Candle {
            open_time_ms: 60_000,
            open: 97_000.01,
            high: 97_000.5,
            low: 96_999.0,
            close: 97_000.0,
            volume: 0.125,
        };
        let text = serde_json::to_string(&Row(candle)).unwrap();
        assert_eq!(text, r#"[60000,"97000.01","97000.5","96999","97000","0.125"]"#);
        assert!(serde_json::from_str::<Row>(r#"[60000,"x","1","1","1","1"]"#).is_err());
        assert!(serde_json::from_str::<Row>(r#"[60000,"1","1","1","1"]"#).is_err());
    }
}
