//! `models compare`: two versions on the same rows, and on no others.

use std::collections::HashSet;
use std::path::Path;

use crate::cmd::layout::Table;
use serde_json::{Value, json};

use super::{Summary, dash, figure, summary};
use crate::bundle::Bundle;
use crate::bundle::registry::figures;
use crate::bundle::registry::figures::{Score, TestRows};
use crate::bundle::registry::{Registry, RegistryError};
use crate::cmd::evaluate::judge;
use crate::cmd::reference_models::Compared;
use crate::cmd::report;
use veriregime_core::types::time::{format_utc, parse_utc_ms};
use veriregime_training::evaluation::EvaluationError;

/// What two versions score on the same rows.
#[derive(Debug)]
pub struct Measured {
    /// The rows.
    pub rows: TestRows,
    /// Of the first and of the second version.
    pub scores: [Vec<Score>; 2],
}

/// Compares two versions, on candles where they are given.
///
/// # Errors
/// Versions that cannot be compared, or candles that are not usable.
pub fn run(registry: &Registry, [first, second]: [&str; 2], candles: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let [one, other] = [registry.open(first)?, registry.open(second)?];
    let measured = match candles {
        Some(candles) => on_candles([(first, &one), (second, &other)], candles)?,
        None => Measured {
            rows: figures::same_rows((first, &one.manifest), (second, &other.manifest))?,
            scores: [&one, &other].map(|bundle| figures::scores(&bundle.manifest)),
        },
    };
    let current = registry.current()?;
    let mut summaries = [summary(first, &one, current.as_deref())?, summary(second, &other, current.as_deref())?];
    for (summary, scores) in summaries.iter_mut().zip(&measured.scores) {
        summary.scores.clone_from(scores);
    }
    let rows = rows(&summaries);
    let [one, other] = summaries;
    if json {
        let figures: Vec<Value> = rows.iter().map(|(name, [before, after], verdict)| json!({"figure": name, "first": before, "second": after, "second_is": verdict})).collect();
        println!("{}", json!({"first": one, "second": other, "rows": measured.rows, "figures": figures}));
        return Ok(());
    }
    let mut table: Table = report::table(&["", first, second, &format!("{second} is")]);
    for (name, [before, after], verdict) in rows {
        table.add_row([name, before, after, verdict.to_owned()]);
    }
    let TestRows { from, to, rows } = measured.rows;
    println!("{table}\nscores of both on the same {rows} decision times, {from} to {to}");
    Ok(())
}

/// Judges two versions by candles, at the decision times that both can forecast and that neither was trained on or
/// chosen by.
///
/// # Errors
/// Candles that are not usable or hold no such decision time, or a version that does not say when it was trained.
pub fn on_candles(versions: [(&str, &Bundle); 2], candles: &Path) -> anyhow::Result<Measured> {
    let [(first, one), (second, other)] = versions;
    figures::same_label((first, &one.manifest), (second, &other.manifest))?;
    let mut unseen_from_ms = i64::MIN;
    for (id, bundle) in versions {
        let rows = figures::test_rows(&bundle.manifest).ok_or_else(|| RegistryError::OtherRows {
            first: first.to_owned(),
            second: second.to_owned(),
            difference: format!("{id} does not say when it was trained"),
        })?;
        unseen_from_ms = unseen_from_ms.max(parse_utc_ms(&rows.from)?);
    }
    let panel = |(_, bundle): (&str, &Bundle)| {
        anyhow::Ok(judge(bundle, &Compared::NONE, candles, &(unseen_from_ms..i64::MAX))?.panel)
    };
    let mut panels = [panel(versions[0])?, panel(versions[1])?];
    let times: HashSet<i64> = panels[0].outcomes.time_ms.iter().copied().collect();
    panels[1].keep(|time_ms| times.contains(&time_ms));
    let times: HashSet<i64> = panels[1].outcomes.time_ms.iter().copied().collect();
    panels[0].keep(|time_ms| times.contains(&time_ms));
    let common = &panels[0].outcomes.time_ms;
    let (Some(first_ms), Some(last_ms)) = (common.first(), common.last()) else {
        let [before_minutes, horizon_minutes] = [
            one.manifest.features()?.lookback_minutes.max(other.manifest.features()?.lookback_minutes),
            one.manifest.regime()?.label.horizon_minutes,
        ];
        return Err(EvaluationError::Nothing { before_minutes, horizon_minutes }.into());
    };
    let rows = TestRows { from: format_utc(*first_ms), to: format_utc(*last_ms), rows: common.len() as u64 };
    let scores = [&panels[0], &panels[1]].map(|panel| serde_json::to_value(panel.report()));
    let [one, other] = scores;
    Ok(Measured { rows, scores: [figures::scores_in(&one?), figures::scores_in(&other?)] })
}

/// Name, both figures and what the second one is, of all that both have.
fn rows([one, other]: &[Summary; 2]) -> Vec<(String, [String; 2], &'static str)> {
    let mut rows = Vec::new();
    for score in &one.scores {
        let Some(new) = other.scores.iter().find(|new| new.name == score.name) else { continue };
        let verdict = match (figures::behind(score, new), figures::behind(new, score)) {
            (Some(errors), _) if errors > 1.0 => "worse",
            (Some(_), _) => "worse, within chance",
            (_, Some(errors)) if errors > 1.0 => "better",
            (_, Some(_)) => "better, within chance",
            _ => "same",
        };
        rows.push((score.name.to_owned(), [figure(score), figure(new)], verdict));
    }
    for ((name, before), (_, after)) in costs(one).into_iter().zip(costs(other)) {
        let verdict = match before.zip(after) {
            Some((before, after)) if after < before => "better",
            Some((before, after)) if after > before => "worse",
            Some(_) => "same",
            None => "",
        };
        let cells = [before, after].map(|cost| cost.map_or_else(dash, |cost| format!("{cost:.0}")));
        rows.push((name.to_owned(), cells, verdict));
    }
    rows
}

/// What is better the less there is of it.
fn costs(of: &Summary) -> [(&'static str, Option<f64>); 7] {
    [
        ("weights", of.parameters.map(|parameters| parameters as f64)),
        ("rows", Some(of.rows as f64)),
        ("log2 of the domain", Some(f64::from(of.logrows))),
        ("public inputs", Some(of.instances as f64)),
        ("verifyProof, gas", of.verify_gas.map(|gas| gas as f64)),
        ("prove, ms", of.prove_ms),
        ("size, bytes", Some(of.size_bytes as f64)),
    ]
}
