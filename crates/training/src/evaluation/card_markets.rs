//! The parts of a card that a model of several markets has.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Deserialize;
use serde_json::Value;

use super::card_cells::{percent, plain, table};
use super::outcomes::Forecaster;
use super::report::Report;
use super::tallies::Metric;

/// Who stands in the summary of a market.
const COMPARED: [Forecaster; 4] =
    [Forecaster::Persistence, Forecaster::HarLogistic, Forecaster::HarVolatility, Forecaster::StudentCircuit];

/// Whether each market's own stands in the provenance.
pub(super) fn are_several(provenance: &Value) -> bool {
    provenance.get("markets").is_some_and(Value::is_object)
}

/// What each market was trained on: samples, shares of High, candles.
pub(super) fn training(text: &mut String, provenance: &Value) -> std::fmt::Result {
    let markets = provenance.get("markets").and_then(Value::as_object);
    writeln!(text, "| part | decision times (UTC) | market | samples | High |\n|---|---|---|---|---|")?;
    for part in ["train", "validation", "test"] {
        let time = |edge: &str| plain(provenance.pointer(&format!("/split/{part}/{edge}")));
        for (name, own) in markets.into_iter().flatten() {
            let share = percent(own.pointer(&format!("/share_high/{part}")));
            let samples = plain(own.pointer(&format!("/samples/{part}")));
            writeln!(text, "| {part} | {} to {} | {name} | {samples} | {share} |", time("from"), time("to"))?;
        }
    }
    writeln!(
        text,
        "\n| market | candles (UTC) | rows | sha256 of the series with absent minutes carried forward |\n|---|---|---|---|"
    )?;
    for (name, own) in markets.into_iter().flatten() {
        let at = |key: &str| plain(own.pointer(&format!("/candles/{key}")));
        writeln!(text, "| {name} | {} to {} | {} | `{}` |", at("from"), at("to"), at("rows"), at("sha256"))?;
    }
    writeln!(
        text,
        "\nEach market counts the same in statistics and loss, however long its candles are. A threshold that the settings do not have \
         is the median of what followed the market's training decisions, frozen at training."
    )
}

/// The figures of each market on the test part.
pub(super) fn figures(text: &mut String, metrics: &Value) -> std::fmt::Result {
    let Some(markets) = metrics.get("markets") else { return Ok(()) };
    let Ok(markets) = BTreeMap::<String, Report>::deserialize(markets) else { return Ok(()) };
    writeln!(text, "\n### By market, every minute\n")?;
    writeln!(
        text,
        "| market | | accuracy | AUC | ECE | R² of log-volatility | QLIKE |\n|---|---|---|---|---|---|---|"
    )?;
    for (name, report) in &markets {
        let qlike = |by| report.figure(by, Metric::Qlike).map(|figure| figure.value);
        for (by, cells) in report.cells(false).into_iter().filter(|(by, _)| COMPARED.contains(by)) {
            let cell = |metric: Metric| cells[metric as usize].clone();
            let [accuracy, auc, ece] = [cell(Metric::Accuracy), cell(Metric::Auc), cell(Metric::Ece)];
            let [r2, loss] = [cell(Metric::LogVolatilityR2), cell(Metric::Qlike)];
            writeln!(text, "| {name} | {} | {accuracy} | {auc} | {ece} | {r2} | {loss} |", by.title())?;
        }
        if let (Some(own), Some(har)) = (qlike(Forecaster::StudentCircuit), qlike(Forecaster::HarVolatility)) {
            let better = (1.0 - own / har) * 100.0;
            writeln!(text, "| {name} | circuit's QLIKE less than HAR-RV's | | | | | {better:.1} % |")?;
        }
    }
    for (name, report) in &markets {
        writeln!(text, "\n### {name}, at the starts of periods, {} decision times\n", report.on_grid_rows)?;
        table(text, report, true)?;
    }
    Ok(())
}
