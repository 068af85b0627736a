//! The model card: what a stranger should know before trusting the model, generated from its manifest.

use std::fmt::Write;

use serde_json::Value;

use crate::types::manifest::Manifest;

/// Name of the card inside a bundle.
pub const CARD_FILE: &str = "MODEL_CARD.md";

/// The card of a model in Markdown.
pub fn card(manifest: &Manifest) -> String {
    let mut text = String::new();
    // Writing into a String cannot fail.
    let _ = write(&mut text, manifest);
    text
}

fn write(text: &mut String, manifest: &Manifest) -> std::fmt::Result {
    let Manifest { features, label, circuit, training, .. } = manifest;
    let provenance = &training.provenance;
    let at = |key: &str| plain(provenance.pointer(key));
    writeln!(text, "# {}\n", manifest.model_id)?;
    writeln!(text, "Generated from `manifest.json`; do not edit.\n")?;
    writeln!(text, "## What it forecasts\n")?;
    let markets: Vec<String> =
        manifest.markets.iter().map(|market| format!("{} ({})", market.name, market.symbol)).collect();
    writeln!(
        text,
        "For {}: whether the sample standard deviation of the next {} one-minute returns exceeds {} (regime High), with \
         a probability, and the logarithm of that standard deviation. Made at the start of every four-hour period of the \
         UTC grid from the {} minutes of candles before it.\n",
        markets.join(", "),
        label.horizon_minutes,
        label.threshold,
        features.lookback_minutes,
    )?;
    writeln!(text, "## Inputs\n")?;
    writeln!(
        text,
        "z-scores by the training split, clipped to ±{}, in steps of 2^-{}.\n",
        features.clip, features.input_scale
    )?;
    writeln!(text, "| # | feature | mean | standard deviation |\n|---|---|---|---|")?;
    for (index, scaled) in features.candle.iter().chain(&features.calendar).enumerate() {
        let (mean, deviation) = (scaled.mean, scaled.standard_deviation);
        writeln!(text, "| {index} | `{:?}` | {mean:.4} | {deviation:.4} |", scaled.feature)?;
    }
    writeln!(text, "\nThe first {} come from candles, the others from the time alone.\n", features.candle.len())?;
    writeln!(text, "## Network and circuit\n")?;
    writeln!(
        text,
        "One hidden layer of {} units with the square as activation, {} weights, all multiples of 2^-{}. EZKL {} proves \
         it exactly: {} of 2^{} rows, {} public numbers, proofs of {} bytes. Keys from {}.\n",
        at("/settings/student/units"),
        at("/parameters"),
        circuit.param_scale,
        circuit.ezkl_version,
        circuit.rows,
        circuit.logrows,
        circuit.instances,
        circuit.proof_bytes,
        if circuit.srs_is_ceremony {
            "the public powers-of-tau ceremony"
        } else {
            "a local reference string: for development only"
        },
    )?;
    writeln!(text, "## Training\n")?;
    writeln!(text, "| part | decision times (UTC) | samples |\n|---|---|---|")?;
    for part in ["train", "validation", "test"] {
        let time = |edge: &str| at(&format!("/split/{part}/{edge}"));
        writeln!(text, "| {part} | {} to {} | {} |", time("from"), time("to"), at(&format!("/samples/{part}")))?;
    }
    writeln!(
        text,
        "\nNo label reaches from one part into the next. {}, seed {}; the best of {} runs by validation loss, after {} \
         epochs. Candles: {} rows; sha256 of the series with absent minutes carried forward: `{}`.\n",
        at("/backend"),
        at("/settings/seed"),
        at("/settings/student/restarts"),
        at("/fit/epochs"),
        at("/candles/rows"),
        at("/candles/sha256"),
    )?;
    writeln!(text, "## Test split\n")?;
    metrics(text, &training.metrics)?;
    writeln!(text, "\n## Limits\n")?;
    writeln!(
        text,
        "- Neighbouring minutes share nearly all of their windows: the every-minute figures rest on far fewer independent \
         outcomes than rows. The on-grid figure has a standard error.\n\
         - Trained on one market at one exchange. Another market, another exchange or another tick size is outside of \
         what was measured.\n\
         - The threshold is fixed. Where volatility stays far from it for months, always calling the same regime is \
         right and the model says little more; read the log-volatility.\n\
         - It knows candles and the clock. It does not see news, order books or other markets, and does not foresee \
         what they bring.\n\
         - The proof shows that this network maps these inputs to these outputs. It does not show where the inputs came \
         from: recompute them from public candles.",
    )
}

fn metrics(text: &mut String, metrics: &Value) -> std::fmt::Result {
    writeln!(text, "| | accuracy | F1 | AUC | Brier | ECE | R² of log-volatility |\n|---|---|---|---|---|---|---|")?;
    let rows = [
        ("circuit, every minute", "/every_minute/circuit"),
        ("float, every minute", "/every_minute/float"),
        ("circuit, on the four-hour grid", "/on_grid/circuit"),
        ("HAR logistic regression", "/baselines/har_logistic"),
        ("persistence", "/baselines/persistence"),
    ];
    for (name, path) in rows {
        let cells = ["accuracy", "f1_weighted", "auc", "brier", "ece", "log_volatility_r2"].map(|score| {
            let value = metrics.pointer(&format!("{path}/{score}")).and_then(Value::as_f64);
            value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
        });
        writeln!(text, "| {name} | {} |", cells.join(" | "))?;
    }
    let number = |path: &str| metrics.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
    writeln!(text, "| majority | {:.4} | – | – | – | – | – |", number("/baselines/majority"))?;
    writeln!(
        text,
        "\n{} rows, {:.1} % of them High; {} on the grid, where the accuracy has a standard error of {:.4}. Float and \
         circuit call the same regime on {:.3} % of rows.",
        plain(metrics.pointer("/rows")),
        number("/positive_share") * 100.0,
        plain(metrics.pointer("/on_grid/rows")),
        number("/on_grid/standard_error"),
        number("/agreement") * 100.0,
    )
}

/// A JSON value as a cell shows it.
fn plain(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "–".to_owned(),
    }
}
