//! The part of a card that tells of markets that were added to a trained model.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::figure::Figure;
use super::outcomes::Forecaster;
use super::report::{Report, cell};
use super::tallies::Metric;
use veriregime_core::types::manifest::Manifest;

/// Where a manifest's provenance keeps them.
pub const ADDED_MARKETS: &str = "added_markets";
/// What of them is told.
const TOLD: [Metric; 4] = [Metric::Accuracy, Metric::Auc, Metric::Ece, Metric::Qlike];
/// And of whom.
const WHOSE: [Forecaster; 2] = [Forecaster::StudentCircuit, Forecaster::HarVolatility];

/// A market that was added, as a manifest's provenance has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AddedMarket {
    /// Its name.
    pub market: String,
    /// Its symbol.
    pub symbol: String,
    /// The model that it was added to.
    pub to_model: String,
    /// The decision times that statistics and threshold are of, UTC.
    pub from: String,
    /// Their end.
    pub to: String,
    /// How many: every fifth minute.
    pub decisions: usize,
    /// Periods whose horizons gave the threshold.
    pub periods: usize,
    /// Above what it is High.
    pub threshold: f64,
    /// Share of minutes in which its price did not move: many, where its tick is large.
    pub unmoved_share: f64,
    /// SHA-256 of its candles, absent minutes carried forward.
    pub candles_sha256: String,
    /// What was measured where the network had seen neither this market nor this time.
    pub measured: Measured,
}

/// Figures of a part of the candles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// First decision time, UTC.
    pub from: String,
    /// End of the decision times, UTC.
    pub to: String,
    /// Decision times, one a minute.
    pub rows: usize,
    /// Share that High followed.
    pub share_high: f64,
    /// Of the model and of the regression that was fitted on the same dates as the statistics.
    pub figures: BTreeMap<Forecaster, BTreeMap<Metric, Figure>>,
}

impl Measured {
    /// As much of a report as is told.
    pub fn of(report: &Report, [from, to]: [String; 2]) -> Self {
        let figures = |by: Forecaster| {
            let all = &report.forecasters.get(&by)?.every_minute.figures;
            Some((by, TOLD.into_iter().filter_map(|metric| Some((metric, *all.get(&metric)?))).collect()))
        };
        let figures = WHOSE.into_iter().filter_map(figures).collect();
        Self { from, to, rows: report.rows, share_high: report.share_high, figures }
    }

    /// A figure of a forecaster.
    pub fn figure(&self, by: Forecaster, metric: Metric) -> Option<f64> {
        Some(self.figures.get(&by)?.get(&metric)?.value)
    }
}

/// The markets that were added to a manifest's model.
pub fn added(manifest: &Manifest) -> Vec<AddedMarket> {
    let listed = manifest.training.provenance.get(ADDED_MARKETS);
    listed.and_then(|listed| serde_json::from_value(listed.clone()).ok()).unwrap_or_default()
}

pub(super) fn write(text: &mut String, markets: &[AddedMarket]) -> std::fmt::Result {
    if markets.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "\n## Markets that were added\n\nThe network was **not trained** on these. They have means, standard deviations and a threshold of \
         their own, and the last layer a row of constants for each, which puts its log-volatility where theirs is. Everything above is \
         about the other markets.\n"
    )?;
    writeln!(
        text,
        "| market | High above | statistics from | decision times | minutes without a move |\n|---|---|---|---|---|"
    )?;
    for one in markets {
        let AddedMarket { market, symbol, threshold, from, to, decisions, unmoved_share, .. } = one;
        let share = unmoved_share * 100.0;
        writeln!(text, "| {market} ({symbol}) | {threshold} | {from} to {to} | {decisions} | {share:.1} % |")?;
    }
    writeln!(text, "\nEvery minute of what followed, which neither network nor statistics had seen:\n")?;
    let titles = TOLD.map(Metric::title).join(" | ");
    writeln!(text, "| market | decision times | High | | {titles} |\n|---|---|---|---|{}", "---|".repeat(TOLD.len()))?;
    for AddedMarket { market, measured, .. } in markets {
        for (by, figures) in WHOSE.iter().filter_map(|by| measured.figures.get_key_value(by)) {
            let Measured { from, to, rows, share_high, .. } = measured;
            let cells = TOLD.map(|metric| cell(figures.get(&metric)));
            let (share, cells) = (share_high * 100.0, cells.join(" | "));
            writeln!(text, "| {market} | {rows}, {from} to {to} | {share:.1} % | {} | {cells} |", by.title())?;
        }
    }
    Ok(())
}
