//! A vault on a chain of one's own: a real pool of Uniswap's, a registry, a country's model, and WBTC to sell.

use std::path::Path;

use alloy::primitives::Address;
use anyhow::Context;

use super::uniswap::{PoolShape, Uniswap};
use super::{Anvil, Ground};
use crate::actions::one_market::model::OneMarketModel;
use crate::bundle::Bundle;
use crate::chain::Chain;
use crate::config::Config;
use crate::deployment::complete::complete;
use crate::deployment::hedge::HedgeDeployment;
use crate::deployment::hedge::file::VaultFile;
use crate::deployment::outbox::Outbox;
use crate::deployment::request::verifier_code;
use crate::node::smoke::smoke_proof;

/// A chain with a pool and a vault.
#[derive(Debug)]
pub struct VaultWorld {
    /// The chain.
    pub anvil: Anvil,
    pub uniswap: Uniswap,
    /// What was deployed.
    pub deployment: HedgeDeployment,
    /// The wallet that owns registry and vault.
    pub owner: Chain,
}

impl VaultWorld {
    /// Starts anvil and deploys pool, registry, model and vault of a hedge job's settings, owned by one development account with
    /// another as attestor, and without a timelock; then it is `unix_seconds` on the chain. `terms` is what follows `[terms]` in a
    /// vault's file. Points `config` at all of it; keys lie in `scratch`.
    ///
    /// # Errors
    /// What keeps it from being made.
    pub async fn start(
        config: &mut Config,
        scratch: &Path,
        anvil: Option<&Path>,
        unix_seconds: i64,
        shape: PoolShape,
        terms: &str,
    ) -> anyhow::Result<Self> {
        let country = config.hedge.as_ref().context("it is no hedge job")?.country.clone();
        let bundle = Bundle::open(&config.bundle)?;
        let way = config.prover.kind.way();
        let model = OneMarketModel::of_country(&bundle.manifest, bundle.manifest_digest, &country, way);
        let model =
            model.with_context(|| format!("the bundle is no electricity model that can be verified by {way}"))?;
        let Ground { anvil, owner, constructor } = Ground::start(config, scratch, anvil, unix_seconds).await?;
        let uniswap = Uniswap::deploy(&anvil, shape).await?;
        let text = format!(
            "country = \"{country}\"\n[vault]\nfactory = \"{}\"\nwbtc = \"{}\"\nusdc = \"{}\"\n[terms]\n{terms}",
            uniswap.factory, uniswap.wbtc, uniswap.usdc
        );
        let file = VaultFile::parse(Path::new("hedge.toml"), &text)?;
        let code = verifier_code(&bundle, way)?;
        let wallet = (&owner.read, owner.address());
        let deployment = HedgeDeployment::new(&file, model, &code, constructor, wallet).await?;
        let smoke = smoke_proof(config, &bundle).await?;
        let waiting = complete(&deployment, &Outbox::of(&owner), Some(&smoke), || Ok(()), &mut |_| {}).await?;
        anyhow::ensure!(waiting.is_empty(), "the deployment waits: {waiting:?}");
        config.chain.oracle = Some(deployment.vault.address);
        anvil.set_time(unix_seconds).await?;
        Ok(Self { anvil, uniswap, deployment, owner })
    }

    /// The vault's address.
    pub fn vault(&self) -> Address {
        self.deployment.vault.address
    }
}
