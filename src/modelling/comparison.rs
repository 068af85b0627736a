//! Two versions on the same rows, and on no others.

use serde::Serialize;

use super::candle_file::CandleFile;
use super::measured::Measured;
use super::training;
use super::versions::{Summary, dash, figure, summary};
use crate::bundle::registry::Registry;
use crate::bundle::registry::figures;
use crate::bundle::registry::figures::TestRows;
use crate::render::Render;
use crate::render::layout::Table;

/// Two versions side by side.
#[derive(Debug, Serialize)]
pub struct Comparison {
    first: Summary,
    second: Summary,
    /// What the scores of both are from.
    rows: TestRows,
    figures: Vec<Row>,
}

/// One figure of both.
#[derive(Debug, Serialize)]
struct Row {
    figure: String,
    first: String,
    second: String,
    second_is: &'static str,
}

/// Compares two versions, on candles where they are given.
///
/// # Errors
/// Versions that cannot be compared, or candles that are not usable.
pub fn compare(registry: &Registry, [first, second]: [&str; 2], candles: &[CandleFile]) -> anyhow::Result<Comparison> {
    let [one, other] = [registry.open(first)?, registry.open(second)?];
    let measured = match candles {
        [] => Measured {
            rows: figures::same_rows((first, &one.manifest), (second, &other.manifest))?,
            scores: [&one, &other].map(|bundle| figures::scores(&bundle.manifest)),
        },
        candles => training::on_candles([(first, &one), (second, &other)], candles)?,
    };
    let current = registry.current()?;
    let mut summaries = [summary(first, &one, current.as_deref())?, summary(second, &other, current.as_deref())?];
    for (summary, scores) in summaries.iter_mut().zip(measured.scores) {
        summary.scores = scores;
    }
    let figures = rows(&summaries);
    let [first, second] = summaries;
    Ok(Comparison { first, second, rows: measured.rows, figures })
}

impl Render for Comparison {
    fn text(&self) -> String {
        let (first, second) = (&self.first.id, &self.second.id);
        let mut table = Table::new(&["", first, second, &format!("{second} is")]);
        for row in &self.figures {
            table.add_row([&row.figure, &row.first, &row.second, row.second_is]);
        }
        let TestRows { from, to, rows } = &self.rows;
        format!("{table}\nscores of both on the same {rows} decision times, {from} to {to}")
    }
}

/// All that both have.
fn rows([one, other]: &[Summary; 2]) -> Vec<Row> {
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
        rows.push(Row { figure: score.name.to_owned(), first: figure(score), second: figure(new), second_is: verdict });
    }
    for ((name, before), (_, after)) in costs(one).into_iter().zip(costs(other)) {
        let verdict = match before.zip(after) {
            Some((before, after)) if after < before => "better",
            Some((before, after)) if after > before => "worse",
            Some(_) => "same",
            None => "",
        };
        let [first, second] = [before, after].map(|cost| cost.map_or_else(dash, |cost| format!("{cost:.0}")));
        rows.push(Row { figure: name.to_owned(), first, second, second_is: verdict });
    }
    rows
}

/// What is better the less there is of it.
fn costs(of: &Summary) -> [(&'static str, Option<f64>); 7] {
    [
        ("weights", of.parameters.map(|parameters| parameters as f64)),
        ("rows", of.rows.map(|rows| rows as f64)),
        ("log2 of the domain", of.logrows.map(f64::from)),
        ("public inputs", of.instances.map(|instances| instances as f64)),
        ("verifyProof, gas", of.verify_gas.map(|gas| gas as f64)),
        ("prove, ms", of.prove_ms),
        ("size, bytes", Some(of.size_bytes as f64)),
    ]
}
