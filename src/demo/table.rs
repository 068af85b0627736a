//! The periods of a job in a table.

use super::row::{MarketRow, PeriodRow};
use crate::render;
use crate::render::layout::Table;

/// Columns that the whole table takes; where there are fewer, a narrower one is shown.
const WIDE_COLUMNS: usize = 174;
/// More of them where rows name their market.
const MARKET_COLUMNS: usize = 10;

/// A row for each period and market.
pub(super) fn table(rows: &[PeriodRow], columns: Option<usize>) -> String {
    let wide_columns = WIDE_COLUMNS + if has_names(rows) { MARKET_COLUMNS } else { 0 };
    match columns {
        Some(columns) if columns < wide_columns => narrow(rows),
        _ => wide(rows).to_string(),
    }
}

/// Whether the model has several markets.
fn has_names(rows: &[PeriodRow]) -> bool {
    rows.iter().flat_map(|row| &row.markets).any(|market| market.market.is_some())
}

fn wide(rows: &[PeriodRow]) -> Table {
    let mut header = vec![
        "period start\n(UTC)",
        "last 4 h\nvolatility",
        "forecast\nP(High)",
        "forecast\nvolatility",
        "forecast\nregime",
        "applied\nvolatility",
        "collateral ratio\nbefore → after",
        "AMM fee\nbefore → after",
        "prove\nms",
        "gas",
        "what happened\nin the period",
    ];
    if has_names(rows) {
        header.insert(1, "market");
    }
    let mut table = Table::new(&header);
    for row in rows {
        for market in &row.markets {
            table.add_row(wide_row(row, market));
        }
    }
    table
}

fn wide_row(row: &PeriodRow, market: &MarketRow) -> Vec<String> {
    let percent = render::percent;
    let mut cells = vec![row.start.clone()];
    cells.extend(market.market.clone());
    cells.extend([
        market.volatility_before.map_or_else(|| "?".into(), render::volatility_bps),
        percent(market.prob_high_bps),
        render::volatility_bps(market.vol_forecast),
        market.regime.to_string(),
        render::volatility_bps(market.applied_volatility),
        format!(
            "{} → {}{}",
            percent(market.collateral_ratio_before_bps),
            percent(market.collateral_ratio_bps),
            later(market, market.collateral_ratio_at_once_bps != market.collateral_ratio_bps)
        ),
        format!(
            "{} → {}{}",
            render::pips_as_bps(market.amm_fee_before_pips),
            render::pips_as_bps(market.amm_fee_pips),
            later(market, market.amm_fee_at_once_pips != market.amm_fee_pips)
        ),
        row.prove_ms.to_string(),
        row.gas_used.to_string(),
        happened(market),
    ]);
    cells
}

/// What fits into 80 columns: the units are in the head, and there are no lines between the columns. A period with several
/// markets has a line of its own above theirs.
fn narrow(rows: &[PeriodRow]) -> String {
    let hundredths = |value: u64| format!("{}.{:02}", value / 100, value % 100);
    let change = |before, after| format!("{} → {}", hundredths(before), hundredths(after));
    let line = |cells: [&str; 6]| {
        let [start, forecast, applied, ratio, fee, happened] = cells;
        format!("{start:13}{forecast:13}{applied:9}{ratio:16}{fee:16}{happened}")
    };
    let mut lines = vec![
        line(["start", "P(High), %", "applied", "ratio", "AMM fee", "what"]),
        line(["(UTC)", "forecast", "bps", "%", "bps", "happened"]),
    ];
    for row in rows {
        // Month, day and time of day.
        let start = row.start.get(5..).unwrap_or(&row.start).trim_end_matches('Z').replace('T', " ");
        if has_names(rows) {
            lines.push(start.clone());
        }
        for market in &row.markets {
            lines.push(line([
                &market.market.as_ref().map_or_else(|| start.clone(), |name| format!("  {name}")),
                &format!("{} {}", hundredths(market.prob_high_bps), market.regime),
                render::volatility_bps(market.applied_volatility).trim_end_matches(" bps"),
                &change(market.collateral_ratio_before_bps, market.collateral_ratio_bps),
                &change(market.amm_fee_before_pips, market.amm_fee_pips),
                happened(market).trim_end_matches(" bps"),
            ]));
            if let Some(from) = &market.looser_from {
                lines.push(format!("{:35}from {} on", "", time_of_day(from)));
            }
        }
    }
    lines.join("\n")
}

/// When a looser value begins to hold, in a line of its own.
fn later(market: &MarketRow, is_later: bool) -> String {
    let from = market.looser_from.as_ref().filter(|_| is_later);
    from.map_or_else(String::new, |from| format!("\nfrom {} on", time_of_day(from)))
}

fn time_of_day(moment: &str) -> &str {
    moment.split_once('T').map_or(moment, |(_, time)| time.trim_end_matches('Z'))
}

