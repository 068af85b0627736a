//! One forecast cycle as it is remembered: how far it got and with what.

use alloy::primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::feature::FeatureVector;
use super::job::JobKey;
use super::omission::OmittedMarkets;
use super::origin::Origin;
use super::period::PeriodId;
use super::prediction::Outputs;
use super::proof::Proof;
use super::public_inputs;
use super::stated::Stated;
use super::vintage::TablesOrigin;

/// How far a cycle got. The order is the order of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Begun, nothing stored yet.
    Planned,
    /// The candles are stored.
    Collected,
    /// Features and outputs are stored.
    Forecast,
    /// A locally verified proof is stored.
    Proved,
    /// A signed transaction is stored; it may be on its way.
    Submitting,
    /// Our update is on chain.
    Confirmed,
    /// Somebody else's update for this period is on chain: as good as ours.
    AlreadyByOther,
    /// The period ended, or an error that waiting cannot mend came up.
    Missed,
}

impl Stage {
    /// All stages in order.
    pub const ALL: [Self; 8] = [
        Self::Planned,
        Self::Collected,
        Self::Forecast,
        Self::Proved,
        Self::Submitting,
        Self::Confirmed,
        Self::AlreadyByOther,
        Self::Missed,
    ];

    /// The name as stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Collected => "collected",
            Self::Forecast => "forecast",
            Self::Proved => "proved",
            Self::Submitting => "submitting",
            Self::Confirmed => "confirmed",
            Self::AlreadyByOther => "already_by_other",
            Self::Missed => "missed",
        }
    }

    /// The stage of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }

    /// Whether nothing more happens.
    pub fn is_final(self) -> bool {
        self >= Self::Confirmed
    }

    /// Whether a cycle at `self` may next be at `next`: one step of work at a time, and any unfinished cycle may end as
    /// landed by another or missed. A confirmed update that the chain dropped goes back to submitting. (Another's that was
    /// dropped is no step of work: `Store::reopen`.)
    pub fn may_become(self, next: Self) -> bool {
        match next {
            Self::AlreadyByOther | Self::Missed => !self.is_final(),
            Self::Submitting => matches!(self, Self::Proved | Self::Submitting | Self::Confirmed),
            _ => !self.is_final() && next as u8 == self as u8 + 1,
        }
    }
}

/// What a cycle computed for the markets of its model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// Features by market.
    pub features: Vec<FeatureVector>,
    /// Outputs by market.
    pub outputs: Vec<Outputs>,
    /// Minutes of the windows that were carried forward, by market.
    pub carried_minutes: Vec<usize>,
    /// Markets without candles: their features are the neutral row, and their outputs mean nothing.
    #[serde(default, skip_serializing_if = "OmittedMarkets::is_none")]
    pub omitted: OmittedMarkets,
    /// What is stated beside it: prices of a country, or the level of a strategy.
    #[serde(default, rename = "prices", skip_serializing_if = "Option::is_none")]
    pub stated: Option<Stated>,
}

impl Forecast {
    /// Feature integers of all markets.
    pub fn inputs(&self) -> Vec<i32> {
        public_inputs::features(&self.features)
    }

    /// Output integers of all markets.
    pub fn output_integers(&self) -> Vec<i128> {
        public_inputs::outputs(&self.outputs)
    }

    /// Public inputs of the proof.
    pub fn instances(&self) -> Vec<U256> {
        public_inputs::instances(&self.inputs(), &self.output_integers())
    }
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// It does on chain what the cycle is for.
    Action,
    /// It pays nothing to ourselves, so that the action's nonce is used up and the action never lands.
    Cancel,
}

impl Purpose {
    /// All purposes.
    pub const ALL: [Self; 2] = [Self::Action, Self::Cancel];

    /// The name as stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Action => "update",
            Self::Cancel => "cancel",
        }
    }

    /// The purpose of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }
}

