//! Inference: the float model and the exact integers agree, and what is not a model is refused by code.

use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use veriregime_agent::inference::{Layout, Model, compare};
use veriregime_agent::training::export::SquareNetwork;
use veriregime_agent::types::fault::Fault;
use veriregime_agent::types::prediction::Outputs;

const LAYOUT: Layout =
    Layout { markets: 1, features: 13, feature_bound: 4 << 13, input_scale: 13, param_scale: 16, output_scale: 74 };

fn network(seed: u64, features: usize, units: usize) -> SquareNetwork {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = |count: usize| (0..count).map(|_| random.random_range(-0.5..0.5)).collect();
    SquareNetwork {
        features,
        units,
        hidden: draw(features * units),
        hidden_bias: draw(units),
        output: draw(units * Outputs::COUNT),
        output_bias: draw(Outputs::COUNT),
    }
    .on_grid(16)
}

/// The network's formula over again, on integers of any size that fit, in another order of evaluation.
fn by_hand(network: &SquareNetwork, features: &[i32]) -> [i128; 3] {
    let grid = |weight: f32| (f64::from(weight) * 65536.0) as i128;
    std::array::from_fn(|output| {
        let units = (0..network.units).rev().map(|unit| {
            let weighted: i128 = (0..network.features)
                .rev()
                .map(|feature| i128::from(features[feature]) * grid(network.hidden[feature * network.units + unit]))
                .sum();
            let value = weighted + (grid(network.hidden_bias[unit]) << 13);
            value * value * grid(network.output[unit * 3 + output])
        });
        units.sum::<i128>() + (grid(network.output_bias[output]) << 58)
    })
}

fn code_of(onnx: &[u8], layout: Layout) -> &'static str {
    Model::load(onnx, layout).expect_err("must be refused").code()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn integers_are_exact_and_floats_agree(seed in any::<u64>(), markets in 1_usize..4) {
        let network = network(seed, 13, 8);
        let model = Model::load(&network.to_onnx(markets), Layout { markets, ..LAYOUT }).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(seed ^ 1);
        let features: Vec<i32> = (0..13 * markets).map(|_| random.random_range(-(4 << 13)..=(4 << 13))).collect();
        let forecasts = model.predict(&features).unwrap();
        prop_assert_eq!(forecasts.len(), markets);
        for (forecast, row) in forecasts.iter().zip(features.chunks_exact(13)) {
            prop_assert_eq!(forecast.circuit.as_array(), by_hand(&network, row));
        }
    }

    #[test]
    fn a_damaged_file_is_an_error_and_never_a_panic(cut in 0_usize..600, flip in any::<u8>()) {
        let mut onnx = network(5, 13, 8).to_onnx(1);
        let at = cut % onnx.len();
        onnx[at] ^= flip;
        if let Err(error) = Model::load(&onnx, LAYOUT) {
            prop_assert!(error.code().starts_with("VR-MODEL-"));
        }
        onnx.truncate(at);
        prop_assert!(Model::load(&onnx, LAYOUT).is_err());
    }
}

#[test]
fn what_the_circuit_cannot_show_is_refused() {
    let good = network(6, 13, 8);
    assert_eq!(code_of(b"not a model", LAYOUT), "VR-MODEL-001");
    assert_eq!(code_of(&[], LAYOUT), "VR-MODEL-001");
    assert_eq!(code_of(&good.to_onnx(1), Layout { features: 12, ..LAYOUT }), "VR-MODEL-002");
    assert_eq!(code_of(&good.to_onnx(2), LAYOUT), "VR-MODEL-002");
    assert_eq!(code_of(&good.to_onnx(1), Layout { param_scale: 12, ..LAYOUT }), "VR-MODEL-004");
    assert_eq!(code_of(&good.to_onnx(1), Layout { output_scale: 73, ..LAYOUT }), "VR-MODEL-006");
    assert_eq!(code_of(&good.to_onnx(1), Layout { output_scale: 126, ..LAYOUT }), "VR-MODEL-005");
    let mut infinite = good.clone();
    infinite.output[0] = f32::NAN;
    assert_eq!(code_of(&infinite.to_onnx(1), LAYOUT), "VR-MODEL-004");
    let mut huge = good;
    huge.hidden.fill(1e9);
    assert_eq!(code_of(&huge.to_onnx(1), LAYOUT), "VR-MODEL-005");
}

#[test]
fn an_unknown_operation_is_named() {
    let onnx = network(7, 13, 8).to_onnx(1);
    let at = onnx.windows(3).position(|bytes| bytes == b"Mul").expect("has a Mul");
    let mut other = onnx;
    other[at..at + 3].copy_from_slice(b"Max");
    assert_eq!(code_of(&other, LAYOUT), "VR-MODEL-003");
}

#[test]
fn features_outside_the_clip_and_a_wrong_count_are_refused() {
    let model = Model::load(&network(8, 13, 8).to_onnx(1), LAYOUT).unwrap();
    assert_eq!(model.predict(&[0; 12]).unwrap_err().code(), "VR-MODEL-007");
    let mut features = [0; 13];
    features[3] = (4 << 13) + 1;
    assert_eq!(model.predict(&features).unwrap_err().code(), "VR-MODEL-008");
    features[3] = -(4 << 13);
    model.predict(&features).unwrap();
}

#[test]
fn floats_that_tell_another_story_are_noticed() {
    let circuit = Outputs { logit_low: -(1 << 74), logit_high: 1 << 74, log_volatility: -(8 << 74) };
    compare([-1.0, 1.0, -8.0], circuit, 74).unwrap();
    compare([-1.000_01, 1.0, -8.0], circuit, 74).unwrap();
    for float in [[-1.0, 1.001, -8.0], [1.0, -1.0, -8.0], [-1.0, 1.0, f32::NAN]] {
        assert_eq!(compare(float, circuit, 74).unwrap_err().code(), "VR-MODEL-009");
    }
}
