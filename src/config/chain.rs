//! The chain's settings, checked.

use std::time::Duration;

use alloy::primitives::Address;
use url::Url;

use super::raw::{OneOrMany, RawChain};
use super::{ConfigError, positive_ms, value};
use veriregime_core::types::address;
use veriregime_core::types::rpc_url::RpcUrl;

/// More RPCs than this are a mistake.
const MAX_RPCS: usize = 16;
/// More confirmations than this would outlast a period on a slow chain.
const MAX_CONFIRMATIONS: u64 = 64;

/// The chain's settings.
#[derive(Debug, Clone)]
pub struct Chain {
    /// At least one; reads prefer the first.
    pub rpc_urls: Vec<RpcUrl>,
    pub chain_id: u64,
    /// `None` until a contract is configured.
    pub oracle: Option<Address>,
    pub max_fee_per_gas_wei: u128,
    /// Cap of the transactions that only free a nonce.
    pub max_cancel_fee_per_gas_wei: u128,
    pub priority_fee_wei: u128,
    /// A transaction that is not mined by then is replaced.
    pub replace_after: Duration,
    /// Blocks that a landed update must be deep, its own included.
    pub confirmations: u64,
    /// An RPC whose newest block is older than another's by more is set aside.
    pub max_head_lag: Duration,
    pub request_timeout: Duration,
    pub poll_interval: Duration,
}

impl Chain {
    /// The preferred RPC.
    pub fn rpc_url(&self) -> &Url {
        self.rpc_urls[0].expose()
    }

    /// Makes `url` the only RPC.
    pub fn use_rpc(&mut self, url: Url) {
        self.rpc_urls = vec![url.into()];
    }
}

/// Checks the section.
pub(super) fn check(raw: RawChain) -> Result<Chain, ConfigError> {
    let oracle = match raw.oracle.trim() {
        "" => None,
        text => Some(address::parse(text).map_err(|error| value("chain.oracle", text, error))?),
    };
    if raw.priority_fee_gwei > raw.max_fee_per_gas_gwei {
        return Err(value("chain.priority_fee_gwei", raw.priority_fee_gwei, "is above chain.max_fee_per_gas_gwei"));
    }
    if raw.max_cancel_fee_per_gas_gwei < raw.max_fee_per_gas_gwei {
        let reason = "is below chain.max_fee_per_gas_gwei: what cannot be outbid cannot be cancelled";
        return Err(value("chain.max_cancel_fee_per_gas_gwei", raw.max_cancel_fee_per_gas_gwei, reason));
    }
    if !(1..=MAX_CONFIRMATIONS).contains(&raw.confirmations) {
        return Err(value("chain.confirmations", raw.confirmations, format!("must be from 1 to {MAX_CONFIRMATIONS}")));
    }
    let seconds = |key, seconds: u64| positive_ms(key, seconds.saturating_mul(1000));
    Ok(Chain {
        rpc_urls: rpc_urls(raw.rpc_url)?,
        chain_id: raw.chain_id,
        oracle,
        max_fee_per_gas_wei: raw.max_fee_per_gas_gwei.0,
        max_cancel_fee_per_gas_wei: raw.max_cancel_fee_per_gas_gwei.0,
        priority_fee_wei: raw.priority_fee_gwei.0,
        replace_after: seconds("chain.replace_after_seconds", raw.replace_after_seconds)?,
        confirmations: raw.confirmations,
        max_head_lag: seconds("chain.max_head_lag_seconds", raw.max_head_lag_seconds)?,
        request_timeout: positive_ms("chain.request_timeout_ms", raw.request_timeout_ms)?,
        poll_interval: positive_ms("chain.poll_interval_ms", raw.poll_interval_ms)?,
    })
}

/// One address, several in a list, or several with commas between them: the environment has no lists.
fn rpc_urls(raw: OneOrMany) -> Result<Vec<RpcUrl>, ConfigError> {
    const KEY: &str = "chain.rpc_url";
    let texts = match raw {
        OneOrMany::One(text) => text.split(',').map(str::to_owned).collect(),
        OneOrMany::Many(texts) => texts,
    };
    let shown = format!("{} of them", texts.len());
    if texts.is_empty() || texts.len() > MAX_RPCS {
        return Err(value(KEY, shown, format!("wants 1 to {MAX_RPCS} addresses")));
    }
    let mut urls: Vec<RpcUrl> = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        // The address is not repeated: it may hold a key.
        let url = text.parse().map_err(|reason: String| value(KEY, format!("number {}", index + 1), reason))?;
        if urls.contains(&url) {
            return Err(value(KEY, url, "is there twice"));
        }
        urls.push(url);
    }
    Ok(urls)
}
