//! The model card: what a stranger should know before trusting the model, generated from its manifest.

use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::card_added;
use super::card_cells::{percent, plain, table};
use super::card_markets;
use super::outcomes::Forecaster;
use super::report::Report;
use super::tallies::Metric;
use veriregime_core::bootstrap::{BLOCK_DAYS, RESAMPLES};
use veriregime_core::types::manifest::Manifest;
use veriregime_core::types::manifest::error::ManifestError;
use veriregime_core::types::manifest::inputs::Candles;
use veriregime_core::types::manifest::regime::{Label, RegimeSpec};
use veriregime_core::types::manifest::verification::EzklCircuit;

/// The card of a regime model in Markdown.
///
/// # Errors
/// A model of another kind.
pub fn card(manifest: &Manifest) -> Result<String, ManifestError> {
    let (model, circuit) = (manifest.regime()?, manifest.ezkl()?);
    let mut text = String::new();
    // Writing into a String cannot fail.
    let _ = write(&mut text, manifest, &model, circuit);
    Ok(text)
}

fn write(text: &mut String, manifest: &Manifest, model: &RegimeSpec<'_>, circuit: &EzklCircuit) -> std::fmt::Result {
    let RegimeSpec { candles, labels, layers, baselines, .. } = model;
    let (features, training) = (&candles.features, &manifest.training);
    let provenance = &training.provenance;
    let at = |key: &str| plain(provenance.pointer(key));
    writeln!(text, "# {}\n", manifest.model_id)?;
    writeln!(text, "Generated from `manifest.json`; do not edit.\n")?;
    writeln!(text, "## What it forecasts\n")?;
    let markets: Vec<String> =
        candles.markets.iter().map(|market| format!("{} ({})", market.name, market.symbol)).collect();
    writeln!(
        text,
        "For {}: whether the sample standard deviation of the next {} one-minute returns exceeds {} (regime High), with \
         a probability, and the logarithm of that standard deviation. Made at the start of every four-hour period of the \
         UTC grid from the {} minutes of candles before it.\n",
        markets.join(", "),
        model.horizon_minutes(),
        thresholds(candles, labels),
        features.lookback_minutes,
    )?;
    if provenance.pointer("/settings/student/expects_variance").and_then(Value::as_bool) == Some(true) {
        writeln!(
            text,
            "The logarithm is lifted by the variance of what it missed in the training part, so that the square of the volatility is the variance to be \
             expected: the mean of the logarithm lies a little lower.\n"
        )?;
    }
    writeln!(text, "## Inputs\n")?;
    writeln!(
        text,
        "z-scores by the training split, clipped to ±{}, in steps of 2^-{}.\n",
        features.clip, features.input_scale
    )?;
    writeln!(text, "| # | feature | mean | standard deviation |\n|---|---|---|---|")?;
    for (index, scaled) in features.candle.iter().chain(&features.calendar).enumerate() {
        let (mean, deviation) = (scaled.mean, scaled.standard_deviation);
        writeln!(text, "| {index} | `{}` | {mean:.4} | {deviation:.4} |", scaled.feature.label())?;
    }
    writeln!(text, "\nThe first {} come from candles, the others from the time alone.\n", features.candle.len())?;
    if let (Some(first), false) = (candles.markets.first(), candles.further_scalers.is_empty()) {
        let name = &first.name;
        writeln!(
            text,
            "Means and deviations of candles are those of {name}; the manifest has each further market's own.\n"
        )?;
    }
    writeln!(text, "## Network and circuit\n")?;
    writeln!(
        text,
        "Layers: `{}`; {} weights, all multiples of 2^-{}. EZKL {} proves \
         it exactly: {} of 2^{} rows, {} public numbers, proofs of {} bytes. Keys from {}.\n",
        at("/settings/student/layers"),
        at("/parameters"),
        layers.param_scale,
        circuit.version,
        circuit.rows,
        circuit.logrows,
        circuit.instances,
        circuit.proof_bytes,
        if circuit.srs_is_ceremony { "the public powers-of-tau ceremony" } else { "a local SRS: for development only" },
    )?;
    taught(text, provenance)?;
    writeln!(text, "## Test split\n")?;
    match Report::deserialize(&training.metrics) {
        Ok(report) => {
            figures(text, &report, baselines.first().map_or(1, |one| one.garch.return_minutes))?;
            card_markets::figures(text, &training.metrics)?;
        }
        Err(_) => writeln!(text, "Not measured.")?,
    }
    card_added::write(text, &card_added::added(manifest))?;
    let plots: Vec<&String> = manifest.files.keys().filter(|name| is_plot(name)).collect();
    if !plots.is_empty() {
        writeln!(text, "\n## Plots\n")?;
        for plot in plots {
            writeln!(text, "![{plot}]({plot})")?;
        }
    }
    writeln!(text, "\n## Limits\n")?;
    writeln!(
        text,
        "- Neighbouring minutes share nearly all of their windows: the every-minute figures rest on far fewer independent \
         outcomes than rows. The standard errors know this.\n\
         - Trained on {} at one exchange. Another market, another exchange or another tick size is outside of \
         what was measured.\n\
         - The threshold is fixed. Where volatility stays far from it for months, always calling the same regime is \
         right and the model says little more; read the log-volatility.\n\
         - It knows candles and the clock. It does not see news, order books or other markets, and does not foresee \
         what they bring.\n\
         - The proof shows that this network maps these inputs to these outputs. It does not show where the inputs came \
         from: recompute them from public candles.",
        if card_markets::are_several(provenance) { "these markets" } else { "one market" },
    )
}

