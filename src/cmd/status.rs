//! `status`: what happened, what the chain says, what comes next.

use std::fmt::Write as _;
use std::path::Path;

use alloy::primitives::Address;
use clap::Args;
use serde_json::{Value, json};

use super::{report, setup};
use crate::api::view::status_word;
use crate::chain::abi::RiskOracle::{paramsReturn, pendingReturn};
use crate::chain::fault::ChainFault;
use crate::clock::Clock;
use crate::config::Config;
use crate::proof::bundle::Bundle;
use crate::schedule::next_tick_ms;
use crate::state::Store;
use crate::types::fault::Fault;
use crate::types::manifest::Market;
use crate::types::time::format_utc;

/// Options of `status`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent --config agent.toml status
  veriregime-agent --config agent.toml status --last 42 --json")]
pub struct StatusArgs {
    /// How many cycles to show.
    #[arg(long, default_value_t = 6, value_name = "N")]
    last: u32,
}

/// Prints the status. A chain that does not answer is a line of it, not an error.
///
/// # Errors
/// Settings, bundle or database that cannot be read.
pub async fn run(args: StatusArgs, settings: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let config = setup::settings(settings)?;
    let bundle = Bundle::open(&config.bundle)?;
    let records = Store::open(&config.state_path)?.recent(bundle.manifest_digest, args.last)?;
    let next = next_tick_ms(&config.schedule.cron, Clock::System.now_ms()).map(|tick| tick + config.schedule.delay_ms);
    let next = next.map_or_else(|| "never".into(), format_utc);
    let mut on_chain = Vec::new();
    for market in &bundle.manifest.markets {
        on_chain.push((market.name.clone(), market_status(&config, market).await));
    }
    if json {
        let markets: Vec<Value> = on_chain
            .into_iter()
            .map(|(name, status)| match status {
                Ok(read) => market_json(&name, &read),
                Err(fault) => json!({"market": name, "error": fault.to_string(), "code": fault.code()}),
            })
            .collect();
        let cycles: Vec<Value> = records.iter().map(report::cycle_json).collect();
        println!(
            "{}",
            json!({"model_id": bundle.manifest.model_id, "next": next, "cycles": cycles, "markets": markets})
        );
        return Ok(());
    }
    println!("model {}   next cycle {next}", bundle.manifest.model_id);
    let mut table = report::table(&["period", "start", "outcome", "candles", "proof", "gas", "why"]);
    for record in &records {
        table.add_row([
            record.period.to_string(),
            format_utc(record.period.start_ms()),
            record.stage.name().to_owned(),
            report::origin(record),
            record.prove_ms.map_or_else(String::new, |ms| format!("{ms} ms")),
            record.landed.map_or_else(String::new, |landed| landed.gas_used.to_string()),
            record.miss.as_ref().map_or_else(String::new, |miss| format!("{} {}", miss.code, miss.message)),
        ]);
    }
    println!("{table}");
    for (name, status) in on_chain {
        match status {
            Ok(read) => println!("{name}: {}", market_line(&read)),
            Err(fault) => println!("{name}: {} {fault}; {}", fault.code(), fault.advice()),
        }
    }
    Ok(())
}

/// What the contract says of a market.
struct Read {
    now: paramsReturn,
    next: pendingReturn,
}

async fn market_status(config: &Config, market: &Market) -> Result<Read, ChainFault> {
    let chain = setup::reader(config)?;
    chain.check_chain_id().await?;
    let oracle = config.chain.oracle.ok_or(ChainFault::NoContract(Address::ZERO))?;
    Ok(Read { now: chain.params(oracle, market.id()).await?, next: chain.pending(oracle, market.id()).await? })
}

fn age(read: &paramsReturn) -> &'static str {
    status_word(read.status)
}

fn market_line(read: &Read) -> String {
    let (params, next) = (&read.now.current, &read.next.next);
    let mut line = format!(
        "{}, of period {}; borrow ratio {}, liquidation ratio {}, AMM fee {}, borrow cap {}, P(High) {}, applied {}",
        age(&read.now),
        params.period,
        report::percent(params.borrowCollateralRatioBps.into()),
        report::percent(params.liquidationCollateralRatioBps.into()),
        report::pips_as_bps(params.ammFeePips.to()),
        report::percent(params.borrowCapFactorBps.into()),
        report::percent(params.probabilityHighBps.into()),
        report::percent(params.appliedProbabilityBps.into()),
    );
    if age(&read.now) == "fresh" && next.borrowCollateralRatioBps < params.borrowCollateralRatioBps {
        let _ = write!(
            line,
            "; from {} on: borrow ratio {}, AMM fee {}, borrow cap {}",
            format_utc(read.next.effectiveAt.saturating_to::<i64>().saturating_mul(1000)),
            report::percent(next.borrowCollateralRatioBps.into()),
            report::pips_as_bps(next.ammFeePips.to()),
            report::percent(next.borrowCapFactorBps.into()),
        );
    }
    line
}

fn market_json(name: &str, read: &Read) -> Value {
    let (params, next) = (&read.now.current, &read.next.next);
    json!({
        "market": name,
        "status": age(&read.now),
        "period": params.period.to::<u64>(),
        "borrow_collateral_ratio_bps": params.borrowCollateralRatioBps,
        "liquidation_collateral_ratio_bps": params.liquidationCollateralRatioBps,
        "amm_fee_pips": params.ammFeePips.to::<u64>(),
        "borrow_cap_factor_bps": params.borrowCapFactorBps,
        "prob_high_bps": params.probabilityHighBps,
        "applied_prob_bps": params.appliedProbabilityBps,
        "next": {
            "effective_at": read.next.effectiveAt.saturating_to::<u64>(),
            "liquidation_reached_at": read.next.liquidationReachedAt.saturating_to::<u64>(),
            "borrow_collateral_ratio_bps": next.borrowCollateralRatioBps,
            "liquidation_collateral_ratio_bps": next.liquidationCollateralRatioBps,
            "amm_fee_pips": next.ammFeePips.to::<u64>(),
            "borrow_cap_factor_bps": next.borrowCapFactorBps,
        },
    })
}
