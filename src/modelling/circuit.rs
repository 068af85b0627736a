//! The search for a circuit on a chain of its own, and the table of what was tried.

use std::ops::Range;

use alloy::primitives::Bytes;

use crate::chain::Chain;
use crate::chain::error::ChainError;
use crate::devnet;
use crate::diagnosis::words;
use crate::render::layout::Table;
use crate::verification::error::ProofError;
use crate::verification::ezkl::search::{Candidate, Outcome, Search, SearchRequest, search};
use crate::verification::ezkl::supervisor::Ezkl;
use veriregime_core::features::{Batch, FeatureError};
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::feature::FeatureSpec;
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::proof::Proof;

/// Decision times on which circuits are compared with the network.
const SAMPLE_ROWS: usize = 2000;

/// Feature integers of up to 2,000 decision times in `times` (ms UTC), evenly spread.
///
/// # Errors
/// [`FeatureError`].
pub fn sample(spec: &FeatureSpec, series: &CandleSeries, times: &Range<i64>) -> Result<Vec<Vec<i32>>, FeatureError> {
    let batch = Batch::new(spec, series)?;
    let index = |time_ms: i64| usize::try_from((time_ms - series.start_ms()) / MINUTE_MS).unwrap_or(0);
    let usable: Vec<usize> = (index(times.start)..index(times.end)).filter(|at| batch.is_usable(*at)).collect();
    let row = |at: &usize| {
        let mut row = Vec::with_capacity(spec.count());
        batch.append(*at, &mut row);
        row
    };
    Ok(usable.iter().step_by(usable.len().div_ceil(SAMPLE_ROWS).max(1)).map(row).collect())
}

/// Searches with gas measured on an anvil that lives as long as the search. Where none starts, the search goes without
/// gas and the reason is logged.
///
/// # Errors
/// As [`search`].
pub async fn choose(ezkl: &mut Ezkl, request: &SearchRequest<'_>) -> Result<Search, ProofError> {
    match devnet::bare_chain().await {
        Ok((_anvil, chain)) => {
            search(ezkl, request, async |code, proofs| match verification_gas(&chain, code, proofs).await {
                Ok(gas) => Some(gas),
                Err(fault) => {
                    tracing::warn!(%fault, "gas cannot be measured");
                    None
                }
            })
            .await
        }
        Err(error) => {
            tracing::warn!("no gas figures: {}", words(&error));
            search(ezkl, request, async |_, _| None).await
        }
    }
}

/// Mean gas of verifying each of `proofs` in a transaction of its own.
///
/// # Errors
/// What the chain runs into.
pub(super) async fn verification_gas(chain: &Chain, creation_code: &str, proofs: &[Proof]) -> Result<u64, ChainError> {
    let code: Bytes =
        creation_code.trim().parse().map_err(|_| ChainError::Refused("the verifier's code is no hex".into()))?;
    let verifier = chain.create(code).await?;
    let mut total = 0;
    for proof in proofs {
        total += chain.verification_gas(verifier, proof).await?;
    }
    Ok(total / proofs.len().max(1) as u64)
}

/// What was tried, a form a line, the chosen one marked.
pub fn table(search: &Search) -> Table {
    let mut table = Table::new(&[
        "",
        "scales",
        "columns",
        "digits",
        "2^",
        "rows",
        "inputs",
        "key",
        "proof",
        "prove",
        "gas",
        "agree",
        "largest Δp",
    ]);
    for (index, Candidate { form, outcome }) in search.tried.iter().enumerate() {
        let mut row = vec![
            if index == search.chosen { "→".to_owned() } else { String::new() },
            format!("{}, {}", form.input_scale, form.param_scale),
            form.inner_columns.to_string(),
            form.decomposition.map_or_else(String::new, |digits| format!("{}^{}", digits.base, digits.legs)),
        ];
        match outcome {
            Outcome::Measured(measured) => row.extend([
                measured.logrows.to_string(),
                measured.rows.to_string(),
                measured.instances.to_string(),
                format!("{} B", measured.pk_bytes),
                format!("{} B", measured.proof_bytes),
                format!("{:.0} ms", measured.prove_ms),
                measured.gas.map_or_else(|| "not measured".to_owned(), |gas| gas.to_string()),
                format!("{:.3} %", measured.agreement * 100.0),
                format!("{:.1e}", measured.largest_probability_difference),
            ]),
            Outcome::Skipped(reason) => {
                row.extend([form.logrows.map_or_else(String::new, |logrows| logrows.to_string()), reason.clone()]);
            }
        }
        table.add_row(row);
    }
    table
}
