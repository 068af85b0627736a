//! The models of a contract, each with its bundle as far as that is at hand.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256};
use tracing::warn;

use super::checks::Findings;
use super::one::{Auditor, Report};
use super::own::Own;
use crate::actions::error::ActionError;
use crate::audit::compare::Verdict;
use crate::bundle::Bundle;
use crate::chain::read::Reader;
use crate::clock::Clock;
use crate::config::Config;
use crate::node::assemble;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::update::PublishedUpdate;

/// Everything that audits of a contract's updates ask.
#[derive(Debug)]
pub struct Models {
    config: Config,
    pub oracle: Address,
    pub reader: Reader,
    clock: Clock,
    /// The agent beside us, if there is one: it has the candles that its updates were made from.
    own: Option<Own>,
    /// Those that have been asked for.
    known: BTreeMap<B256, Auditor>,
}

impl Models {
    /// Of the configured contract.
    ///
    /// # Errors
    /// Settings, chain or database that cannot be used.
    pub async fn new(config: &Config, clock: Clock) -> anyhow::Result<Self> {
        let (oracle, reader) = (assemble::oracle(config)?, assemble::reader(config)?);
        reader.check_chain_id().await?;
        if !reader.has_code(oracle).await? {
            return Err(ActionError::NoContract(oracle).into());
        }
        let (config, own) = (config.clone(), Own::open(config)?);
        Ok(Self { config, oracle, reader, clock, own, known: BTreeMap::new() })
    }

    /// The markets of the configured bundle, after checking that it is right.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_configured(&self) -> anyhow::Result<Vec<B256>> {
        Ok(assemble::expected(&Bundle::open(&self.config.bundle)?)?.markets)
    }

    /// Ends all provers.
    pub async fn stop(&mut self) {
        for auditor in self.known.values_mut() {
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
        let bundle = match assemble::bundle_with(&self.config, manifest) {
            Ok(Some(bundle)) => bundle,
            Ok(None) => return Ok(Some(manifest)),
            Err(fault) => {
                warn!(code = fault.code(), error = %fault, hint = fault.hint(), "a bundle that is not right");
                return Ok(Some(manifest));
            }
        };
        // The manifest alone does not make it the model: the verifier and the rest must be its own, too.
        if assemble::expected(&bundle)?.difference(&spec).is_some() {
            return Ok(Some(manifest));
        }
        let auditor = Auditor::new(&self.config, model_id, bundle).await?;
        self.known.insert(model_id, auditor);
        Ok(None)
    }

    /// Audits an update by the bundle of its own model.
    ///
    /// # Errors
    /// A chain, an exchange or a prover that fails: nothing is known of the update then.
    pub async fn audit(&mut self, update: PublishedUpdate) -> anyhow::Result<Report> {
        let unknown = self.unknown(update.model_id).await?;
        match (unknown, self.known.get_mut(&update.model_id)) {
            (None, Some(auditor)) => {
                auditor.audit(update, &self.reader, self.oracle, &self.clock, self.own.as_ref()).await
            }
            (manifest, _) => Ok(of_unknown(&update, manifest.unwrap_or(Digest([0; 32])))),
        }
    }
}

fn of_unknown(update: &PublishedUpdate, manifest: Digest) -> Report {
    let mut found = Findings::new(Vec::new());
    found.refuse(
        Verdict::UnknownModel,
        format!("no bundle in the models' folder has manifest {manifest}: features, network and proof are anybody's"),
    );
    Report {
        period: update.period,
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
