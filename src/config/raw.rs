//! The settings as written: strings and numbers, unknown keys refused, nothing interpreted yet.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::hedge::RawHedge;
use super::named::UNNAMED;
use super::replica::RawReplica;
use super::signer::RawSigner;
use super::yields::RawYields;
use crate::telemetry::LogFormat;
use veriregime_core::types::gwei::Gwei;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::period::Grid;
use veriregime_core::types::venue::Venue;
use veriregime_core::{hedge, yields};

/// `default.toml`'s shape.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawConfig {
    pub model: RawModel,
    pub candles: RawCandles,
    pub hedge: RawHedge,
    pub yields: RawYields,
    pub prover: RawProver,
    pub chain: RawChain,
    pub signer: RawSigner,
    pub attestor: RawSigner,
    pub attestation: RawAttestation,
    pub schedule: RawSchedule,
    pub replica: RawReplica,
    pub state: RawState,
    pub evidence: RawEvidence,
    pub api: RawApi,
    pub alerts: RawAlerts,
    pub log: RawLog,
    /// None of these by default: then the sections describe the only job.
    #[serde(default)]
    pub jobs: Vec<RawJob>,
    #[serde(default)]
    pub chains: BTreeMap<String, RawChain>,
    #[serde(default)]
    pub wallets: BTreeMap<String, RawSigner>,
    #[serde(default)]
    pub attestors: BTreeMap<String, RawSigner>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawModel {
    pub bundle: String,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawCandles {
    pub base_url: String,
    pub connect_timeout_ms: u64,
    pub request_timeout_ms: u64,
    pub weight_per_minute: u32,
    pub max_clock_skew_ms: u32,
    pub max_consecutive_missing_minutes: u32,
    pub keep_days: u32,
    pub primary: String,
    pub fallbacks: Vec<String>,
    pub foreign_volumes: bool,
    pub cross_check: RawCrossCheck,
    /// None by default, so that the defaults cannot hold any.
    #[serde(default)]
    pub sources: BTreeMap<String, RawSource>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawCrossCheck {
    pub with: Vec<String>,
    pub required: bool,
    pub minutes: u32,
    pub band_bps: u32,
    pub max_minutes_beyond: u32,
    pub max_basis_bps: u32,
    pub max_volatility_percent: u32,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawSource {
    pub exchange: Venue,
    pub base_url: Option<String>,
    pub weight_per_minute: Option<u32>,
    pub symbols: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawProver {
    pub kind: ProverKind,
    pub python: String,
    pub srs_dir: String,
    pub timeout_seconds: u64,
    pub memory_limit_mb: u64,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawChain {
    pub rpc_url: OneOrMany,
    pub chain_id: u64,
    pub oracle: String,
    pub max_fee_per_gas_gwei: Gwei,
    pub max_cancel_fee_per_gas_gwei: Gwei,
    pub priority_fee_gwei: Gwei,
    pub replace_after_seconds: u64,
    pub confirmations: u64,
    pub max_head_lag_seconds: u64,
    pub request_timeout_ms: u64,
    pub poll_interval_ms: u64,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawSchedule {
    pub cron: String,
    pub period_seconds: u64,
    pub delay_seconds: u64,
    pub clock: ClockKind,
    pub recheck_seconds: u64,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawState {
    pub path: String,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawApi {
    pub listen: String,
    pub dashboard: bool,
    pub requests_per_second: u32,
    pub burst: u32,
    pub max_body_bytes: usize,
    pub request_timeout_ms: u64,
    pub max_connections: usize,
    pub check_seconds: u64,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawAlerts {
    pub webhook_file: String,
    pub node_name: String,
    pub resend_minutes: u64,
    pub stuck_minutes: u64,
    pub low_balance_updates: u64,
    pub electricity_rise_percent: u32,
    pub low_budget_weeks: u32,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawLog {
    pub format: LogFormat,
    pub level: String,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawEvidence {
    pub dir: String,
    pub keep_days: u64,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawAttestation {
    pub peers: OneOrMany,
    pub timeout_ms: u64,
    pub answer: bool,
}

/// A table `[[jobs]]` as written; what it left out is taken from the sections.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawJob {
    pub name: String,
    #[serde(default)]
    pub kind: JobKind,
    /// Of a hedge job alone.
    #[serde(default)]
    pub country: String,
    /// Of a yield job alone.
    #[serde(default)]
    pub strategy: String,
    pub bundle: String,
    pub verification: ProverKind,
    /// Follows from the kind where it is not written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<ActionKind>,
    /// Empty for `chain.oracle`, where the job is on that chain.
    #[serde(default)]
    pub contract: String,
    #[serde(default = "unnamed")]
    pub chain: String,
    #[serde(default = "unnamed")]
    pub wallet: String,
    #[serde(default = "unnamed")]
    pub attestor: String,
    pub schedule: RawSchedule,
    pub replica: RawReplica,
}

/// The name of what the sections describe.
pub(super) fn unnamed() -> String {
    UNNAMED.into()
}

/// A value, or a list of them.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;

        impl<'de> Visitor<'de> for Texts {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<OneOrMany, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = items.next_element()? {
                    texts.push(text);
                }
                Ok(OneOrMany::Many(texts))
            }
        }

        deserializer.deserialize_any(Texts)
    }
}

/// What a job forecasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobKind {
    /// Volatility regimes of markets.
    #[default]
    Regime,
    /// A country's price of electricity.
    Hedge,
    /// A strategy's yield.
    Yield,
}

impl JobKind {
    /// What a job of the kind does on chain.
    pub fn action(self) -> ActionKind {
        match self {
            Self::Regime => ActionKind::RiskOracle,
            Self::Hedge => ActionKind::HedgeVault,
            Self::Yield => ActionKind::Feed,
        }
    }

    /// The grid of its periods, where those of a regime job have so many seconds.
    pub fn grid(self, regime_seconds: u64) -> Grid {
        match self {
            Self::Regime => Grid::of_seconds(regime_seconds),
            Self::Hedge => hedge::GRID,
            Self::Yield => yields::GRID,
        }
    }
}

/// What a job does on chain with what it forecasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionKind {
    /// Updates of a `RiskOracle`.
    RiskOracle,
    /// Sales of a `HedgeVault`.
    HedgeVault,
    /// Forecasts of a `Feed`.
    Feed,
}

/// Which prover runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProverKind {
    /// EZKL's proofs.
    Ezkl,
    /// halo2's, of a circuit of our own.
    Halo2,
    /// None: a contract computes the network.
    Direct,
    /// None: dry runs on development chains.
    Mock,
}

impl ProverKind {
    /// The way of verification that the contract is made for. The mock stands in for EZKL.
    pub fn way(self) -> Way {
        match self {
            Self::Ezkl | Self::Mock => Way::Ezkl,
            Self::Halo2 => Way::Halo2,
            Self::Direct => Way::Direct,
        }
    }
}

impl From<Way> for ProverKind {
    fn from(way: Way) -> Self {
        match way {
            Way::Ezkl => Self::Ezkl,
            Way::Halo2 => Self::Halo2,
            Way::Direct => Self::Direct,
        }
    }
}

/// Where the daemon's time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockKind {
    /// The machine.
    System,
    /// The candle server: replays on development chains.
    Exchange,
}