fn happened(market: &MarketRow) -> String {
    match (market.realised_regime, market.realised_volatility) {
        (Some(regime), Some(volatility)) => {
            let mark = if regime == market.regime { "✓" } else { "✗" };
            format!("{mark} {regime} {}", render::volatility_bps(volatility))
        }
        _ => "not over yet".into(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use veriregime_core::types::period::PeriodId;
    use veriregime_core::types::prediction::Regime;

    pub(in crate::demo) fn market() -> MarketRow {
        MarketRow {
            market: None,
            volatility_before: Some(0.000_866),
            prob_high_bps: 10_000,
            regime: Regime::High,
            applied_volatility: 0.001,
            vol_forecast: 0.001,
            collateral_ratio_bps: 17_936,
            collateral_ratio_at_once_bps: 17_936,
            collateral_ratio_before_bps: 17_488,
            amm_fee_pips: 2_947,
            amm_fee_at_once_pips: 2_947,
            amm_fee_before_pips: 2_573,
            looser_from: None,
            realised_regime: Some(Regime::High),
            realised_volatility: Some(0.003_699),
        }
    }

    /// As after the second row of the README's table.
    pub(in crate::demo) fn looser() -> MarketRow {
        MarketRow {
            collateral_ratio_bps: 15_999,
            collateral_ratio_at_once_bps: 16_500,
            collateral_ratio_before_bps: 16_500,
            amm_fee_pips: 1_333,
            amm_fee_at_once_pips: 1_750,
            amm_fee_before_pips: 1_750,
            looser_from: Some("2024-08-04T08:10:16Z".into()),
            ..market()
        }
    }

    pub(in crate::demo) fn row(markets: Vec<MarketRow>) -> PeriodRow {
        PeriodRow {
            period: PeriodId(122_748),
            start: "2026-01-05T00:00Z".into(),
            markets,
            prove_ms: 48,
            gas_used: 490_592,
            tx_hash: "0x01".into(),
            cycle_ms: 149.0,
        }
    }

    pub(in crate::demo) fn of_three_markets() -> PeriodRow {
        let named = |name: &str, row: MarketRow| MarketRow { market: Some(name.into()), ..row };
        let open = MarketRow { realised_regime: None, ..market() };
        row(vec![named("ETH-USD", market()), named("SOL-USD", looser()), named("BNB-USD", open)])
    }

    fn widest(text: &str) -> usize {
        text.lines().map(|line| line.chars().count()).max().unwrap()
    }

    #[test]
    fn the_table_is_readable_at_eighty_and_at_a_hundred_columns() {
        let row = row(vec![market()]);
        for columns in [80, 100] {
            let shown = table(std::slice::from_ref(&row), Some(columns));
            assert!(widest(&shown) <= columns, "{shown}");
            let last = shown.lines().last().unwrap();
            assert_eq!(
                last.split_whitespace().collect::<Vec<_>>().join(" "),
                "01-05 00:00 100.00 High 10.00 174.88 → 179.36 25.73 → 29.47 ✓ High 36.99"
            );
        }
        assert!(widest(&table(std::slice::from_ref(&row), None)) <= WIDE_COLUMNS);
    }

    #[test]
    fn several_markets_stand_below_their_period_or_in_a_column_of_their_own() {
        let rows = [of_three_markets(), of_three_markets()];
        let narrow = table(&rows, Some(80));
        assert!(widest(&narrow) <= 80, "{narrow}");
        let period = "\n01-05 00:00\n\
                      \x20 ETH-USD    100.00 High  10.00    174.88 → 179.36 25.73 → 29.47   ✓ High 36.99\n\
                      \x20 SOL-USD    100.00 High  10.00    165.00 → 159.99 17.50 → 13.33   ✓ High 36.99\n\
                      \x20                                  from 08:10:16 on\n\
                      \x20 BNB-USD    100.00 High  10.00    174.88 → 179.36 25.73 → 29.47   not over yet";
        assert!(narrow.ends_with(&format!("happened{period}{period}")), "{narrow}");
        let wide = table(&rows, None);
        assert!(widest(&wide) <= WIDE_COLUMNS + MARKET_COLUMNS && wide.matches("ETH-USD").count() == 2, "{wide}");
        assert_eq!(wide.matches("│ 2026-01-05T00:00Z").count(), 6, "{wide}");
    }

    #[test]
    fn looser_values_stand_with_the_time_from_which_they_hold() {
        for columns in [Some(80), None] {
            let shown = table(&[row(vec![market()]), row(vec![looser()])], columns);
            assert_eq!(shown.matches("from 08:10:16 on").count(), if columns.is_some() { 1 } else { 2 }, "{shown}");
            assert!(columns.is_none_or(|columns| widest(&shown) <= columns), "{shown}");
        }
    }
}
