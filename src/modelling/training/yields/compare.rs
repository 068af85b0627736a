//! Two versions of yield models on the same decisions, which neither was fitted on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::evaluate::{add, table};
use super::samples;
use crate::bundle::yields::{YieldModel, YieldModels};
use crate::render::{Render, lines};
use crate::sources::yields::error::YieldError;
use crate::sources::yields::folder::Yields;
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::time::{format_day, parse_day};
use veriregime_core::yields::{HORIZON_DAYS, Kind};
use veriregime_training::yields::samples::{Sample, Samples};
use veriregime_training::yields::score::{Judged, Score, judge, score};

/// Two versions side by side, by kind.
#[derive(Debug, Serialize)]
pub struct YieldComparison {
    first: String,
    second: String,
    kinds: BTreeMap<Kind, Both>,
}

/// Both on the decisions of a kind.
#[derive(Debug, Serialize)]
struct Both {
    /// Day of the first decision.
    from: String,
    first: Score,
    second: Score,
    /// Mean of the first's squared errors of `z` less the second's: above 0 where the second is better.
    gain: f64,
    /// Standard error of that, of the means of weeks.
    gain_error: Option<f64>,
    second_is: &'static str,
}

/// Compares what two folders of models say of the decisions from a day on, or from the first that neither was fitted on.
///
/// # Errors
/// Models or tables that are not usable, or without a kind that both have.
pub fn compare(versions: [(&str, &Path); 2], data: &Path, from: Option<Day>) -> anyhow::Result<YieldComparison> {
    let [(first, one), (second, other)] = versions;
    let [one, other] = [YieldModels::open(one)?, YieldModels::open(other)?];
    let yields = Yields::read(data)?;
    let mut kinds = BTreeMap::new();
    for kind in Kind::ALL.into_iter().filter(|kind| yields.last_day(*kind).is_some()) {
        let (Some(one), Some(other)) = (one.of(kind), other.of(kind)) else { continue };
        let unseen = [one, other].into_iter().filter_map(trained_to).max().map_or(Day::MIN, |day| day + 1);
        let from = from.map_or(unseen, |from| from.max(unseen));
        let samples = samples(&yields, &[kind]);
        let [one, other] = [one, other].map(|model| judged(model, &samples, from));
        if let Some(both) = both(&one?, &other?) {
            kinds.insert(kind, both);
        }
    }
    if kinds.is_empty() {
        return Err(YieldError::NoCommonRows { first: first.into(), second: second.into() }.into());
    }
    Ok(YieldComparison { first: first.to_owned(), second: second.to_owned(), kinds })
}

/// The last day whose outcomes a model was fitted on.
fn trained_to(model: &YieldModel) -> Option<Day> {
    let to = model.bundle.manifest.training.provenance.pointer("/split/train/to")?.as_str()?;
    parse_day(to).ok()
}

fn judged<'a>(model: &YieldModel, samples: &'a Samples, from: Day) -> anyhow::Result<Vec<Judged<'a>>> {
    let seen: BTreeSet<&str> = model.seen().into_iter().collect();
    let is_seen = |sample: &Sample| seen.contains(samples.pools[sample.pool].as_str());
    let rows = samples.all.iter().map(|sample| Ok((sample, is_seen(sample), model.say(&sample.row)?.0)));
    Ok(judge(&rows.collect::<anyhow::Result<Vec<_>>>()?, from))
}

/// Both judge every decision of the samples, so that their rows are the same ones.
fn both(one: &[Judged<'_>], other: &[Judged<'_>]) -> Option<Both> {
    let first_day = one.first()?.sample.day;
    let error = |of: &Judged<'_>| (of.said.change - of.target.change).powi(2);
    let mut weeks: BTreeMap<Day, (f64, f64)> = BTreeMap::new();
    for (one, other) in one.iter().zip(other) {
        let (sum, count) = weeks.entry((one.sample.day - first_day) / HORIZON_DAYS as Day).or_default();
        (*sum, *count) = (*sum + error(one) - error(other), *count + 1.0);
    }
    let gain = weeks.values().map(|(sum, _)| sum).sum::<f64>() / one.len() as f64;
    let means: Vec<f64> = weeks.values().map(|(sum, count)| sum / count).collect();
    let number = means.len() as f64;
    let mean = means.iter().sum::<f64>() / number;
    let squares = means.iter().map(|week| (week - mean).powi(2)).sum::<f64>();
    let gain_error = (number > 1.0).then(|| (squares / (number - 1.0) / number).sqrt());
    let is_clear = gain_error.is_some_and(|error| gain.abs() > error);
    let second_is = match (gain > 0.0, gain < 0.0, is_clear) {
        (true, _, true) => "better",
        (true, _, false) => "better, within chance",
        (_, true, true) => "worse",
        (_, true, false) => "worse, within chance",
        _ => "same",
    };
    let (first, second) = (score(one.iter()), score(other.iter()));
    Some(Both { from: format_day(first_day), first, second, gain, gain_error, second_is })
}

impl Render for YieldComparison {
    fn text(&self) -> String {
        lines(self.kinds.iter().map(|(kind, both)| {
            let mut table = table();
            add(&mut table, &self.first, &both.first);
            add(&mut table, &self.second, &both.second);
            let error = both.gain_error.map_or_else(String::new, |error| format!(" ± {error:.5}"));
            let Both { from, gain, second_is, .. } = both;
            format!(
                "{}, the same decisions of both, from {from}\n{table}\n{} is {second_is}: mean squared error of z lower by {gain:.5}{error}",
                kind.name(),
                self.second
            )
        }))
    }
}
