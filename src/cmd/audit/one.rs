//! The audit of one update.

use alloy::primitives::{Address, B256};
use serde::Serialize;

use super::checks::Findings;
use crate::audit::{CandleDifference, Verdict, feature_differences, first_candle_difference};
use crate::chain::model::Expected;
use crate::chain::read::Reader;
use crate::clock::Clock;
use crate::cmd::{feeds, setup};
use crate::config::Config;
use crate::cycle::collect::Feeds;
use crate::features;
use crate::fs;
use crate::proof::Prover;
use crate::proof::bundle::Bundle;
use crate::state::Store;
use crate::types::candle::CandleSeries;
use crate::types::digest::Digest;
use crate::types::feature::FeatureVector;
use crate::types::period::{MINUTE_MS, PeriodId};
use crate::types::proof::instances;
use crate::types::update::PublishedUpdate;

/// Everything that an audit asks.
pub struct Auditor {
    bundle: Bundle,
    expected: Expected,
    oracle: Address,
    model_id: B256,
    reader: Reader,
    feeds: Feeds,
    prover: Prover,
    clock: Clock,
    /// The memory of the agent beside us, if there is one: it has the candles that its updates were made from.
    own: Option<Store>,
}

/// What came out.
#[derive(Debug, Serialize)]
pub struct Report {
    pub period: PeriodId,
    pub transaction: B256,
    pub block: u64,
    #[serde(flatten)]
    pub found: Findings,
    /// By market, for an update of the agent beside us: the first minute for which its candles are not the exchange's of now.
    pub candles: Vec<CandleDifference>,
    /// Digest of the auditor's candles of each market.
    pub candles_sha256: Vec<Digest>,
}

impl Auditor {
    /// Opens the bundle and checks that the contract runs it.
    ///
    /// # Errors
    /// What is not usable.
    pub async fn new(config: &Config, clock: Clock) -> anyhow::Result<Self> {
        let bundle = Bundle::open(&config.bundle)?;
        let expected = setup::expected(&bundle)?;
        let (oracle, reader) = (setup::oracle(config)?, setup::reader(config)?);
        reader.check_chain_id().await?;
        let model_id = reader.model_id(oracle, &expected).await?;
        let feeds = feeds::feeds(config, &bundle.manifest)?;
        let prover = setup::prover(config, &bundle).await?;
        let own =
            if fs::size_bytes(&config.state_path).is_ok() { Some(Store::open(&config.state_path)?) } else { None };
        Ok(Self { bundle, expected, oracle, model_id, reader, feeds, prover, clock, own })
    }

    /// Ends the prover.
    pub async fn stop(&mut self) {
        self.prover.stop().await;
    }

    /// Audits the update of a period, `None` where the chain has none.
    ///
    /// # Errors
    /// A chain, an exchange or a prover that fails: nothing is known of the update then.
    pub async fn audit(&mut self, period: PeriodId) -> anyhow::Result<Option<Report>> {
        let Some(update) = self.reader.published(self.oracle, self.model_id, period).await? else { return Ok(None) };
        let series = self.series(period).await?;
        let spec = &self.bundle.manifest.features;
        let recomputed =
            series.iter().map(|series| features::vector(spec, series, period)).collect::<Result<Vec<_>, _>>()?;
        let mut found = Findings::new(feature_differences(spec, &update.candle_features, &recomputed));
        self.check_arguments(&update, &mut found).await?;
        Ok(Some(Report {
            period,
            transaction: update.transaction,
            block: update.block,
            found,
            candles: self.candle_differences(period, &series)?,
            candles_sha256: series.iter().map(CandleSeries::digest).collect(),
        }))
    }

    /// The exchange's candles of now for the period's window, of each market.
    async fn series(&self, period: PeriodId) -> anyhow::Result<Vec<CandleSeries>> {
        let spec = &self.bundle.manifest.features;
        let (from_ms, to_ms) = features::window_ms(spec, period);
        let feed = self.feeds.primary();
        let mut all = Vec::with_capacity(feed.symbols.len());
        for symbol in &feed.symbols {
            let candles = feed.source.candles(symbol, from_ms - MINUTE_MS, to_ms, self.clock.now_ms()).await?;
            all.push(CandleSeries::new(&candles, from_ms, to_ms, spec.max_missing_minutes)?);
        }
        Ok(all)
    }

    fn candle_differences(&self, period: PeriodId, series: &[CandleSeries]) -> anyhow::Result<Vec<CandleDifference>> {
        let Some(store) = &self.own else { return Ok(Vec::new()) };
        let stored = store.candles(self.bundle.manifest_digest, period)?;
        let mut differences = Vec::new();
        for (candles, ours) in stored.iter().zip(series) {
            let allowed = self.bundle.manifest.features.max_missing_minutes;
            let theirs = CandleSeries::new(candles, ours.start_ms(), ours.end_ms(), allowed)?;
            differences.extend(first_candle_difference(theirs.candles(), ours.candles()));
        }
        Ok(differences)
    }

    /// Proof and attestations, as far as the transaction shows them.
    async fn check_arguments(&mut self, update: &PublishedUpdate, found: &mut Findings) -> anyhow::Result<()> {
        let Some(arguments) = &update.arguments else {
            found.findings.push("another contract relayed the update: its proof is not in the transaction".into());
            return Ok(());
        };
        let calendar = &self.expected.calendar_table[update.period.slot_of_week()];
        let count = self.expected.candle_features;
        let inputs = FeatureVector::concat_published(&update.candle_features, count, calendar);
        let instances = instances(&inputs, &update.outputs);
        let proof = found.check_proof(&mut self.prover, update, arguments, instances).await?;
        if !self.reader.verifies(self.oracle, self.model_id, &proof).await? {
            found.refuse(Verdict::ProofInvalid, "the verifier on chain refuses the proof");
        }
        found.take_attestors(self.reader.attestors(self.oracle, update, arguments, &proof.instances).await?);
        Ok(())
    }
}
