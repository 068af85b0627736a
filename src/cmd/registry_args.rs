//! Who rules a registry that is deployed with what acts on its forecasts.

use alloy::primitives::Address;
use clap::Args;

use crate::deployment::request::{OVERLAP_PERIODS, Request};
use veriregime_core::types::address;

/// The registry's roles and its timelock.
#[derive(Debug, Args)]
pub struct RegistryArgs {
    /// Owner of the registry. The wallet if absent on a development chain.
    #[arg(long, value_name = "ADDRESS", value_parser = address::parse)]
    owner: Option<Address>,
    /// May refuse what is announced and end models, nothing else. The owner if absent on a development chain.
    #[arg(long, value_name = "ADDRESS", value_parser = address::parse)]
    guardian: Option<Address>,
    /// Whose signatures forecasts need; once for each. This node's attestor if absent on a development chain.
    #[arg(long = "attestor", value_name = "ADDRESS", value_parser = address::parse)]
    attestors: Vec<Address>,
    /// How many of these signatures a forecast needs.
    #[arg(long, value_name = "N")]
    threshold: Option<u8>,
    /// Give the wallet, and this node's attestor, every role of the registry that is not named, on whatever chain.
    #[arg(long)]
    i_know_one_key_rules_all: bool,
    /// Seconds between announcing and doing; two days if absent, none on anvil. At least a day elsewhere.
    #[arg(long, value_name = "SECONDS")]
    timelock: Option<u64>,
}

impl RegistryArgs {
    /// What is asked for.
    pub(super) fn request(self) -> Request {
        Request {
            owner: self.owner,
            market_owner: None,
            guardian: self.guardian,
            attestors: self.attestors,
            threshold: self.threshold,
            timelock_seconds: self.timelock,
            sequencer_feed: None,
            policy: None,
            overlap_periods: OVERLAP_PERIODS,
            one_key: self.i_know_one_key_rules_all,
        }
    }
}
