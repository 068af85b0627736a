//! The contract that verifies proofs of one network.
//!
//! snark-verifier writes the arithmetic. It reads public inputs and proof at fixed places of the calldata, takes numbers
//! modulo the field, goes on with points that are on no curve (which burns all gas at the next precompile), and ignores
//! what follows the proof. So its assembly is not called but put into a contract of our own, with every read of the
//! calldata rewritten:
//!
//! - the calldata must be the ABI encoding of `verifyProof(bytes,uint256[])` for a proof of the one length and the one
//!   number of public inputs, to the byte;
//! - a number that is not below the modulus reverts, in the public inputs and in the proof;
//! - a point that is not on the curve reverts at once. All other points are computed from such points by precompiles, so
//!   that no call of one can fail for its input, and a bad proof costs no more gas than a good one;
//! - a proof that holds returns `true`, so that an address without code is no verifier.
//!
//! snark-verifier repeats some code for each public input, which is too long for several markets. So it is told of one, `x`,
//! whose part it writes as `x · (zⁿ - 1) / N / d` with `d = z - 1`. Two loops of our own take its place: one puts all public
//! inputs into the transcript, market by market, and one sets `x` and `d` to numerator and denominator of
//! `Σ x[r] · ω^r / (z - ω^r)`, where `r` is the row of each: what comes out is the value of their whole column at `z`. Rows
//! between those of two markets hold zero and add nothing.
//!
//! Two things are for the compiler alone. The scalar field's modulus stands in memory at zero, where each use costs two
//! bytes. And every few statements write a byte of scratch memory that nobody reads: the optimiser then forgets what it
//! knows of memory, which it would otherwise keep in more stack slots than the machine has.

use std::fmt::Write as _;
use std::rc::Rc;

use halo2_axiom::halo2curves::bn256::{Bn256, Fq, Fr, G1Affine};
use halo2_axiom::halo2curves::ff::Field;
use halo2_axiom::poly::commitment::ParamsProver;
use snark_verifier::loader::evm::EvmLoader;
use snark_verifier::pcs::kzg::{Bdfg21, KzgAs};
use snark_verifier::system::halo2::transcript::evm::EvmTranscript;
use snark_verifier::system::halo2::{Config, compile};
use snark_verifier::verifier::SnarkVerifier;
use snark_verifier::verifier::plonk::PlonkVerifier;

use crate::Halo2Error;
use crate::field::to_word;
use crate::prover::{Keys, PROOF_BYTES};
use crate::table::Table;

type Verifier = PlonkVerifier<KzgAs<Bn256, Bdfg21>>;

/// Name of the contract.
pub const CONTRACT: &str = "Halo2Verifier";
const WORD: usize = 32;
/// Statements after which the optimiser is made to forget.
const REMEMBERED_LINES: usize = 12;
/// Where the proof begins: after the selector, two offsets and its length.
const PROOF_AT: usize = 4 + 3 * WORD;
/// Where the public inputs begin: after the proof and their number.
const INSTANCES_AT: usize = PROOF_AT + PROOF_BYTES + WORD;

/// Where the generator keeps the verifying key's digest, and behind it the public input that it knows of.
const DIGEST: usize = 0x80;
const PUBLIC: usize = DIGEST + WORD;

/// Solidity of the verifier for these keys.
///
/// # Errors
/// [`Halo2Error::Generator`].
pub fn verifier(keys: &Keys) -> Result<String, Halo2Error> {
    let instances = keys.table.instances();
    contract(&body(&generated(keys)?, keys)?, instances)
}

/// What snark-verifier writes for one public input.
fn generated(keys: &Keys) -> Result<String, Halo2Error> {
    let failed = |error: snark_verifier::Error| Halo2Error::Generator { detail: format!("{error:?}") };
    let params = keys.srs.params();
    let protocol = compile(params, keys.proving.get_vk(), Config::kzg().with_num_instance(vec![1]));
    let deciding = (params.get_g()[0], params.g2(), params.s_g2()).into();
    let loader = EvmLoader::new::<Fq, Fr>();
    let protocol = protocol.loaded(&loader);
    let mut transcript = EvmTranscript::<G1Affine, Rc<EvmLoader>, _, _>::new(&loader);
    let public = transcript.load_instances(vec![1]);
    let proof = Verifier::read_proof(&deciding, &protocol, &public, &mut transcript).map_err(failed)?;
    Verifier::verify(&deciding, &protocol, &public, &proof).map_err(failed)?;
    Ok(loader.solidity_code())
}

