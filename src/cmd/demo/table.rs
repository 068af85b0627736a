//! What the demo prints.

use alloy::primitives::hex;
use anyhow::Context;
use serde_json::{Value, json};
use tokio::process::Command;
use url::Url;

use super::{DemoArgs, PeriodRow, Source};
use crate::cmd::{development, report};
use crate::config::Config;
use crate::cycle::Agent;

const PARAMS_SIGNATURE: &str =
    "params(bytes32)((uint40,uint40,uint16,uint16,uint24,uint16,uint16,uint16,uint64,uint8),uint8)";

/// The table and what its columns mean.
pub(super) fn print(agent: &Agent, rows: &[PeriodRow]) {
    let manifest = &agent.bundle.manifest;
    let mut table = report::table(&[
        "period start\n(UTC)",
        "last 4 h\nvolatility",
        "forecast\nP(High)",
        "forecast\nvolatility",
        "forecast\nregime",
        "applied\nP(High)",
        "collateral ratio\nbefore → after",
        "AMM fee\nbefore → after",
        "prove\nms",
        "gas",
        "what happened\nin the period",
    ]);
    for row in rows {
        let happened = match (row.realised_regime, row.realised_volatility) {
            (Some(regime), Some(volatility)) => {
                let mark = if regime == row.regime { "✓" } else { "✗" };
                format!("{mark} {regime} {}", report::volatility_bps(volatility))
            }
            _ => "not over yet".into(),
        };
        table.add_row([
            row.start.clone(),
            row.volatility_before.map_or_else(|| "?".into(), report::volatility_bps),
            report::percent(row.prob_high_bps),
            report::volatility_bps(row.vol_forecast),
            row.regime.to_string(),
            report::percent(row.applied_prob_bps),
            format!(
                "{} → {}",
                report::percent(row.collateral_ratio_before_bps),
                report::percent(row.collateral_ratio_bps)
            ),
            format!("{} → {}", report::pips_as_bps(row.amm_fee_before_pips), report::pips_as_bps(row.amm_fee_pips)),
            row.prove_ms.to_string(),
            row.gas_used.to_string(),
            happened,
        ]);
    }
    println!("{table}");
    let threshold = report::volatility_bps(manifest.label.threshold);
    let known: Vec<&PeriodRow> = rows.iter().filter(|row| row.realised_regime.is_some()).collect();
    let right = known.iter().filter(|row| row.realised_regime == Some(row.regime)).count();
    println!(
        "Volatility: standard deviation of one-minute returns; a period is High above {threshold} a minute.\n\
         {right} of {} ended periods were forecast right. One cycle, from HTTP to a mined transaction: {:.0} ms at the median.\n\
         Before the first update readers get the cautious values. Collateral ratio and fee follow the applied P(High), by a policy\n\
         of the market's owner. A crash that pauses is not over, so it rises at once, but falls by at most 25 points a period and\n\
         stays at 50 % or more until two forecasts in a row are Low; and looser values hold ten minutes after the update only.\n\
         The proof says that {} maps the published features to this forecast, not that the features are\n\
         true: attestors sign for that, and anyone can recompute them from public candles.",
        known.len(),
        cycle_ms_p50(rows),
        manifest.model_id,
    );
}

/// The object of `--json`.
pub(super) fn json(args: &DemoArgs, agent: &Agent, rows: &[PeriodRow]) -> Value {
    let source = match (&args.candles, args.source) {
        (Some(path), _) => path.display().to_string(),
        (None, Source::Binance) => "binance".into(),
        (None, Source::Simulated) => format!("simulated:{}", args.seed),
    };
    json!({
        "source": source,
        "model_id": agent.bundle.manifest.model_id,
        "periods": rows,
        "cycle_ms_p50": cycle_ms_p50(rows),
    })
}

/// Reads the parameters with `cast` and shows command and answer.
pub(super) async fn how_to_read(config: &Config, agent: &Agent, rpc_url: &Url) -> anyhow::Result<()> {
    let oracle = config.chain.oracle.context("the contract was deployed")?.to_string();
    let market = agent.expected.markets.first().context("the model has a market")?;
    let name = &agent.bundle.manifest.markets[0].name;
    let market = hex::encode_prefixed(market);
    println!("\nReading the parameters (market id: keccak256 of \"{name}\"):\n");
    println!("  cast call {oracle} \\\n    \"{PARAMS_SIGNATURE}\" \\\n    {market} --rpc-url {rpc_url}\n");
    let answer = Command::new(development::foundry("cast"))
        .args(["call", &oracle, PARAMS_SIGNATURE, &market, "--rpc-url", rpc_url.as_str()])
        .output()
        .await;
    match answer {
        Ok(output) if output.status.success() => {
            for line in String::from_utf8_lossy(&output.stdout).lines() {
                println!("  {line}");
            }
            println!(
                "\n  that is: (period, updated at, borrow collateral ratio bps, liquidation ratio bps, AMM fee pips,\n  \
                 borrow cap factor bps, P(High) bps, applied P(High) bps, volatility wad, regime 0 Low 1 High),\n  \
                 status 0 Unset 1 Fresh 2 Grace 3 Stale 4 Withheld"
            );
        }
        _ => println!("  (cast is not installed here)"),
    }
    Ok(())
}

fn cycle_ms_p50(rows: &[PeriodRow]) -> f64 {
    report::quantile(&rows.iter().map(|row| row.cycle_ms).collect::<Vec<_>>(), 0.5)
}
