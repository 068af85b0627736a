//! What proving a shipped network costs on this machine, as one line of JSON:
//!
//! ```text
//! figures MODEL.onnx KZG8.srs [FOLDER FEATURE…]
//! ```
//!
//! With a folder, the verifier's source and a proof for the features are written there.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

use alloy::primitives::Bytes;
use veriregime_core::model::Layout;
use veriregime_core::model::integer::IntegerModel;
use veriregime_core::model::onnx::Network;
use veriregime_halo2::{Keys, solidity, srs::Srs};

const PROOFS: usize = 200;
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
    let [onnx, srs, written @ ..] = arguments.as_slice() else { return Err("figures MODEL.onnx KZG8.srs".into()) };
    let network = Network::parse(&fs::read(onnx)?, SHIPPED.markets, SHIPPED.features, SHIPPED.outputs)?;
    let model = IntegerModel::new(&network, SHIPPED)?;
    let start = Instant::now();
    let keys = Keys::new(&model, Srs::parse(&fs::read(srs)?)?)?;
    let set_up_ms = milliseconds(start);
    let (mut prove, mut verify) = (Vec::new(), Vec::new());
    for number in 0..PROOFS {
        let features: Vec<i32> =
            (0..16).map(|index| ((number * 977 + index * 4_099) % 65_537) as i32 - 32_768).collect();
        let start = Instant::now();
        let proof = keys.prove(&features)?;
        prove.push(milliseconds(start));
        let start = Instant::now();
        keys.verify(&proof.bytes, &proof.instances)?;
        verify.push(milliseconds(start));
    }
    if let [folder, features @ ..] = written {
        write(&keys, Path::new(folder), features)?;
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).map_or("", str::trim);
    println!(
        "{{\"set_up_ms\":{set_up_ms:.1},\"prove_ms_p50\":{:.1},\"prove_ms_p95\":{:.1},\"verify_ms_p50\":{:.1},\
         \"keys_bytes\":{},\"peak_rss\":\"{peak}\"}}",
        quantile(&mut prove, 50),
        quantile(&mut prove, 95),
        quantile(&mut verify, 50),
        keys.key_bytes(),
    );
    Ok(())
}

fn write(keys: &Keys, folder: &Path, features: &[String]) -> Result<(), Box<dyn Error>> {
    let features = features.iter().map(|feature| feature.parse()).collect::<Result<Vec<i32>, _>>()?;
    let proof = keys.prove(&features)?;
    let words: Vec<String> = proof.instances.iter().map(|word| format!("\"{word}\"")).collect();
    let bytes = Bytes::from(proof.bytes);
    let json = format!("{{\"instances\":[{}],\"proof\":\"{bytes}\"}}\n", words.join(","));
    fs::write(folder.join("proof.json"), json)?;
    Ok(fs::write(folder.join("Verifier.sol"), solidity::verifier(keys)?)?)
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn quantile(times: &mut [f64], percent: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() * percent / 100]
}
