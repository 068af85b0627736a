//! The cheapest circuit for a network: every form is built, proven and, where a chain is at hand, verified on it.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::build::{Build, Built, CircuitConfig, Decomposition, build};
use super::protocol::Prove;
use super::supervisor::Ezkl;
use crate::verification::compiler::Compiler;
use crate::verification::error::ProofError;
use veriregime_core::model::float;
use veriregime_core::model::float::FloatModel;
use veriregime_core::model::integer::{IntegerModel, compared_bits};
use veriregime_core::model::onnx::Network;
use veriregime_core::model::{Layout, ModelError};
use veriregime_core::types::manifest::{ONNX_FILE, PROVING_KEY_FILE, VERIFIER_BYTECODE_FILE};
use veriregime_core::types::prediction::{Prediction, REGIME_OUTPUTS};
use veriregime_core::types::proof::Proof;
use veriregime_files::FileError;

/// Name of the search's result inside a bundle. It holds times of one machine, so the manifest names no digest of it.
pub const SEARCH_FILE: &str = "circuit-search.json";
/// Share of the rows on which a circuit must call the float network's regime.
pub const REQUIRED_AGREEMENT: f64 = 0.999;
/// No form is begun after this much time: with the last one, a search takes three minutes.
const TIME_LIMIT: Duration = Duration::from_secs(160);
/// Scales of inputs and weights that are tried beside the settings' own.
const COARSER_SCALES: [(u32, u32); 2] = [(10, 12), (7, 7)];
/// Bases of digits, as powers of two, for networks that compare.
const BASE_BITS: [u32; 3] = [7, 4, 14];
/// Products that a row adds up.
const INNER_COLUMNS: [u32; 2] = [1, 2];
/// Proofs of each circuit whose times and gas are measured.
const PROOFS: usize = 5;
/// Gas that differs by less than this share counts as the same: a proof's zero bytes alone make as much.
const SAME_GAS: f64 = 0.001;
/// Largest compiled verifier.
const MAX_BYTECODE_BYTES: u64 = 1 << 20;

/// What a circuit is looked for.
#[allow(missing_debug_implementations, reason = "it holds a closure")]
pub struct SearchRequest<'a> {
    /// The network before its weights were rounded, as ONNX.
    pub float_onnx: &'a [u8],
    /// The network with its weights on the grid of `2^-param_scale`, as ONNX.
    pub on_grid: &'a dyn Fn(u32) -> Vec<u8>,
    /// Features of real decision times at `input_scale`, not those of the test part.
    pub rows: &'a [Vec<i32>],
    /// log2 of the grid of `rows`.
    pub input_scale: u32,
    /// Largest magnitude of a feature integer at `input_scale`.
    pub feature_bound: i32,
    /// log2 of the weights' grid by the settings.
    pub param_scale: u32,
    /// Folder with the SRS files; none is downloaded here.
    pub srs_folder: &'a Path,
    /// Compiler of the verifiers.
    pub compiler: &'a Compiler,
}

/// What was tried, and what is best.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// In the order of trying.
    pub tried: Vec<Candidate>,
    /// Position of the best one.
    pub chosen: usize,
}

/// One form of the circuit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The form; its domain is fixed where it was built.
    pub form: CircuitConfig,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Built, proven and compared.
    Measured(Measured),
    /// Not built, and why.
    Skipped(String),
}

/// Figures of a circuit. Times are of one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// log2 of the domain's rows.
    pub logrows: u32,
    /// Rows in use.
    pub rows: usize,
    /// Public inputs.
    pub instances: usize,
    /// Size of the proving key in bytes.
    pub pk_bytes: u64,
    /// Size of a proof in bytes.
    pub proof_bytes: usize,
    /// Median time of a proof by a warm worker, in ms.
    pub prove_ms: f64,
    /// Mean gas of a transaction that verifies a proof; absent where there was no chain.
    pub gas: Option<u64>,
    /// Share of the rows on which the regime is the float network's.
    pub agreement: f64,
    /// Largest distance of the probability of High from the float network's.
    pub largest_probability_difference: f64,
}

