//! `admin`: the rights of a contract's owner and guardian, used with the wallet's key or handed to whoever has them.

use alloy::primitives::{Address, B256};
use clap::{Args, Subcommand};

use super::selection::Selection;
use super::{EXIT_DONE, EXIT_UNFINISHED, print};
use crate::bundle::Bundle;
use crate::chain::Chain;
use crate::config::Config;
use crate::deployment::admin::{MarketId, Operation, Proposal, Roles};
use crate::deployment::code;
use crate::deployment::error::DeploymentError;
use crate::deployment::outbox::Outbox;
use crate::deployment::overlap_seconds;
use crate::deployment::request::{OVERLAP_PERIODS, verifier_code};
use crate::deployment::rights::{Outcome, Rights, Use};
use crate::deployment::trials;
use crate::devnet::rehearsal;
use crate::node::assemble;
use veriregime_core::types::address;

/// The contract's longest pause.
const MAX_PAUSE_HOURS: u64 = 7 * 24;
const HOUR_SECONDS: u64 = 3_600;

/// Options of `admin`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent --config agent.toml admin show
  veriregime-agent --config agent.toml admin set-attestors 0xA… 0xB… --threshold 2
  veriregime-agent --config agent.toml admin set-guardian 0xG… --dry-run      address and calldata for a multisig; needs no key
  veriregime-agent --config agent.toml admin set-market-owner BTC-USD 0xM…
  veriregime-agent --config agent.toml admin pause BTC-USD --hours 24
  veriregime-agent --config agent.toml admin veto 0x<operation of `admin show`>

What the owner does is announced first and waits for the timelock: run the same command again when it says so. It is tried out
to the end before it is announced. Where the right is another account's than the wallet's, what that account must send is printed.
Policies are changed by `deploy --policy`, models are made active by `deploy`. A pause ends by itself, or at once by `pause --hours 0`. Models and
attestors are the registry's: with --registry the other rights are used there, too.
Exit status: 0 done, 1 error, 3 something is still to be sent: by the timelock later, or by another account; it says which.")]
pub struct AdminArgs {
    /// Say who must send what, with address and calldata; send nothing. Needs no key.
    #[arg(long, global = true)]
    dry_run: bool,
    /// Use the right at the registry of models and attestors instead of at the oracle.
    #[arg(long, global = true)]
    registry: bool,
    #[command(subcommand)]
    command: AdminCommand,
}

/// Subcommands of `admin`.
#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Show who has which rights, and what is announced.
    Show,
    /// Replace the attestors. The owner's, through the timelock.
    SetAttestors {
        /// All attestors of the new set.
        #[arg(required = true, value_name = "ADDRESS", value_parser = address::parse)]
        attestors: Vec<Address>,
        /// How many of their signatures an update needs.
        #[arg(long, value_name = "N")]
        threshold: u8,
    },
    /// Replace the guardian. The owner's, through the timelock.
    SetGuardian {
        /// The new guardian.
        #[arg(value_name = "ADDRESS", value_parser = address::parse)]
        guardian: Address,
    },
    /// Replace a market's owner. The oracle's owner's, through the timelock.
    SetMarketOwner {
        /// Name of the market, such as BTC-USD, or its id.
        #[arg(value_name = "MARKET")]
        market: MarketId,
        /// The new owner.
        #[arg(value_name = "ADDRESS", value_parser = address::parse)]
        owner: Address,
    },
    /// Replace the feed that says whether the L2's sequencer is up. The oracle's owner's, through the timelock.
    SetSequencerFeed {
        /// Chainlink's sequencer uptime feed; the zero address for none.
        #[arg(value_name = "ADDRESS", value_parser = address::parse)]
        feed: Address,
    },
    /// Propose the bundle's model. The registry's owner's; once it is ripe, `deploy` activates it, and so may anyone.
    ProposeModel {
        /// Periods for which the models that it replaces stay accepted.
        #[arg(long, value_name = "N", default_value_t = OVERLAP_PERIODS)]
        overlap_periods: u16,
    },
    /// Make another account the owner, which has to ask for it first. The owner's, through the timelock.
    HandOver {
        /// The new owner.
        #[arg(value_name = "ADDRESS", value_parser = address::parse)]
        new_owner: Address,
    },
    /// Withhold a market's parameters for a while: readers get the cautious ones. The guardian's.
    Pause {
        /// Name of the market, such as BTC-USD, or its id.
        #[arg(value_name = "MARKET")]
        market: MarketId,
        /// For how long, 0 to end a pause. A market has a week of it; each hour without a pause gives back an hour.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=MAX_PAUSE_HOURS))]
        hours: u64,
    },
    /// Refuse an announced call. The guardian's.
    #[command(visible_alias = "cancel")]
    Veto {
        /// The operation, as `admin show` names it.
        #[arg(value_name = "OPERATION")]
        operation: B256,
    },
    /// Withdraw a proposed model. The registry's owner's and guardian's.
    #[command(visible_alias = "withdraw-model")]
    VetoModel {
        /// The model's id on chain.
        #[arg(value_name = "MODEL")]
        model_id: B256,
    },
    /// End a model at once: no update of it is accepted any more. The owner's and the guardian's.
    EndModel {
        /// The model's id on chain.
        #[arg(value_name = "MODEL")]
        model_id: B256,
    },
}

