//! `admin`: the rights of a contract's owner and guardian, used with the wallet's key or handed to whoever has them.

use std::path::Path;

use alloy::primitives::{Address, B256};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::deploy::Sent;
use super::rehearsal::Outlook;
use super::{EXIT_DONE, EXIT_UNFINISHED};
use crate::actions::risk_oracle::admin::{Announced, MarketId, Operation, Roles};
use crate::chain::Chain;
use crate::chain::read::Reader;
use crate::cmd::deploy::render::{moment, step_json, steps};
use crate::config::Config;
use crate::deployment::error::DeploymentError;
use crate::deployment::outbox::Outbox;
use crate::deployment::{EFFECT_LOOKS, EFFECT_PAUSE, Step, trials};
use crate::node::assemble;
use crate::render::layout::Table;
use veriregime_core::types::address;
use veriregime_core::types::period::PeriodId;

/// The contract's longest pause.
const MAX_PAUSE_HOURS: u64 = 7 * 24;
const HOUR_SECONDS: u64 = 3_600;

/// Options of `admin`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent --config agent.toml admin show
  veriregime-agent --config agent.toml admin set-attestors 0xA… 0xB… --threshold 2
  veriregime-agent --config agent.toml admin set-guardian 0xG… --dry-run      address and calldata for a multisig; needs no key
  veriregime-agent --config agent.toml admin pause BTC-USD --hours 24
  veriregime-agent --config agent.toml admin veto 0x<operation of `admin show`>

What the owner does is announced first and waits for the timelock: run the same command again when it says so. It is tried out
to the end before it is announced. Where the right is another account's than the wallet's, what that account must send is printed.
Policies are changed by `deploy --policy`, models by `deploy`. A pause ends by itself and cannot be ended before.
Exit status: 0 done, 1 error, 3 something is still to be sent: by the timelock later, or by another account; it says which.")]
pub struct AdminArgs {
    /// Say who must send what, with address and calldata; send nothing. Needs no key.
    #[arg(long, global = true)]
    dry_run: bool,
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
        /// For how long; a week at most, and not again for a week after.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_PAUSE_HOURS))]
        hours: u64,
    },
    /// Withhold what was and will be submitted for a period and those before it. The guardian's.
    DisablePeriod {
        /// Name of the market, such as BTC-USD, or its id.
        #[arg(value_name = "MARKET")]
        market: MarketId,
        /// The last period that is withheld.
        #[arg(value_name = "PERIOD")]
        period: u64,
    },
    /// Refuse an announced call. The guardian's.
    #[command(visible_alias = "cancel")]
    Veto {
        /// The operation, as `admin show` names it.
        #[arg(value_name = "OPERATION")]
        operation: B256,
    },
    /// Refuse a proposed model. The guardian's.
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
pub async fn run(args: AdminArgs, settings: Option<&Path>, json: bool) -> anyhow::Result<u8> {
    let config = assemble::settings(settings)?;
    let (oracle, read) = (assemble::oracle(&config)?, assemble::reader(&config)?);
    read.check_chain_id().await.map_err(DeploymentError::from)?;
    let roles = read.roles(oracle).await.map_err(DeploymentError::from)?;
    let Some(operation) = args.command.operation(&roles) else {
        return show(&read, oracle, &roles, json).await;
    };
    let office = Office { config: &config, read: &read, oracle, operation: &operation };
    if args.dry_run {
        return office.plan(json).await;
    }
    let chain = assemble::deployer(&config).await?;
    office.act(&chain, json).await
}

impl AdminCommand {
    /// What is to be done; nothing where only something is to be shown.
    fn operation(self, roles: &Roles) -> Option<Operation> {
        Some(match self {
            Self::Show => return None,
            Self::SetAttestors { mut attestors, threshold } => {
                attestors.sort_unstable();
                Operation::SetAttestors { attestors, threshold }
            }
            Self::SetGuardian { guardian } => Operation::SetGuardian { guardian },
            Self::HandOver { new_owner } => Operation::HandOver { new_owner },
            Self::Pause { market, hours } => {
                let until_seconds = roles.now_seconds.saturating_add(hours.saturating_mul(HOUR_SECONDS));
                Operation::Pause { market, until_seconds }
            }
            Self::DisablePeriod { market, period } => Operation::DisablePeriod { market, period: PeriodId(period) },
            Self::Veto { operation } => Operation::Veto { operation },
            Self::VetoModel { model_id } => Operation::VetoModel { model_id },
            Self::EndModel { model_id } => Operation::EndModel { model_id },
        })
    }
}

/// One use of a right.
struct Office<'a> {
    config: &'a Config,
    read: &'a Reader,
    oracle: Address,
    operation: &'a Operation,
}

