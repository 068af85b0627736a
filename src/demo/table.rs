//! What the demo shows.

use alloy::primitives::hex;
use anyhow::Context;
use serde::Serialize;
use tokio::process::Command;
use url::Url;

use super::row::PeriodRow;
use crate::config::Config;
use crate::devnet;
use crate::job::Agent;
use crate::render::layout::{self, Table};
use crate::render::{self, Render};

const PARAMS_SIGNATURE: &str =
    "params(bytes32)((uint40,uint40,uint16,uint16,uint24,uint16,uint16,uint16,uint64,uint8),uint8)";

/// Columns that the whole table takes; where there are fewer, a narrower one is shown.
const WIDE_COLUMNS: usize = 174;

/// What happened in the demo's periods.
#[derive(Debug, Serialize)]
pub struct Report {
    pub source: String,
    pub model_id: String,
    pub periods: Vec<PeriodRow>,
    pub cycle_ms_p50: f64,
    /// Volatility above which a period is High.
    #[serde(skip)]
    pub threshold: f64,
}

impl Render for Report {
    /// The table and what its columns mean.
    fn text(&self) -> String {
        let rows = &self.periods;
        let threshold = render::volatility_bps(self.threshold);
        let known: Vec<&PeriodRow> = rows.iter().filter(|row| row.realised_regime.is_some()).collect();
        let right = known.iter().filter(|row| row.realised_regime == Some(row.regime)).count();
        let words = format!(
            "Volatility: standard deviation of one-minute returns; a period is High above {threshold} a minute. \
         {right} of {} ended periods were forecast right. One cycle, from HTTP to a mined transaction: {:.0} ms at the median. \
         Before the first update readers get the cautious values. Collateral ratio and fee follow the applied P(High), by a policy \
         of the market's owner. A crash that pauses is not over, so it rises at once, but falls by at most 25 points a period and \
         stays at 50 % or more until two forecasts in a row are Low. Tighter values hold as soon as the update lands, looser ones from \
         the time below them on; until then readers get the tighter of old and new. \
         The proof says that {} maps the published features to this forecast, not that the features are \
         true: attestors sign for that, and anyone can recompute them from public candles.",
            known.len(),
            self.cycle_ms_p50,
            self.model_id,
        );
        format!("{}\n{}", table(rows, layout::columns()), layout::text(&words))
    }
}

fn table(rows: &[PeriodRow], columns: Option<usize>) -> String {
    match columns {
        Some(columns) if columns < WIDE_COLUMNS => narrow(rows),
        _ => wide(rows).to_string(),
    }
}

