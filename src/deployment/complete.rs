//! A deployment's steps, taken one after the other.

use alloy::primitives::B256;
use serde::Serialize;

use super::outbox::Outbox;
use super::{Deployment, Step};
use crate::actions::risk_oracle::abi::registry::IModelRegistry::Update as Smoke;
use crate::render::Render;

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
    deployment: &Deployment,
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
            deployment.expect_effect(read, wallet, &step).await?;
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