impl Office<'_> {
    /// What is missing, all of which would go through.
    async fn missing(&self, wallet: Option<Address>) -> anyhow::Result<(Vec<Step>, Outlook)> {
        let missing = self.standing(wallet).await?;
        let trials = trials(&missing, |step| step.data.clone());
        let wallet = wallet.unwrap_or_default();
        let outlook = Outlook::of(self.config, self.read, wallet, &trials).await?;
        Ok((missing, outlook))
    }

    async fn standing(&self, wallet: Option<Address>) -> Result<Vec<Step>, DeploymentError> {
        let roles = self.read.roles(self.oracle).await?;
        let sender = self.operation.sender(&roles, wallet);
        let standing = self.read.standing(self.oracle, self.operation, sender).await?;
        Ok(self.operation.steps(self.oracle, &roles, &standing, wallet))
    }

    /// What is missing once the chain shows the announcement that was just mined.
    async fn standing_after(&self, announcement: &Step, chain: &Chain) -> Result<Vec<Step>, DeploymentError> {
        for _ in 0..EFFECT_LOOKS {
            let missing = self.standing(Some(chain.address())).await?;
            if missing.first().is_none_or(|first| first.name != announcement.name) {
                return Ok(missing);
            }
            tokio::time::sleep(EFFECT_PAUSE).await;
        }
        Err(DeploymentError::WithoutEffect(announcement.name.clone()))
    }

    async fn plan(&self, json: bool) -> anyhow::Result<u8> {
        let (missing, outlook) = self.missing(None).await?;
        self.say(&[], &missing, &outlook, json);
        Ok(EXIT_UNFINISHED)
    }

    /// Sends what the wallet may send now.
    async fn act(&self, chain: &Chain, json: bool) -> anyhow::Result<u8> {
        let (mut missing, outlook) = self.missing(Some(chain.address())).await?;
        if missing.iter().any(|step| step.blocked.is_none()) {
            outlook.check_funds()?;
        }
        if let Some(lines) = outlook.lines().filter(|_| !json) {
            println!("{lines}");
        }
        let (outbox, mut sent) = (Outbox::of_node(chain, self.config), Vec::new());
        while let Some(step) = missing.first().filter(|step| step.blocked.is_none()) {
            let receipt = outbox.send(step.to, step.data.clone()).await?;
            let (name, hash) = (step.name.clone(), receipt.transaction_hash);
            sent.push(Sent { name, hash, gas_used: receipt.gas_used });
            missing = if missing.len() == 1 { Vec::new() } else { self.standing_after(&missing[0], chain).await? };
        }
        self.say(&sent, &missing, &outlook, json);
        Ok(if missing.is_empty() { EXIT_DONE } else { EXIT_UNFINISHED })
    }

    fn say(&self, sent: &[Sent], missing: &[Step], outlook: &Outlook, json: bool) {
        let ready_at = missing.first().and_then(|step| step.ripe_at);
        if json {
            let sent: Vec<Value> =
                sent.iter().map(|one| json!({"name": one.name, "hash": one.hash, "gas_used": one.gas_used})).collect();
            let missing: Vec<Value> = missing.iter().map(step_json).collect();
            let cost = (!outlook.wallet.is_zero()).then(|| outlook.json());
            println!(
                "{}",
                json!({"oracle": self.oracle, "operation": self.operation.name(), "sent": sent, "missing": missing, "cost": cost})
            );
            return;
        }
        for one in sent {
            println!("  {}: {}, {} gas", one.name, one.hash, one.gas_used);
        }
        if missing.is_empty() {
            println!("Done: {}.", self.operation.name());
            return;
        }
        println!("Still to be sent:");
        steps(missing, outlook);
        if let Some(ready_at) = ready_at.filter(|_| !sent.is_empty()) {
            println!("Run the same command again after {}.", moment(ready_at));
        }
    }
}

async fn show(read: &Reader, oracle: Address, roles: &Roles, json: bool) -> anyhow::Result<u8> {
    let announced = read.announced(oracle, roles).await.map_err(DeploymentError::from)?;
    if json {
        println!("{}", json!({"oracle": oracle, "roles": roles, "announced": announced}));
        return Ok(EXIT_DONE);
    }
    println!("oracle    {oracle}");
    println!("owner     {}", roles.owner);
    println!("guardian  {}", roles.guardian);
    println!("timelock  {} h", roles.timelock_seconds / HOUR_SECONDS);
    println!("attestors set {}, {} must sign", roles.attestor_set_version, roles.threshold);
    if announced.is_empty() {
        println!("Nothing is announced.");
        return Ok(EXIT_DONE);
    }
    let mut table = Table::new(&["announced", "by", "from", "id"]);
    for Announced { what, caller, id, ready_at, .. } in announced {
        let caller = caller.map_or_else(String::new, |caller| caller.to_string());
        table.add_row([what, caller, moment(ready_at), id.to_string()]);
    }
    println!("{table}\n`admin veto ID` refuses a call, `admin veto-model ID` a model.");
    Ok(EXIT_DONE)
}
