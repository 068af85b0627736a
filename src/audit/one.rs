//! The audit of one update.

use alloy::primitives::{Address, B256};
use serde::Serialize;

use super::checks::Findings;
use super::own::Own;
use crate::actions::risk_oracle::spec::Expected;
use crate::audit::compare::{CandleDifference, Verdict, feature_differences, first_candle_difference};
use crate::bundle::Bundle;
use crate::chain::read::Reader;
use crate::clock::Clock;
use crate::config::Config;
use crate::job::feeds::Feeds;
use crate::node::{assemble, feeds};
use crate::verification::Prover;
use veriregime_core::features;
use veriregime_core::forecast::window;
use veriregime_core::types::alert::Subject;
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::contract::Contract;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::{MINUTE_MS, PeriodId};
use veriregime_core::types::public_inputs;
use veriregime_core::types::update::PublishedUpdate;

/// Everything that the audit of one model's updates asks.
#[derive(Debug)]
pub struct Auditor {
    bundle: Bundle,
    expected: Expected,
    model_id: B256,
    feeds: Feeds,
    prover: Prover,
}

/// What came out.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The job of the settings whose contract or model it is.
    #[serde(flatten)]
    pub job: Subject,
    pub period: PeriodId,
    /// When that begins, Unix milliseconds.
    #[serde(skip)]
    pub start_ms: i64,
    /// The model's id on chain.
    pub model_id: B256,
    /// Its bundle's name; `None` where no bundle is at hand.
    pub model: Option<String>,
    pub transaction: B256,
    pub block: u64,
    #[serde(flatten)]
    pub found: Findings,
    /// By market, for an update of the agent beside us: the first minute for which its candles are not the exchange's of now.
    pub candles: Vec<CandleDifference>,
    /// Digest of the auditor's candles of each market; of nothing, for one that the update omits.
    pub candles_sha256: Vec<Digest>,
    /// The model's names of the markets that the update leaves as they were.
    pub omitted: Vec<String>,
}

impl Auditor {
    /// Of the model that has that id on chain, with its bundle and its way of verification.
    ///
    /// # Errors
    /// What is not usable.
    pub async fn new(config: &Config, model_id: B256, bundle: Bundle, way: Way) -> anyhow::Result<Self> {
        let expected = assemble::expected(&bundle, way)?;
        let feeds = feeds::feeds(config, &bundle.manifest)?;
        let prover = assemble::prover_of(config, &bundle, way).await?;
        Ok(Self { bundle, expected, model_id, feeds, prover })
    }

    /// Ends the prover.
    pub async fn stop(&mut self) {
        self.prover.stop().await;
    }

    /// Audits an update. `own` is the memory of the agent beside us, if there is one.
    ///
    /// # Errors
    /// A chain, an exchange or a prover that fails: nothing is known of the update then.
    pub async fn audit(
        &mut self,
        job: Subject,
        update: PublishedUpdate,
        reader: &Reader,
        oracle: Address,
        clock: &Clock,
        own: Option<&Own>,
    ) -> anyhow::Result<Report> {
        let contract = Contract { chain_id: reader.chain_id(), address: oracle };
        let period = update.period;
        let series = self.series(period, update.omitted_markets, clock.now_ms()).await?;
        let spec = self.bundle.manifest.features()?;
        let start_ms = self.bundle.manifest.grid.start_ms(period);
        let of_each = self.bundle.manifest.candles()?.features_of_each();
        let recomputed = features::of_markets(&of_each, &series, start_ms)?;
        let mut found = Findings::new(feature_differences(spec, &update.candle_features, &recomputed));
        found.checked(format!(
            "{} features, from {} candles of {} as they are now",
            spec.candle.len() * series.iter().flatten().count(),
            series.iter().flatten().map(|one| one.candles().len()).sum::<usize>(),
            self.feeds.primary().name,
        ));
        let omitted = self.bundle.manifest.names_of(update.omitted_markets);
        for market in &omitted {
            found.not_checked(format!("whether {market} had candles: the update omits it and changes nothing there"));
        }
        self.check_arguments(&update, reader, oracle, &mut found).await?;
        Ok(Report {
            job,
            period,
            start_ms,
            model_id: update.model_id,
            model: Some(self.bundle.manifest.model_id.clone()),
            transaction: update.transaction,
            block: update.block,
            found,
            candles: self.candle_differences(
                JobKey::new(contract, self.bundle.manifest_digest),
                period,
                &series,
                own,
            )?,
            candles_sha256: series
                .iter()
                .map(|one| one.as_ref().map_or(Digest::of(&[]), CandleSeries::digest))
                .collect(),
            omitted,
        })
    }

