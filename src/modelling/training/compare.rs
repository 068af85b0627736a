//! Two versions judged by the same candles.

use std::collections::HashSet;

use super::measuring::{measure, together};
use super::reference_models::ReferenceModels;
use crate::bundle::registry::RegistryError;
use crate::bundle::registry::figures;
use crate::bundle::registry::figures::TestRows;
use crate::modelling::candle_file::CandleFile;
use crate::modelling::measured::{Measured, Version};
use veriregime_core::types::time::{format_utc, parse_utc_ms};
use veriregime_training::evaluation::{Comparison, EvaluationError};

/// As [`super::on_candles`].
pub(super) fn on_candles(versions: [Version<'_>; 2], candles: &[CandleFile]) -> anyhow::Result<Measured> {
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
    let measured =
        |(_, bundle): Version<'_>| measure(bundle, &ReferenceModels::NONE, candles, &(unseen_from_ms..i64::MAX));
    let mut both = [measured(versions[0])?, measured(versions[1])?];
    let [one, other] = &mut both;
    // The same files are of the same markets in both.
    for (one, other) in one.iter_mut().zip(other) {
        keep_common(&mut one.comparison, &mut other.comparison);
    }
    let both = both.map(|results| together(results.iter().map(|result| (&result.comparison, result.threshold))));
    let common = &both[0].outcomes.time_ms;
    let (Some(first_ms), Some(last_ms)) = (common.first(), common.last()) else {
        let [(_, one), (_, other)] = versions;
        let [before_minutes, horizon_minutes] = [
            one.manifest.features()?.lookback_minutes.max(other.manifest.features()?.lookback_minutes),
            one.manifest.regime()?.horizon_minutes(),
        ];
        return Err(EvaluationError::Nothing { before_minutes, horizon_minutes }.into());
    };
    let rows = TestRows { from: format_utc(*first_ms), to: format_utc(*last_ms), rows: common.len() as u64 };
    let [one, other] = [&both[0], &both[1]].map(|comparison| serde_json::to_value(comparison.report()));
    Ok(Measured { rows, scores: [figures::scores_in(&one?), figures::scores_in(&other?)] })
}

/// Leaves only the decision times that both have.
fn keep_common(one: &mut Comparison, other: &mut Comparison) {
    let times: HashSet<i64> = one.outcomes.time_ms.iter().copied().collect();
    other.keep(|time_ms| times.contains(&time_ms));
    let times: HashSet<i64> = other.outcomes.time_ms.iter().copied().collect();
    one.keep(|time_ms| times.contains(&time_ms));
}
