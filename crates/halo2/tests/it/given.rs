//! Models, rows and reference strings.

use std::path::{Path, PathBuf};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use veriregime_core::model::Layout;
use veriregime_core::model::integer::IntegerModel;
use veriregime_core::model::onnx::{Matrix, Network, Operation};
use veriregime_halo2::srs::Srs;

/// The layout of the shipped model.
pub const SHIPPED: Layout = Layout {
    markets: 1,
    features: 16,
    outputs: 3,
    feature_bound: 32_768,
    input_scale: 13,
    param_scale: 16,
    output_scale: 74,
};

pub fn checkout(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

pub fn shipped_network() -> Network {
    let onnx = std::fs::read(checkout("models/btc-regime-4h-v1/model.onnx")).expect("the shipped model");
    Network::parse(&onnx, 1, SHIPPED.features, SHIPPED.outputs).expect("a network")
}

pub fn shipped() -> IntegerModel {
    IntegerModel::new(&shipped_network(), SHIPPED).expect("an integer model")
}

/// Rows within the bound: random ones, some of them at the bound in random places, and the corners.
pub fn rows(layout: &Layout, count: usize) -> Vec<Vec<i32>> {
    let mut random = ChaCha8Rng::seed_from_u64(16);
    let (width, bound) = (layout.markets * layout.features, layout.feature_bound);
    let mut rows: Vec<Vec<i32>> = [0, 1, -1, bound, -bound].iter().map(|value| vec![*value; width]).collect();
    for feature in 0..width {
        for value in [bound, -bound] {
            let mut row = vec![0; width];
            row[feature] = value;
            rows.push(row);
        }
    }
    while rows.len() < count {
        let clips = rows.len().is_multiple_of(3);
        let mut value = || match random.random_range(0..4) {
            0 if clips => bound,
            1 if clips => -bound,
            _ => random.random_range(-bound..=bound),
        };
        rows.push((0..width).map(|_| value()).collect());
    }
    rows
}

pub fn matrix(rows: usize, columns: usize, entries: &[f32]) -> Matrix {
    Matrix { name: "matrix".to_owned(), rows, columns, entries: entries.to_vec() }
}

/// Two layers of squares, a bypass around the first, and a product of different rows.
pub fn deep(markets: usize) -> IntegerModel {
    let operations = vec![
        Operation::MatMul(0, matrix(3, 4, &[1.0, -2.0, 0.5, 0.0, 0.25, 1.5, -1.0, 0.0, 2.0, 0.0, 1.0, -0.125])),
        Operation::AddConstant(1, matrix(1, 4, &[0.5, -1.0, 0.0, 2.0])),
        Operation::Multiply(2, 2),
        Operation::MatMul(3, matrix(4, 2, &[1.0, -0.5, 0.0, 0.25, -1.0, 2.0, 0.125, 1.0])),
        Operation::MatMul(0, matrix(3, 2, &[0.5, 1.0, -1.0, 0.0, 0.25, -2.0])),
        Operation::Add(4, 5),
        Operation::Multiply(6, 6),
        Operation::Multiply(6, 5),
        Operation::Add(7, 8),
        Operation::MatMul(9, matrix(2, 2, &[1.0, -1.0, 0.5, 0.25])),
        Operation::Add(10, 5),
        Operation::AddConstant(11, matrix(1, 2, &[1.0, -0.5])),
    ];
    let layout = Layout {
        markets,
        features: 3,
        outputs: 2,
        feature_bound: 64,
        input_scale: 4,
        param_scale: 3,
        output_scale: 40,
    };
    IntegerModel::new(&Network { operations, features: 3 }, layout).expect("an integer model")
}

/// A file of the ceremony; the test is left out where it is not there, and fails where it must be.
pub fn srs_bytes(bits: u32) -> Option<Vec<u8>> {
    let shared = std::env::var_os("VERIREGIME_SHARED").map_or_else(|| checkout("../shared"), PathBuf::from);
    let path = shared.join(format!("srs/kzg{bits}.srs"));
    let read = std::fs::read(&path).ok();
    if read.is_none() {
        let wanted = std::env::var("VERIREGIME_MUST_HAVE").unwrap_or_default();
        assert!(wanted.split(',').all(|one| one != "shared"), "{} must be here", path.display());
        eprintln!("SKIPPED, for want of shared: {} is not here", path.display());
    }
    read
}

pub fn srs(bits: u32) -> Option<Srs> {
    srs_bytes(bits).map(|bytes| Srs::parse(&bytes).expect("a file of the ceremony"))
}

/// The same network for so many markets, each of which adds something of its own to the outputs.
pub fn with_own_constants(mut network: Network, markets: usize) -> Network {
    let Some(Operation::AddConstant(_, constant)) = network.operations.last_mut() else { panic!("no constant") };
    let first = constant.entries.clone();
    let own = |market: usize| first.iter().zip(0..).map(move |(value, at)| value + (market * at) as f32 * 0.375);
    constant.entries = (0..markets).flat_map(own).collect();
    constant.rows = markets;
    network
}
