//! `tx list`, `tx bump` and `tx cancel`: the wallets' transactions, by hand.

use clap::{Args, Subcommand};

use super::selection::Selection;
use super::{EXIT_DONE, EXIT_FAILED, print, report};
use crate::operator::transactions::Wallets;
use veriregime_core::types::cycle::Purpose;

/// Subcommands of `tx`.
#[derive(Debug, Subcommand)]
pub enum TxCommand {
    /// Show the transactions that were signed, and where each stands.
    #[command(after_help = "Examples:
  veriregime-agent --config agent.toml tx list
  veriregime-agent --config agent.toml --json tx list --last 50
  veriregime-agent --config agent.toml tx list --job btc-on-base    those of one job of several

waiting: not mined; outbid: a dearer one with its nonce waits; mined, reverted: in that block; replaced: another transaction
with its nonce was mined; unknown: the chain does not answer.")]
    List(ListArgs),
    /// Replace each waiting transaction by a dearer one now.
    #[command(after_help = "Examples:
  veriregime-agent --config agent.toml tx bump
  veriregime-agent --config agent.toml tx bump --job btc-on-base    that of one job of several

Signs what the waiting transaction says once more with its nonce, offers at least an eighth more (up to
chain.max_fee_per_gas_gwei), stores it, and sends it to every RPC. Only one of the two can be mined. Safe beside a running
daemon: both write under SQLite's lock, the later one is refused if it does not outbid the other (VR-STATE-007), and the
daemon goes on with whatever is stored.")]
    Bump,
    /// Cancel each waiting transaction: its update will not land, and the period is missed.
    #[command(after_help = "Examples:
  veriregime-agent --config agent.toml tx cancel --job btc-on-base
  veriregime-agent --config agent.toml tx cancel                      those of all jobs

Signs a payment of nothing to the wallet itself with the waiting transaction's nonce (up to
chain.max_cancel_fee_per_gas_gwei), stores it, and sends it to every RPC. If the update is mined first after all, it counts.
Safe beside a running daemon, which watches the cancellation, raises it if it is not mined, and signs no update for the
period any more.")]
    Cancel,
}

/// Options of `tx list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// How many transactions to show.
    #[arg(long, default_value_t = 12, value_name = "N")]
    last: u32,
}

/// Runs the subcommand.
///
/// # Errors
/// Settings, key or database that cannot be read, or nothing that waits.
pub async fn run(command: TxCommand, settings: Selection<'_>, json: bool) -> anyhow::Result<u8> {
    let wallets = Wallets::open(&settings.node()?, settings.job).await?;
    let purpose = match command {
        TxCommand::List(args) => {
            print::output(json, &wallets.list(args.last).await?);
            return Ok(EXIT_DONE);
        }
        TxCommand::Bump => Purpose::Action,
        TxCommand::Cancel => Purpose::Cancel,
    };
    let replaced = wallets.replace(purpose).await?;
    print::output(json, &replaced);
    for (job, error) in &replaced.failed {
        report::say(error, std::slice::from_ref(job));
    }
    Ok(if replaced.failed.is_empty() { EXIT_DONE } else { EXIT_FAILED })
}
