//! What the chain shows of a hedge.

use alloy::primitives::Address;
use alloy::providers::Provider;

use super::HedgeDeployment;
use crate::actions::hedge_vault::abi::vault::HedgeVault;
use crate::actions::hedge_vault::abi::vault::IHedgeVault::Terms;
use crate::actions::risk_oracle::abi::registry::ModelRegistry;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use crate::deployment::code::CREATE2_DEPLOYER;
use crate::deployment::error::DeploymentError;
use crate::deployment::one_model::ModelStanding;

/// How a hedge's deployment stands.
#[derive(Debug)]
pub(super) struct HedgeStanding {
    /// Whether verifier, registry and vault are there, their code what was compiled.
    pub(super) exists: [bool; 3],
    pub(super) registry_owner: Address,
    pub(super) model: ModelStanding,
    /// The vault's, where it is there.
    pub(super) terms: Option<Terms>,
}

impl HedgeStanding {
    pub(super) async fn read(deployment: &HedgeDeployment, read: &Reader) -> Result<Self, DeploymentError> {
        if !read.has_code(CREATE2_DEPLOYER).await? {
            return Err(DeploymentError::NoDeployer(CREATE2_DEPLOYER));
        }
        let mut exists = [false; 3];
        for (exists, creation) in exists.iter_mut().zip(deployment.contracts()) {
            let code = read.provider.get_code_at(creation.address).await.map_err(ChainError::from)?;
            if !code.is_empty() {
                creation.verified(&code)?;
                *exists = true;
            }
        }
        let [_, has_registry, has_vault] = exists;
        let now = read.next_block_seconds().await?;
        let mut standing = Self {
            exists,
            registry_owner: deployment.constructor.owner,
            model: ModelStanding::absent(now),
            terms: None,
        };
        if has_registry {
            let registry = ModelRegistry::new(deployment.registry.address, &read.provider);
            standing.registry_owner = registry.owner().call().await.map_err(ChainError::from)?;
            standing.model = ModelStanding::read(read, deployment.registry.address, deployment.model_id, now).await?;
        }
        if has_vault {
            let vault = HedgeVault::new(deployment.vault.address, &read.provider);
            standing.terms = Some(vault.terms().call().await.map_err(ChainError::from)?);
        }
        Ok(standing)
    }
}
