//! Real proofs under the ceremony's reference string.

use alloy::primitives::U256;
use halo2_axiom::SerdeFormat;
use halo2_axiom::halo2curves::bn256::Bn256;
use halo2_axiom::poly::kzg::commitment::ParamsKZG;
use rand_core::OsRng;
use veriregime_core::model::Layout;
use veriregime_core::model::integer::IntegerModel;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_halo2::field::{from_integer, to_word};
use veriregime_halo2::prover::{PROOF_BYTES, row_bits};
use veriregime_halo2::srs::Srs;
use veriregime_halo2::{Halo2Error, Keys, solidity};

use crate::given::{SHIPPED, checkout, deep, rows, shipped, shipped_network, srs, srs_bytes, with_own_constants};

/// Keys of a model; `None` where there is no reference string.
fn keys(model: &IntegerModel) -> Option<Keys> {
    Some(Keys::new(model, srs(row_bits(model).unwrap())?).unwrap())
}

/// The shipped network for several markets.
fn several(markets: usize) -> IntegerModel {
    IntegerModel::new(&shipped_network(), Layout { markets, ..SHIPPED }).unwrap()
}

fn is_refused(keys: &Keys, proof: &[u8], instances: &[U256]) -> bool {
    match keys.verify(proof, instances) {
        Ok(()) => false,
        Err(Halo2Error::Rejected { .. }) => true,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_proof_shows_the_features_and_the_integers_of_the_model() {
    for model in [shipped(), deep(2), several(3)] {
        let Some(keys) = keys(&model) else { return };
        for row in rows(&model.layout(), 60).into_iter().step_by(7) {
            let proof = keys.prove(&row).unwrap();
            let outputs = model.evaluate(&row).unwrap().concat();
            let expected: Vec<U256> = row
                .iter()
                .map(|feature| i128::from(*feature))
                .chain(outputs)
                .map(|integer| to_word(&from_integer(integer)))
                .collect();
            assert_eq!((proof.instances, proof.bytes.len()), (expected.clone(), PROOF_BYTES));
            keys.verify(&proof.bytes, &expected).unwrap();
        }
    }
}

#[test]
fn neither_a_public_input_nor_a_word_of_the_proof_can_be_changed() {
    for model in [shipped(), several(3)] {
        let Some(keys) = keys(&model) else { return };
        let proof = keys.prove(&rows(&model.layout(), 200)[199]).unwrap();
        let modulus = to_word(&from_integer(-1)) + U256::from(1);
        for index in 0..proof.instances.len() {
            for change in [U256::from(1), modulus] {
                let mut instances = proof.instances.clone();
                instances[index] += change;
                assert!(is_refused(&keys, &proof.bytes, &instances), "public input {index} plus {change}");
            }
        }
        for byte in (0..PROOF_BYTES).step_by(16) {
            let mut bytes = proof.bytes.clone();
            bytes[byte] ^= 1;
            assert!(is_refused(&keys, &bytes, &proof.instances), "byte {byte}");
        }
    }
}

#[test]
fn a_proof_has_one_length_and_one_number_of_public_inputs() {
    let Some(keys) = keys(&shipped()) else { return };
    let proof = keys.prove(&[0; 16]).unwrap();
    for length in [0, 1, PROOF_BYTES - 32, PROOF_BYTES - 1] {
        assert!(is_refused(&keys, &proof.bytes[..length], &proof.instances), "{length} bytes");
    }
    let longer = [proof.bytes.as_slice(), &[0]].concat();
    assert!(is_refused(&keys, &longer, &proof.instances));
    let more = [proof.instances.as_slice(), &[U256::ZERO]].concat();
    for instances in [&more, &proof.instances[1..], &proof.instances[..18], &[]] {
        let error = keys.verify(&proof.bytes, instances).unwrap_err();
        assert_eq!(error, Halo2Error::Count { given: instances.len(), needed: 19 });
    }
    assert_eq!(keys.prove(&[0; 15]).unwrap_err().code(), "VR-HALO-007");
}

#[test]
fn keys_need_the_reference_string_of_their_size() {
    for (bits, found) in [(7, 7), (9, 9)] {
        let Some(srs) = srs(bits) else { return };
        let error = Keys::new(&shipped(), srs).unwrap_err();
        assert_eq!(error, Halo2Error::SrsSize { found, needed: 8 });
    }
}

#[test]
fn damaged_reference_strings_are_refused() {
    let Some(bytes) = srs_bytes(6) else { return };
    let mut not_on_the_curve = bytes.clone();
    not_on_the_curve[100] ^= 1;
    let mut not_on_the_second = bytes.clone();
    *not_on_the_second.last_mut().unwrap() ^= 1;
    let mut claims_more = bytes.clone();
    claims_more[0] = 63;
    let cut = &bytes[..bytes.len() - 1];
    for damaged in [cut, &bytes[..3], &[], &not_on_the_curve, &not_on_the_second, &claims_more] {
        let error = Srs::parse(damaged).expect_err("a damaged file");
        assert_eq!(error.code(), "VR-HALO-004");
    }
}

#[test]
fn keys_of_another_reference_string_or_network_accept_nothing() {
    let Some(keys) = keys(&shipped()) else { return };
    let mut made = Vec::new();
    ParamsKZG::<Bn256>::setup(8, OsRng).write_custom(&mut made, SerdeFormat::RawBytes).unwrap();
    let foreign = Keys::new(&shipped(), Srs::parse(&made).unwrap()).unwrap();
    let mut network = shipped_network();
    let veriregime_core::model::onnx::Operation::MatMul(_, matrix) = &mut network.operations[0] else { panic!() };
    matrix.entries[0] += 1.0;
    let other = IntegerModel::new(&network, SHIPPED).unwrap();
    let other = Keys::new(&other, srs(8).unwrap()).unwrap();
    let proof = keys.prove(&[0; 16]).unwrap();
    for wrong in [&foreign, &other] {
        assert_ne!(wrong.verifying_key(), keys.verifying_key());
        assert!(is_refused(wrong, &proof.bytes, &proof.instances));
        let theirs = wrong.prove(&[0; 16]).unwrap();
        assert!(is_refused(&keys, &theirs.bytes, &theirs.instances));
    }
}

#[test]
fn keys_and_contract_are_the_same_whoever_makes_them() {
    let (Some(keys), Some(again)) = (keys(&shipped()), keys(&shipped())) else { return };
    assert_eq!(keys.verifying_key(), again.verifying_key());
    let source = solidity::verifier(&keys).unwrap();
    assert_eq!(source, solidity::verifier(&again).unwrap());
    // The one that the contracts' tests deploy.
    let path = checkout("models/btc-regime-4h-v1/Halo2Verifier.sol");
    assert!(source == std::fs::read_to_string(&path).unwrap(), "{} is another contract", path.display());
}

#[test]
fn a_proof_of_markets_with_constants_of_their_own_is_of_them_in_their_order() {
    let (common, layout) = (shipped_network(), Layout { markets: 2, ..SHIPPED });
    let own = with_own_constants(common.clone(), 2);
    let Some(own_srs) = srs(9) else { return };
    let keys = Keys::new(&IntegerModel::new(&own, layout).unwrap(), own_srs).unwrap();
    let others = Keys::new(&IntegerModel::new(&common, layout).unwrap(), srs(9).unwrap()).unwrap();
    assert_ne!(keys.verifying_key(), others.verifying_key(), "the constants are in the keys");
    let proof = keys.prove(&[7; 32]).unwrap();
    keys.verify(&proof.bytes, &proof.instances).unwrap();
    assert!(is_refused(&others, &proof.bytes, &proof.instances));
    // The same features, and yet other outputs: they cannot be told of each other's market.
    let mut swapped = proof.instances.clone();
    assert_ne!(swapped[34], swapped[37]);
    swapped[32..].rotate_left(3);
    assert!(is_refused(&keys, &proof.bytes, &swapped));
}
