//! Whether a model still sees what it was trained on, and still keeps its promises.

use serde::{Deserialize, Serialize};

use super::bootstrap::Draws;
use super::figure::Figure;
use super::outcomes::{Forecast, Outcomes};
use super::report::Row;
use super::tallies::Metric;
use veriregime_core::features::Batch;
use veriregime_core::types::manifest::frozen;
use veriregime_core::types::reference::{CLASSES, FeatureReference};

/// Up to here a population counts as stable, from the next on as another one (Siddiqi 2006).
pub const STABLE_PSI: f64 = 0.1;
/// From here on a feature has drifted.
pub const DRIFTED_PSI: f64 = 0.25;
/// A promise that is off by more than this is not kept, if the error is not mere chance.
pub const BROKEN_PROMISE: f64 = 0.05;
/// Standard errors beyond which something is no chance.
pub const CHANCE_ERRORS: f64 = 2.0;
/// Stands for a share of nothing, of which there is no logarithm.
const LEAST_SHARE: f64 = 1e-4;

/// How far a model is from what it was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Feature by feature.
    pub features: Vec<FeatureDrift>,
    /// Mean promised probability of High less the share that High followed.
    pub promise: Figure,
}

/// One feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureDrift {
    /// As the model card shows it.
    pub name: String,
    /// Population stability index.
    pub psi: f64,
}

/// What to do with a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing.
    Keep,
    /// Look again soon.
    Watch,
    /// Train another one.
    Retrain,
}

impl Action {
    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Keep => "keep it",
            Self::Watch => "watch it",
            Self::Retrain => "train it again",
        }
    }
}

/// What to do, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The most that any reason asks for.
    pub action: Action,
    /// In sentences; none where there is nothing to do.
    pub reasons: Vec<String>,
}