impl Search {
    /// The best form.
    pub fn form(&self) -> &CircuitConfig {
        &self.tried[self.chosen].form
    }

    /// Figures of the best form.
    pub fn measured(&self) -> Option<&Measured> {
        match &self.tried.get(self.chosen)?.outcome {
            Outcome::Measured(measured) => Some(measured),
            Outcome::Skipped(_) => None,
        }
    }
}

/// Tries forms and chooses the one whose verification is cheapest among those that keep [`REQUIRED_AGREEMENT`].
///
/// `gas` gives the mean gas of verifying proofs by a verifier with this creation code, or nothing where that cannot be
/// measured; with no chain at all the number of public inputs and the proof's size stand in for it.
///
/// # Errors
/// [`ProofError::NoCircuit`], or what building any form ran into.
pub async fn search(
    ezkl: &mut Ezkl,
    request: &SearchRequest<'_>,
    mut gas: impl AsyncFnMut(&str, &[Proof]) -> Option<u64>,
) -> Result<Search, ProofError> {
    let float = float_predictions(request)?;
    let started = Instant::now();
    let mut tried: Vec<Candidate> = Vec::new();
    for larger in [false, true] {
        let smallest = tried.clone();
        for (index, mut form) in forms(request)?.into_iter().enumerate() {
            if larger {
                // One size up from the smallest that holds it.
                let Outcome::Measured(measured) = &smallest[index].outcome else { continue };
                form.logrows = Some(measured.logrows + 1);
            }
            let outcome = if started.elapsed() > TIME_LIMIT {
                Outcome::Skipped("not tried: the time was up".to_owned())
            } else {
                match measure(ezkl, request, &form, &float, &mut gas).await {
                    Ok(measured) => Outcome::Measured(measured),
                    Err(ProofError::SrsMissing { path, .. }) => {
                        let name = path.file_name().unwrap_or_default();
                        Outcome::Skipped(format!("no SRS {}", name.display()))
                    }
                    Err(fault @ (ProofError::Circuit { .. } | ProofError::Refused { .. } | ProofError::Model(_))) => {
                        Outcome::Skipped(fault.to_string())
                    }
                    Err(fault) => return Err(fault),
                }
            };
            tried.push(Candidate { form, outcome });
        }
    }
    let chosen = choose(&tried)?;
    Ok(Search { tried, chosen })
}

/// All forms, each in its smallest domain; finer scales first.
fn forms(request: &SearchRequest<'_>) -> Result<Vec<CircuitConfig>, ProofError> {
    let own = (request.input_scale, request.param_scale);
    let coarser = COARSER_SCALES.into_iter().filter(|(input, param)| *input < own.0 && *param < own.1);
    let mut forms = Vec::new();
    for (input_scale, param_scale) in [own].into_iter().chain(coarser) {
        let (network, layout) = parse(request, &CircuitConfig::plain(input_scale, param_scale))?;
        let decompositions: Vec<_> = match compared_bits(&network, &layout)? {
            None => vec![None],
            Some(bits) => {
                let digits = |base_bits| Decomposition { base: 1_u32 << base_bits, legs: bits.div_ceil(base_bits) };
                BASE_BITS.iter().map(|base_bits| Some(digits(*base_bits))).collect()
            }
        };
        for decomposition in decompositions {
            let plain = CircuitConfig { decomposition, ..CircuitConfig::plain(input_scale, param_scale) };
            forms.extend(INNER_COLUMNS.map(|inner_columns| CircuitConfig { inner_columns, ..plain }));
        }
    }
    forms.sort_by_key(|form| form.inner_columns);
    Ok(forms)
}

/// The network of a form with a layout whose output scale is not known yet.
fn parse(request: &SearchRequest<'_>, form: &CircuitConfig) -> Result<(Network, Layout), ProofError> {
    let features = request.rows.first().map_or(0, Vec::len);
    let layout = Layout {
        markets: 1,
        features,
        outputs: REGIME_OUTPUTS.len(),
        feature_bound: requantise(request.feature_bound, request.input_scale - form.input_scale),
        input_scale: form.input_scale,
        param_scale: form.param_scale,
        output_scale: 0,
    };
    Ok((Network::parse(&(request.on_grid)(form.param_scale), 1, features, layout.outputs)?, layout))
}

