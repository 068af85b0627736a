//! How a contract is read with `cast`, and what it answers.

use alloy::primitives::hex;
use anyhow::Context;
use tokio::process::Command;

use super::row::MarketRow;
use super::run::JobRun;
use crate::devnet;
use crate::render;
use crate::render::layout;

/// The getter with what it gives back, as `cast` wants it.
const PARAMS_SIGNATURE: &str =
    "params(bytes32)((uint40,uint40,uint16,uint16,uint24,uint16,uint16,uint32,uint32),uint8)";

/// Reads the parameters of the job's first market and gives back command and answer.
///
/// # Errors
/// A model without a market.
pub(super) async fn how_to_read(job: &JobRun) -> anyhow::Result<String> {
    let oracle = job.agent.action.contract().to_string();
    let market = job
        .agent
        .regime()
        .and_then(|regime| regime.model.candles.markets.first())
        .context("the model has no market")?;
    let (name, market) = (&market.name, hex::encode_prefixed(market.id()));
    let rpc_url = job.config.chain.rpc_url().as_str();
    let mut lines = vec![
        format!("\nReading the parameters (market id: keccak256 of \"{name}\"):\n"),
        // One line, however long: it is there to be copied.
        format!("  cast call {oracle} \"{PARAMS_SIGNATURE}\" {market} --rpc-url {rpc_url}\n"),
    ];
    let answer = Command::new(devnet::foundry("cast"))
        .args(["call", &oracle, PARAMS_SIGNATURE, &market, "--rpc-url", rpc_url])
        .output()
        .await;
    match answer {
        Ok(output) if output.status.success() => {
            lines.extend(String::from_utf8_lossy(&output.stdout).lines().map(|line| format!("  {line}")));
            let meaning = "That is: (period's start, updated at, borrow collateral ratio bps, liquidation ratio bps, AMM fee \
                           pips, borrow cap factor bps, P(High) bps, volatility e9, applied volatility e9), \
                           status 0 Unset 1 Fresh 2 Grace 3 Stale 4 Withheld";
            lines.push(format!("\n{}", layout::text(meaning)));
            let last = job.rows.last().and_then(|row| row.markets.first());
            lines.extend(last.and_then(now_and_later).map(|words| layout::text(&words)));
        }
        _ => lines.push("  (cast is not installed here)".into()),
    }
    Ok(lines.join("\n"))
}

/// What readers get right after an update, and what from when on, where these are two things.
fn now_and_later(row: &MarketRow) -> Option<String> {
    let from = row.looser_from.as_ref()?;
    Some(format!(
        "Until {from} on the chain readers get {} and {}, from then on {} and {}.",
        render::percent(row.collateral_ratio_at_once_bps),
        render::pips_as_bps(row.amm_fee_at_once_pips),
        render::percent(row.collateral_ratio_bps),
        render::pips_as_bps(row.amm_fee_pips),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::table::tests::{looser, market};
    use super::*;

    #[test]
    fn the_getter_is_named_with_what_it_gives_back() {
        let artifact: Value = serde_json::from_str(include_str!("../../contracts/artifacts/RiskOracle.json")).unwrap();
        let abi = artifact["abi"].as_array().unwrap();
        let params = abi.iter().find(|one| one["name"] == "params" && one["type"] == "function").unwrap();
        let kinds = |types: &Value| {
            let kinds: Vec<_> = types.as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap()).collect();
            kinds.join(",")
        };
        let (tuple, rest) = (&params["outputs"][0]["components"], &params["outputs"][1]["type"]);
        let (inputs, outputs) = (kinds(&params["inputs"]), kinds(tuple));
        assert_eq!(PARAMS_SIGNATURE, format!("params({inputs})(({outputs}),{})", rest.as_str().unwrap()));
    }

    #[test]
    fn what_holds_until_then_is_said_with_what_holds_later() {
        let words = now_and_later(&looser()).unwrap();
        let expected = "Until 2024-08-04T08:10:16Z on the chain readers get 165.00 % and 17.50 bps, \
                        from then on 159.99 % and 13.33 bps.";
        assert_eq!((words.as_str(), now_and_later(&market())), (expected, None));
    }
}
