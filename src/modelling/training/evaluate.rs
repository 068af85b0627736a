//! How good a model is on given candles, and how far they are from what it was trained on.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::Context;
use serde::Serialize;

use super::measuring::{MarketResult, measure, together, write_plots};
use super::reference_models::ReferenceModels;
use crate::bundle::Bundle;
use crate::modelling::candle_file::CandleFile;
use crate::modelling::{DecisionTimes, EvaluateRequest};
use crate::render::layout::Table;
use crate::render::{Render, lines};
use veriregime_core::bootstrap::BLOCK_DAYS;
use veriregime_core::types::manifest::Manifest;
use veriregime_core::types::time::parse_utc_ms;
use veriregime_training::evaluation::drift::{self, Action, Drift, Verdict};
use veriregime_training::evaluation::figure::Figure;
use veriregime_training::evaluation::outcomes::Forecaster;
use veriregime_training::evaluation::report::Report;
use veriregime_training::evaluation::tallies::Metric;

/// Scores of a model, and its drift.
#[derive(Debug, Serialize)]
pub(super) struct Evaluation {
    #[serde(skip)]
    model_id: String,
    /// Of all markets together, where there are several.
    #[serde(flatten)]
    report: Report,
    drift: Option<Drift>,
    /// By market, of a model of several.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    markets: BTreeMap<String, MarketEvaluation>,
}

/// Of one market of several.
#[derive(Debug, Serialize)]
pub(super) struct MarketEvaluation {
    #[serde(flatten)]
    report: Report,
    drift: Option<Drift>,
}

/// Drift of a model, and what to do about it.
#[derive(Debug, Serialize)]
pub(super) struct DriftResult {
    id: String,
    /// By market.
    #[serde(flatten)]
    drifts: Drifts,
}

/// Of the only market, or of each of several.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Drifts {
    One(MarketDrift),
    Several {
        /// What the worst of them asks for.
        action: Action,
        markets: BTreeMap<String, MarketDrift>,
    },
}

/// Drift of a model in one market.
#[derive(Debug, Serialize)]
struct MarketDrift {
    rows: usize,
    verdict: Verdict,
    drift: Drift,
    #[serde(skip)]
    report: Report,
}

/// As [`super::evaluate()`].
pub(super) fn evaluate(request: &EvaluateRequest<'_>) -> anyhow::Result<Evaluation> {
    let bundle = Bundle::open(request.bundle).context("the model bundle is not usable")?;
    let others = if request.with_networks { ReferenceModels::open(request.bundle)? } else { ReferenceModels::NONE };
    let manifest = &bundle.manifest;
    let times = range(&request.times, manifest)?;
    let mut results = measure(&bundle, &others, request.candles, &times)?;
    let is_one = manifest.candles()?.markets.len() == 1;
    if let Some(folder) = request.plots {
        let part = match request.times {
            DecisionTimes::Part(part) => part,
            DecisionTimes::Range(_) => "all",
        };
        for MarketResult { name, threshold, comparison, report, .. } in &results {
            let market = (!is_one).then_some(name.as_str());
            write_plots(folder, market, (comparison, report), &[(part, &comparison.outcomes)], *threshold)?;
        }
    }
    let model_id = manifest.model_id.clone();
    if is_one {
        let MarketResult { report, drift, .. } = results.pop().context("no market")?;
        return Ok(Evaluation { model_id, report, drift, markets: BTreeMap::new() });
    }
    let report = together(results.iter().map(|result| (&result.comparison, result.threshold))).report();
    let of_market = |MarketResult { name, report, drift, .. }| (name, MarketEvaluation { report, drift });
    Ok(Evaluation { model_id, report, drift: None, markets: results.into_iter().map(of_market).collect() })
}

/// As [`super::drift()`].
pub(super) fn drift_of(
    id: &str,
    bundle: &Bundle,
    candles: &[CandleFile],
    from_ms: i64,
) -> anyhow::Result<(DriftResult, bool)> {
    let results = measure(bundle, &ReferenceModels::NONE, candles, &(from_ms..i64::MAX))?;
    let of_market = |MarketResult { name, report, drift, .. }| {
        let drift = drift.context("this bundle does not say what it was trained on; train it again")?;
        let verdict = drift::verdict(&drift, &report.forecasters[&Forecaster::HarLogistic]);
        anyhow::Ok((name, MarketDrift { rows: report.rows, verdict, drift, report }))
    };
    let mut markets: BTreeMap<_, _> = results.into_iter().map(of_market).collect::<Result<_, _>>()?;
    let action = markets.values().map(|market| market.verdict.action).max().context("no market")?;
    let drifts = if bundle.manifest.candles()?.markets.len() == 1 {
        Drifts::One(markets.pop_first().context("no market")?.1)
    } else {
        Drifts::Several { action, markets }
    };
    Ok((DriftResult { id: id.to_owned(), drifts }, action == Action::Retrain))
}

