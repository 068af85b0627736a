//! The audit of one update.

use alloy::primitives::{Address, B256, keccak256};
use serde::Serialize;

use crate::audit::{FeatureDifference, Verdict, feature_differences};
use crate::chain::model::Expected;
use crate::chain::published::AttestorCheck;
use crate::chain::read::Reader;
use crate::clock::Clock;
use crate::cmd::{feeds, setup};
use crate::config::Config;
use crate::cycle::collect::Feeds;
use crate::features;
use crate::proof::Prover;
use crate::proof::bundle::Bundle;
use crate::types::candle::CandleSeries;
use crate::types::digest::Digest;
use crate::types::feature::FeatureVector;
use crate::types::period::{MINUTE_MS, PeriodId};
use crate::types::proof::{Proof, instances};
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
}

/// What came out.
#[derive(Debug, Serialize)]
pub struct Report {
    pub period: PeriodId,
    pub verdict: Verdict,
    pub transaction: B256,
    pub block: u64,
    /// Features that the auditor's candles do not give, first ones first.
    pub differences: Vec<FeatureDifference>,
    /// Digest of the auditor's candles of each market.
    pub candles_sha256: Vec<Digest>,
    /// What else was found, in words.
    pub findings: Vec<String>,
    pub attestors: Vec<AttestorCheck>,
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
        Ok(Self { bundle, expected, oracle, model_id, reader, feeds, prover, clock })
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
        let (recomputed, candles_sha256) = self.recompute(period).await?;
        let differences = feature_differences(&self.bundle.manifest.features, &update.candle_features, &recomputed);
        let mut report = Report {
            period,
            verdict: if differences.is_empty() { Verdict::Match } else { Verdict::DataDiffer },
            transaction: update.transaction,
            block: update.block,
            differences,
            candles_sha256,
            findings: Vec::new(),
            attestors: Vec::new(),
        };
        self.check_arguments(&update, &mut report).await?;
        Ok(Some(report))
    }

    /// The features of the period from the exchange's candles of now.
    async fn recompute(&self, period: PeriodId) -> anyhow::Result<(Vec<FeatureVector>, Vec<Digest>)> {
        let spec = &self.bundle.manifest.features;
        let (from_ms, to_ms) = features::window_ms(spec, period);
        let (mut vectors, mut digests) = (Vec::new(), Vec::new());
        let feed = self.feeds.primary();
        for symbol in &feed.symbols {
            let candles = feed.source.candles(symbol, from_ms - MINUTE_MS, to_ms, self.clock.now_ms()).await?;
            let series = CandleSeries::new(&candles, from_ms, to_ms, spec.max_missing_minutes)?;
            vectors.push(features::vector(spec, &series, period)?);
            digests.push(series.digest());
        }
        Ok((vectors, digests))
    }

    /// Proof and attestations, as far as the transaction shows them.
    async fn check_arguments(&mut self, update: &PublishedUpdate, report: &mut Report) -> anyhow::Result<()> {
        let Some(arguments) = &update.arguments else {
            report.findings.push("another contract relayed the update: its proof is not in the transaction".into());
            return Ok(());
        };
        let mut refuse = |verdict: Verdict, finding: String| {
            report.verdict = report.verdict.max(verdict);
            report.findings.push(finding);
        };
        if keccak256(&arguments.proof) != update.proof_hash {
            refuse(Verdict::ProofInvalid, "the transaction's proof is not the event's".into());
        }
        let calendar = &self.expected.calendar_table[update.period.slot_of_week()];
        let rows = update.candle_features.chunks(self.expected.candle_features.max(1));
        let inputs: Vec<i32> = rows.flat_map(|row| row.iter().chain(calendar)).copied().collect();
        let proof = Proof { bytes: arguments.proof.clone(), instances: instances(&inputs, &update.outputs) };
        if !self.prover.verify(&proof).await? {
            refuse(Verdict::ProofInvalid, "EZKL refuses the proof under the bundle's key".into());
        }
        if !self.reader.verifies(self.oracle, self.model_id, &proof).await? {
            refuse(Verdict::ProofInvalid, "the verifier on chain refuses the proof".into());
        }
        let attestors = self.reader.attestors(self.oracle, update, arguments, &proof.instances).await?;
        for check in &attestors {
            if check.signed == Some(false) {
                refuse(Verdict::AttestationInvalid, format!("the signature of {} is not theirs", check.attestor));
            }
            if check.in_set == Some(false) {
                refuse(Verdict::AttestationInvalid, format!("{} was not in the attestor set", check.attestor));
            }
        }
        report.attestors = attestors;
        Ok(())
    }
}
