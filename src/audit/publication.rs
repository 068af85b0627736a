//! What a stranger can say of a strategy's published forecast: by its evidence, or by the publishers' days as they are now.

use std::collections::BTreeSet;

use alloy::primitives::{Address, B256};
use serde::Serialize;

use super::checks::Findings;
use super::compare::Verdict;
use super::sale::{self, Told};
use crate::actions::feed::publication::{brings, level_brought};
use crate::actions::feed::published::PublishedYield;
use crate::actions::one_market::OneMarketModel;
use crate::bundle::Bundle;
use crate::chain::read::Reader;
use crate::config::Config;
use crate::job::yields::YieldService;
use crate::node::{assemble, yields};
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::evidence::{Evidence, PublicationEvidence, YieldFigures};
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::time::DAY_MS;
use veriregime_core::yields::snapshot::Snapshot;
use veriregime_core::yields::{GRID, Strategy};

/// What came out for one day's forecast.
#[derive(Debug, Serialize)]
pub struct PublicationReport {
    /// The job of the settings whose feed it is.
    pub job: String,
    pub period: PeriodId,
    pub transaction: B256,
    pub block: u64,
    pub figures: YieldFigures,
    #[serde(flatten)]
    pub found: Findings,
}

/// Verifies the evidence of a forecast, without a network.
pub(super) async fn verify(
    config: &Config,
    bundle: &Bundle,
    evidence: &Evidence,
    publication: &PublicationEvidence,
) -> anyhow::Result<Findings> {
    let (model, update, way) = (bundle.strategy_model()?, &evidence.update, evidence.verification);
    let snapshot = &publication.snapshot;
    let forecast = model.compute(snapshot)?;
    let mut found = Findings::new(sale::differences(&model.table, update, &forecast));
    found.checked(format!("{} columns and the level, from the days in the file", update.candle_features.len()));
    let digests: Vec<_> = evidence.markets.iter().map(|one| one.candles_sha256).collect();
    if digests != [snapshot.digest()] {
        found.refuse(Verdict::DataDiffer, "its days have another digest");
    }
    let ours = OneMarketModel::of_strategy(&bundle.manifest, bundle.manifest_digest, &snapshot.strategy, way);
    if ours.map(|model| model.model_id(evidence.verifier)) != Some(update.model_id) {
        found.refuse(Verdict::ProofInvalid, "its forecast is of another model than the bundle's for the strategy");
    }
    if snapshot.day >= start_day(update.period) {
        found.refuse(Verdict::DataDiffer, "its days are not those before the period");
    }
    if !brings(&evidence.calldata, update) || level_brought(&evidence.calldata) != Some(publication.level) {
        found.refuse(Verdict::ProofInvalid, "its calldata does not bring this forecast with this level");
    }
    let told = Told {
        chain_id: evidence.chain_id,
        registry: evidence.registry,
        update,
        stated: publication.level.into(),
        stated_attestations: Some(&publication.level_attestations),
    };
    sale::check(config, bundle, way, &told, &forecast, &mut found).await?;
    found.not_checked(
        "that publishers said so, how the interval's factor came about, and that the forecast is on chain",
    );
    Ok(found)
}

/// Audits what a yield job's feed has of these periods, by the days of its strategy as publishers give them now.
///
/// # Errors
/// A job of another kind; settings, bundle, chain or publisher that cannot be used.
pub async fn audit(
    config: &Config,
    periods: std::ops::Range<u64>,
    now_ms: i64,
) -> anyhow::Result<Vec<PublicationReport>> {
    let strategy = config.strategy.as_ref();
    let strategy = strategy.ok_or_else(|| anyhow::anyhow!("{} is no yield job", config.names.job))?;
    let (feed, reader) = (assemble::oracle(config)?, assemble::reader(config)?);
    reader.check_chain_id().await?;
    let scratch = tempfile::tempdir()?;
    let mut alone = config.clone();
    if yields::publishers(config).of(strategy.kind).is_some() {
        alone.yields.dir = scratch.path().to_owned();
    }
    let auditor = Auditor { config, strategy, feed, reader, service: yields::service(&alone).await? };
    let mut reports = Vec::new();
    for period in periods.map(PeriodId) {
        for published in auditor.reader.yields(feed, GRID, period).await? {
            reports.push(auditor.audit(&published, now_ms).await?);
        }
    }
    Ok(reports)
}

/// Everything that audits of a feed ask.
struct Auditor<'a> {
    config: &'a Config,
    strategy: &'a Strategy,
    feed: Address,
    reader: Reader,
    service: YieldService,
}

impl Auditor<'_> {
    async fn audit(&self, published: &PublishedYield, now_ms: i64) -> anyhow::Result<PublicationReport> {
        let update = &published.update;
        let bundle = Bundle::open(&self.config.bundle)?;
        let spec = self.reader.model_spec(self.feed, update.model_id).await?;
        let is_it = |way: &Way| {
            let ours = OneMarketModel::of_strategy(&bundle.manifest, bundle.manifest_digest, &self.strategy.name, *way);
            ours.is_some_and(|model| model.difference(&spec).is_none())
        };
        let found = if let Some(way) = bundle.manifest.offers().map(|offer| offer.way).find(is_it) {
            self.found(&bundle, way, published, now_ms).await?
        } else {
            let mut found = Findings::new(Vec::new());
            let words = format!("the job's bundle is no model of {}: the forecast is anybody's", self.strategy.name);
            found.refuse(Verdict::UnknownModel, words);
            found
        };
        Ok(PublicationReport {
            job: self.config.names.job.clone(),
            period: update.period,
            transaction: update.transaction,
            block: update.block,
            figures: published.figures,
            found,
        })
    }

    async fn found(
        &self,
        bundle: &Bundle,
        way: Way,
        published: &PublishedYield,
        now_ms: i64,
    ) -> anyhow::Result<Findings> {
        let (update, model) = (&published.update, bundle.strategy_model()?);
        let (name, used) = (&self.strategy.name, BTreeSet::new());
        let snapshot: Snapshot = self.service.snapshot(name, start_day(update.period), now_ms, true, &used).await?.0;
        let forecast = model.compute(&snapshot)?;
        let mut found = Findings::new(sale::differences(&model.table, update, &forecast));
        found.checked("columns and the level, from the publishers' days as they are now: they revise");
        let told = Told {
            chain_id: self.reader.chain_id(),
            registry: self.reader.registry_of(self.feed).await?,
            update,
            stated: published.level.into(),
            stated_attestations: published.level_attestations.as_ref(),
        };
        sale::check(self.config, bundle, way, &told, &forecast, &mut found).await?;
        Ok(found)
    }
}

/// The first day of a period.
fn start_day(period: PeriodId) -> Day {
    Day::try_from(GRID.start_ms(period).div_euclid(DAY_MS)).unwrap_or(Day::MAX)
}
