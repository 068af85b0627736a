//! A deployment's steps, taken one after the other.

use std::future::Future;

use alloy::primitives::{Address, B256, Bytes};
use serde::Serialize;

use super::outbox::Outbox;
use super::{EFFECT_LOOKS, EFFECT_PAUSE, Step};
use crate::actions::risk_oracle::abi::registry::IModelRegistry::Update as Smoke;
use crate::chain::read::Reader;
use crate::deployment::error::DeploymentError;
use crate::render::Render;

/// What is to be on the chain in the end, and what is missing of it by what the chain shows.
pub trait Plan: Sync {
    /// What is missing, in order, for a wallet.
    ///
    /// # Errors
    /// [`DeploymentError::NoDeployer`], [`DeploymentError::ForeignCode`], or what the chain says.
    fn missing(
        &self,
        read: &Reader,
        wallet: Address,
    ) -> impl Future<Output = Result<Vec<Step>, DeploymentError>> + Send;

    /// What a step sends; one that needs a proof is made with `smoke`, the proof that activates the model.
    fn calldata(&self, step: &Step, smoke: Option<&Smoke>) -> Bytes;
}

/// A transaction that was mined.
#[derive(Debug, Serialize)]
pub struct Sent {
    /// Name of the step.
    pub name: String,
    pub hash: B256,
    pub gas_used: u64,
}

impl Render for Sent {
    fn text(&self) -> String {
        format!("  {}: {}, {} gas", self.name, self.hash, self.gas_used)
    }
}

/// Takes every step that can be taken, and returns those that cannot be taken yet. `smoke` is the proof for the step that
/// needs one; `begin` is done before the first transaction.
///
/// # Errors
/// What stops it; what was done stays done.
pub async fn complete(
    deployment: &impl Plan,
    outbox: &Outbox<'_>,
    smoke: Option<&Smoke>,
    begin: impl Fn() -> anyhow::Result<()>,
    said: &mut (dyn FnMut(Sent) + Send),
) -> anyhow::Result<Vec<Step>> {
    let (read, wallet) = (&outbox.chain.read, outbox.chain.address());
    let mut mined = 0;
    loop {
        let next = async {
            let mut steps = deployment.missing(read, wallet).await?;
            let Some(at) = steps.iter().position(|step| step.blocked.is_none()) else { return Ok((steps, None)) };
            if mined == 0 {
                begin()?;
            }
            let step = steps.swap_remove(at);
            let receipt = outbox.send(step.to, deployment.calldata(&step, smoke)).await?;
            expect_effect(deployment, read, wallet, &step).await?;
            let (hash, gas_used) = (receipt.transaction_hash, receipt.gas_used);
            anyhow::Ok((Vec::new(), Some(Sent { name: step.name, hash, gas_used })))
        };
        match next.await {
            Ok((steps, None)) => return Ok(steps),
            Ok((_, Some(sent))) => {
                said(sent);
                mined += 1;
            }
            Err(error) if mined > 0 => {
                return Err(error.context(format!("{mined} transactions of this run are mined and stay")));
            }
            Err(error) => return Err(error),
        }
    }
}

/// Waits until the chain shows what a step that was mined has done.
async fn expect_effect(
    deployment: &impl Plan,
    read: &Reader,
    wallet: Address,
    step: &Step,
) -> Result<(), DeploymentError> {
    for _ in 0..EFFECT_LOOKS {
        if !deployment.missing(read, wallet).await?.iter().any(|other| other.name == step.name) {
            return Ok(());
        }
        tokio::time::sleep(EFFECT_PAUSE).await;
    }
    Err(DeploymentError::WithoutEffect(step.name.clone()))
}
