//! The models of a contract, each with its bundle as far as that is at hand.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256};
use tracing::warn;

use super::checks::Findings;
use super::one::{Auditor, Report};
use super::own::Own;
use crate::actions::error::ActionError;
use crate::audit::compare::Verdict;
use crate::bundle::Bundle;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::node::assemble;
use veriregime_core::types::alert::Subject;
use veriregime_core::types::contract::Contract;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::period::Grid;
use veriregime_core::types::update::PublishedUpdate;

/// Jobs of the settings that have a contract and a grid of periods in common.
#[derive(Debug)]
pub struct Group {
    /// At least one.
    pub jobs: Vec<Config>,
    /// Whether models of grids that no job has are told of here.
    is_first: bool,
    /// The grids of the contract's other jobs, whose models are audited there.
    others: BTreeSet<u64>,
}

/// Everything that audits of a contract's updates ask.
#[derive(Debug)]
pub struct Models {
    group: Group,
    pub oracle: Address,
    pub reader: Reader,
    clock: Clock,
    /// The agent beside us, if there is one: it has the candles that its updates were made from.
    own: Option<Own>,
    /// Those that have been asked for, each with the job whose settings know it.
    known: BTreeMap<B256, (Subject, Auditor)>,
    /// Whether they are audited here, of models that have been met.
    ours: BTreeMap<B256, bool>,
}

impl Models {
    /// Of the contract of these jobs, which is one.
    ///
    /// # Errors
    /// Settings, chain or database that cannot be used.
    pub async fn new(group: Group, clock: Clock) -> anyhow::Result<Self> {
        let config = &group.jobs[0];
        let (oracle, reader) = (assemble::oracle(config)?, assemble::reader(config)?);
        reader.check_chain_id().await?;
        if !reader.has_code(oracle).await? {
            return Err(ActionError::NoContract(oracle).into());
        }
        let own = Own::open(config)?;
        Ok(Self { group, oracle, reader, clock, own, known: BTreeMap::new(), ours: BTreeMap::new() })
    }

    /// The settings of the first of the jobs.
    pub fn config(&self) -> &Config {
        &self.group.jobs[0]
    }

    /// Whether a model is audited here: one of the jobs' grid, and of a grid that no job has where these jobs are the contract's first.
    ///
    /// # Errors
    /// A chain that does not say.
    pub async fn has(&mut self, model_id: B256) -> Result<bool, ChainError> {
        if let Some(is_ours) = self.ours.get(&model_id) {
            return Ok(*is_ours);
        }
        let (_, grid) = self.reader.markets_of(self.oracle, model_id).await?;
        let is_ours = grid.period_seconds == self.config().grid().period_seconds
            || self.group.is_first && !self.group.others.contains(&grid.period_seconds);
        self.ours.insert(model_id, is_ours);
        Ok(is_ours)
    }

    /// The first of the jobs: what is said of the contract is said of it.
    pub fn job(&self) -> Subject {
        subject(self.config())
    }

    /// The markets of the configured bundles, after checking that they are right.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check_configured(&self) -> anyhow::Result<Vec<B256>> {
        let mut markets = BTreeSet::new();
        for job in &self.group.jobs {
            markets.extend(assemble::expected(&Bundle::open(&job.bundle)?, job.prover.kind.way())?.markets);
        }
        Ok(markets.into_iter().collect())
    }

    /// Ends all provers.
    pub async fn stop(&mut self) {
        for (_, auditor) in self.known.values_mut() {
            auditor.stop().await;
        }
    }

    /// The digest of a registered model's manifest where no bundle has it: then nobody here can say what the model is.
    ///
    /// # Errors
    /// A chain that does not say, a prover that does not start, or candles that cannot be asked for.
    pub async fn unknown(&mut self, model_id: B256) -> anyhow::Result<Option<Digest>> {
        if self.known.contains_key(&model_id) {
            return Ok(None);
        }
        let spec = self.reader.model_spec(self.oracle, model_id).await?;
        let manifest = Digest(spec.manifestSha256.0);
        let mut found = None;
        for job in &self.group.jobs {
            match assemble::bundle_with(job, manifest) {
                Ok(Some(bundle)) => {
                    found = Some((job, bundle));
                    break;
                }
                Ok(None) => {}
                Err(fault) => {
                    warn!(code = fault.code(), error = %fault, hint = fault.hint(), "a bundle that is not right");
                }
            }
        }
        let Some((job, bundle)) = found else { return Ok(Some(manifest)) };
        // The manifest alone does not make it the model: the verifier and the rest must be its own, too.
        let Some(way) =
            bundle.manifest.offers().map(|offer| offer.way).find(|way| {
                assemble::expected(&bundle, *way).is_ok_and(|expected| expected.difference(&spec).is_none())
            })
        else {
            return Ok(Some(manifest));
        };
        let auditor = Auditor::new(job, model_id, bundle, way).await?;
        self.known.insert(model_id, (subject(job), auditor));
        Ok(None)
    }

    /// Audits an update by the bundle of its own model.
    ///
    /// # Errors
    /// A chain, an exchange or a prover that fails: nothing is known of the update then.
    pub async fn audit(&mut self, update: PublishedUpdate) -> anyhow::Result<Report> {
        let unknown = self.unknown(update.model_id).await?;
        match (unknown, self.known.get_mut(&update.model_id)) {
            (None, Some((job, auditor))) => {
                let job = job.clone();
                auditor.audit(job, update, &self.reader, self.oracle, &self.clock, self.own.as_ref()).await
            }
            (manifest, _) => {
                Ok(of_unknown(self.job(), self.config().grid(), &update, manifest.unwrap_or(Digest([0; 32]))))
            }
        }
    }
}

fn subject(job: &Config) -> Subject {
    Subject::Job { job: job.names.job.clone(), chain_id: job.chain.chain_id }
}

/// Jobs by their contracts and grids, in the order in which they are first named.
///
/// # Errors
/// A job without a contract.
pub fn by_contract(jobs: Vec<Config>) -> Result<Vec<Group>, ConfigError> {
    let mut groups: Vec<(Contract, u64, Group)> = Vec::new();
    for job in jobs {
        let (contract, seconds) = (assemble::contract(&job)?, job.grid().period_seconds);
        if let Some((.., group)) = groups.iter_mut().find(|(known, grid, _)| (known, *grid) == (&contract, seconds)) {
            group.jobs.push(job);
            continue;
        }
        let mut others = BTreeSet::new();
        for (_, grid, group) in groups.iter_mut().filter(|(known, ..)| *known == contract) {
            others.insert(*grid);
            group.others.insert(seconds);
        }
        groups.push((contract, seconds, Group { jobs: vec![job], is_first: others.is_empty(), others }));
    }
    Ok(groups.into_iter().map(|(.., group)| group).collect())
}

fn of_unknown(job: Subject, grid: Grid, update: &PublishedUpdate, manifest: Digest) -> Report {
    let mut found = Findings::new(Vec::new());
    found.refuse(
        Verdict::UnknownModel,
        format!("no bundle in the models' folder has manifest {manifest}: features, network and proof are anybody's"),
    );
    Report {
        job,
        period: update.period,
        start_ms: grid.start_ms(update.period),
        model_id: update.model_id,
        model: None,
        transaction: update.transaction,
        block: update.block,
        found,
        candles: Vec::new(),
        candles_sha256: Vec::new(),
        omitted: Vec::new(),
    }
}
