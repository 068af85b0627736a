//! `daemon`: a cycle at every tick, until stopped.

use std::path::Path;

use clap::Args;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::EXIT_DONE;
use super::signals::stop_on_signal;
use crate::actions::error::ActionError;
use crate::chain::error::ChainError;
use crate::config;
use crate::job::Agent;
use crate::job::error::StageError;
use crate::job::timer;
use crate::job::timer::ScheduleConfig;
use crate::node::reload::Reload;
use crate::node::services::Services;
use crate::node::{assemble, replay};
use crate::state::Store;
use crate::state::lock::CycleLock;
use veriregime_core::types::diagnostic::Diagnostic;

/// Options of `daemon`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent --config agent.toml daemon
  VERIREGIME__CHAIN__RPC_URL=http://node:8545 veriregime-agent daemon

SIGHUP reads the settings again: what can change without harm does. SIGTERM and SIGINT stop it at once and cleanly. Whatever was stored is taken up again at the next start, also after
kill -9: nothing is submitted twice.")]
pub struct DaemonArgs {}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// What keeps it from starting, or a database that fails.
pub async fn run(_args: DaemonArgs, settings: Option<&Path>) -> anyhow::Result<u8> {
    let running = config::read(settings)?;
    let config = assemble::checked(running.clone())?;
    let stop = CancellationToken::new();
    let _cycles_are_ours = CycleLock::take(&config.state_path)?;
    let clock = replay::clock(&config, &stop).await?;
    let store = Store::open(&config.state_path)?;
    let mut agent = assemble::agent(&config, clock, store).await?;
    check_chain(&agent).await?;
    agent.evidence.tidy()?;
    let rhythm = ScheduleConfig {
        schedule: config.schedule.cron.clone(),
        delay_ms: config.schedule.delay_ms,
        recheck: config.schedule.recheck,
    };
    let _signals = stop_on_signal(stop.clone())?;
    info!(
        model = agent.bundle.manifest.model_id,
        manifest = %agent.manifest(),
        wallet = %agent.chain.address(),
        attestor = %agent.chain.attestor(),
        oracle = %agent.action.contract(),
        replica = agent.replica.index,
        replicas = agent.replica.count,
        "agent started"
    );
    let services = Services::start(&config, &agent, &stop).await?;
    let reload = Reload { file: settings.map(Path::to_owned), running, fees: agent.chain.read.fees().clone() };
    let outcome = tokio::select! {
        outcome = timer::run(&mut agent, &rhythm, &stop) => outcome,
        Err(error) = reload.run(&services) => return Err(error),
    };
    stop.cancel();
    agent.prover.stop().await;
    services.ended().await;
    outcome?;
    Ok(EXIT_DONE)
}

/// Refuses to start on the wrong chain or contract, or with a key that is no attestor's. A
/// chain that does not answer may come up later.
async fn check_chain(agent: &Agent) -> Result<(), StageError> {
    let checked = async {
        agent.chain.read.check_chain_id().await?;
        agent.action.model_id(&agent.chain.read).await?;
        agent.attestor_set().await?;
        Ok::<_, StageError>(())
    };
    match checked.await {
        Ok(()) => {}
        Err(StageError::Action(ActionError::Chain(
            fault @ (ChainError::Unreachable(_) | ChainError::Refused(_) | ChainError::Garbage(_)),
        ))) => {
            warn!(code = fault.code(), error = %fault, hint = fault.hint(), "starting without the chain");
            return Ok(());
        }
        Err(fault) => return Err(fault),
    }
    if let Err(fault) = agent.ensure_exclusive_wallet().await {
        // No reason not to start: the time until the first signature counts as silence.
        warn!(code = fault.code(), error = %fault, hint = fault.hint(), "looking out for a twin");
    }
    Ok(())
}
