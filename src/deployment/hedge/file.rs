//! `deploy/hedge.toml`: a vault, and what its owner allows.

use std::path::Path;

use alloy::primitives::aliases::{U24, U40};
use alloy::primitives::{Address, B256};
use serde::Deserialize;

use crate::actions::hedge_vault::abi::vault::IHedgeVault::Terms;
use crate::chain::read::Reader;
use crate::config::written;
use crate::deployment::error::DeploymentError;
use veriregime_core::types::address;
use veriregime_core::types::time::parse_day;

const MAX_FILE_BYTES: u64 = 1 << 16;
const DAY_SECONDS: u64 = 86_400;
/// Letters of a country's code.
const COUNTRY_LETTERS: usize = 3;

/// A vault that somebody wants.
#[derive(Debug, Clone)]
pub struct VaultFile {
    /// Whose electricity, by its ISO 3166 code.
    pub country: String,
    /// Whose vault; the wallet's where absent.
    pub owner: Option<Address>,
    pub factory: Address,
    pub wbtc: Address,
    pub usdc: Address,
    /// Fee of the pool; of the deepest one where absent.
    pub fee_pips: Option<u32>,
    /// Without the model's id.
    terms: Terms,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    country: String,
    vault: RawVault,
    terms: RawTerms,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVault {
    owner: Option<String>,
    factory: String,
    wbtc: String,
    usdc: String,
    fee_pips: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTerms {
    watts: u32,
    months: u8,
    share_bps: u16,
    slippage_bps: u16,
    twap_seconds: u32,
    min_observations: u16,
    deadline: String,
    max_per_period_sats: u64,
    max_in_all_sats: u64,
    floor_usd_per_btc: u32,
    operator: Option<String>,
    operator_seconds: u32,
}

impl VaultFile {
    /// Of a file.
    ///
    /// # Errors
    /// [`DeploymentError::BadVault`].
    pub fn read(path: &Path) -> Result<Self, DeploymentError> {
        let text = veriregime_files::read_text(path, MAX_FILE_BYTES).map_err(|fault| bad(path, &fault))?;
        Self::parse(path, &text)
    }

    /// Of a file's text. Whether the numbers make sense is for the contract to say.
    ///
    /// # Errors
    /// [`DeploymentError::BadVault`].
    pub fn parse(path: &Path, text: &str) -> Result<Self, DeploymentError> {
        let RawFile { country, vault, terms } = written::from_toml(text).map_err(|misfit| bad(path, &misfit))?;
        if country.len() != COUNTRY_LETTERS || !country.bytes().all(|letter| letter.is_ascii_uppercase()) {
            return Err(bad(path, &format!("country {country:?} is no code like DEU")));
        }
        let account =
            |key: &str, text: &str| address::parse(text).map_err(|error| bad(path, &format!("{key}: {error}")));
        let maybe = |key: &str, text: Option<&String>| text.map(|text| account(key, text)).transpose();
        let last_day = parse_day(&terms.deadline).map_err(|error| bad(path, &format!("terms.deadline: {error}")))?;
        let deadline = u64::try_from(last_day).unwrap_or(0).saturating_mul(DAY_SECONDS).saturating_sub(1);
        Ok(Self {
            country,
            owner: maybe("vault.owner", vault.owner.as_ref())?,
            factory: account("vault.factory", &vault.factory)?,
            wbtc: account("vault.wbtc", &vault.wbtc)?,
            usdc: account("vault.usdc", &vault.usdc)?,
            fee_pips: vault.fee_pips,
            terms: Terms {
                modelId: B256::ZERO,
                watts: terms.watts,
                months: terms.months,
                shareBps: terms.share_bps,
                slippageBps: terms.slippage_bps,
                twapSeconds: terms.twap_seconds,
                minObservations: terms.min_observations,
                deadline: U40::saturating_from(deadline),
                maxPerPeriodSats: terms.max_per_period_sats,
                operatorSeconds: terms.operator_seconds,
                maxInAllSats: terms.max_in_all_sats,
                floorUsdPerBtc: terms.floor_usd_per_btc,
                operator: maybe("terms.operator", terms.operator.as_ref())?.unwrap_or(Address::ZERO),
            },
        })
    }

    /// Fee of the pool: the file's, else that of the deepest one.
    ///
    /// # Errors
    /// [`DeploymentError::NoPool`], or what the chain says.
    pub async fn pool_fee(&self, read: &Reader) -> Result<u32, DeploymentError> {
        if let Some(fee_pips) = self.fee_pips {
            return Ok(fee_pips);
        }
        let deepest = read.deepest_pool(self.factory, (self.wbtc, self.usdc)).await?;
        deepest.ok_or(DeploymentError::NoPool(self.factory))
    }

    /// The terms with a model.
    pub fn terms(&self, model_id: B256) -> Terms {
        Terms { modelId: model_id, ..self.terms.clone() }
    }
}

/// A pool's fee as Solidity has it.
pub(super) fn fee(pips: u32) -> U24 {
    U24::saturating_from(pips)
}

fn bad(path: &Path, reason: &impl ToString) -> DeploymentError {
    DeploymentError::BadVault { path: path.to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../../../deploy/hedge.toml");

    #[test]
    fn the_sample_is_read_and_mistakes_are_named() {
        let path = Path::new("hedge.toml");
        let sample = VaultFile::parse(path, SAMPLE).unwrap();
        assert_eq!((sample.country.as_str(), sample.owner, sample.fee_pips), ("DEU", None, Some(3000)));
        let terms = sample.terms(B256::repeat_byte(7));
        assert_eq!((terms.watts, terms.modelId, terms.operator), (3250, B256::repeat_byte(7), Address::ZERO));
        assert_eq!(terms.deadline.to::<u64>(), 1_830_211_199, "the end of the day before");
        let cases = [
            ("country = \"DEU\"", "country = \"Germany\"", "country"),
            ("watts = 3_250", "watts = 3_250\nvolts = 1", "volts"),
            ("watts = 3_250", "", "watts"),
            ("months = 2", "months = 2.5", "months"),
            ("\"2027-12-31\"", "\"never\"", "deadline"),
            ("0x2260FAC5", "0x2260fAC5", "wbtc"),
            ("max_in_all_sats = 10_000_000", "max_in_all_sats = -1", "max_in_all_sats"),
        ];
        for (old, new, named) in cases {
            let text = SAMPLE.replace(old, new);
            assert_ne!(text, SAMPLE);
            let fault = VaultFile::parse(path, &text).expect_err(new).to_string();
            assert!(fault.contains(named), "{new}: {fault}");
        }
    }
}
