//! What each landed update leaves behind for strangers.

use tracing::{info, warn};

use super::Agent;
use crate::actions::feed::contract::PublishedYield;
use crate::actions::hedge_vault::contract::PublishedSale;
use crate::actions::{Published, published_in, verifier};
use crate::chain::envelope::calldata;
use crate::forecast::{stored_snapshot, stored_strategy};
use crate::job::error::{CycleError, StageError};
use crate::job::stages::stored;
use crate::state::error::StateError;
use crate::state::jobs::Scope;
use veriregime_core::types::cycle::CycleRecord;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::evidence::{
    Evidence, FORMAT, MarketEvidence, PublicationEvidence, Row, SaleEvidence, Versions,
};
use veriregime_core::types::manifest::Manifest;
use veriregime_core::types::manifest::verification::{Offer, Way};

/// Bundles that are made up for in one go, newest first.
const CYCLES: u32 = 12;

impl Agent {
    /// Writes the evidence of landed updates that have none, also of those whose block has changed since, and deletes
    /// what is older than it is kept. What fails is tried again with the next cycle: an update is good without it.
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn leave_evidence(&self) -> Result<(), StateError> {
        let jobs = self.cared_for()?;
        for record in self.store.without_evidence(Scope::Jobs(&jobs), CYCLES)? {
            match self.evidence_of(&record).await {
                Ok(Some(digest)) => {
                    self.store.set_evidence(&record, digest)?;
                    info!(period = record.period.0, evidence = %digest, "evidence written");
                }
                Ok(None) => {}
                Err(StageError::State(fault)) => return Err(fault),
                Err(fault) => {
                    warn!(period = record.period.0, code = fault.code(), error = %fault, hint = fault.hint(), "no evidence yet");
                }
            }
        }
        let running_ms = self.grid().start_ms(self.running_period());
        let before_ms = running_ms.saturating_sub(self.evidence_keep_ms);
        for kept in self.store.evidence_before(Scope::Jobs(&jobs), before_ms)? {
            match self.evidence.remove(kept.evidence) {
                Ok(()) => self.store.prune_evidence(&kept)?,
                Err(fault) => warn!(code = fault.code(), error = %fault, "old evidence stays"),
            }
        }
        Ok(())
    }

    /// The manifest of a cycle's model, whether it is the present one or one before.
    pub(super) fn manifest_of(&self, record: &CycleRecord) -> Result<Manifest, StageError> {
        if record.job == self.job() {
            return Ok(self.bundle.manifest.clone());
        }
        let kept = self.store.manifest(record.job.manifest)?;
        kept.ok_or_else(|| CycleError::UnknownModel(record.job.manifest).into())
    }

    /// The written bundle; `None` while the chain does not show the update where it was.
    async fn evidence_of(&self, record: &CycleRecord) -> Result<Option<Digest>, StageError> {
        let oracle = record.job.contract.address;
        let landed = stored(record.landed.as_ref(), "place on the chain")?;
        let forecast = stored(record.forecast.as_ref(), "forecast")?;
        let proof = stored(record.proof.as_ref(), "proof")?;
        let Some(published) = published_in(&self.chain.read, oracle, landed.hash).await? else { return Ok(None) };
        let update = published.update().clone();
        // It is of what was made good before the chain dropped that.
        let is_other = update.omitted_markets != forecast.omitted;
        if update.block != landed.block || is_other {
            return Ok(None);
        }
        let attempts = self.store.attempts(record.job, record.period)?;
        let sent = attempts.iter().find(|attempt| attempt.hash == landed.hash);
        // Asked for before the candles are in memory.
        let (verifier, code_hash) = verifier(&self.chain.read, oracle, update.model_id).await?;
        let registry = self.chain.read.registry_of(oracle).await?;
        let manifest = self.manifest_of(record)?;
        let (markets, sale, publication) = match published {
            Published::Update(_) => (self.markets_of(record, &manifest)?, None, None),
            Published::Sale(sale) => {
                let sale = self.sale_of(record, *sale)?;
                (one_market(record, &sale.snapshot.country)?, Some(sale), None)
            }
            Published::Yield(published) => {
                let publication = self.publication_of(record, *published)?;
                (one_market(record, &publication.snapshot.strategy)?, None, Some(publication))
            }
        };
        let is_its = |offer: &Offer| offer.verifier_code_hash == code_hash;
        let verification = manifest.offers().find(is_its).map(|offer| offer.way).unwrap_or_default();
        let ezkl = manifest.verification.ezkl.as_ref().filter(|_| verification == Way::Ezkl);
        let ezkl = ezkl.map(|circuit| circuit.version.clone());
        let evidence = Evidence {
            format: FORMAT,
            versions: Versions { agent: env!("CARGO_PKG_VERSION").into(), ezkl },
            manifest_sha256: record.job.manifest,
            chain_id: self.chain.read.chain_id(),
            oracle,
            registry,
            verifier,
            verification,
            calldata: calldata(stored(sent, "transaction")?)?,
            gas_used: landed.gas_used,
            origin: record.origin.clone(),
            markets,
            instances: proof.instances.clone(),
            witness_sha256: record.witness_sha256,
            sale,
            publication,
            update,
        };
        Ok(Some(self.evidence.write(&evidence)?))
    }