async fn measure(
    ezkl: &mut Ezkl,
    request: &SearchRequest<'_>,
    form: &CircuitConfig,
    float: &[Prediction],
    gas: &mut impl AsyncFnMut(&str, &[Proof]) -> Option<u64>,
) -> Result<Measured, ProofError> {
    let scratch = tempfile::tempdir().map_err(|source| FileError::Write { path: std::env::temp_dir(), source })?;
    let folder = scratch.path();
    veriregime_files::write_atomic(&folder.join(ONNX_FILE), &(request.on_grid)(form.param_scale))?;
    let (network, mut layout) = parse(request, form)?;
    let Built { circuit, output_scale, .. } = build(
        ezkl,
        &Build {
            folder,
            srs_folder: request.srs_folder,
            markets: 1,
            features: layout.features,
            outputs: layout.outputs,
            form: *form,
            compiler: request.compiler,
        },
    )
    .await?;
    layout.output_scale = output_scale;
    let coarsening = request.input_scale - form.input_scale;
    let rows: Vec<Vec<i32>> =
        request.rows.iter().map(|row| row.iter().map(|value| requantise(*value, coarsening)).collect()).collect();
    let (agreement, largest_probability_difference) = compare(&IntegerModel::new(&network, layout)?, &rows, float)?;

    let (mut times, mut proofs) = (Vec::with_capacity(PROOFS), Vec::with_capacity(PROOFS));
    for row in rows.iter().step_by((rows.len() / PROOFS).max(1)).take(PROOFS) {
        let unit = libm::exp2(-f64::from(form.input_scale));
        let made = ezkl.call(&Prove { row: row.iter().map(|value| f64::from(*value) * unit).collect() }).await?;
        if !made.verified {
            return Err(ProofError::Unverified);
        }
        times.push(made.prove_ms);
        proofs.push(Proof { bytes: made.proof, instances: made.instances });
    }
    times.sort_by(f64::total_cmp);
    let creation_code = veriregime_files::read_text(&folder.join(VERIFIER_BYTECODE_FILE), MAX_BYTECODE_BYTES)?;
    Ok(Measured {
        logrows: circuit.logrows,
        rows: circuit.rows,
        instances: circuit.instances,
        pk_bytes: veriregime_files::size_bytes(&folder.join(PROVING_KEY_FILE))?,
        proof_bytes: circuit.proof_bytes,
        prove_ms: times[times.len() / 2],
        gas: gas(&creation_code, &proofs).await,
        agreement,
        largest_probability_difference,
    })
}

/// `value / 2^coarsening`, halves away from zero.
fn requantise(value: i32, coarsening: u32) -> i32 {
    libm::round(f64::from(value) * libm::exp2(-f64::from(coarsening))) as i32
}

fn float_predictions(request: &SearchRequest<'_>) -> Result<Vec<Prediction>, ProofError> {
    let features = request.rows.first().map_or(0, Vec::len);
    let inputs: Vec<f32> = request.rows.iter().flat_map(|row| float::inputs(row, request.input_scale)).collect();
    let outputs =
        FloatModel::load(request.float_onnx, request.rows.len(), features, REGIME_OUTPUTS.len())?.run(&inputs)?;
    let rows = outputs.chunks_exact(REGIME_OUTPUTS.len());
    Ok(rows.filter_map(|row| Prediction::from_reals(row.iter().copied().map(f64::from))).collect())
}

/// Share of rows with the same regime, and the largest distance of the probabilities.
fn compare(model: &IntegerModel, rows: &[Vec<i32>], float: &[Prediction]) -> Result<(f64, f64), ModelError> {
    let (mut same, mut largest) = (0_usize, 0.0_f64);
    for (row, float) in rows.iter().zip(float) {
        let outputs = model.evaluate(row)?;
        let Some(exact) = Prediction::from_integers(&outputs.concat(), model.layout().output_scale) else { continue };
        same += usize::from(exact.regime == float.regime);
        largest = largest.max((exact.probability_high - float.probability_high).abs());
    }
    Ok((same as f64 / rows.len() as f64, largest))
}

