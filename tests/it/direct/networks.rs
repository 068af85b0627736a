//! Networks of layers.

use std::path::Path;

use alloy::primitives::Address;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use veriregime_agent::bundle::Bundle;
use veriregime_core::model::dense::DenseNetwork;
use veriregime_core::model::export::{Layer, LayeredNetwork};
use veriregime_core::model::integer::IntegerModel;
use veriregime_core::model::onnx::Network;
use veriregime_core::model::{Layout, ModelError, solidity};
use veriregime_core::types::diagnostic::Diagnostic;

use super::asking::{Asking, Deployed};
use super::{ROWS, agrees, refuses, row};

const BOUND: i32 = 4 << 13;
/// Rows of a network that tests make.
const FEW_ROWS: usize = 400;

/// What a network of tests is like.
struct Case<'a> {
    markets: usize,
    /// Features, then the units of each layer.
    sizes: &'a [usize],
    /// What follows each layer but the last.
    activation: Option<Layer>,
    /// Whether each market adds something of its own to the outputs.
    has_own: bool,
}

impl Case<'_> {
    fn weights(&self) -> usize {
        self.sizes.windows(2).map(|pair| pair[0] * pair[1]).sum()
    }

    fn model(&self, random: &mut ChaCha8Rng) -> IntegerModel {
        let mut draw = |count: usize| (0..count).map(|_| random.random_range(-0.5..0.5)).collect::<Vec<f32>>();
        let mut layers = Vec::new();
        for (index, pair) in self.sizes.windows(2).enumerate() {
            layers.extend(self.activation.clone().filter(|_| index > 0));
            let [inputs, outputs] = pair else { unreachable!("pairs") };
            let (weights, bias) = (draw(inputs * outputs), draw(*outputs));
            layers.push(Layer::Linear { inputs: *inputs, outputs: *outputs, weights, bias });
        }
        let (features, outputs) = (self.sizes[0], self.sizes[self.sizes.len() - 1]);
        let mut network = LayeredNetwork { features, layers };
        if self.has_own {
            // The first output is the same for all; the others lie as far apart as they can for the largest sums.
            let own = |market: usize| (0..outputs).map(|output| (output * market) as f64 * -1.75).collect();
            network = network.for_markets(&(0..self.markets).map(own).collect::<Vec<_>>()).unwrap();
        }
        let onnx = network.on_grid(16).to_onnx(self.markets);
        let network = Network::parse(&onnx, self.markets, features, outputs).unwrap();
        let mut layout = Layout {
            markets: self.markets,
            features,
            outputs,
            feature_bound: BOUND,
            input_scale: 13,
            param_scale: 16,
            output_scale: 0,
        };
        match IntegerModel::new(&network, layout).unwrap_err() {
            // Some bits more than the exact result has, so that there is something to shift.
            ModelError::Scale { exact, .. } => layout.output_scale = exact + 2,
            other => unreachable!("{other}"),
        }
        IntegerModel::new(&network, layout).unwrap()
    }
}

fn shipped() -> IntegerModel {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/btc-regime-4h-v1");
    Bundle::open(&folder).unwrap().integer_model().unwrap()
}

/// Compares a contract with its model; gives the most gas of a call.
async fn compare(chain: &Asking, contract: Address, model: &IntegerModel, rows: usize) -> u64 {
    let random = &mut ChaCha8Rng::seed_from_u64(77);
    let Layout { markets, features, feature_bound, .. } = model.layout();
    let evaluate = |row: &[i32]| model.evaluate(row).unwrap().concat();
    let rows: Vec<_> = (0..rows).map(|_| row(random, markets * features, feature_bound)).collect();
    let gas = agrees(chain, contract, &rows, &evaluate, random).await;
    let inner: Vec<i32> = (0..markets * features).map(|_| random.random_range(-999..999)).collect();
    refuses(chain, contract, &inner, feature_bound, &evaluate).await;
    gas
}

/// With what a call of it costs, intrinsic gas apart.
#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_network_s_contract_computes_its_integers() {
    let chain = Asking::new().await;
    let model = shipped();
    let source = solidity::verifier(&DenseNetwork::new(&model).unwrap(), "btc-regime-4h-v1").unwrap();
    let contract = chain.deploy(&source).await;
    let gas = compare(&chain, contract.address, &model, ROWS).await;
    println!("shipped: {gas} gas a call, {} bytes of code", contract.code_bytes);
    assert!(gas <= 3_000, "{gas}");
}