    /// The exchange's candles of now for the period's window, of each market that is not omitted; what it does not have as a
    /// cycle would get it.
    async fn series(
        &self,
        period: PeriodId,
        omitted: OmittedMarkets,
        now_ms: i64,
    ) -> anyhow::Result<Vec<Option<CandleSeries>>> {
        let spec = self.bundle.manifest.features()?;
        let (from_ms, to_ms) = features::window_ms(spec, self.bundle.manifest.grid.start_ms(period));
        let feed = self.feeds.primary();
        let mut all = Vec::with_capacity(feed.symbols.len());
        for (market, symbol) in feed.symbols.iter().enumerate() {
            if omitted.omits(market) {
                all.push(None);
                continue;
            }
            let range_ms = from_ms - MINUTE_MS..to_ms;
            let candles = feed.source.candles(symbol, range_ms.start, range_ms.end, now_ms).await?;
            let filled = self.feeds.fill(feed, market, candles, &range_ms, now_ms).await;
            all.push(Some(window(spec, &filled.candles, to_ms)?));
        }
        Ok(all)
    }

    fn candle_differences(
        &self,
        job: JobKey,
        period: PeriodId,
        series: &[Option<CandleSeries>],
        own: Option<&Own>,
    ) -> anyhow::Result<Vec<CandleDifference>> {
        let Some(own) = own else { return Ok(Vec::new()) };
        let stored = own.candles(job, period)?;
        let mut differences = Vec::new();
        for (candles, ours) in stored.iter().zip(series).filter(|(candles, _)| !candles.is_empty()) {
            let Some(ours) = ours else { continue };
            let theirs = window(self.bundle.manifest.features()?, candles, self.bundle.manifest.grid.start_ms(period))?;
            differences.extend(first_candle_difference(theirs.candles(), ours.candles()));
        }
        Ok(differences)
    }

    /// Proof and attestations, as far as transaction and RPC show them.
    async fn check_arguments(
        &mut self,
        update: &PublishedUpdate,
        reader: &Reader,
        oracle: Address,
        found: &mut Findings,
    ) -> anyhow::Result<()> {
        let Some(arguments) = &update.arguments else {
            found.not_checked(
                "the proof: a contract relayed the update, and neither the transaction nor the RPC (debug_traceTransaction) shows it",
            );
            found.take_attestors(reader.told_attestors(oracle, update).await?, update.block);
            return Ok(());
        };
        let calendar = &self.expected.calendar_table[self.expected.grid.slot_of_week(update.period)];
        let count = self.expected.candle_features;
        let inputs = public_inputs::published_features(&update.candle_features, count, calendar);
        let instances = public_inputs::instances(&inputs, &update.outputs);
        let way = self.expected.way;
        let proof = found.check_proof(&mut self.prover, way, update, arguments, instances).await?;
        let what = if way.has_proof() { "the proof" } else { "the outputs" };
        if !reader.verifies(oracle, self.model_id, &proof).await? {
            found.refuse(Verdict::ProofInvalid, format!("the verifier on chain refuses {what}"));
        }
        found.checked(format!("{what} by the verifier on chain"));
        found.take_attestors(reader.attestors(oracle, update, arguments, &proof.instances).await?, update.block);
        Ok(())
    }
}
