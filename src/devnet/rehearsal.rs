//! Transactions tried out before the first of them is sent: by the RPC, or on a copy of its chain where it cannot.

use alloy::primitives::Address;
use tokio_util::sync::CancellationToken;

use super::{Anvil, foundry, relayed};
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use crate::chain::rehearsal::{Outcome, Trial};
use crate::config::Config;
use crate::deployment::Step;
use crate::deployment::error::DeploymentError;
use crate::deployment::outlook::Outlook;
use crate::diagnosis;
use crate::node::assemble;

/// What steps come to when they are taken in that order, those of `wallet` and of others.
///
/// # Errors
/// [`DeploymentError::Refused`] with the first that would not go through, [`DeploymentError::Untried`], or what the chain says.
pub async fn outlook(
    config: &Config,
    reader: &Reader,
    wallet: Address,
    trials: &[(&Step, Trial)],
) -> anyhow::Result<Outlook> {
    let row: Vec<Trial> = trials.iter().map(|(_, trial)| trial.clone()).collect();
    let outcomes = try_out(config, reader, &row).await?;
    Ok(Outlook::of(reader, wallet, trials, outcomes).await?)
}

async fn try_out(config: &Config, reader: &Reader, trials: &[Trial]) -> Result<Vec<Outcome>, DeploymentError> {
    match reader.try_out(trials).await {
        Err(refusal @ (ChainError::Refused(_) | ChainError::Garbage(_))) => {
            let copied = on_a_copy(config, trials).await;
            copied.map_err(|error| {
                DeploymentError::Untried(format!("{refusal}, and on a copy of the chain: {}", diagnosis::words(&error)))
            })
        }
        outcome => Ok(outcome?),
    }
}

async fn on_a_copy(config: &Config, trials: &[Trial]) -> anyhow::Result<Vec<Outcome>> {
    let stop = CancellationToken::new();
    let _stopped_at_the_end = stop.clone().drop_guard();
    let fork = Anvil::fork(&foundry("anvil"), &relayed(config, stop).await?, None).await?;
    Ok(assemble::reader(&fork.settings(config))?.try_out(trials).await?)
}
