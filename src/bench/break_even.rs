//! From what size of a network on a proof costs the chain less than computing it.

use alloy::primitives::U256;
use serde::Serialize;

use crate::devnet;
use crate::verification::direct::{self, Computation};
use veriregime_core::model::Layout;
use veriregime_core::model::integer::IntegerModel;
use veriregime_core::model::onnx::{Matrix, Network, Operation};
use veriregime_core::types::proof::Proof;
use veriregime_core::types::public_inputs::instances;

/// Hidden units of the networks, each with [`FEATURES`] inputs and [`OUTPUTS`] outputs.
const HIDDEN: [usize; 7] = [10, 48, 157, 300, 505, 800, 1_100];
const FEATURES: usize = 16;
const OUTPUTS: usize = 3;
/// Grids of the shipped model.
const INPUT_SCALE: u32 = 13;
const PARAM_SCALE: u32 = 16;
const FEATURE_BOUND: i32 = 1 << 15;

/// What it costs to compute one network.
#[derive(Debug, Clone, Serialize)]
pub struct Size {
    pub weights: usize,
    /// Gas of a transaction that asks the contract and does nothing else.
    pub verify_gas: u64,
    pub code_bytes: usize,
}

/// Measures contracts of networks of growing size, as large as a contract can be, on a chain of their own; `show` is told of each.
///
/// # Errors
/// What keeps chain or compiler from working.
pub async fn measure(show: impl Fn(usize)) -> anyhow::Result<Vec<Size>> {
    let (compiler, (_anvil, chain)) = (devnet::bundles::compiler(), devnet::bare_chain().await?);
    let mut sizes = Vec::with_capacity(HIDDEN.len());
    for hidden in HIDDEN {
        let weights = hidden * (FEATURES + 1) + (hidden + 1) * OUTPUTS;
        show(weights);
        let model = Computation::Layers(network(hidden)?);
        let Ok(source) = model.source(&format!("random-{weights}")) else { break };
        let compiled = compiler.compile(source.as_bytes(), direct::TARGET).await?;
        let verifier = chain.create(compiled.bytecode).await?;
        let features: Vec<i32> = (0..FEATURES as i32).map(|index| (index * 3_989) % FEATURE_BOUND - 16_000).collect();
        let instances: Vec<U256> = instances(&features, &model.evaluate(&features)?);
        let proof = Proof { bytes: Vec::new().into(), instances };
        let verify_gas = chain.verification_gas(verifier, &proof).await?;
        sizes.push(Size { weights, verify_gas, code_bytes: compiled.deployed_bytecode.len() });
    }
    Ok(sizes)
}

/// Squares of sums with weights from a generator, the same on every machine.
fn network(hidden: usize) -> anyhow::Result<IntegerModel> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut weights = |rows: usize, columns: usize| {
        let mut weight = || {
            // Marsaglia's xorshift.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 48) as f32 / 65_536.0 - 0.5
        };
        let entries = (0..rows * columns).map(|_| weight()).collect();
        Matrix { name: "weights".to_owned(), rows, columns, entries }
    };
    let operations = vec![
        Operation::MatMul(0, weights(FEATURES, hidden)),
        Operation::AddConstant(1, weights(1, hidden)),
        Operation::Multiply(2, 2),
        Operation::MatMul(3, weights(hidden, OUTPUTS)),
        Operation::AddConstant(4, weights(1, OUTPUTS)),
    ];
    let layout = Layout {
        markets: 1,
        features: FEATURES,
        outputs: OUTPUTS,
        feature_bound: FEATURE_BOUND,
        input_scale: INPUT_SCALE,
        param_scale: PARAM_SCALE,
        output_scale: 2 * (INPUT_SCALE + PARAM_SCALE) + PARAM_SCALE,
    };
    Ok(IntegerModel::new(&Network { operations, features: FEATURES }, layout)?)
}

/// The lines of a chart: computing, and the ways that prove, whose cost hardly depends on the size. Gas over weights.
pub fn lines(sizes: &[Size], proofs: &[(&'static str, u64)]) -> Vec<(&'static str, Vec<(f64, f64)>)> {
    let ends = [sizes.first(), sizes.last()].into_iter().flatten().map(|size| size.weights as f64);
    let flat = |gas: u64| ends.clone().map(|weights| (weights, gas as f64)).collect();
    let computed = sizes.iter().map(|size| (size.weights as f64, size.verify_gas as f64)).collect();
    std::iter::once(("direct", computed)).chain(proofs.iter().map(|(name, gas)| (*name, flat(*gas)))).collect()
}