/// The least gas, up to [`SAME_GAS`]; then the smallest domain and the fewest rows, which the time of proving follows
/// without its noise, so that the same network gets the same circuit on every machine; then the finest scales.
fn choose(tried: &[Candidate]) -> Result<usize, ProofError> {
    let measured = tried.iter().enumerate().filter_map(|(index, candidate)| match &candidate.outcome {
        Outcome::Measured(measured) if measured.agreement >= REQUIRED_AGREEMENT => Some((index, measured)),
        _ => None,
    });
    let good: Vec<(usize, &Measured)> = measured.collect();
    // Without a chain: a word of calldata costs far more than a byte of it.
    let cost = |one: &Measured| one.gas.unwrap_or((one.instances * 1000 + one.proof_bytes * 16) as u64) as f64;
    let all_have_gas = good.iter().all(|(_, one)| one.gas.is_some());
    let cost = |one: &Measured| if all_have_gas { cost(one) } else { cost(&Measured { gas: None, ..one.clone() }) };
    let least = good.iter().map(|(_, one)| cost(one)).fold(f64::INFINITY, f64::min);
    let cheapest = good.iter().filter(|(_, one)| cost(one) <= least * (1.0 + SAME_GAS));
    let best = cheapest.min_by_key(|(index, one)| (one.logrows, tried[*index].form.inner_columns, one.rows, *index));
    best.map(|(index, _)| *index).ok_or_else(|| ProofError::NoCircuit {
        tried: tried.len(),
        required_percent: REQUIRED_AGREEMENT * 100.0,
        reason: tried.iter().map(Candidate::reason).collect::<Vec<_>>().join("; "),
    })
}

impl Candidate {
    /// Why it was not chosen, in a few words.
    fn reason(&self) -> String {
        match &self.outcome {
            Outcome::Measured(measured) => format!("{:.2} % agree", measured.agreement * 100.0),
            Outcome::Skipped(reason) => reason.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(gas: Option<u64>, logrows: u32, agreement: f64) -> Candidate {
        let measured = Measured {
            logrows,
            rows: 100,
            instances: 15,
            pk_bytes: 1,
            proof_bytes: 1856,
            prove_ms: 1.0,
            gas,
            agreement,
            largest_probability_difference: 0.0,
        };
        Candidate { form: CircuitConfig::plain(13, 16), outcome: Outcome::Measured(measured) }
    }

    #[test]
    fn gas_decides_then_the_domain_then_the_finer_scale() {
        let chosen = |tried: &[Candidate]| choose(tried).unwrap();
        assert_eq!(chosen(&[candidate(Some(400_000), 7, 1.0), candidate(Some(390_000), 9, 1.0)]), 1);
        assert_eq!(chosen(&[candidate(Some(400_000), 8, 1.0), candidate(Some(400_300), 7, 1.0)]), 1);
        assert_eq!(chosen(&[candidate(Some(400_000), 8, 1.0), candidate(Some(399_900), 8, 1.0)]), 0);
        assert_eq!(chosen(&[candidate(Some(400_000), 8, 1.0), candidate(Some(300_000), 8, 0.99)]), 0);
        assert_eq!(chosen(&[candidate(None, 8, 1.0), candidate(Some(300_000), 7, 1.0)]), 1);
    }

    #[test]
    fn where_none_agrees_the_reasons_are_told() {
        let skipped = Candidate { form: CircuitConfig::plain(7, 7), outcome: Outcome::Skipped("no SRS".to_owned()) };
        let fault = choose(&[candidate(None, 8, 0.5), skipped]).expect_err("none");
        assert!(matches!(fault, ProofError::NoCircuit { tried: 2, .. }));
        assert!(fault.to_string().contains("50.00 % agree; no SRS"), "{fault}");
    }

    #[test]
    fn halves_go_away_from_zero() {
        assert_eq!([3, -3, 4, -4, 5, -5].map(|value| requantise(value, 1)), [2, -2, 2, -2, 3, -3]);
        assert_eq!(requantise(32_768, 6), 512);
    }
}