/// The classes of each feature over the decision indices of the training part of each market, which must be usable.
pub fn reference(markets: &[(&Batch<'_>, &[usize])]) -> Vec<FeatureReference> {
    let mut all: Vec<Vec<i32>> = Vec::new();
    for (batch, at) in markets {
        let own = columns(batch, at);
        all.resize_with(own.len().max(all.len()), Vec::new);
        for (column, own) in all.iter_mut().zip(own) {
            column.extend(own);
        }
    }
    all.into_iter().map(classes).collect()
}

fn classes(mut values: Vec<i32>) -> FeatureReference {
    values.sort_unstable();
    let last = values.len().saturating_sub(1);
    let edge = |class: usize| values.get(((class + 1) * values.len() / CLASSES).saturating_sub(1).min(last));
    let edges = std::array::from_fn(|class| edge(class).copied().unwrap_or_default());
    FeatureReference { edges, shares: shares(&edges, &values).map(frozen) }
}

fn shares(edges: &[i32; CLASSES - 1], values: &[i32]) -> [f64; CLASSES] {
    let mut counts = [0.0; CLASSES];
    for value in values {
        counts[edges.partition_point(|edge| edge < value)] += 1.0;
    }
    counts.map(|count| count / values.len().max(1) as f64)
}

fn columns(batch: &Batch<'_>, at: &[usize]) -> Vec<Vec<i32>> {
    let mut columns = Vec::new();
    let mut row = Vec::new();
    for at in at {
        row.clear();
        batch.append(*at, &mut row);
        columns.resize_with(row.len(), Vec::new);
        for (column, value) in columns.iter_mut().zip(&row) {
            column.push(*value);
        }
    }
    columns
}

/// Population stability index of two distributions over the same classes: the sum of `(found - expected) * ln(found /
/// expected)`.
pub fn stability_index(expected: &[f64], found: &[f64]) -> f64 {
    let pairs = expected.iter().zip(found).map(|(expected, found)| (expected.max(LEAST_SHARE), found.max(LEAST_SHARE)));
    pairs.map(|(expected, found)| (found - expected) * libm::log(found / expected)).sum()
}

/// How far the inputs and the promises of `circuit` have moved on `outcomes`.
pub fn drift(reference: &[FeatureReference], batch: &Batch<'_>, outcomes: &Outcomes, circuit: &Forecast) -> Drift {
    let found = columns(batch, &outcomes.at);
    let names = batch.feature_names();
    let features = reference.iter().zip(found).zip(names).map(|((reference, values), name)| {
        let psi = stability_index(&reference.shares, &shares(&reference.edges, &values));
        FeatureDrift { name, psi }
    });
    let miss = |row: usize| circuit.rating[row] - f64::from(u8::from(outcomes.was_high[row]));
    Drift { features: features.collect(), promise: Draws::new(outcomes, |_| true).mean(miss) }
}

/// What to do with a model that has drifted so, of whose lead over a baseline `baseline` (the HAR logistic regression)
/// tells.
///
/// Another model is due where promises are off by more than [`BROKEN_PROMISE`] and that is no chance, or where the circuit
/// is no longer ahead of the baseline. It is watched where its lead may be chance, or where features look like another
/// population's: that alone does not make a forecast wrong.
pub fn verdict(drift: &Drift, baseline: &Row) -> Verdict {
    let mut found: Vec<(Action, String)> = Vec::new();
    let Figure { value, standard_error } = drift.promise;
    let off = value.abs();
    let chance = standard_error.unwrap_or(f64::INFINITY) * CHANCE_ERRORS;
    if off > BROKEN_PROMISE {
        let action = if off > chance { Action::Retrain } else { Action::Watch };
        found.push((action, format!("promised probabilities of High are off by {:+.1} points", value * 100.0)));
    }
    if let Some(lead) = baseline.every_minute.circuit_ahead.get(&Metric::Auc) {
        let chance = lead.standard_error.unwrap_or(0.0) * CHANCE_ERRORS;
        if lead.value <= 0.0 {
            found.push((Action::Retrain, "a regression on four volatilities ranks periods as well".into()));
        } else if lead.value <= chance {
            found.push((Action::Watch, "the lead over a regression on four volatilities may be chance".into()));
        }
    }
    for feature in drift.features.iter().filter(|feature| feature.psi > DRIFTED_PSI) {
        let reason = format!("{} is distributed otherwise than in training, PSI {:.2}", feature.name, feature.psi);
        found.push((Action::Watch, reason));
    }
    let action = found.iter().map(|(action, _)| *action).max().unwrap_or(Action::Keep);
    Verdict { action, reasons: found.into_iter().map(|(_, reason)| reason).collect() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::evaluation::report::View;
    use crate::evaluation::tallies::Confusion;

    #[test]
    fn the_stability_index_matches_an_example_worked_by_hand() {
        let expected = [0.5, 0.5];
        assert!(stability_index(&expected, &expected).abs() < 1e-15);
        // 0.3 * ln(0.8 / 0.5) - 0.3 * ln(0.2 / 0.5) = 0.3 * ln 4.
        let found = stability_index(&expected, &[0.8, 0.2]);
        assert!((found - 0.3 * 4.0_f64.ln()).abs() < 1e-12, "{found}");
        assert!(stability_index(&expected, &[1.0, 0.0]).is_finite());
    }

    #[test]
    fn classes_hold_a_tenth_each_unless_values_repeat() {
        let even = classes((0..1000).rev().collect());
        assert_eq!(even.edges, [99, 199, 299, 399, 499, 599, 699, 799, 899]);
        assert!(even.shares.iter().all(|share| (share - 0.1).abs() < 1e-9), "{even:?}");
        assert!(stability_index(&even.shares, &shares(&even.edges, &(0..1000).collect::<Vec<_>>())) < 1e-9);
        let moved = shares(&even.edges, &(500..1500).collect::<Vec<_>>());
        assert!(stability_index(&even.shares, &moved) > DRIFTED_PSI, "{moved:?}");
        let flat = classes(vec![7; 100]);
        assert!(stability_index(&flat.shares, &shares(&flat.edges, &[7; 5])) < 1e-9, "{flat:?}");
    }

    fn action(promise: (f64, f64), lead: (f64, f64), psi: f64) -> Action {
        let figure = |(value, error): (f64, f64)| Figure { value, standard_error: Some(error) };
        let features = vec![FeatureDrift { name: "a feature".into(), psi }];
        let view = View {
            confusion: Confusion { true_low: 1, false_high: 1, false_low: 1, true_high: 1 },
            figures: BTreeMap::new(),
            circuit_ahead: BTreeMap::from([(Metric::Auc, figure(lead))]),
        };
        let verdict =
            verdict(&Drift { features, promise: figure(promise) }, &Row { every_minute: view, on_grid: None });
        assert_eq!(verdict.action == Action::Keep, verdict.reasons.is_empty());
        verdict.action
    }

    #[test]
    fn a_model_is_retrained_only_for_what_is_no_chance() {
        assert_eq!(action((0.01, 0.02), (0.08, 0.01), 0.05), Action::Keep);
        assert_eq!(action((0.01, 0.02), (0.08, 0.01), 0.4), Action::Watch);
        assert_eq!(action((0.09, 0.06), (0.08, 0.01), 0.05), Action::Watch);
        assert_eq!(action((-0.09, 0.02), (0.08, 0.01), 0.05), Action::Retrain);
        assert_eq!(action((0.01, 0.02), (0.01, 0.01), 0.05), Action::Watch);
        assert_eq!(action((0.01, 0.02), (-0.01, 0.01), 0.4), Action::Retrain);
    }
}
