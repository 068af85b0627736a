//! Bundles for development chains: those that can be proven as they are, and copies with circuits and keys of their own.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde_json::json;

use crate::bundle::Bundle;
use crate::bundle::reliability::RELIABILITY_FILE;
use crate::config::{Config, place};
use crate::node::assemble;
use crate::verification::compiler::Compiler;
use crate::verification::error::ProofError;
use crate::verification::ezkl::build;
use crate::verification::ezkl::build::{Build, CircuitConfig};
use crate::verification::ezkl::srs::Srs;
use crate::verification::ezkl::supervisor::Ezkl;
use crate::verification::{halo2, set_up};
use veriregime_core::model::onnx::with_markets;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::ONNX_FILE;
use veriregime_core::types::manifest::card::CARD_FILE;
use veriregime_core::types::manifest::inputs::{Inputs, Market};
use veriregime_core::types::manifest::verification::{Verification, Way};

const MAX_ONNX_BYTES: u64 = 4 << 20;
const MAX_CARD_BYTES: u64 = 256 << 10;
/// What a copied card is not true of.
const COPIED: &str = "**A copy for a development chain:** network and figures are those of the original; circuit and keys were made here, \
                      and what this card says of keys is said of the original's.";

/// What compiles verifiers.
pub fn compiler() -> Compiler {
    Compiler { node: "node".into(), script: place::tool("contracts/verifier.mjs".as_ref()) }
}

/// The configured bundle if its ceremony SRS is there or can be fetched, or if none is needed; otherwise a copy in `scratch`
/// with an insecure development SRS and keys of its own. Says which, and points `config` at it.
///
/// # Errors
/// What keeps either from being made.
pub async fn provable_bundle(config: &mut Config, scratch: &Path) -> anyhow::Result<(Bundle, bool)> {
    let bundle = Bundle::open(&config.bundle)?;
    let Some(srs) = bundle.manifest.offer(config.prover.kind.way())?.srs else { return Ok((bundle, true)) };
    let mut ezkl = Ezkl::new(assemble::worker_settings(config));
    match Srs::obtain(&mut ezkl, &config.prover.srs_dir, srs.logrows).await {
        Ok(_) => {
            ezkl.stop().await;
            return Ok((bundle, true));
        }
        Err(ProofError::SrsMissing { .. }) => {}
        Err(fault) => return Err(fault.into()),
    }
    ezkl.stop().await;
    let srs_dir = scratch.join("srs");
    let markets = bundle.manifest.markets()?.to_vec();
    let bundle = bundle_for(config, &bundle, markets, &srs_dir, &scratch.join("bundle")).await?;
    config.bundle.clone_from(&bundle.folder);
    config.prover.srs_dir = srs_dir;
    Ok((bundle, false))
}

/// Copies what was measured of a network beside a circuit of its own, where the bundle has it; the files' names are those to seal.
fn copy_measured(from: &Bundle, folder: &Path) -> anyhow::Result<BTreeMap<String, Digest>> {
    let mut copied = BTreeMap::new();
    for name in [CARD_FILE, RELIABILITY_FILE] {
        let Some(digest) = from.manifest.files.get(name) else { continue };
        let mut text = veriregime_files::read_text(&from.path(name), MAX_CARD_BYTES)?;
        if name == CARD_FILE
            && let Some((title, rest)) = text.split_once('\n')
        {
            text = format!("{title}\n\n{COPIED}\n{rest}");
        }
        veriregime_files::write_atomic(&folder.join(name), text.as_bytes())?;
        copied.insert(name.to_owned(), *digest);
    }
    Ok(copied)
}

/// A bundle in `folder` with the network of another one for these markets, with an EZKL circuit and keys of its own, and what
/// the configured way of verification needs. The SRS is the one in `srs_dir`, or where there is none of that size, an insecure
/// development SRS that is made there.
///
/// # Errors
/// What keeps it from being made.
pub async fn bundle_for(
    config: &Config,
    from: &Bundle,
    markets: Vec<Market>,
    srs_dir: &Path,
    folder: &Path,
) -> anyhow::Result<Bundle> {
    for folder in [srs_dir, folder] {
        veriregime_files::create_folder(folder)?;
    }
    let onnx = veriregime_files::read_bounded(&from.path(ONNX_FILE), MAX_ONNX_BYTES)?;
    veriregime_files::write_atomic(&folder.join(ONNX_FILE), &with_markets(&onnx, markets.len())?)?;
    let mut manifest = from.manifest.clone();
    let mut form = CircuitConfig::of(&manifest)?;
    if markets.len() != manifest.rows() {
        form.logrows = None;
        manifest.model_id = folder.file_name().and_then(|name| name.to_str()).context("no name")?.to_owned();
    }
    let (compiler, mut ezkl) = (compiler(), Ezkl::new(assemble::worker_settings(config)));
    let request = Build {
        folder,
        srs_folder: srs_dir,
        markets: markets.len(),
        features: manifest.columns(),
        outputs: manifest.outputs.len(),
        form,
        compiler: &compiler,
    };
    let built = match build::build(&mut ezkl, &request).await {
        Err(ProofError::SrsMissing { logrows, .. }) => {
            Srs::generate(&mut ezkl, srs_dir, logrows).await?;
            build::build(&mut ezkl, &request).await?
        }
        built => built?,
    };
    let Inputs::Candles(candles) = &mut manifest.inputs else { anyhow::bail!("{} has no markets", manifest.model_id) };
    let is_same = candles.markets == markets;
    candles.markets = markets;
    manifest.verification = Verification { ezkl: Some(built.circuit), ..Verification::default() };
    manifest.files = if is_same { copy_measured(from, folder)? } else { BTreeMap::new() };
    if !is_same {
        // What was measured was measured on other markets.
        manifest.training.metrics = json!({});
    }
    let bundle = Bundle::seal(folder, manifest)?;
    let way = config.prover.kind.way();
    if way == Way::Halo2 {
        let logrows = halo2::logrows(&bundle.integer_model()?)?;
        if let Err(ProofError::SrsMissing { .. }) = Srs::open(srs_dir, logrows) {
            Srs::generate(&mut ezkl, srs_dir, logrows).await?;
        }
    }
    ezkl.stop().await;
    if way == Way::Ezkl {
        return Ok(bundle);
    }
    let made = set_up::make(&bundle, way, srs_dir, &compiler).await?;
    Ok(made.seal(folder, bundle.manifest)?)
}