fn wide(rows: &[PeriodRow]) -> Table {
    let mut table = Table::new(&[
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
        let percent = render::percent;
        table.add_row([
            row.start.clone(),
            row.volatility_before.map_or_else(|| "?".into(), render::volatility_bps),
            percent(row.prob_high_bps),
            render::volatility_bps(row.vol_forecast),
            row.regime.to_string(),
            percent(row.applied_prob_bps),
            format!(
                "{} → {}{}",
                percent(row.collateral_ratio_before_bps),
                percent(row.collateral_ratio_bps),
                later(row, row.collateral_ratio_at_once_bps != row.collateral_ratio_bps)
            ),
            format!(
                "{} → {}{}",
                render::pips_as_bps(row.amm_fee_before_pips),
                render::pips_as_bps(row.amm_fee_pips),
                later(row, row.amm_fee_at_once_pips != row.amm_fee_pips)
            ),
            row.prove_ms.to_string(),
            row.gas_used.to_string(),
            happened(row),
        ]);
    }
    table
}

/// What fits into 80 columns: the units are in the head, and there are no lines between the columns.
fn narrow(rows: &[PeriodRow]) -> String {
    let hundredths = |value: u64| format!("{}.{:02}", value / 100, value % 100);
    let change = |before, after| format!("{} → {}", hundredths(before), hundredths(after));
    let line = |cells: [&str; 6]| {
        let [start, forecast, applied, ratio, fee, happened] = cells;
        format!("{start:13}{forecast:13}{applied:9}{ratio:17}{fee:15}{happened}")
    };
    let mut lines = vec![
        line(["start", "P(High), %", "applied", "ratio", "AMM fee", "what"]),
        line(["(UTC)", "forecast", "%", "%", "bps", "happened"]),
    ];
    for row in rows {
        lines.push(line([
            // Month, day and time of day.
            row.start.get(5..).unwrap_or(&row.start).trim_end_matches('Z').replace('T', " ").as_str(),
            &format!("{} {}", hundredths(row.prob_high_bps), row.regime),
            &hundredths(row.applied_prob_bps),
            &change(row.collateral_ratio_before_bps, row.collateral_ratio_bps),
            &change(row.amm_fee_before_pips, row.amm_fee_pips),
            happened(row).trim_end_matches(" bps"),
        ]));
        if let Some(from) = &row.looser_from {
            lines.push(format!("{:35}from {} on", "", time_of_day(from)));
        }
    }
    lines.join("\n")
}

/// When a looser value begins to hold, in a line of its own.
fn later(row: &PeriodRow, is_later: bool) -> String {
    let from = row.looser_from.as_ref().filter(|_| is_later);
    from.map_or_else(String::new, |from| format!("\nfrom {} on", time_of_day(from)))
}

fn time_of_day(moment: &str) -> &str {
    moment.split_once('T').map_or(moment, |(_, time)| time.trim_end_matches('Z'))
}

/// What readers get right after an update, and what from when on, where these are two things.
fn now_and_later(row: &PeriodRow) -> Option<String> {
    let from = row.looser_from.as_ref()?;
    Some(format!(
        "Until {from} on the chain readers get {} and {}, from then on {} and {}.",
        render::percent(row.collateral_ratio_at_once_bps),
        render::pips_as_bps(row.amm_fee_at_once_pips),
        render::percent(row.collateral_ratio_bps),
        render::pips_as_bps(row.amm_fee_pips),
    ))
}

fn happened(row: &PeriodRow) -> String {
    match (row.realised_regime, row.realised_volatility) {
        (Some(regime), Some(volatility)) => {
            let mark = if regime == row.regime { "✓" } else { "✗" };
            format!("{mark} {regime} {}", render::volatility_bps(volatility))
        }
        _ => "not over yet".into(),
    }
}

/// Reads the parameters with `cast` and gives back command and answer.
pub(super) async fn how_to_read(
    config: &Config,
    agent: &Agent,
    rpc_url: &Url,
    last: Option<&PeriodRow>,
) -> anyhow::Result<String> {
    let oracle = config.chain.oracle.context("the contract was deployed")?.to_string();
    let market = agent.model.candles.markets.first().context("the model has a market")?.id();
    let name = &agent.model.candles.markets[0].name;
    let market = hex::encode_prefixed(market);
    let mut lines = vec![
        format!("\nReading the parameters (market id: keccak256 of \"{name}\"):\n"),
        // One line, however long: it is there to be copied.
        format!("  cast call {oracle} \"{PARAMS_SIGNATURE}\" {market} --rpc-url {rpc_url}\n"),
    ];
    let answer = Command::new(devnet::foundry("cast"))
        .args(["call", &oracle, PARAMS_SIGNATURE, &market, "--rpc-url", rpc_url.as_str()])
        .output()
        .await;
    match answer {
        Ok(output) if output.status.success() => {
            lines.extend(String::from_utf8_lossy(&output.stdout).lines().map(|line| format!("  {line}")));
            let meaning = "That is: (period, updated at, borrow collateral ratio bps, liquidation ratio bps, AMM fee pips, \
                           borrow cap factor bps, P(High) bps, applied P(High) bps, volatility wad, regime 0 Low 1 High), \
                           status 0 Unset 1 Fresh 2 Grace 3 Stale 4 Withheld";
            lines.push(format!("\n{}", layout::text(meaning)));
            lines.extend(last.and_then(now_and_later).map(|words| layout::text(&words)));
        }
        _ => lines.push("  (cast is not installed here)".into()),
    }
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::types::period::PeriodId;
    use veriregime_core::types::prediction::Regime;

    fn row() -> PeriodRow {
        PeriodRow {
            period: PeriodId(122_748),
            start: "2026-01-05T00:00Z".into(),
            volatility_before: Some(0.000_866),
            prob_high_bps: 10_000,
            regime: Regime::High,
            applied_prob_bps: 10_000,
            vol_forecast: 0.001,
            collateral_ratio_bps: 17_936,
            collateral_ratio_at_once_bps: 17_936,
            collateral_ratio_before_bps: 17_488,
            amm_fee_pips: 2_947,
            amm_fee_at_once_pips: 2_947,
            amm_fee_before_pips: 2_573,
            looser_from: None,
            prove_ms: 48,
            gas_used: 490_592,
            tx_hash: String::new(),
            realised_regime: Some(Regime::High),
            realised_volatility: Some(0.003_699),
            cycle_ms: 149.0,
        }
    }

    /// As after the second row of the README's table.
    fn looser() -> PeriodRow {
        PeriodRow {
            collateral_ratio_bps: 15_999,
            collateral_ratio_at_once_bps: 16_500,
            collateral_ratio_before_bps: 16_500,
            amm_fee_pips: 1_333,
            amm_fee_at_once_pips: 1_750,
            amm_fee_before_pips: 1_750,
            looser_from: Some("2024-08-04T08:10:16Z".into()),
            ..row()
        }
    }

    fn widest(text: &str) -> usize {
        text.lines().map(|line| line.chars().count()).max().unwrap()
    }

    #[test]
    fn the_table_is_readable_at_eighty_and_at_a_hundred_columns() {
        let row = row();
        for columns in [80, 100] {
            let shown = table(std::slice::from_ref(&row), Some(columns));
            assert!(widest(&shown) <= columns, "{shown}");
            let last = shown.lines().last().unwrap();
            assert_eq!(
                last.split_whitespace().collect::<Vec<_>>().join(" "),
                "01-05 00:00 100.00 High 100.00 174.88 → 179.36 25.73 → 29.47 ✓ High 36.99"
            );
        }
        assert!(widest(&table(std::slice::from_ref(&row), None)) <= WIDE_COLUMNS);
    }

    #[test]
    fn looser_values_stand_with_the_time_from_which_they_hold_and_with_what_holds_until_then() {
        for columns in [Some(80), None] {
            let shown = table(&[row(), looser()], columns);
            assert_eq!(shown.matches("from 08:10:16 on").count(), if columns.is_some() { 1 } else { 2 }, "{shown}");
            assert!(columns.is_none_or(|columns| widest(&shown) <= columns), "{shown}");
        }
        let words = now_and_later(&looser()).unwrap();
        let expected = "Until 2024-08-04T08:10:16Z on the chain readers get 165.00 % and 17.50 bps, \
                        from then on 159.99 % and 13.33 bps.";
        assert_eq!((words.as_str(), now_and_later(&row())), (expected, None));
    }
}
