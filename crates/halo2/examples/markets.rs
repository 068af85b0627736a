//! The contracts' fixtures: proofs of the shipped network for several markets in one, and the verifiers of their circuits.
//!
//! ```text
//! markets SHIPPED.onnx FIXTURE.json SRS_FOLDER FOLDER
//! ```
//!
//! `FIXTURE.json` is the shipped model's own proof; the markets' features are made from its, the same calendar for all.

use std::error::Error;
use std::fs;
use std::path::Path;

use alloy::primitives::{Bytes, U256};
use serde_json::{Value, json};
use veriregime_core::model::Layout;
use veriregime_core::model::integer::IntegerModel;
use veriregime_core::model::onnx::{Network, Operation};
use veriregime_core::types::field::decode;
use veriregime_halo2::prover::row_bits;
use veriregime_halo2::srs::Srs;
use veriregime_halo2::{Keys, Proof, solidity};

const NAMES: [&str; 8] = ["BTC-USD", "ETH-USD", "SOL-USD", "XRP-USD", "BNB-USD", "DOGE-USD", "ADA-USD", "LINK-USD"];
const CANDLE_FEATURES: usize = 12;
const SHIPPED: Layout = Layout {
    markets: 1,
    features: 16,
    outputs: 3,
    feature_bound: 32_768,
    input_scale: 13,
    param_scale: 16,
    output_scale: 74,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [onnx, fixture, srs_folder, folder] = arguments.as_slice() else {
        return Err("markets SHIPPED.onnx FIXTURE.json SRS_FOLDER FOLDER".into());
    };
    let network = Network::parse(&fs::read(onnx)?, 1, SHIPPED.features, SHIPPED.outputs)?;
    let mut other = network.clone();
    let Some(Operation::MatMul(_, matrix)) = other.operations.first_mut() else { return Err("no layer".into()) };
    matrix.entries[0] += 1.0;
    let mut json: Value = serde_json::from_slice(&fs::read(fixture)?)?;
    let shipped: Vec<U256> = serde_json::from_value(json["instances"].clone())?;
    let shipped: Vec<i32> = shipped
        .into_iter()
        .take(SHIPPED.features)
        .map(|word| Ok(i32::try_from(decode(word).ok_or("a public input beyond the field")?)?))
        .collect::<Result<_, Box<dyn Error>>>()?;

    for markets in [3, 8] {
        let layout = Layout { markets, ..SHIPPED };
        let keys_of = |network: &Network| -> Result<Keys, Box<dyn Error>> {
            let model = IntegerModel::new(network, layout)?;
            let srs = fs::read(Path::new(srs_folder).join(format!("kzg{}.srs", row_bits(&model)?)))?;
            Ok(Keys::new(&model, Srs::parse(&srs)?)?)
        };
        let (keys, foreign) = (keys_of(&network)?, keys_of(&other)?);
        let features: Vec<i32> = (0..markets).flat_map(|market| row(&shipped, market as i32)).collect();
        let (proof, foreign) = (keys.prove(&features)?, foreign.prove(&features)?);
        let outputs = IntegerModel::new(&network, layout)?.evaluate(&features)?.concat();
        let candle: Vec<i32> =
            features.chunks(SHIPPED.features).flat_map(|row| &row[..CANDLE_FEATURES]).copied().collect();
        json["markets"] = json!(NAMES[..markets]);
        json["candle_features"] = json!(candle);
        json["outputs"] = json!(outputs.iter().map(i128::to_string).collect::<Vec<_>>());
        json["instances"] = words(&proof);
        json["foreign_instances"] = words(&foreign);
        json["foreign_proof"] = json!(Bytes::from(foreign.bytes));
        json["proof"] = json!(Bytes::from(proof.bytes));
        let folder = Path::new(folder).join(format!("markets-{markets}"));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("proof.json"), json.to_string() + "\n")?;
        fs::write(folder.join("Verifier.sol"), solidity::verifier(&keys)?)?;
    }
    Ok(())
}

/// A market's features: those of the first one, shifted, and half of them negated.
fn row(shipped: &[i32], market: i32) -> Vec<i32> {
    let (candle, calendar) = shipped.split_at(CANDLE_FEATURES);
    let candle = candle.iter().zip(0..).map(|(value, index)| {
        let shifted = value - market * (100 + 37 * index);
        if market > 0 && (market + index) % 2 == 0 { -shifted } else { shifted }
    });
    candle.chain(calendar.iter().copied()).collect()
}

fn words(proof: &Proof) -> Value {
    json!(proof.instances.iter().map(U256::to_string).collect::<Vec<_>>())
}
