//! What models score, on which rows, and which of two is better there.

use serde::Serialize;
use serde_json::Value;

use super::RegistryError;
use veriregime_core::types::manifest::Manifest;
use veriregime_core::types::manifest::error::ManifestError;
use veriregime_core::types::manifest::regime::RegimeSpec;

/// Figures of a model's circuit on its test split.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Score {
    /// What is measured.
    pub name: &'static str,
    /// The figure.
    pub value: f64,
    /// Its standard error, where one was computed.
    pub standard_error: Option<f64>,
    /// Whether more is better.
    pub more_is_better: bool,
}

/// Refuses two models that forecast different things.
///
/// # Errors
/// [`RegistryError::OtherLabel`], or a model of another kind.
pub fn same_label(first: (&str, &Manifest), second: (&str, &Manifest)) -> Result<(), RegistryError> {
    let told = |manifest: &Manifest| {
        let spec = manifest.regime()?;
        let (horizon_minutes, RegimeSpec { candles, labels, .. }) = (spec.horizon_minutes(), spec);
        let markets = candles.markets.iter().zip(labels);
        let markets: Vec<_> =
            markets.map(|(market, label)| format!("{} above {}", market.name, label.threshold)).collect();
        Ok::<_, ManifestError>(format!("{} in {horizon_minutes} minutes", markets.join(", ")))
    };
    let [one, other] = [told(first.1)?, told(second.1)?];
    if one == other {
        return Ok(());
    }
    let (first, second) = (first.0.to_owned(), second.0.to_owned());
    Err(RegistryError::OtherLabel { first, second, difference: format!("{one}; {other}") })
}

/// The rows that a model was tested on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestRows {
    /// The first decision time, UTC.
    pub from: String,
    /// The end of the decision times, UTC.
    pub to: String,
    /// How many.
    pub rows: u64,
}

/// The rows of a model's test split, where its manifest tells.
pub fn test_rows(manifest: &Manifest) -> Option<TestRows> {
    let training = &manifest.training;
    let edge = |edge: &str| Some(training.provenance.pointer(&format!("/split/test/{edge}"))?.as_str()?.to_owned());
    Some(TestRows { from: edge("from")?, to: edge("to")?, rows: training.metrics.get("rows")?.as_u64()? })
}

/// Refuses two models whose figures cannot be compared: of different labels, from different rows, or from rows that nobody
/// knows.
///
/// # Errors
/// [`RegistryError::OtherLabel`] or [`RegistryError::OtherRows`].
pub fn same_rows(first: (&str, &Manifest), second: (&str, &Manifest)) -> Result<TestRows, RegistryError> {
    same_label(first, second)?;
    let [one, other] = [test_rows(first.1), test_rows(second.1)];
    if let Some(rows) = one.clone().filter(|_| one == other) {
        return Ok(rows);
    }
    let told = |rows: Option<TestRows>| {
        rows.map_or_else(|| "not known".to_owned(), |TestRows { from, to, rows }| format!("{rows} from {from} to {to}"))
    };
    let (first, second) = (first.0.to_owned(), second.0.to_owned());
    Err(RegistryError::OtherRows { first, second, difference: format!("{}; {}", told(one), told(other)) })
}

/// What the manifest says about the circuit on its test split.
pub fn scores(manifest: &Manifest) -> Vec<Score> {
    scores_in(&manifest.training.metrics)
}

/// What a report says about the circuit: the only place that knows where it stands there.
pub fn scores_in(report: &Value) -> Vec<Score> {
    let number = |path: &str| report.pointer(path).and_then(Value::as_f64);
    let score = |(name, key, more_is_better): (&'static str, &str, bool)| {
        let figure = format!("/forecasters/student_circuit/every_minute/figures/{key}");
        let value = number(&format!("{figure}/value"))?;
        Some(Score { name, value, standard_error: number(&format!("{figure}/standard_error")), more_is_better })
    };
    let wanted = [
        ("accuracy", "accuracy", true),
        ("AUC", "auc", true),
        ("ECE", "ece", false),
        ("Brier", "brier", false),
        ("R² of log-volatility", "log_volatility_r2", true),
    ];
    wanted.into_iter().filter_map(score).collect()
}

/// How far `new` is behind `old` in units of the difference's standard error; nothing where it is not behind. The two
/// are taken as independent, which is lenient: on the same days they share their luck.
pub fn behind(old: &Score, new: &Score) -> Option<f64> {
    let loss = if old.more_is_better { old.value - new.value } else { new.value - old.value };
    let error = old.standard_error.unwrap_or(0.0).hypot(new.standard_error.unwrap_or(0.0));
    (loss > 0.0).then_some(if error > 0.0 { loss / error } else { f64::INFINITY })
}

/// Scores in which `new` loses more than one standard error.
pub fn worse(old: &[Score], new: &[Score]) -> Vec<String> {
    let lost = old.iter().filter_map(|old| {
        let Some(new) = new.iter().find(|new| new.name == old.name) else {
            return Some(format!("{} is not known", old.name));
        };
        (behind(old, new)? > 1.0).then(|| format!("{} {:.4} instead of {:.4}", old.name, new.value, old.value))
    });
    lost.collect()
}