/// The assembly's statements, every read of the calldata rewritten, with the loops over public inputs.
fn body(generated: &str, keys: &Keys) -> Result<String, Halo2Error> {
    let (_, rest) =
        generated.split_once("valid := and(valid, is_affine)").ok_or_else(|| unexpected("no curve check"))?;
    let (statements, _) = rest.split_once("// Revert if anything fails").ok_or_else(|| unexpected("no end"))?;
    // What is left of the function that checks points: two closing braces.
    let statements = statements.trim_start().strip_prefix('}').map(str::trim_start);
    let statements = statements.and_then(|text| text.strip_prefix('}')).ok_or_else(|| unexpected("no function"))?;
    let lines: Vec<&str> = statements.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let denominator = denominator(&lines)?;
    let (mut code, mut reads, mut hashes) = (String::with_capacity(statements.len()), 0, 0);
    for (number, line) in lines.into_iter().enumerate() {
        let line = line.replace("success := and(validate_ec_point(x, y), success)", "on_curve(x, y)");
        if line.starts_with(&format!("mstore({PUBLIC:#x}, ")) {
            reads += 1;
        } else if let Some((before, hashed)) = line.split_once(&format!("keccak256({DIGEST:#x}, ")) {
            hashes += 1;
            let hashed = hashed.trim_end_matches(')').parse().map_err(|_| unexpected("a hash"))?;
            code.push_str(&hash(&keys.table, denominator.free(), before, hashed));
        } else if number == denominator.line {
            code.push_str(&evaluation(keys, &denominator));
        } else if let Some((before, after)) = line.split_once("calldataload(") {
            let (at, after) = after.split_once(')').ok_or_else(|| unexpected("an open read"))?;
            let at = number_of(at).and_then(|at| at.checked_sub(WORD)).ok_or_else(|| unexpected("a read"))?;
            let at = PROOF_AT + at;
            reads += 1;
            let scalar = before.strip_suffix("mod(").zip(after.strip_prefix(", f_q)"));
            let (before, reader, after) = match scalar {
                Some((before, after)) => (before, "scalar", after),
                None => (before, "calldataload", after),
            };
            let _ = writeln!(code, "{before}{reader}({at:#x}){after}");
        } else {
            code.push_str(&line.replace("f_q", "mload(0)"));
            code.push('\n');
        }
        if number % REMEMBERED_LINES == 0 {
            code.push_str("mstore8(0x20, 0)\n");
        }
    }
    let public_reads = code.matches(&format!("mload({PUBLIC:#x})")).count();
    if (reads, hashes, public_reads) != (1 + PROOF_BYTES / WORD, 1, 1) || code.contains("validate_ec_point") {
        return Err(unexpected("another number of reads than a proof has words"));
    }
    Ok(code)
}

/// Where `z - 1` is computed, which only the public input's part needs.
struct Denominator {
    line: usize,
    /// Where it is kept in memory, and where `z` is.
    at: usize,
    z: usize,
}

impl Denominator {
    /// Memory that is written to only after it.
    fn free(&self) -> usize {
        self.at + WORD
    }
}

fn denominator(lines: &[&str]) -> Result<Denominator, Halo2Error> {
    let minus_one = format!("), {}, f_q))", to_word(&-Fr::ONE));
    let found = |line: usize| {
        // The numerator before it is multiplied with the root's power zero.
        lines.get(line.checked_sub(1)?)?.strip_suffix("), 1, f_q))")?;
        let (at, z) = lines[line].strip_prefix("mstore(")?.strip_suffix(&minus_one)?.split_once(", addmod(mload(")?;
        Some(Denominator { line, at: number_of(at)?, z: number_of(z)? })
    };
    let mut all = (0..lines.len()).filter_map(found);
    match (all.next(), all.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(unexpected("not one denominator of a public input")),
    }
}

