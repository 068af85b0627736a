//! `deploy/<chain-id>.json`: what stands where. Nothing in it is secret; it belongs into version control.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use alloy::primitives::{Address, B256};
use serde::{Deserialize, Serialize};

use crate::chain::read::Reader;
use crate::deployment::code::{CREATE2_DEPLOYER, Compiler, SALT};
use crate::deployment::error::DeploymentError;
use crate::deployment::roles::RoleHolders;
use crate::deployment::{Constructor, Deployment};
use veriregime_core::types::digest::Digest;

const MAX_RECORD_BYTES: u64 = 1 << 20;
const ORACLE: &str = "RiskOracle";

/// What a deployment left behind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub chain_id: u64,
    pub create2_deployer: Address,
    pub salt: B256,
    pub contracts: BTreeMap<String, Contract>,
    /// The oracle's arguments; the next run takes them from here.
    pub constructor: Constructor,
    /// Who owns markets that are registered.
    pub market_owner: Address,
    /// Who had which rights when it was written.
    pub roles: RoleHolders,
    /// Id on chain of the model that was deployed last.
    pub model_id: B256,
    /// Digest of its manifest.
    pub manifest_sha256: Digest,
    /// The registry's and the oracle's compiler; the verifier has the same.
    pub compiler: Compiler,
}

/// A contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    pub address: Address,
    /// keccak-256 of its code, compared with what was compiled; `None` while it is not there.
    pub code_hash: Option<B256>,
}

impl Record {
    /// The file for a chain.
    pub fn path(folder: &Path, chain_id: u64) -> PathBuf {
        folder.join(format!("{chain_id}.json"))
    }

    /// The record of an earlier run, `None` if there was none.
    ///
    /// # Errors
    /// [`DeploymentError::BadRecord`].
    pub fn read(path: &Path) -> Result<Option<Self>, DeploymentError> {
        if !path.exists() {
            return Ok(None);
        }
        let bad = |reason: String| DeploymentError::BadRecord { path: path.to_owned(), reason };
        let bytes = veriregime_files::read_bounded(path, MAX_RECORD_BYTES).map_err(|fault| bad(fault.to_string()))?;
        serde_json::from_slice(&bytes).map(Some).map_err(|error| bad(error.to_string()))
    }

    /// Of a deployment, with the code hashes that are known, and the roles.
    pub fn of(deployment: &Deployment, chain_id: u64, code_hashes: &[Option<B256>], roles: RoleHolders) -> Self {
        let contracts = deployment.contracts.all().into_iter().zip(code_hashes);
        Self {
            chain_id,
            create2_deployer: CREATE2_DEPLOYER,
            salt: SALT,
            contracts: contracts
                .map(|(creation, code_hash)| {
                    (creation.name.to_owned(), Contract { address: creation.address, code_hash: *code_hash })
                })
                .collect(),
            constructor: deployment.wanted.constructor.clone(),
            market_owner: deployment.wanted.market_owner,
            roles,
            model_id: deployment.model_id,
            manifest_sha256: deployment.wanted.expected.manifest,
            compiler: deployment.contracts.compiler.clone(),
        }
    }

    /// Whether its oracle is on the chain. A record of one that never came to be binds nobody.
    ///
    /// # Errors
    /// [`DeploymentError::BadRecord`], or what the chain says.
    pub async fn binds(&self, path: &Path, read: &Reader) -> Result<bool, DeploymentError> {
        let oracle = self.oracle(path)?;
        Ok(oracle.code_hash.is_some() || read.has_code(oracle.address).await?)
    }

    /// Refuses to go on with another oracle than the recorded one.
    ///
    /// # Errors
    /// [`DeploymentError::OtherDeployment`] or [`DeploymentError::BadRecord`].
    pub fn check(&self, path: &Path, deployment: &Deployment) -> Result<(), DeploymentError> {
        let (recorded, derived) = (self.oracle(path)?.address, deployment.contracts.oracle.address);
        if recorded == derived {
            return Ok(());
        }
        let arguments = self.constructor.differences(&deployment.wanted.constructor);
        Err(DeploymentError::OtherDeployment { path: path.to_owned(), recorded, derived, arguments })
    }

    /// The recorded oracle.
    ///
    /// # Errors
    /// [`DeploymentError::BadRecord`].
    pub fn oracle(&self, path: &Path) -> Result<&Contract, DeploymentError> {
        let absent = || DeploymentError::BadRecord { path: path.to_owned(), reason: format!("no {ORACLE}") };
        self.contracts.get(ORACLE).ok_or_else(absent)
    }

    /// Whether the oracle has been seen on the chain.
    pub fn has_oracle(&self) -> bool {
        self.contracts.get(ORACLE).is_some_and(|oracle| oracle.code_hash.is_some())
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        if let Some(folder) = path.parent() {
            veriregime_files::create_folder(folder)?;
        }
        Ok(veriregime_files::write_atomic(path, &json)?)
    }
}
