//! Many markets on a chain of one's own: for each a model of its own, all with the network of one bundle.

use std::path::{Path, PathBuf};

use alloy::primitives::{B256, U256};
use alloy::providers::{Provider, RootProvider};
use alloy::rpc::types::Filter;
use alloy::sol_types::SolEvent;
use anyhow::Context;

use super::{CHAIN_ID, World};
use crate::actions::risk_oracle::abi::oracle::RiskOracle;
use crate::actions::risk_oracle::abi::registry::IModelRegistry::Update as Smoke;
use crate::bundle::Bundle;
use crate::config::Config;
use crate::deployment::Deployment;
use crate::deployment::complete::complete;
use crate::deployment::outbox::Outbox;
use crate::deployment::policy::MarketRules;
use crate::deployment::request::wanted;
use crate::node::assemble;
use crate::node::smoke::smoke_proof;
use veriregime_core::types::manifest::inputs::{Inputs, Market};
use veriregime_core::types::period::PeriodId;

/// Largest file of a bundle that is copied.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// A market and the bundle of its model.
#[derive(Debug, Clone)]
pub struct FleetMarket {
    /// Name, e.g. `SIM007-USD`.
    pub name: String,
    /// Symbol at the exchange, e.g. `SIM007USDT`.
    pub symbol: String,
    /// Folder of the bundle.
    pub bundle: PathBuf,
}

/// Makes `count` markets of one model each and puts them on the world's contract; says after each how many there are. Their
/// bundles lie in `folder`.
///
/// # Errors
/// What keeps a bundle or a step of a deployment from being made.
pub async fn markets(
    world: &World,
    config: &Config,
    folder: &Path,
    count: usize,
    deployed: impl Fn(usize),
) -> anyhow::Result<Vec<FleetMarket>> {
    let smoke = smoke_proof(config, &world.bundle).await?;
    let mut fleet = Vec::with_capacity(count);
    for index in 0..count {
        let market = Market { name: format!("SIM{index:03}-USD"), symbol: format!("SIM{index:03}USDT") };
        let bundle = renamed(&world.bundle, &folder.join(format!("sim{index:03}")), market.clone())?;
        // The proof of the network at its mean features says nothing of a market, so one will do.
        deploy(world, &bundle, &smoke).await?;
        fleet.push(FleetMarket { name: market.name, symbol: market.symbol, bundle: bundle.folder });
        deployed(fleet.len());
    }
    Ok(fleet)
}

/// Puts one more model on the world's contract, owned and attested for as its first one.
///
/// # Errors
/// What keeps a step from being taken.
pub async fn deploy(world: &World, bundle: &Bundle, smoke: &Smoke) -> anyhow::Result<()> {
    let constructor = world.deployment.wanted.constructor.clone();
    let wanted = wanted(
        bundle,
        assemble::expected(bundle, world.deployment.wanted.expected.way)?,
        constructor,
        MarketRules::starting()?,
    )?;
    let deployment = Deployment::new(wanted, CHAIN_ID)?;
    let waiting = complete(&deployment, &Outbox::of(&world.owner), Some(smoke), || Ok(()), &mut |_| {}).await?;
    anyhow::ensure!(waiting.is_empty(), "the deployment of {} waits: {waiting:?}", bundle.manifest.model_id);
    Ok(())
}

/// How many updates of a period the world's contract has accepted.
///
/// # Errors
/// A chain that does not answer.
pub async fn landed(world: &World, period: PeriodId) -> anyhow::Result<usize> {
    let provider = RootProvider::<alloy::network::Ethereum>::new_http(world.anvil.rpc_url.clone());
    let accepted = Filter::new()
        .address(world.deployment.contracts.oracle.address)
        .event_signature(RiskOracle::UpdateAccepted::SIGNATURE_HASH)
        .topic2(B256::from(U256::from(period.0)))
        .from_block(0_u64);
    Ok(provider.get_logs(&accepted).await?.len())
}

/// A copy of a one-market bundle for another market: the same network, circuit and keys.
fn renamed(bundle: &Bundle, folder: &Path, market: Market) -> anyhow::Result<Bundle> {
    veriregime_files::create_folder(folder)?;
    for name in bundle.manifest.required_files() {
        veriregime_files::write_atomic(
            &folder.join(name),
            &veriregime_files::read_bounded(&bundle.path(name), MAX_FILE_BYTES)?,
        )?;
    }
    let mut manifest = bundle.manifest.clone();
    manifest.files.clear();
    let Inputs::Candles(candles) = &mut manifest.inputs else { anyhow::bail!("{} has no markets", manifest.model_id) };
    anyhow::ensure!(candles.markets.len() == 1, "{} has {} markets", manifest.model_id, candles.markets.len());
    candles.markets = vec![market];
    folder.file_name().and_then(|name| name.to_str()).context("no name")?.clone_into(&mut manifest.model_id);
    Ok(Bundle::seal(folder, manifest)?)
}