/// Both forms, every activation, one and several markets, one layer and several, more lanes than a word has.
#[tokio::test(flavor = "multi_thread")]
async fn contracts_compute_the_integers_of_their_networks() {
    let chain = Asking::new().await;
    let random = &mut ChaCha8Rng::seed_from_u64(5);
    let (square, relu) = (Some(Layer::Square), Some(Layer::Relu));
    let cases = [
        Case { markets: 1, sizes: &[1, 1], activation: None, has_own: false },
        Case { markets: 1, sizes: &[5, 3], activation: None, has_own: false },
        Case { markets: 3, sizes: &[16, 10, 3], activation: square.clone(), has_own: false },
        Case { markets: 2, sizes: &[7, 12, 3], activation: relu.clone(), has_own: false },
        Case { markets: 1, sizes: &[9, 4, 5, 3], activation: None, has_own: false },
        Case { markets: 1, sizes: &[15, 54, 3], activation: square, has_own: false },
        Case { markets: 1, sizes: &[33, 20, 10, 4], activation: relu.clone(), has_own: false },
        Case { markets: 3, sizes: &[16, 10, 3], activation: Some(Layer::Square), has_own: true },
        Case { markets: 2, sizes: &[5, 3], activation: None, has_own: true },
        Case { markets: 4, sizes: &[2, 30, 9], activation: relu.clone(), has_own: true },
        Case { markets: 2, sizes: &[25, 17, 65], activation: relu, has_own: false },
    ];
    for case in cases {
        let model = case.model(random);
        let network = DenseNetwork::new(&model).unwrap();
        let mut gas = Vec::new();
        for source in [solidity::verifier(&network, "a").unwrap(), solidity::with_data(&network, "a").unwrap()] {
            let contract = chain.deploy(&source).await;
            gas.push(compare(&chain, contract.address, &model, FEW_ROWS).await);
        }
        println!("{} markets, {:?}: {gas:?} gas", case.markets, case.sizes);
        assert!(gas[0] <= gas[1], "{:?}: the form that is chosen costs more than the other, {gas:?}", case.sizes);
    }
}

/// Gas by size, up to the limits of the chain.
#[tokio::test(flavor = "multi_thread")]
async fn gas_of_a_call_grows_with_the_network() {
    let chain = Asking::new().await;
    let random = &mut ChaCha8Rng::seed_from_u64(6);
    let limits: [(&[usize], u64); 5] = [
        (&[33, 27, 3], 10_000),
        (&[15, 54, 3], 12_000),
        (&[60, 50, 3], 50_000),
        (&[99, 99, 3], 145_000),
        (&[15, 561, 3], 190_000),
    ];
    for (sizes, limit) in limits {
        let case = Case { markets: 1, sizes, activation: Some(Layer::Square), has_own: false };
        let model = case.model(random);
        let source = solidity::verifier(&DenseNetwork::new(&model).unwrap(), "grown").unwrap();
        let contract = chain.deploy(&source).await;
        let gas = compare(&chain, contract.address, &model, FEW_ROWS).await;
        let Deployed { code_bytes, creation_bytes, creation_gas, .. } = contract;
        println!(
            "{} weights {sizes:?}: {gas} gas, {code_bytes} bytes of code, {creation_bytes} of creation, {creation_gas} gas to create",
            case.weights()
        );
        assert!(gas <= limit, "{sizes:?}: {gas} gas");
    }
}

/// What lies beyond one creation is refused by a code, and told what would help.
#[test]
fn a_network_beyond_one_creation_is_refused() {
    let random = &mut ChaCha8Rng::seed_from_u64(7);
    let case = Case { markets: 1, sizes: &[23, 1150, 3], activation: Some(Layer::Square), has_own: false };
    assert_eq!(case.weights(), 29_900);
    let network = DenseNetwork::new(&case.model(random)).unwrap();
    let error = solidity::verifier(&network, "large").unwrap_err();
    assert_eq!(error.code(), "VR-MODEL-014");
    assert!(error.hint().contains("halo2"), "{}", error.hint());
    assert!(error.to_string().contains("at most 49152"), "{error}");
}

/// The code of a verifier says what it computes: without the very data that it was made for, it accepts nothing.
#[tokio::test(flavor = "multi_thread")]
async fn code_without_its_data_accepts_nothing() {
    let chain = Asking::new().await;
    let random = &mut ChaCha8Rng::seed_from_u64(8);
    let case = Case { markets: 1, sizes: &[15, 400, 3], activation: Some(Layer::Relu), has_own: false };
    let (model, other) = (case.model(random), case.model(random));
    let mut contracts = Vec::new();
    for model in [&model, &other] {
        let source = solidity::verifier(&DenseNetwork::new(model).unwrap(), "large").unwrap();
        assert!(source.contains("constructor()"));
        let contract = chain.deploy(&source).await;
        compare(&chain, contract.address, model, 100).await;
        contracts.push(contract.address);
    }
    let rows = [super::instances(&[1; 15], &model.evaluate(&[1; 15]).unwrap().concat())];
    let code_of =
        async |address: Address| chain.anvil.request("eth_getCode", json!([address, "latest"])).await.unwrap();
    let set = async |address: Address, code: &serde_json::Value| {
        chain.anvil.request("anvil_setCode", json!([address, code])).await.unwrap();
    };
    assert!(chain.ask(contracts[0], &rows).await[0].is_accepted);
    // Code copied to where nothing was created, and to where the data are another network's.
    let code = code_of(contracts[0]).await;
    for at in [Address::repeat_byte(7), contracts[1]] {
        set(at, &code).await;
        assert!(!chain.ask(at, &rows).await[0].is_accepted);
    }
    // Data of which a byte is another.
    let data = contracts[0].create(1);
    let found = code_of(data).await;
    let mut bytes = alloy::hex::decode(found.as_str().unwrap()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    set(data, &json!(alloy::hex::encode_prefixed(&bytes))).await;
    assert!(!chain.ask(contracts[0], &rows).await[0].is_accepted);
    set(data, &found).await;
    assert!(chain.ask(contracts[0], &rows).await[0].is_accepted);
}