/// The transcript's first hash: the key's digest, all public inputs in the order of their rows, the first points.
fn hash(table: &Table, to: usize, before: &str, hashed: usize) -> String {
    let (features, outputs) = (WORD * table.features, WORD * table.outputs);
    let first_output = INSTANCES_AT + table.markets * features;
    let (points, inputs) = (hashed - 2 * WORD, to + WORD);
    let end = inputs + WORD * table.instances();
    let copies = format!(
        "mstore({to:#x}, mload({DIGEST:#x}))
let feature := {INSTANCES_AT:#x}
let output := {first_output:#x}
for {{ let to := {inputs:#x} }} lt(to, {end:#x}) {{ to := add(to, {market:#x}) }} {{
calldatacopy(to, feature, {features:#x})
calldatacopy(add(to, {features:#x}), output, {outputs:#x})
feature := add(feature, {features:#x})
output := add(output, {outputs:#x})
}}
calldatacopy({end:#x}, {PROOF_AT:#x}, {points:#x})",
        market = features + outputs,
    );
    let all = end + points - to;
    format!("{{\n{copies}\n{before}keccak256({to:#x}, {all:#x}))\n}}\n")
}

/// Numerator and denominator of `Σ x[r] · ω^r / (z - ω^r)`; `w` is `ω^r`. Sums below twice the modulus are left as they are.
fn evaluation(keys: &Keys, denominator: &Denominator) -> String {
    let table = &keys.table;
    let omega = keys.proving.get_vk().get_domain().get_omega();
    let gap = to_word(&omega.pow([(table.market_rows() - table.market_instances()) as u64]));
    let (omega, from) = (to_word(&omega), denominator.free() + WORD);
    let market = WORD * table.market_instances();
    let end = from + table.markets * market;
    let Denominator { at, z, .. } = denominator;
    format!(
        "{{
let r := mload(0)
let z := add(mload({z:#x}), r)
let w := 1
let n := 0
let d := 1
for {{ let at := {from:#x} }} lt(at, {end:#x}) {{ w := mulmod(w, {gap}, r) }} {{
for {{ let next := add(at, {market:#x}) }} lt(at, next) {{ at := add(at, 0x20) }} {{
let x := mload(at)
success := and(success, lt(x, r))
let f := sub(z, w)
n := add(mulmod(n, f, r), mulmod(mulmod(x, w, r), d, r))
d := mulmod(d, f, r)
w := mulmod(w, {omega}, r)
}}
}}
mstore({PUBLIC:#x}, n)
mstore({at:#x}, d)
}}
"
    )
}

/// A number as the generator writes it.
fn number_of(text: &str) -> Option<usize> {
    match text.strip_prefix("0x") {
        Some(digits) => usize::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn unexpected(detail: &str) -> Halo2Error {
    Halo2Error::Generator { detail: detail.to_owned() }
}

fn contract(body: &str, instances: usize) -> Result<String, Halo2Error> {
    let total = INSTANCES_AT + instances * WORD;
    let array = INSTANCES_AT - WORD;
    let array_offset = array - 4;
    let mut code = String::new();
    write!(
        code,
        r"// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

/// @notice Verifies proofs of {PROOF_BYTES} bytes for {instances} public inputs of one network. Reverts where one does not hold.
contract {CONTRACT} {{
    function verifyProof(bytes calldata, uint256[] calldata) external view returns (bool) {{
        assembly (\x22memory-safe\x22) {{
            function on_curve(x, y) {{
                let p := 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47
                let cube := mulmod(x, mulmod(x, x, p), p)
                if iszero(and(and(lt(x, p), lt(y, p)), eq(mulmod(y, y, p), addmod(cube, 3, p)))) {{ revert(0, 0) }}
            }}
            function scalar(at) -> value {{
                value := calldataload(at)
                if iszero(lt(value, 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001)) {{ revert(0, 0) }}
            }}
            // The one encoding of a proof and public inputs of these lengths.
            if iszero(
                and(
                    and(eq(calldatasize(), {total:#x}), eq(calldataload(0x04), 0x40)),
                    and(
                        eq(calldataload(0x24), {array_offset:#x}),
                        and(eq(calldataload(0x44), {PROOF_BYTES:#x}), eq(calldataload({array:#x}), {instances:#x}))
                    )
                )
            ) {{ revert(0, 0) }}
            mstore(0, 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001)
            let success := true
{body}
            if iszero(success) {{ revert(0, 0) }}
            mstore(0, 1)
            return(0, 0x20)
        }}
    }}
}}
"
    )
    .map_err(|error| Halo2Error::Generator { detail: error.to_string() })?;
    Ok(code.replace("\\x22", "\""))
}