    /// Each market's way from candles to outputs.
    fn markets_of(&self, record: &CycleRecord, manifest: &Manifest) -> Result<Vec<MarketEvidence>, StageError> {
        let forecast = stored(record.forecast.as_ref(), "forecast")?;
        let candles = self.store.candles(record.job, record.period)?;
        let markets = manifest.markets()?.iter().enumerate().map(|(at, market)| {
            Ok(MarketEvidence {
                market: market.name.clone(),
                candles_sha256: *record.candles.get(at).ok_or_else(cut_off)?,
                carried_minutes: *forecast.carried_minutes.get(at).ok_or_else(cut_off)?,
                candles: candles.get(at).ok_or_else(cut_off)?.iter().copied().map(Row).collect(),
                features: forecast.features.get(at).ok_or_else(cut_off)?.clone(),
                outputs: forecast.outputs.get(at).ok_or_else(cut_off)?.clone(),
            })
        });
        Ok(markets.collect::<Result<_, StateError>>()?)
    }

    fn sale_of(&self, record: &CycleRecord, sale: PublishedSale) -> Result<SaleEvidence, StageError> {
        Ok(SaleEvidence {
            snapshot: stored_snapshot(&self.store, record)?,
            tables: stored(record.tables.as_ref(), "tables' editions")?.clone(),
            prices: sale.stated,
            price_attestations: sale.stated_attestations.unwrap_or_default(),
            figures: sale.figures,
        })
    }

    fn publication_of(
        &self,
        record: &CycleRecord,
        published: PublishedYield,
    ) -> Result<PublicationEvidence, StageError> {
        Ok(PublicationEvidence {
            snapshot: stored_strategy(&self.store, record)?,
            tables: stored(record.tables.as_ref(), "tables' editions")?.clone(),
            level: published.stated,
            level_attestations: published.stated_attestations.unwrap_or_default(),
            figures: published.figures,
        })
    }
}

/// Columns and outputs of the only market; what they are from stands elsewhere in the evidence.
fn one_market(record: &CycleRecord, name: &str) -> Result<Vec<MarketEvidence>, StateError> {
    let forecast = stored(record.forecast.as_ref(), "forecast")?;
    Ok(vec![MarketEvidence {
        market: name.to_owned(),
        candles_sha256: *record.candles.first().ok_or_else(cut_off)?,
        carried_minutes: 0,
        candles: Vec::new(),
        features: forecast.features.first().ok_or_else(cut_off)?.clone(),
        outputs: forecast.outputs.first().ok_or_else(cut_off)?.clone(),
    }])
}

fn cut_off() -> StateError {
    StateError::Corrupt("a market is missing in a cycle".into())
}
