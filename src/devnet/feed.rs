//! Feeds on a chain of one's own: a registry, and of each strategy its model and its feed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use anyhow::Context;

use super::{Anvil, Ground};
use crate::actions::one_market::model::OneMarketModel;
use crate::bundle::Bundle;
use crate::chain::Chain;
use crate::config::Config;
use crate::deployment::complete::complete;
use crate::deployment::feed::FeedDeployment;
use crate::deployment::outbox::Outbox;
use crate::deployment::request::verifier_code;
use crate::node::smoke::smoke_proof;

/// A chain with feeds.
#[derive(Debug)]
pub struct FeedWorld {
    /// The chain.
    pub anvil: Anvil,
    /// What was deployed.
    pub deployment: FeedDeployment,
    /// The wallet that owns the registry.
    pub owner: Chain,
}

impl FeedWorld {
    /// Starts anvil and deploys registry, models and feeds of yield jobs' settings, owned by one development account with another
    /// as attestor, and without a timelock; then it is `unix_seconds` on the chain. Points the settings at all of it; keys lie in
    /// `scratch`.
    ///
    /// # Errors
    /// What keeps it from being made.
    pub async fn start(
        jobs: &mut [Config],
        scratch: &Path,
        anvil: Option<&Path>,
        unix_seconds: i64,
    ) -> anyhow::Result<Self> {
        let (first, _) = jobs.split_first_mut().context("there are no jobs")?;
        let Ground { anvil, owner, constructor } = Ground::start(first, scratch, anvil, unix_seconds).await?;
        let (chain, signer) = (first.chain.clone(), first.signer.clone());
        let mut strategies = Vec::new();
        let mut smokes = BTreeMap::new();
        for job in jobs.iter_mut() {
            (job.chain, job.signer) = (chain.clone(), signer.clone());
            let strategy = job.strategy.clone().context("it is no yield job")?;
            let (bundle, way) = (Bundle::open(&job.bundle)?, job.prover.kind.way());
            bundle.manifest.permit(way)?;
            let model = OneMarketModel::of_strategy(&bundle.manifest, bundle.manifest_digest, &strategy.name, way);
            let model = model.with_context(|| format!("the bundle is no yield model that can be verified by {way}"))?;
            if let Entry::Vacant(smoke) = smokes.entry(strategy.kind) {
                smoke.insert(smoke_proof(job, &bundle).await?);
            }
            strategies.push((strategy, model, verifier_code(&bundle, way)?));
        }
        let mut deployment = FeedDeployment::new(strategies, constructor, owner.read.chain_id())?;
        deployment.smokes = smokes;
        let waiting = complete(&deployment, &Outbox::of(&owner), None, || Ok(()), &mut |_| {}).await?;
        anyhow::ensure!(waiting.is_empty(), "the deployment waits: {waiting:?}");
        for job in jobs.iter_mut() {
            job.chain.oracle = job.strategy.as_ref().and_then(|strategy| deployment.feed(&strategy.name));
        }
        anvil.set_time(unix_seconds).await?;
        Ok(Self { anvil, deployment, owner })
    }
}
