//! A hedge on a chain: registry, verifier, the country's model, the vault and its terms. Everything follows from the
//! vault's file and the arguments, so that a deployment that was broken off goes on from what the chain shows.

pub mod file;
pub mod render;
mod standing;

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::SolCall;

use super::code::{self, CREATE2_DEPLOYER, Creation};
use super::complete::Plan;
use super::error::DeploymentError;
use super::{Blocked, Constructor, MIN_TIMELOCK_SECONDS, Step};
use crate::actions::hedge_vault::abi::vault::HedgeVault;
use crate::actions::hedge_vault::abi::vault::IHedgeVault::Terms;
use crate::actions::one_market::model::OneMarketModel;
use crate::actions::risk_oracle::abi::registry::IModelRegistry::Update as Smoke;
use crate::actions::risk_oracle::abi::registry::ModelRegistry;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use file::{VaultFile, fee};
use standing::HedgeStanding;
use veriregime_core::types::chain_id::is_development;

/// A hedge's deployment, begun or not.
#[derive(Debug, Clone)]
pub struct HedgeDeployment {
    pub model: OneMarketModel,
    pub model_id: B256,
    pub verifier: Creation,
    pub registry: Creation,
    pub vault: Creation,
    /// Arguments of the registry.
    pub constructor: Constructor,
    pub owner: Address,
    pub fee_pips: u32,
    pub terms: Terms,
}

impl HedgeDeployment {
    /// Of a vault's file. The vault is `wallet`'s where the file names no owner.
    ///
    /// # Errors
    /// [`DeploymentError::TimelockTooShort`], [`DeploymentError::NoPool`], [`DeploymentError::RolesUnnamed`] where nobody owns
    /// the vault on a chain that is no development chain, or what the chain says.
    pub async fn new(
        file: &VaultFile,
        model: OneMarketModel,
        verifier_code: &Bytes,
        constructor: Constructor,
        (read, wallet): (&Reader, Address),
    ) -> Result<Self, DeploymentError> {
        let seconds = constructor.timelock_seconds;
        if seconds < MIN_TIMELOCK_SECONDS && read.chain_id() != super::ANVIL_CHAIN_ID {
            return Err(DeploymentError::TimelockTooShort { seconds, least: MIN_TIMELOCK_SECONDS });
        }
        if file.owner.is_none() && !is_development(read.chain_id()) {
            return Err(DeploymentError::RolesUnnamed(vec!["[vault] owner"]));
        }
        let owner = file.owner.unwrap_or(wallet);
        let fee_pips = file.pool_fee(read).await?;
        let verifier = code::verifier(verifier_code, model.verifier_code_hash);
        let registry = code::registry(&constructor);
        let vault = code::vault(&HedgeVault::constructorCall {
            owner_: owner,
            registry_: registry.address,
            factory: file.factory,
            wbtc_: file.wbtc,
            usdc_: file.usdc,
            feePips: fee(fee_pips),
        });
        let model_id = model.model_id(verifier.address);
        let terms = file.terms(model_id);
        Ok(Self { model, model_id, verifier, registry, vault, constructor, owner, fee_pips, terms })
    }

    /// Attestors that are wanted and that the registry does not have, now that it is there.
    ///
    /// # Errors
    /// What the chain says.
    pub async fn absent_attestors(&self, read: &Reader) -> Result<Vec<Address>, DeploymentError> {
        let mut absent = Vec::new();
        if !read.has_code(self.registry.address).await? {
            return Ok(absent);
        }
        let registry = ModelRegistry::new(self.registry.address, &read.provider);
        for attestor in &self.constructor.attestors {
            if !registry.isAttestor(*attestor).call().await.map_err(ChainError::from)? {
                absent.push(*attestor);
            }
        }
        Ok(absent)
    }

    /// In the order of their creation.
    pub fn contracts(&self) -> [&Creation; 3] {
        [&self.verifier, &self.registry, &self.vault]
    }

    fn steps(&self, standing: &HedgeStanding, wallet: Address) -> Vec<Step> {
        let created = self.contracts().into_iter().zip(standing.exists);
        let mut steps: Vec<Step> = created
            .filter(|(_, exists)| !exists)
            .map(|(creation, _)| Step {
                name: format!("create {}", creation.name),
                sender: wallet,
                to: CREATE2_DEPLOYER,
                data: creation.call(),
                needs_proof: false,
                ripe_at: None,
                blocked: None,
            })
            .collect();
        let is_incomplete = !steps.is_empty();
        let step = |name: &str, sender: Address, to: Address, data: Vec<u8>, after_others: bool| Step {
            name: name.to_owned(),
            sender,
            to,
            data: data.into(),
            needs_proof: false,
            ripe_at: None,
            blocked: if is_incomplete || after_others {
                Some(Blocked::Earlier)
            } else {
                (sender != wallet).then_some(Blocked::Sender)
            },
        };
        let model = &standing.model;
        let is_known = model.is_active || model.is_proposed();
        if !is_known {
            let spec = self.model.spec(self.verifier.address);
            let call = ModelRegistry::proposeModelCall { spec, overlapSeconds: U256::ZERO }.abi_encode();
            steps.push(step("propose the model", standing.registry_owner, self.registry.address, call, false));
        }
        if standing.terms.as_ref() != Some(&self.terms) {
            let call = HedgeVault::setTermsCall { next: self.terms.clone() }.abi_encode();
            steps.push(step("set the vault's terms", self.owner, self.vault.address, call, !is_known));
        }
        if !model.is_active {
            // Anyone may activate.
            let mut last = step("activate the model", wallet, self.registry.address, Vec::new(), !is_known);
            last.needs_proof = true;
            last.ripe_at = Some(model.ripe_at(self.constructor.timelock_seconds));
            last.blocked = last.blocked.or(model.unripe());
            steps.push(last);
        }
        steps
    }
}

impl Plan for HedgeDeployment {
    async fn missing(&self, read: &Reader, wallet: Address) -> Result<Vec<Step>, DeploymentError> {
        Ok(self.steps(&HedgeStanding::read(self, read).await?, wallet))
    }

    fn calldata(&self, step: &Step, smoke: Option<&Smoke>) -> Bytes {
        super::calldata(self.model_id, step, smoke)
    }
}
