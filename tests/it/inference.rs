//! Inference: the float model and the exact integers agree, and what is not a model is refused by code.

use ::veriregime_files;
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use veriregime_agent::bundle::Bundle;
use veriregime_core::model::contributions;
use veriregime_core::model::dense::DenseNetwork;
use veriregime_core::model::export::{Layer, LayeredNetwork};
use veriregime_core::model::integer::compared_bits;
use veriregime_core::model::onnx::{Matrix, Network, Operation, of_market, with_market, with_markets};
use veriregime_core::model::{Layout, MAX_MODEL_BYTES, Model, compare};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::manifest::ONNX_FILE;

const LAYOUT: Layout = Layout {
    markets: 1,
    features: 13,
    outputs: 3,
    feature_bound: 4 << 13,
    input_scale: 13,
    param_scale: 16,
    output_scale: 74,
};

fn linear(random: &mut ChaCha8Rng, inputs: usize, outputs: usize) -> Layer {
    let mut draw = |count: usize| (0..count).map(|_| random.random_range(-0.5..0.5)).collect();
    Layer::Linear { inputs, outputs, weights: draw(inputs * outputs), bias: draw(outputs) }
}

/// One hidden layer for each entry of `hidden`: its units and what follows them.
fn layered(seed: u64, features: usize, hidden: &[(usize, Layer)]) -> LayeredNetwork {
    let random = &mut ChaCha8Rng::seed_from_u64(seed);
    let (mut layers, mut inputs) = (Vec::new(), features);
    for (units, activation) in hidden {
        layers.extend([linear(random, inputs, *units), activation.clone()]);
        inputs = *units;
    }
    layers.push(linear(random, inputs, LAYOUT.outputs));
    LayeredNetwork { features, layers }.on_grid(16)
}

fn network(seed: u64, features: usize, units: usize) -> LayeredNetwork {
    layered(seed, features, &[(units, Layer::Square)])
}

/// The layers over again on integers of any size that fit, sums from the other end; gives the outputs and their scale.
fn by_hand(network: &LayeredNetwork, features: &[i32], input_scale: u32) -> (Vec<i128>, u32) {
    let grid = |weight: f32| (f64::from(weight) * 65536.0) as i128;
    let mut scale = input_scale;
    let mut values: Vec<i128> = features.iter().map(|feature| i128::from(*feature)).collect();
    for layer in &network.layers {
        match layer {
            Layer::Linear { outputs, weights, bias, .. } => {
                let sum = |output: usize| {
                    let terms = values.iter().enumerate().rev();
                    let sum: i128 = terms.map(|(input, value)| value * grid(weights[input * outputs + output])).sum();
                    sum + (grid(bias[output]) << scale)
                };
                values = (0..*outputs).map(sum).collect();
                scale += 16;
            }
            Layer::Square => {
                values = values.iter().map(|value| value * value).collect();
                scale *= 2;
            }
            Layer::Relu => values = values.iter().map(|value| if *value > 0 { *value } else { 0 }).collect(),
        }
    }
    (values, scale)
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
            prop_assert_eq!((forecast.clone(), 74), by_hand(&network, row, 13));
        }
    }

    /// And a further market changes nothing of the others.
    #[test]
    fn markets_add_what_is_their_own(seed in any::<u64>(), markets in 2_usize..5) {
        let common = network(seed, 13, 8);
        let mut random = ChaCha8Rng::seed_from_u64(seed ^ 2);
        let mut integers = || (0..3).map(|_| random.random_range(-(4 << 16)..=(4 << 16))).collect::<Vec<i32>>();
        let own: Vec<Vec<i32>> = (0..markets).map(|_| integers()).collect();
        let real = |own: &Vec<i32>| own.iter().map(|value| f64::from(*value) / 65536.0).collect::<Vec<f64>>();
        let network = common.clone().for_markets(&own.iter().map(real).collect::<Vec<_>>()).unwrap().on_grid(16);
        let onnx = network.to_onnx(markets);
        let model = Model::load(&onnx, Layout { markets, ..LAYOUT }).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(seed ^ 1);
        let features: Vec<i32> = (0..13 * markets).map(|_| random.random_range(-(4 << 13)..=(4 << 13))).collect();
        let forecasts = model.predict(&features).unwrap();
        let dense = DenseNetwork::new(model.integer()).unwrap();
        for (market, (forecast, row)) in forecasts.iter().zip(features.chunks_exact(13)).enumerate() {
            let (mut expected, _) = by_hand(&common, row, 13);
            for (value, more) in expected.iter_mut().zip(&own[market]) {
                *value += i128::from(*more) << (74 - 16);
            }
            prop_assert_eq!(forecast, &expected);
            let alone = Model::load(&of_market(&onnx, market).unwrap(), LAYOUT).unwrap();
            prop_assert_eq!(&alone.predict(row).unwrap()[0], forecast);
            let own = dense.of_market(market);
            prop_assert_eq!(contributions::outputs(&own, row), Some(forecast.clone()));
        }
        prop_assert!(of_market(&onnx, markets).is_err());
        prop_assert!(with_markets(&onnx, markets + 1).is_err() && with_markets(&onnx, markets).is_ok());
        let added = with_market(&onnx, markets, &[0.0, -0.25, 1.5]).unwrap();
        let model = Model::load(&added, Layout { markets: markets + 1, ..LAYOUT }).unwrap();
        let all = model.predict(&[&features[..], &features[..13]].concat()).unwrap();
        prop_assert_eq!(&all[..markets], &forecasts[..]);
        let more = [0, -(1 << 72), 3 << 73];
        let expected: Vec<i128> = forecasts[0].iter().zip(more).map(|(first, more)| first + more).collect();
        prop_assert_eq!(&all[markets], &expected);
    }

    /// `predict` compares the integers with tract's floats by itself.
    #[test]
    fn networks_of_every_kind_are_exact_and_floats_agree(
        seed in any::<u64>(),
        rectified in prop::collection::vec(any::<bool>(), 0..3),
        units in 1_usize..6,
    ) {
        let kinds: Vec<(usize, Layer)> =
            rectified.iter().map(|relu| (units, if *relu { Layer::Relu } else { Layer::Square })).collect();
        let network = layered(seed, 5, &kinds);
        let mut random = ChaCha8Rng::seed_from_u64(seed ^ 1);
        let features: Vec<i32> = (0..5).map(|_| random.random_range(-(2 << 5)..=(2 << 5))).collect();
        let layout = Layout { features: 5, feature_bound: 2 << 5, input_scale: 5, output_scale: 126, ..LAYOUT };
        if rectified == [false, false] {
            // Two squares in a row leave no room in 127 bits.
            prop_assert_eq!(code_of(&network.to_onnx(1), layout), "VR-MODEL-005");
            return Ok(());
        }
        let (expected, output_scale) = by_hand(&network, &features, 5);
        let layout = Layout { output_scale, ..layout };
        let model = Model::load(&network.to_onnx(1), layout).unwrap();
        let parsed = Network::parse(&network.to_onnx(1), 1, 5, 3).unwrap();
        let compared = compared_bits(&parsed, &layout).unwrap();
        prop_assert_eq!(compared.is_some(), kinds.iter().any(|(_, kind)| *kind == Layer::Relu));
        prop_assert_eq!(model.predict(&features).unwrap().concat(), expected);
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
    let with = |index: usize, weight: f32| {
        let mut network = good.clone();
        let Layer::Linear { weights, .. } = &mut network.layers[index] else { unreachable!("a linear layer") };
        weights.fill(weight);
        network.to_onnx(1)
    };
    assert_eq!(code_of(&with(2, f32::NAN), LAYOUT), "VR-MODEL-004");
    assert_eq!(code_of(&with(0, 1e9), LAYOUT), "VR-MODEL-005");
}

