//! One update's evidence, computed again and verified without a network.

use std::path::Path;

use serde::Serialize;

use super::checks::Findings;
use super::compare::{Verdict, feature_differences};
use super::{publication, render, sale};
use crate::actions::risk_oracle::published::{brings, signatures};
use crate::bundle::Bundle;
use crate::config::Config;
use crate::evidence::{self, EvidenceError};
use crate::node::assemble;
use crate::render::Render;
use veriregime_core::types::candle::{Candle, CandleSeries};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::evidence::{Evidence, MarketEvidence};
use veriregime_core::types::feature::FeatureVector;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::origin::Origin;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::public_inputs;
use veriregime_core::types::time::format_utc;

/// What the evidence is worth.
#[derive(Debug, Serialize)]
pub struct Report {
    pub evidence_sha256: Digest,
    pub period: PeriodId,
    /// When that begins, Unix milliseconds.
    #[serde(skip)]
    pub start_ms: i64,
    #[serde(flatten)]
    pub found: Findings,
}

/// Verifies the evidence in a file by the configured bundle, or one that lies beside it.
///
/// # Errors
/// A file, model or SRS that cannot be used; candles that no update is made from.
pub async fn verify_file(config: &Config, file: &Path) -> anyhow::Result<Report> {
    let (evidence_sha256, evidence) = evidence::read(file)?;
    let bundle = bundle(config, evidence.manifest_sha256)?;
    let found = verify(config, &bundle, &evidence).await?;
    let grid = bundle.manifest.grid;
    let period = evidence.update.period;
    Ok(Report { evidence_sha256, period, start_ms: grid.start_ms(period), found })
}

impl Render for Report {
    fn text(&self) -> String {
        format!(
            "period {} ({}): {}, evidence {}{}{}",
            self.period,
            format_utc(self.start_ms),
            self.found.verdict.words(),
            self.evidence_sha256,
            render::differences(&self.found),
            render::findings(&self.found)
        )
    }
}

async fn verify(config: &Config, bundle: &Bundle, evidence: &Evidence) -> anyhow::Result<Findings> {
    if let Some(sale) = &evidence.sale {
        return sale::verify(config, bundle, evidence, sale).await;
    }
    if let Some(publication) = &evidence.publication {
        return publication::verify(config, bundle, evidence, publication).await;
    }
    let update = &evidence.update;
    let recomputed = recompute(bundle, evidence)?;
    let mut found =
        Findings::new(feature_differences(bundle.manifest.features()?, &update.candle_features, &recomputed.features));
    found.checked(format!("{} features, from the candles in the file", update.candle_features.len()));
    for contradiction in recomputed.contradictions {
        found.refuse(Verdict::DataDiffer, contradiction);
    }
    let expected = assemble::expected(bundle, evidence.verification)?;
    if expected.model_id(evidence.verifier) != update.model_id {
        found.refuse(Verdict::ProofInvalid, "its update is of another model than the bundle's");
    }
    if !brings(&evidence.calldata, update) {
        found.refuse(Verdict::ProofInvalid, "its calldata does not bring this update");
    }
    let Some(arguments) = &update.arguments else {
        found.refuse(Verdict::ProofInvalid, "it is without its proof");
        return Ok(found);
    };
    let calendar = &expected.calendar_table[expected.grid.slot_of_week(update.period)];
    let inputs = public_inputs::published_features(&update.candle_features, expected.candle_features, calendar);
    let published = public_inputs::instances(&inputs, &update.outputs);
    if published != evidence.instances {
        found.refuse(Verdict::ProofInvalid, "its public inputs are not the update's features and outputs");
    }
    let way = evidence.verification;
    let mut prover = assemble::prover_of(config, bundle, way).await?;
    let proof = found.check_proof(&mut prover, way, update, arguments, published).await?;
    let witness_sha256 = prover.witness_sha256(&inputs).await?;
    prover.stop().await;
    if witness_sha256 != evidence.witness_sha256 {
        found.refuse(Verdict::ProofInvalid, "its witness is not the circuit's for these features");
    }
    let witness = if way == Way::Ezkl { " witness" } else { "" };
    found.checked(format!("network, public inputs,{witness} and calldata").replace(", and", " and"));
    let attestors = signatures(evidence.chain_id, evidence.registry, update, arguments, &proof.instances)?;
    found.take_attestors(attestors, update.block);
    found.not_checked("that the exchange said so, and that the update is on chain");
    Ok(found)
}

/// The bundle of the evidence's model.
///
/// # Errors
/// [`EvidenceError::OtherModel`] where it is not at hand, or what is wrong with it.
fn bundle(config: &Config, manifest: Digest) -> anyhow::Result<Bundle> {
    if let Some(bundle) = assemble::bundle_with(config, manifest)? {
        return Ok(bundle);
    }
    let found = Bundle::open(&config.bundle)?.manifest_digest;
    Err(EvidenceError::OtherModel { wanted: manifest, found, bundle: config.bundle.clone() }.into())
}

/// What the candles of a bundle lead to.
struct Recomputed {
    features: Vec<FeatureVector>,
    contradictions: Vec<String>,
}

fn recompute(bundle: &Bundle, evidence: &Evidence) -> anyhow::Result<Recomputed> {
    let (model, period) = (assemble::model(bundle)?, evidence.update.period);
    let mut contradictions = Vec::new();
    let mut contradict = |wrong: bool, what: &str| {
        if wrong {
            contradictions.push(what.into());
        }
    };
    let ours = model.candles.markets.iter().map(|market| &market.name);
    contradict(!ours.eq(evidence.markets.iter().map(|one| &one.market)), "its markets are not the model's");
    let omitted = evidence.update.omitted_markets;
    let named = evidence.origin.as_ref().map_or(omitted, Origin::omitted_markets);
    contradict(named != omitted, "its update omits other markets than its candles lack");
    let candles = |one: &MarketEvidence| one.candles.iter().map(|row| row.0).collect::<Vec<Candle>>();
    let series = |(index, one): (usize, &MarketEvidence)| {
        let served = Some(one).filter(|_| !omitted.omits(index));
        served.map(|one| model.window(&candles(one), period)).transpose()
    };
    let windows: Vec<Option<CandleSeries>> =
        evidence.markets.iter().enumerate().map(series).collect::<Result<_, _>>()?;
    let forecast = model.compute(&windows, period)?;
    for (index, one) in evidence.markets.iter().enumerate() {
        let digest = windows[index].as_ref().map_or(Digest::of(&[]), CandleSeries::digest);
        let market = format!("{:?}", one.market);
        let is_both = omitted.omits(index) && !one.candles.is_empty();
        contradict(is_both, &format!("{market}: the update omits it, and yet there are candles"));
        contradict(digest != one.candles_sha256, &format!("{market}: the candles have another digest"));
        contradict(
            forecast.carried_minutes[index] != one.carried_minutes,
            &format!("{market}: other minutes were carried forward"),
        );
        contradict(forecast.features[index] != one.features, &format!("{market}: the candles give other features"));
    }
    contradict(forecast.output_integers() != evidence.update.outputs, "the network gives other outputs");
    let stated: Vec<_> = evidence.markets.iter().map(|one| one.outputs.clone()).collect();
    contradict(public_inputs::outputs(&stated) != evidence.update.outputs, "its outputs are not the update's");
    Ok(Recomputed { features: forecast.features, contradictions })
}
