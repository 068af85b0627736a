//! `status`: what happened, what the chain says, what comes next.

use std::path::Path;

use alloy::primitives::Address;
use clap::Args;
use serde_json::{Value, json};

use super::{report, setup};
use crate::chain::abi::RiskOracle::paramsReturn;
use crate::chain::fault::ChainFault;
use crate::clock::Clock;
use crate::config::Config;
use crate::cycle::schedule::next_tick_ms;
use crate::proof::bundle::Bundle;
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
    let mut table = report::table(&["period", "start", "outcome", "proof", "gas", "why"]);
    for record in &records {
        table.add_row([
            record.period.to_string(),
            format_utc(record.period.start_ms()),
            record.stage.name().to_owned(),
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

async fn market_status(config: &Config, market: &Market) -> Result<paramsReturn, ChainFault> {
    let chain = setup::reader(config)?;
    chain.check_chain_id().await?;
    let oracle = config.chain.oracle.ok_or(ChainFault::NoContract(Address::ZERO))?;
    chain.params(oracle, market.id()).await
}

/// The contract's `Status` in words.
fn age(read: &paramsReturn) -> &'static str {
    match read.status {
        0 => "unset",
        1 => "fresh",
        2 => "overdue",
        _ => "stale",
    }
}

fn market_line(read: &paramsReturn) -> String {
    let params = &read.current;
    format!(
        "{}, of period {}; borrow ratio {}, liquidation ratio {}, AMM fee {}, borrow cap {}, P(High) {}",
        age(read),
        params.period,
        report::percent(params.borrowCollateralRatioBps.to()),
        report::percent(params.liquidationCollateralRatioBps.to()),
        report::pips_as_bps(params.ammFeePips.to()),
        report::percent(params.borrowCapFactorBps.into()),
        report::percent(params.probabilityHighBps.into()),
    )
}

fn market_json(name: &str, read: &paramsReturn) -> Value {
    let params = &read.current;
    json!({
        "market": name,
        "status": age(read),
        "period": params.period.to::<u64>(),
        "borrow_collateral_ratio_bps": params.borrowCollateralRatioBps.to::<u64>(),
        "liquidation_collateral_ratio_bps": params.liquidationCollateralRatioBps.to::<u64>(),
        "amm_fee_pips": params.ammFeePips.to::<u64>(),
        "borrow_cap_factor_bps": params.borrowCapFactorBps,
        "prob_high_bps": params.probabilityHighBps,
    })
}
