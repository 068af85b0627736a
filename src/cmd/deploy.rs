//! `deploy`: contracts, market, policy, model and submitter on the configured chain.

use std::path::Path;

use alloy::primitives::{Address, Bytes};
use anyhow::Context;
use clap::Args;

use super::setup;
use crate::chain::Chain;
use crate::chain::deploy::{self, Deployment, Plan};
use crate::fs;
use crate::proof::bundle::Bundle;
use crate::types::manifest::{ONNX_FILE, VERIFIER_BYTECODE_FILE};

/// Largest creation code.
const MAX_BYTECODE_BYTES: u64 = 1 << 20;

/// Options of `deploy`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent --config agent.toml deploy
  veriregime-agent --config agent.toml deploy --submitter 0x70997970C51812dc3A010C7d01b50e0d17dc79C8

The wallet of chain.key_file becomes the owner of the contract and of its markets.")]
pub struct DeployArgs {
    /// Wallet that may submit updates; the deploying one if absent.
    #[arg(long, value_name = "ADDRESS")]
    submitter: Option<Address>,
}

/// Deploys and prints the addresses.
///
/// # Errors
/// What keeps it from deploying.
pub async fn run(args: DeployArgs, settings: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let config = setup::settings(settings)?;
    let bundle = Bundle::open(&config.bundle)?;
    let chain = setup::chain(&config)?;
    let deployment = bundle_on(&chain, &bundle, args.submitter.unwrap_or(chain.address())).await?;
    if json {
        println!("{}", serde_json::to_string(&deployment)?);
    } else {
        println!(
            "verifier   {}\nRiskOracle {}\nmodel      {}",
            deployment.verifier, deployment.oracle, deployment.model_id
        );
        println!("\nPut this into the settings:\n[chain]\noracle = \"{}\"", deployment.oracle);
    }
    Ok(())
}

/// Deploys `bundle`'s verifier, the contract, and everything that an update needs.
///
/// # Errors
/// A bundle or chain that is not right.
pub async fn bundle_on(chain: &Chain, bundle: &Bundle, submitter: Address) -> anyhow::Result<Deployment> {
    let expected = setup::expected(bundle)?;
    let onnx = bundle.manifest.files.get(ONNX_FILE).copied().context("the manifest names no network")?;
    let code = fs::read_text(&bundle.path(VERIFIER_BYTECODE_FILE), MAX_BYTECODE_BYTES)?;
    let verifier_bytecode: Bytes = code.trim().parse().context("the verifier's bytecode is not hex")?;
    let plan = Plan { manifest: &bundle.manifest, expected: &expected, onnx, verifier_bytecode, submitter };
    Ok(deploy::deploy(chain, &plan).await?)
}
