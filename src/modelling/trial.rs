//! A new way of verification: compared with the integers that it must give, and measured.

use std::path::Path;

use alloy::primitives::Bytes;

use super::circuit::verification_gas;
use crate::bundle::Bundle;
use crate::devnet;
use crate::diagnosis::words;
use crate::verification::Prover;
use crate::verification::direct::Computation;
use crate::verification::error::ProofError;
use crate::verification::ezkl::build::{Built, CircuitConfig};
use crate::verification::ezkl::protocol::{Prove, Witness};
use crate::verification::ezkl::search::{Candidate, Measured, Outcome, Search};
use crate::verification::ezkl::supervisor::Ezkl;
use veriregime_core::model::ModelError;
use veriregime_core::model::table::TableModel;
use veriregime_core::types::manifest::inputs::Table;
use veriregime_core::types::manifest::{PROVING_KEY_FILE, VERIFIER_BYTECODE_FILE};
use veriregime_core::types::proof::Proof;
use veriregime_core::types::public_inputs::instances;

/// Rows on which circuit and integers are compared.
const ROWS: usize = 32;
/// Rows that are tried to find them.
const MOST_ROWS: u64 = 256;
/// Proofs whose times and gas are measured.
const PROOFS: usize = 3;
/// Largest compiled verifier.
const MAX_BYTECODE_BYTES: u64 = 1 << 20;

/// Runs the circuit that `ezkl` has loaded on rows all over its range, which must give the model's integers bit for bit, and
/// measures a few proofs. Gas is measured on an anvil of its own, where one starts.
///
/// # Errors
/// [`ProofError::Circuit`] where circuit and integers differ, or what the worker runs into.
pub async fn tried(
    ezkl: &mut Ezkl,
    folder: &Path,
    (model, table): (&TableModel, &Table),
    form: CircuitConfig,
    built: &Built,
) -> anyhow::Result<Search> {
    let unit = libm::exp2(-f64::from(table.input_scale));
    let reals = |row: &[i32]| row.iter().map(|integer| f64::from(*integer) * unit).collect::<Vec<_>>();
    let bounds = bounds(table);
    let mut rows = Vec::with_capacity(ROWS);
    for number in 0..MOST_ROWS {
        let row = row(&bounds, number);
        match model.evaluate(&row) {
            // A circuit with tables has none for some rows at the ends of the range.
            Err(ModelError::OutOfTables { .. }) => {}
            outputs => rows.push((row, outputs?)),
        }
        if rows.len() == ROWS {
            break;
        }
    }
    if rows.len() < ROWS {
        let reason = format!("its tables hold {} of {MOST_ROWS} rows all over the range of its inputs", rows.len());
        return Err(ProofError::Circuit { reason }.into());
    }
    let witnessed = ezkl.call(&Witness { rows: rows.iter().map(|(row, _)| reals(row)).collect() }).await?;
    for ((row, outputs), found) in rows.iter().zip(&witnessed.instances) {
        if *found != instances(row, outputs) {
            let reason = format!("it does not give the integers of the model for {row:?}");
            return Err(ProofError::Circuit { reason }.into());
        }
    }
    // Circuits with tables take seconds for each, and one proof costs as much gas as another.
    let count = if form.lookup_bound.is_some() { 1 } else { PROOFS };
    let (mut times, mut proofs) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for (row, _) in rows.iter().take(count) {
        let made = ezkl.call(&Prove { row: reals(row) }).await?;
        times.push(made.prove_ms);
        proofs.push(Proof { bytes: made.proof, instances: made.instances });
    }
    times.sort_by(f64::total_cmp);
    let code = veriregime_files::read_text(&folder.join(VERIFIER_BYTECODE_FILE), MAX_BYTECODE_BYTES)?;
    let measured = Measured {
        logrows: built.circuit.logrows,
        rows: built.circuit.rows,
        instances: built.circuit.instances,
        pk_bytes: veriregime_files::size_bytes(&folder.join(PROVING_KEY_FILE))?,
        proof_bytes: built.circuit.proof_bytes,
        prove_ms: times[times.len() / 2],
        gas: gas(&code, &proofs).await,
        agreement: 1.0,
        largest_probability_difference: 0.0,
    };
    let form = CircuitConfig { logrows: Some(built.circuit.logrows), ..form };
    Ok(Search { tried: vec![Candidate { form, outcome: Outcome::Measured(measured) }], chosen: 0 })
}

/// What a few proofs took.
#[derive(Debug)]
pub struct Trial {
    /// Time of one, at the median.
    pub prove_ms: f64,
    /// Gas of a transaction that verifies one and does nothing else, where an anvil starts.
    pub gas: Option<u64>,
}

/// Proves what the bundle's network makes of rows all over its range, and measures it with the verifier whose creation code is
/// `code`.
///
/// # Errors
/// A network that is none, or what the prover runs into.
pub async fn measured(prover: &mut Prover, bundle: &Bundle, code: &Bytes) -> anyhow::Result<Trial> {
    let model = Computation::of(bundle)?;
    let (inputs, bound) = model.inputs();
    let bounds = vec![f64::from(bound); inputs];
    let (mut times, mut proofs) = (Vec::with_capacity(PROOFS), Vec::with_capacity(PROOFS));
    for number in 0..PROOFS as u64 {
        let row = row(&bounds, number);
        let proved = prover.prove(&row, &model.evaluate(&row)?).await?;
        times.push(proved.prove_ms);
        proofs.push(proved.proof);
    }
    times.sort_by(f64::total_cmp);
    Ok(Trial { prove_ms: times[times.len() / 2], gas: gas(&code.to_string(), &proofs).await })
}

async fn gas(code: &str, proofs: &[Proof]) -> Option<u64> {
    let measured = match devnet::bare_chain().await {
        Ok((_anvil, chain)) => verification_gas(&chain, code, proofs).await.map_err(anyhow::Error::from),
        Err(error) => Err(error),
    };
    measured.inspect_err(|error| tracing::warn!("no gas figures: {}", words(error))).ok()
}

/// The largest magnitude of each column's integers.
fn bounds(table: &Table) -> Vec<f64> {
    let largest = table.columns.iter().map(|column| column.clip).fold(f64::MIN_POSITIVE, f64::max);
    table.columns.iter().map(|column| f64::from(table.bound()) * column.clip / largest).collect()
}

/// A row somewhere in the range of each column, the same on every machine: near zero as often as near the bound.
fn row(bounds: &[f64], number: u64) -> Vec<i32> {
    let mut state = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        // Marsaglia's xorshift.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let entry = |bound: f64, bits: u64| {
        let share = (bits >> 33) as f64 / f64::from(u32::MAX >> 1);
        let size = libm::exp2(-((bits & 0xf) as f64));
        let sign = if bits & 0x10 == 0 { 1.0 } else { -1.0 };
        (bound * share * size * sign) as i32
    };
    bounds.iter().map(|bound| entry(*bound, next())).collect()
}
