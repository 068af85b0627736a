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
//! Two things are for the compiler alone. The scalar field's modulus stands in memory at zero, where each use costs two
//! bytes. And every few statements write a byte of scratch memory that nobody reads: the optimiser then forgets what it
//! knows of memory, which it would otherwise keep in more stack slots than the machine has.

use std::fmt::Write as _;
use std::rc::Rc;

use halo2_axiom::halo2curves::bn256::{Bn256, Fq, Fr, G1Affine};
use halo2_axiom::poly::commitment::ParamsProver;
use snark_verifier::loader::evm::EvmLoader;
use snark_verifier::pcs::kzg::{Bdfg21, KzgAs};
use snark_verifier::system::halo2::transcript::evm::EvmTranscript;
use snark_verifier::system::halo2::{Config, compile};
use snark_verifier::verifier::SnarkVerifier;
use snark_verifier::verifier::plonk::PlonkVerifier;

use crate::Halo2Error;
use crate::prover::{Keys, PROOF_BYTES};

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

/// Solidity of the verifier for these keys.
///
/// # Errors
/// [`Halo2Error::Generator`].
pub fn verifier(keys: &Keys) -> Result<String, Halo2Error> {
    let instances = keys.table.features + keys.table.outputs;
    let generated = generated(keys, instances)?;
    contract(&body(&generated, instances)?, instances)
}

/// What snark-verifier writes.
fn generated(keys: &Keys, instances: usize) -> Result<String, Halo2Error> {
    let failed = |error: snark_verifier::Error| Halo2Error::Generator { detail: format!("{error:?}") };
    let params = keys.srs.params();
    let protocol = compile(params, keys.proving.get_vk(), Config::kzg().with_num_instance(vec![instances]));
    let deciding = (params.get_g()[0], params.g2(), params.s_g2()).into();
    let loader = EvmLoader::new::<Fq, Fr>();
    let protocol = protocol.loaded(&loader);
    let mut transcript = EvmTranscript::<G1Affine, Rc<EvmLoader>, _, _>::new(&loader);
    let public = transcript.load_instances(vec![instances]);
    let proof = Verifier::read_proof(&deciding, &protocol, &public, &mut transcript).map_err(failed)?;
    Verifier::verify(&deciding, &protocol, &public, &proof).map_err(failed)?;
    Ok(loader.solidity_code())
}

/// The assembly's statements, every read of the calldata rewritten.
fn body(generated: &str, instances: usize) -> Result<String, Halo2Error> {
    let unexpected = |detail: &str| Halo2Error::Generator { detail: detail.to_owned() };
    let (_, rest) =
        generated.split_once("valid := and(valid, is_affine)").ok_or_else(|| unexpected("no curve check"))?;
    let (statements, _) = rest.split_once("// Revert if anything fails").ok_or_else(|| unexpected("no end"))?;
    // What is left of the function that checks points: two closing braces.
    let statements = statements.trim_start().strip_prefix('}').map(str::trim_start);
    let statements = statements.and_then(|text| text.strip_prefix('}')).ok_or_else(|| unexpected("no function"))?;
    let (mut code, mut reads) = (String::with_capacity(statements.len()), 0);
    for (number, line) in statements.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        let line = line.replace("success := and(validate_ec_point(x, y), success)", "on_curve(x, y)");
        if let Some((before, after)) = line.split_once("calldataload(") {
            let (at, after) = after.split_once(')').ok_or_else(|| unexpected("an open read"))?;
            let at = usize::from_str_radix(at.trim_start_matches("0x"), 16).map_err(|_| unexpected("a read"))?;
            let at = place(at, instances);
            reads += 1;
            let scalar = before.strip_suffix("mod(").zip(after.strip_prefix(", f_q)"));
            match scalar {
                Some((before, after)) => writeln!(code, "{before}scalar({at:#x}){after}"),
                None => writeln!(code, "{before}calldataload({at:#x}){after}"),
            }
        } else {
            writeln!(code, "{}", line.replace("f_q", "mload(0)"))
        }
        .map_err(|error| unexpected(&error.to_string()))?;
        if number % REMEMBERED_LINES == 0 {
            code.push_str("mstore8(0x20, 0)\n");
        }
    }
    if reads != instances + PROOF_BYTES / WORD || code.contains("validate_ec_point") {
        return Err(unexpected("another number of reads than a proof has words"));
    }
    Ok(code)
}

/// From the generator's place, public inputs first, to the ABI's.
fn place(at: usize, instances: usize) -> usize {
    match at.checked_sub(instances * WORD) {
        Some(in_proof) => PROOF_AT + in_proof,
        None => INSTANCES_AT + at,
    }
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