/// Does what is asked for as far as it goes, and says what is left.
///
/// # Errors
/// What the contract would refuse, before anything is sent; what keeps it from being sent.
pub async fn run(args: AdminArgs, settings: Selection<'_>, json: bool) -> anyhow::Result<u8> {
    let config = settings.one()?;
    let (oracle, read) = (assemble::oracle(&config)?, assemble::reader(&config)?);
    read.check_chain_id().await.map_err(DeploymentError::from)?;
    let registry = read.registry_of(oracle).await.map_err(DeploymentError::from)?;
    let asked = if args.registry { registry } else { oracle };
    let roles = read.roles(asked, registry).await.map_err(DeploymentError::from)?;
    let Some(operation) = args.command.operation(&config, &roles)? else {
        let announced = read.announced(oracle, registry, &roles).await.map_err(DeploymentError::from)?;
        print::output(json, &Rights { oracle, roles, announced });
        return Ok(EXIT_DONE);
    };
    let chain = if args.dry_run { None } else { Some(assemble::deployer(&config).await?) };
    let wallet = chain.as_ref().map(Chain::address);
    let contract = match &operation {
        operation if operation.is_of_the_registry() => registry,
        operation if operation.is_of_the_oracle() => oracle,
        _ => asked,
    };
    let right = Use { read: &read, contract, registry, operation: &operation };
    let mut missing = right.missing(wallet).await?;
    let trials = trials(&missing, |step| step.data.clone());
    let outlook = rehearsal::outlook(&config, &read, wallet.unwrap_or_default(), &trials).await?;
    let mut sent = Vec::new();
    if let Some(chain) = &chain {
        if missing.iter().any(|step| step.blocked.is_none()) {
            outlook.check_funds()?;
        }
        if let Some(lines) = outlook.lines().filter(|_| !json) {
            println!("{lines}");
        }
        (sent, missing) = right.act(&Outbox::of_node(chain, &config), missing).await?;
    }
    let is_done = chain.is_some() && missing.is_empty();
    print::output(json, &Outcome { oracle, operation: operation.name(), sent, missing, outlook });
    Ok(if is_done { EXIT_DONE } else { EXIT_UNFINISHED })
}

impl AdminCommand {
    /// What is to be done; nothing where only something is to be shown.
    fn operation(self, config: &Config, roles: &Roles) -> anyhow::Result<Option<Operation>> {
        Ok(Some(match self {
            Self::Show => return Ok(None),
            Self::SetAttestors { mut attestors, threshold } => {
                attestors.sort_unstable();
                Operation::SetAttestors { attestors, threshold }
            }
            Self::SetGuardian { guardian } => Operation::SetGuardian { guardian },
            Self::SetMarketOwner { market, owner } => Operation::SetMarketOwner { market, owner },
            Self::SetSequencerFeed { feed } => Operation::SetSequencerFeed { feed },
            Self::ProposeModel { overlap_periods } => Operation::ProposeModel(proposal(config, overlap_periods)?),
            Self::HandOver { new_owner } => Operation::HandOver { new_owner },
            Self::Pause { market, hours } => {
                let until_seconds = roles.now_seconds.saturating_add(hours.saturating_mul(HOUR_SECONDS));
                Operation::Pause { market, until_seconds }
            }
            Self::Veto { operation } => Operation::Veto { operation },
            Self::VetoModel { model_id } => Operation::VetoModel { model_id },
            Self::EndModel { model_id } => Operation::EndModel { model_id },
        }))
    }
}

/// The configured bundle's model, as it is proposed.
fn proposal(config: &Config, overlap_periods: u16) -> anyhow::Result<Box<Proposal>> {
    let bundle = Bundle::open(&config.bundle)?;
    let expected = assemble::expected(&bundle, config.prover.kind.way())?;
    let verifier = code::verifier(&verifier_code(&bundle, expected.way)?, expected.verifier_code_hash);
    Ok(Box::new(Proposal {
        model_id: expected.model_id(verifier.address),
        spec: expected.spec(verifier.address),
        overlap_seconds: overlap_seconds(overlap_periods, expected.grid),
        verifier: verifier.call(),
    }))
}
