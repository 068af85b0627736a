//! The checks one by one. Each looks and changes nothing.

use std::path::Path;

use alloy::eips::BlockId;
use alloy::primitives::utils::format_ether;
use alloy::primitives::{Address, U256};
use cron::Schedule;

use super::{Check, HealthError};
use crate::actions::Action;
use crate::actions::risk_oracle::read::{STATUS_WORDS, status_word};
use crate::bundle::Bundle;
use crate::bundle::error::BundleError;
use crate::chain::Chain;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use crate::sources::candles::source::Source;
use crate::telemetry::metrics::{self, MarketFigures, Wallet};
use veriregime_core::schedule::absent;
use veriregime_core::types::chain_id::is_development;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::inputs::Market;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::{Grid, PeriodId};

/// Gas of an update, rounded up.
const UPDATE_GAS: u64 = 500_000;
/// Bytes of an update's transaction, rounded up.
const UPDATE_BYTES: usize = 4096;
/// Basis points, pips and wads in one.
const BPS: f64 = 1e4;
const PIPS: f64 = 1e6;
/// Units of a volatility on chain.
const E9: f64 = 1e9;
/// Less free space than this holds a few months of cycles.
pub const LOW_DISK_BYTES: u64 = 256 << 20;

/// The newest block: that there is one, and how old it is by our clock. A development chain mines when it is asked to.
pub async fn head(reader: &Reader, chain_id: u64, now_ms: i64, max_age_seconds: i64) -> Check {
    const NAME: &str = "chain head";
    let asked = async {
        reader.check_chain_id().await?;
        reader.head().await
    };
    match asked.await {
        Ok(head) => {
            let age_seconds = now_ms / 1000 - head.timestamp_seconds;
            metrics::head_lags(chain_id, age_seconds);
            if age_seconds > max_age_seconds && !is_development(chain_id) {
                return Check::fail(NAME, &HealthError::OldHead { age_seconds });
            }
            Check::ok(NAME, format!("block {}, {age_seconds} s old", head.number))
        }
        Err(fault) => Check::fail(NAME, &fault),
    }
}

/// That the contract runs this very model: its files' digests, its verifier's code, its layout.
pub async fn contract(reader: &Reader, action: &Action) -> Check {
    let asked = action.model_id(reader).await;
    Check::of("model on chain", asked, |model_id| format!("{model_id}, with our verifying key and verifier"))
}

/// How old the newest update of the market is that was served least, whoever made it. None may be absent of the periods that are
/// over and had a cycle by `schedule`.
pub async fn last_update(reader: &Reader, action: &Action, (schedule, grid): (&Schedule, Grid), now_ms: i64) -> Check {
    const NAME: &str = "last update";
    match action.last_period(reader, OmittedMarkets::NONE, BlockId::latest()).await {
        Ok(None | Some(PeriodId(0))) => Check::warn(NAME, &HealthError::NoUpdate),
        Ok(Some(last)) => {
            metrics::last_landed(last);
            let age_minutes = (now_ms - grid.start_ms(last)) / 60_000;
            if !absent(schedule, grid, last, now_ms).is_empty() {
                return Check::fail(NAME, &HealthError::Overdue { last, age_minutes });
            }
            Check::ok(NAME, format!("period {last}, {age_minutes} min old"))
        }
        Err(fault) => Check::fail(NAME, &fault),
    }
}

/// Counts what the contract says of each market now. That it does not answer is other checks' news.
pub async fn count_markets(reader: &Reader, oracle: Address, markets: &[Market], now_ms: i64) {
    for market in markets {
        let Ok(read) = reader.params(oracle, market.id()).await else { return };
        let params = &read.current;
        let share = |bps: u16| f64::from(bps) / BPS;
        let updated_seconds: i64 = params.updatedAt.to();
        let figures = MarketFigures {
            probability_high: share(params.probabilityHighBps),
            applied_volatility: f64::from(params.appliedVolatilityE9) / E9,
            volatility: f64::from(params.volatilityE9) / E9,
            borrow_collateral_ratio: share(params.borrowCollateralRatioBps),
            amm_fee: f64::from(params.ammFeePips.to::<u32>()) / PIPS,
            age_seconds: (updated_seconds > 0).then(|| now_ms / 1000 - updated_seconds),
        };
        metrics::market_seen(&market.name, figures, status_word(read.status), &STATUS_WORDS);
    }
}