/// A signed transaction, stored before it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What it is for.
    pub purpose: Purpose,
    /// The wallet that signed it and pays for it.
    pub wallet: Address,
    /// The wallet's nonce.
    pub nonce: u64,
    /// Transaction hash.
    pub hash: B256,
    /// Signed bytes.
    pub raw: Bytes,
    /// Fee cap for a unit of gas, in wei.
    pub max_fee_per_gas_wei: u128,
    /// Offer to the builder for a unit of gas, in wei.
    pub priority_fee_wei: u128,
}

/// A transaction that is on chain and succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landed {
    /// Transaction hash.
    pub hash: B256,
    /// Block that holds it.
    pub block: u64,
    /// Gas that it used.
    pub gas_used: u64,
}

/// What became of a transaction that is in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mined {
    /// It did what it was meant to do.
    Landed(Landed),
    /// It failed in that block, and changed nothing.
    Reverted {
        /// Block that holds it.
        block: u64,
    },
}

/// Why a cycle was missed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Miss {
    /// The stage that had been reached.
    pub stage: Stage,
    /// Stable code of the error.
    pub code: String,
    /// The error in words.
    pub message: String,
}

/// Why a cycle does not get further than its stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retrying {
    /// Stable code of the error.
    pub code: String,
    /// The error in words.
    pub message: String,
    /// When the stage first failed with this code, Unix milliseconds.
    pub since_ms: i64,
}

/// One row of the memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CycleRecord {
    /// The job that it is of.
    pub job: JobKey,
    /// The period, by its number on the job's grid.
    pub period: PeriodId,
    /// When the period begins, Unix milliseconds.
    pub start_ms: i64,
    /// First millisecond after it.
    pub end_ms: i64,
    /// How far it got.
    pub stage: Stage,
    /// When it began.
    pub started_ms: i64,
    /// When it last changed.
    pub updated_ms: i64,
    /// From [`Stage::Collected`] on: digest of each market's candles, of nothing for an omitted one; or of the tables' snapshot.
    pub candles: Vec<Digest>,
    /// From [`Stage::Collected`] on, of candles, but for cycles of versions that did not keep it.
    pub origin: Option<Origin>,
    /// From [`Stage::Collected`] on, of tables.
    pub tables: Option<TablesOrigin>,
    /// From [`Stage::Forecast`] on.
    pub forecast: Option<Forecast>,
    /// From [`Stage::Proved`] on.
    pub proof: Option<Proof>,
    /// From [`Stage::Proved`] on: milliseconds that the proof took.
    pub prove_ms: Option<u64>,
    /// From [`Stage::Proved`] on, where the proof is a real one: digest of its witness.
    pub witness_sha256: Option<Digest>,
    /// From [`Stage::Confirmed`] on, also while an update that the chain dropped is sent again.
    pub landed: Option<Landed>,
    /// At [`Stage::Missed`].
    pub miss: Option<Miss>,
    /// While the stage is tried again, and nothing has come of it yet.
    pub retrying: Option<Retrying>,
    /// At [`Stage::Confirmed`], once it is written and until it is pruned: digest of the evidence bundle.
    pub evidence: Option<Digest>,
}

impl CycleRecord {
    /// Markets without candles; none before [`Stage::Collected`].
    pub fn omitted_markets(&self) -> OmittedMarkets {
        self.origin.as_ref().map(Origin::omitted_markets).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for stage in Stage::ALL {
            assert_eq!(Stage::from_name(stage.name()), Some(stage));
        }
    }

    #[test]
    fn work_is_never_skipped_and_an_end_is_an_end() {
        for from in Stage::ALL {
            for to in Stage::ALL {
                let allowed = from.may_become(to);
                if from.is_final() {
                    assert_eq!(allowed, from == Stage::Confirmed && to == Stage::Submitting, "{from:?} to {to:?}");
                } else if !to.is_final() && to as u8 > from as u8 + 1 {
                    assert!(!allowed, "{from:?} to {to:?}");
                }
            }
        }
        assert!(Stage::Submitting.may_become(Stage::Submitting), "a replacement transaction");
        assert!(!Stage::Proved.may_become(Stage::Confirmed), "nothing lands that was not stored first");
    }
}