#[test]
fn constants_of_markets_stand_at_the_end_and_are_as_many() {
    let own = |markets: usize| vec![vec![0.0, 0.0, 1.0]; markets];
    let onnx = network(9, 13, 8).for_markets(&own(2)).unwrap().to_onnx(3);
    assert_eq!(code_of(&onnx, Layout { markets: 3, ..LAYOUT }), "VR-MODEL-002", "of two markets, and there are three");
    let mut early = network(9, 13, 8);
    let Layer::Linear { bias, .. } = &mut early.layers[0] else { unreachable!("a linear layer") };
    *bias = bias.repeat(2);
    assert_eq!(code_of(&early.to_onnx(2), Layout { markets: 2, ..LAYOUT }), "VR-MODEL-003");
    assert!(network(9, 13, 8).for_markets(&own(2)).unwrap().for_markets(&own(2)).is_none(), "they have theirs already");
    let onnx = network(9, 13, 8).to_onnx(1);
    assert_eq!(with_market(&onnx, 1, &[1.0]).unwrap_err().code(), "VR-MODEL-002");
}

#[test]
fn a_matrix_with_an_empty_side_is_refused() {
    let layout = Layout { features: 2, ..LAYOUT };
    assert_eq!(code_of(include_bytes!("../../fuzz/corpus/networks/empty-side.onnx"), layout), "VR-MODEL-001");
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
    let circuit = [-(1 << 74), 1 << 74, -(8 << 74)];
    compare(&[-1.0, 1.0, -8.0], &circuit, 74).unwrap();
    compare(&[-1.000_01, 1.0, -8.0], &circuit, 74).unwrap();
    for float in [[-1.0, 1.001, -8.0], [1.0, -1.0, -8.0], [-1.0, 1.0, f32::NAN]] {
        assert_eq!(compare(&float, &circuit, 74).unwrap_err().code(), "VR-MODEL-009");
    }
}

#[test]
fn the_shipped_network_is_written_to_the_same_bytes() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/btc-regime-4h-v1");
    let shipped = veriregime_files::read_bounded(&folder.join(ONNX_FILE), MAX_MODEL_BYTES).unwrap();
    let features = Bundle::open(&folder).unwrap().manifest.columns();
    let parsed = Network::parse(&shipped, 1, features, 3).unwrap();
    let mut layers = Vec::new();
    for operation in parsed.operations {
        match operation {
            Operation::MatMul(_, Matrix { rows: inputs, columns: outputs, entries: weights, .. }) => {
                layers.push(Layer::Linear { inputs, outputs, weights, bias: Vec::new() });
            }
            Operation::AddConstant(_, Matrix { entries, .. }) => {
                let Some(Layer::Linear { bias, .. }) = layers.last_mut() else { panic!("a bias without weights") };
                *bias = entries;
            }
            Operation::Multiply(left, right) if left == right => layers.push(Layer::Square),
            Operation::Relu(_) => layers.push(Layer::Relu),
            other => panic!("{} is none of the layers", other.name()),
        }
    }
    assert_eq!(LayeredNetwork { features, layers }.to_onnx(1), shipped);
}
