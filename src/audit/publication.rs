//! What a stranger can say of a strategy's published forecast: by its evidence, or by the publishers' days as they are now.

use std::collections::BTreeSet;

use alloy::primitives::{B256, keccak256};
use tempfile::TempDir;

use super::checks::Findings;
use super::compare::Verdict;
use super::market::{MarketAuditor, Place};
use super::reports::PublicationReport;
use super::sale::{self, Told};
use super::watch::Notice;
use crate::actions::feed::contract::{PublishedYield, YieldFeed};
use crate::actions::feed::model::PURPOSE;
use crate::actions::one_market::model::OneMarketModel;
use crate::actions::one_market::order::brings;
use crate::bundle::Bundle;
use crate::config::Config;
use crate::job::yields::YieldService;
use crate::node::yields;
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::evidence::{Evidence, PublicationEvidence};
use veriregime_core::types::manifest::Manifest;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::period::{Grid, PeriodId};
use veriregime_core::types::time::DAY_MS;
use veriregime_core::yields::snapshot::Snapshot;
use veriregime_core::yields::{GRID, Strategy};

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
    if !brings::<YieldFeed>(&evidence.calldata, update, publication.level) {
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

/// Everything that audits of a feed ask.
#[derive(Debug)]
pub struct FeedAuditor {
    place: Place,
    strategy: Strategy,
    service: YieldService,
    /// Where the strategies' days lie. Dropped last.
    _scratch: TempDir,
}

impl FeedAuditor {
    /// Of a yield job's feed, by the days of its strategy as publishers give them now.
    ///
    /// # Errors
    /// A job of another kind; settings, bundle or chain that cannot be used.
    pub async fn new(config: Config) -> anyhow::Result<Self> {
        let strategy = config.strategy.clone();
        let strategy = strategy.ok_or_else(|| anyhow::anyhow!("{} is no yield job", config.names.job))?;
        let (mut alone, scratch) = (config.clone(), tempfile::tempdir()?);
        // Where nobody publishes, the folder's own tables are all there is.
        if yields::publishers(&config).of(strategy.kind).is_some() {
            alone.yields.dir = scratch.path().to_owned();
        }
        let (place, service) = (Place::new(config).await?, yields::service(&alone).await?);
        Ok(Self { place, strategy, service, _scratch: scratch })
    }
}

impl MarketAuditor for FeedAuditor {
    type Contract = YieldFeed;
    type Report = PublicationReport;

    const GRID: Grid = GRID;
    const SERVED: &'static str = "is the active one of the feed's strategy";

    fn place(&self) -> &Place {
        &self.place
    }

    async fn served(&self) -> anyhow::Result<B256> {
        let (reader, market) = (&self.place.reader, keccak256(&self.strategy.name));
        Ok(reader.active_model(self.place.contract, keccak256(PURPOSE), market).await?)
    }

    fn market(&self) -> &str {
        &self.strategy.name
    }

    fn model(&self, manifest: &Manifest, digest: Digest, way: Way) -> Option<OneMarketModel> {
        OneMarketModel::of_strategy(manifest, digest, &self.strategy.name, way)
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
        // Who follows a feed asks publishers anew for each forecast.
        self.service.forget().await;
        let snapshot: Snapshot = self.service.snapshot(name, start_day(update.period), now_ms, true, &used).await?.0;
        let forecast = model.compute(&snapshot)?;
        let mut found = Findings::new(sale::differences(&model.table, update, &forecast));
        found.checked("columns and the level, from the publishers' days as they are now: they revise");
        let told = Told::of(&self.place, published).await?;
        sale::check(&self.place.config, bundle, way, &told, &forecast, &mut found).await?;
        Ok(found)
    }

    fn report(&self, published: &PublishedYield, found: Findings) -> PublicationReport {
        PublicationReport {
            job: self.place.config.names.job.clone(),
            period: published.update.period,
            transaction: published.update.transaction,
            block: published.update.block,
            figures: published.figures,
            found,
        }
    }

    fn findings(report: &PublicationReport) -> &Findings {
        &report.found
    }

    fn notice(report: &PublicationReport) -> Notice<'_> {
        Notice::Publication(report)
    }
}

/// The first day of a period.
fn start_day(period: PeriodId) -> Day {
    Day::try_from(GRID.start_ms(period).div_euclid(DAY_MS)).unwrap_or(Day::MAX)
}