/// That this node's attestation counts.
pub async fn attestor(chain: &Chain, oracle: Address) -> Check {
    let outcome = chain.attestor_set(oracle).await;
    Check::of("attestor", outcome, |set| {
        format!("{} is in set {}, {} of which must attest", chain.attestor(), set.version, set.threshold)
    })
}

/// What a wallet holds, and what that is worth.
#[derive(Debug, Clone, Copy)]
pub struct Funds {
    pub balance_wei: U256,
    /// Updates that it pays for at the fee of now.
    pub updates: u64,
}

/// Looks up what a wallet holds.
///
/// # Errors
/// [`ChainError`].
pub async fn funds(reader: &Reader, wallet: Address) -> Result<Funds, ChainError> {
    let (balance_wei, head) = (reader.balance_wei(wallet).await?, reader.head().await?);
    let data_fee_wei = reader.data_fee_wei(UPDATE_BYTES).await?;
    let gas_price_wei = head.base_fee_wei.saturating_add(reader.fees().caps().priority_fee_wei).max(1);
    let update_wei = (U256::from(UPDATE_GAS) * U256::from(gas_price_wei)).saturating_add(data_fee_wei);
    Ok(Funds { balance_wei, updates: (balance_wei / update_wei).saturating_to() })
}

/// Name of the check of a wallet's balance.
pub const BALANCE: &str = "wallet balance";

/// Whether the wallet can pay for `enough` updates at the fee of now.
pub async fn balance(chain: &Chain, enough: u64) -> Check {
    match funds(&chain.read, chain.address()).await {
        Ok(Funds { balance_wei, updates }) => {
            let wallet = Wallet { chain_id: chain.read.chain_id(), address: &chain.address() };
            metrics::wallet_holds(wallet, f64::from(balance_wei));
            let balance = format!("{} ether", format_ether(balance_wei));
            if updates >= enough {
                return Check::ok(BALANCE, format!("{balance}, enough for {updates} updates at the fee of now"));
            }
            let fault = HealthError::LowBalance { balance, updates };
            if updates == 0 { Check::fail(BALANCE, &fault) } else { Check::warn(BALANCE, &fault) }
        }
        Err(fault) => Check::fail(BALANCE, &fault),
    }
}

/// How far an exchange's clock is from ours.
pub async fn clock(source: &Source, name: &str, now_ms: i64, max_skew_ms: i64) -> Check {
    let outcome = source.watch_clock(now_ms, max_skew_ms).await;
    Check::of("clock", outcome, |skew_ms| {
        metrics::clock_differs(name, skew_ms);
        format!("{name} is {skew_ms} ms ahead of us")
    })
}

/// That every file of the bundle is what its manifest says, and the manifest the one that runs. Reads all of them.
pub fn artefacts(folder: &Path, running: Digest) -> Check {
    const NAME: &str = "model files";
    match Bundle::open(folder) {
        Ok(bundle) if bundle.manifest_digest != running => Check::fail(NAME, &HealthError::OtherBundle),
        outcome => bundle(outcome.as_ref()),
    }
}

/// How a bundle opened.
pub fn bundle(opened: Result<&Bundle, &BundleError>) -> Check {
    const NAME: &str = "model files";
    match opened {
        Ok(bundle) => Check::ok(
            NAME,
            format!("{}: {} files as in the manifest", bundle.manifest.model_id, bundle.manifest.files.len()),
        ),
        Err(fault) => Check::fail(NAME, fault),
    }
}

/// Free space where the database lies: a warning where it is less than `low_bytes`.
pub fn disk(database: &Path, low_bytes: u64) -> Check {
    const NAME: &str = "disk";
    match veriregime_files::free_bytes(database) {
        Ok(free) if free < low_bytes => Check::warn(NAME, &HealthError::LowDisk { free_mb: free >> 20 }),
        outcome => Check::of(NAME, outcome, |free| format!("{} MB free for the database", free >> 20)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Level;

    #[test]
    fn little_space_is_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("agent.sqlite");
        assert_eq!(disk(&database, 0).level, Level::Ok);
        let low = disk(&database, u64::MAX);
        assert_eq!((low.level, low.code), (Level::Warn, Some("VR-HEALTH-005")));
    }
}
