//! The audit of a contract that takes one market's forecast once a period, be it a vault or a feed.

use std::ops::Range;

use alloy::primitives::{Address, B256};

use super::checks::Findings;
use super::compare::Verdict;
use super::watch::Notice;
use crate::actions::error::ActionError;
use crate::actions::one_market::OneMarketContract;
use crate::actions::one_market::model::OneMarketModel;
use crate::actions::one_market::published::Published;
use crate::bundle::Bundle;
use crate::chain::read::Reader;
use crate::config::Config;
use crate::node::assemble;
use veriregime_core::types::alert::Subject;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::Manifest;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::period::{Grid, PeriodId};

/// The bundle of a model on chain; else the digest of the manifest that none has, or has for another market.
pub type Known = Result<(Bundle, Way), Digest>;

/// A job's contract, on its chain.
#[derive(Debug)]
pub struct Place {
    /// Settings of the job.
    pub config: Config,
    /// What is audited.
    pub contract: Address,
    /// Where it is read.
    pub reader: Reader,
}

/// Audits forecasts of one contract, by what publishers say now.
pub trait MarketAuditor: Sync {
    /// What the contract is.
    type Contract: OneMarketContract;
    /// What comes out of an audit.
    type Report: Send + Sync;

    /// The grid of its periods.
    const GRID: Grid;
    /// How the model that it serves became that, for who has no bundle of it.
    const SERVED: &'static str;

    /// Where the contract is.
    fn place(&self) -> &Place;

    /// Id of the model that the contract serves, 0 where it serves none.
    fn served(&self) -> impl Future<Output = anyhow::Result<B256>> + Send;

    /// The name of the job's market.
    fn market(&self) -> &str;

    /// What a manifest is on chain, for the job's market and a way of verification.
    fn model(&self, manifest: &Manifest, digest: Digest, way: Way) -> Option<OneMarketModel>;

    /// Audits a forecast by a bundle.
    fn found(
        &self,
        bundle: &Bundle,
        way: Way,
        published: &Published<Self::Contract>,
        now_ms: i64,
    ) -> impl Future<Output = anyhow::Result<Findings>> + Send;

    /// What is told of an audit.
    fn report(&self, published: &Published<Self::Contract>, found: Findings) -> Self::Report;

    /// What was found.
    fn findings(report: &Self::Report) -> &Findings;

    /// The report, for whoever follows.
    fn notice(report: &Self::Report) -> Notice<'_>;

    /// The bundle of a registered model, where one lies beside the job's and is of its market.
    ///
    /// # Errors
    /// A chain that does not say, or the job's own bundle.
    fn known(&self, model_id: B256) -> impl Future<Output = anyhow::Result<Known>> + Send {
        async move {
            let place = self.place();
            let spec = place.reader.model_spec(place.contract, model_id).await?;
            let manifest = Digest(spec.manifestSha256.0);
            let Some(bundle) = assemble::bundle_with(&place.config, manifest)? else { return Ok(Err(manifest)) };
            let is_it = |way: &Way| {
                let model = self.model(&bundle.manifest, bundle.manifest_digest, *way);
                model.is_some_and(|model| model.difference(&spec).is_none())
            };
            let way = bundle.manifest.offers().map(|offer| offer.way).find(is_it);
            Ok(way.map(|way| (bundle, way)).ok_or(manifest))
        }
    }

    /// Audits a forecast by the bundle of its own model.
    ///
    /// # Errors
    /// A chain, a publisher or a prover that fails: nothing is known of the forecast then.
    fn audit(
        &self,
        published: &Published<Self::Contract>,
        now_ms: i64,
    ) -> impl Future<Output = anyhow::Result<Self::Report>> + Send {
        async move {
            let found = match self.known(published.update.model_id).await? {
                Ok((bundle, way)) => self.found(&bundle, way, published, now_ms).await?,
                Err(manifest) => {
                    let (mut found, market) = (Findings::new(Vec::new()), self.market());
                    let words = format!(
                        "no bundle in the models' folder is manifest {manifest} for {market}: the forecast is anybody's"
                    );
                    found.refuse(Verdict::UnknownModel, words);
                    found
                }
            };
            Ok(self.report(published, found))
        }
    }

    /// Audits what was published in these periods.
    ///
    /// # Errors
    /// As [`MarketAuditor::audit`].
    fn audit_periods(
        &self,
        periods: Range<u64>,
        now_ms: i64,
    ) -> impl Future<Output = anyhow::Result<Vec<Self::Report>>> + Send {
        async move {
            let (place, mut reports) = (self.place(), Vec::new());
            for period in periods.map(PeriodId) {
                for published in place.reader.published_of(place.contract, Self::GRID, period).await? {
                    reports.push(self.audit(&published, now_ms).await?);
                }
            }
            Ok(reports)
        }
    }
}

impl Place {
    /// Of a job.
    ///
    /// # Errors
    /// Settings or a chain that cannot be used, and no contract there.
    pub async fn new(config: Config) -> anyhow::Result<Self> {
        let (contract, reader) = (assemble::oracle(&config)?, assemble::reader(&config)?);
        reader.check_chain_id().await?;
        if !reader.has_code(contract).await? {
            return Err(ActionError::NoContract(contract).into());
        }
        Ok(Self { config, contract, reader })
    }

    /// The job: what is said of the contract is said of it.
    pub fn job(&self) -> Subject {
        Subject::Job { job: self.config.names.job.clone(), chain_id: self.config.chain.chain_id }
    }
}