/// The decision times that are asked for, ms UTC.
fn range(times: &DecisionTimes, manifest: &Manifest) -> anyhow::Result<Range<i64>> {
    let part = match times {
        DecisionTimes::Part(part) => part,
        DecisionTimes::Range(range) => return Ok(range.clone()),
    };
    let edge = |edge: &str| {
        let text =
            manifest.training.provenance.pointer(&format!("/split/{part}/{edge}")).and_then(|text| text.as_str());
        let text = text.with_context(|| format!("the model's manifest does not say when {part} was, give dates"))?;
        anyhow::Ok(parse_utc_ms(text)?)
    };
    Ok(edge("from")?..edge("to")?)
}

impl Render for Evaluation {
    fn text(&self) -> String {
        if self.markets.is_empty() {
            return lines(told(&self.model_id, &self.report, self.drift.as_ref()));
        }
        let together = format!("{}, {} markets together", self.model_id, self.markets.len());
        let of_each = self.markets.iter().flat_map(|(name, market)| {
            let mut text = vec![String::new()];
            text.extend(told(&format!("{}, {name}", self.model_id), &market.report, market.drift.as_ref()));
            text
        });
        lines(told(&together, &self.report, None).into_iter().chain(of_each))
    }
}

fn told(what: &str, report: &Report, drift: Option<&Drift>) -> Vec<String> {
    let mut text =
        vec![format!("{what}: {} decision times, {:.1} % followed by High", report.rows, report.share_high * 100.0)];
    if let Some(agreement) = report.agreement {
        text.push(format!("float and circuit call the same regime on {:.3} %", agreement * 100.0));
    }
    text.push(format!("\nevery minute, ± standard error from blocks of {BLOCK_DAYS} days"));
    text.push(scores(report, false).to_string());
    if report.on_grid_rows > 0 {
        text.push(format!("\non the grid of periods, {} rows", report.on_grid_rows));
        text.push(scores(report, true).to_string());
    }
    text.push(format!("\n{}", leads(report)));
    text.extend(drift.map(|drift| drift_text(drift, report)));
    text
}

impl Render for DriftResult {
    fn text(&self) -> String {
        let told = |what: &str, MarketDrift { rows, drift, report, .. }: &MarketDrift| {
            format!("{what}: {rows} decision times\n{}", drift_text(drift, report))
        };
        match &self.drifts {
            Drifts::One(market) => told(&self.id, market),
            Drifts::Several { markets, .. } => {
                lines(markets.iter().map(|(name, market)| told(&format!("{}, {name}", self.id), market)))
            }
        }
    }
}

fn scores(report: &Report, on_grid: bool) -> Table {
    let header: Vec<&str> = std::iter::once("").chain(Metric::ALL.map(Metric::title)).collect();
    let mut table = Table::new(&header);
    for (by, cells) in report.cells(on_grid) {
        table.add_row(std::iter::once(by.title().to_owned()).chain(cells));
    }
    table
}

/// What the circuit is better by than each of the others, on all rows.
fn leads(report: &Report) -> Table {
    let mut table = Table::new(&["circuit less", "accuracy, points", "AUC", "QLIKE"]);
    for (by, row) in &report.forecasters {
        if *by != Forecaster::StudentCircuit {
            let leads = [(Metric::Accuracy, 100.0, 2), (Metric::Auc, 1.0, 4), (Metric::Qlike, 1.0, 4)];
            let cells = leads.map(|(metric, unit, digits)| row.lead(metric, unit, digits));
            table.add_row(std::iter::once(by.title().to_owned()).chain(cells));
        }
    }
    table
}

fn drift_text(drift: &Drift, report: &Report) -> String {
    let mut table = Table::new(&["feature", "PSI", ""]);
    for feature in &drift.features {
        let word = match feature.psi {
            psi if psi > drift::DRIFTED_PSI => "drifted",
            psi if psi > drift::STABLE_PSI => "look",
            _ => "stable",
        };
        table.add_row(vec![feature.name.clone(), format!("{:.3}", feature.psi), word.to_owned()]);
    }
    let Figure { value, standard_error } = drift.promise;
    let error = standard_error.map_or_else(String::new, |error| format!(" ± {:.2}", error * 100.0));
    let promise = format!("\n{table}\npromised less occurred: {:+.2}{error} points", value * 100.0);
    let verdict = report.forecasters.get(&Forecaster::HarLogistic).map(|baseline| {
        let verdict = drift::verdict(drift, baseline);
        let reasons = verdict.reasons.join("; ");
        format!("{}{}{reasons}", verdict.action.title(), if reasons.is_empty() { "" } else { ": " })
    });
    lines(std::iter::once(promise).chain(verdict))
}