/// What it was trained on, and how.
fn taught(text: &mut String, provenance: &Value) -> std::fmt::Result {
    let at = |key: &str| plain(provenance.pointer(key));
    writeln!(text, "## Training\n")?;
    let are_several = card_markets::are_several(provenance);
    if are_several {
        card_markets::training(text, provenance)?;
    } else {
        parts(text, provenance)?;
    }
    writeln!(
        text,
        "\nNo label reaches from one part into the next. {}, seed {}; {} restarts of the student, the best on validation \
         kept.{}\n",
        at("/backend"),
        at("/settings/seed"),
        at("/settings/student/restarts"),
        if are_several {
            String::new()
        } else {
            format!(
                " Candles: {} rows; sha256 of the series with absent minutes carried forward: `{}`.",
                at("/candles/rows"),
                at("/candles/sha256")
            )
        },
    )?;
    if let Some(looks) = provenance.pointer("/settings/test_looks").and_then(Value::as_str) {
        writeln!(text, "How often the test split was looked at: {looks}\n")?;
    }
    Ok(())
}

/// Which decision times served for what, of a model of one market.
fn parts(text: &mut String, provenance: &Value) -> std::fmt::Result {
    let at = |key: &str| plain(provenance.pointer(key));
    writeln!(text, "| part | decision times (UTC) | samples | High |\n|---|---|---|---|")?;
    for part in ["train", "validation", "test"] {
        let time = |edge: &str| at(&format!("/split/{part}/{edge}"));
        let share = percent(provenance.pointer(&format!("/share_high/{part}")));
        let samples = at(&format!("/samples/{part}"));
        writeln!(text, "| {part} | {} to {} | {samples} | {share} |", time("from"), time("to"))?;
    }
    Ok(())
}

/// Above what a market is High: one number where it is the same for all.
fn thresholds(candles: &Candles, labels: &[Label]) -> String {
    let first = labels.first().map_or(f64::NAN, |label| label.threshold);
    if labels.iter().all(|label| label.threshold.total_cmp(&first).is_eq()) {
        return first.to_string();
    }
    let of = candles.markets.iter().zip(labels);
    of.map(|(market, label)| format!("{} in {}", label.threshold, market.name)).collect::<Vec<_>>().join(", ")
}

fn figures(text: &mut String, report: &Report, garch_minutes: usize) -> std::fmt::Result {
    writeln!(
        text,
        "`veriregime-agent evaluate --split test` computes all of this again from candles. Standard errors are those of \
         {RESAMPLES} draws of blocks of {BLOCK_DAYS} days.\n\n### Every minute, {} decision times, {:.1} % High\n",
        report.rows,
        report.share_high * 100.0
    )?;
    table(text, report, false)?;
    writeln!(text, "\n### At the starts of periods, {} decision times\n", report.on_grid_rows)?;
    table(text, report, true)?;
    writeln!(text, "\n### What the circuit is ahead by, every minute\n")?;
    writeln!(text, "| of | accuracy, points | AUC | QLIKE |\n|---|---|---|---|")?;
    for (by, row) in report.forecasters.iter().filter(|(by, _)| **by != Forecaster::StudentCircuit) {
        let lead = |metric, unit, digits| row.lead(metric, unit, digits);
        let cells = [lead(Metric::Accuracy, 100.0, 2), lead(Metric::Auc, 1.0, 4), lead(Metric::Qlike, 1.0, 4)];
        writeln!(text, "| {} | {} |", by.title(), cells.join(" | "))?;
    }
    writeln!(
        text,
        "\nThe lower, the better for Brier, ECE and QLIKE: a lead there has a minus sign. The baselines are fitted on the \
         training part; GARCH's returns are {garch_minutes} minutes long, which was better on validation. R² is measured \
         against the mean of these very rows. For QLIKE the baselines' volatilities are lifted to the expected variance, \
         by what the training part asks for; the networks' are taken as they are.",
    )?;
    if let Some(agreement) = report.agreement {
        writeln!(text, "Float and circuit call the same regime on {:.3} % of rows.", agreement * 100.0)?;
    }
    let Some(circuit) = report.forecasters.get(&Forecaster::StudentCircuit) else { return Ok(()) };
    let seen = &circuit.every_minute.confusion;
    writeln!(text, "\n| circuit, every minute | called Low | called High |\n|---|---|---|")?;
    writeln!(text, "| Low followed | {} | {} |", seen.true_low, seen.false_high)?;
    writeln!(text, "| High followed | {} | {} |", seen.false_low, seen.true_high)
}

fn is_plot(name: &str) -> bool {
    name.starts_with("plot-") && Path::new(name).extension().is_some_and(|extension| extension == "svg")
}
