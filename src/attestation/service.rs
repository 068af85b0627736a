//! Attesting for other operators: what they ask to sign is computed again from this node's own candles, and signed only if
//! it is the same, integer by integer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256, U256};
use tokio::sync::Mutex;

use super::{CLOSES_E8, attest_once};
use crate::actions::risk_oracle::spec::Expected;
use crate::attestation::error::AttestationError;
use crate::attestation::statement::Statement;
use crate::bundle::Bundle;
use crate::chain::Chain;
use crate::clock::Clock;
use crate::forecast::from_stored;
use crate::state::{StateError, Store};
use veriregime_core::model::Model;
use veriregime_core::types::attestation::{AttestRequest, Attestation};
use veriregime_core::types::contract::Contract;
use veriregime_core::types::diagnostic::quoted;
use veriregime_core::types::feature::FeatureSpec;
use veriregime_core::types::field;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::public_inputs;

/// The chain is asked for its model once in so long, however many ask.
const FRESH: Duration = Duration::from_secs(10);

/// Everything that it takes to judge a request. Its connection to the database is its own; the cycles are the agent's.
#[derive(Debug)]
pub struct AttestationService {
    judge: Arc<AttestationContext>,
    /// The contract's model and when it was asked for.
    model_id: Mutex<Option<(Instant, B256)>>,
}

/// What is needed off the runtime as well.
#[derive(Debug)]
pub struct AttestationContext {
    pub clock: Clock,
    pub store: Store,
    pub bundle: Bundle,
    pub model: Model,
    pub chain: Chain,
    pub oracle: Address,
    /// What the contract must say about the bundle.
    pub expected: Expected,
}

impl AttestationService {
    /// Ready to be asked.
    pub fn new(judge: AttestationContext) -> Self {
        Self { judge: Arc::new(judge), model_id: Mutex::default() }
    }

    /// Signs what is asked for if this node's own candles give the same.
    ///
    /// # Errors
    /// [`AttestationError`] that says what is not the same.
    pub async fn attest(&self, request: &AttestRequest) -> Result<Attestation, AttestationError> {
        let judge = &self.judge;
        if request.chain_id != judge.chain.read.chain_id() {
            return Err(AttestationError::Mismatch { what: "chain" });
        }
        if request.oracle != judge.oracle {
            return Err(AttestationError::Mismatch { what: "contract" });
        }
        let running = PeriodId::at_ms(judge.clock.now_ms());
        if request.period != running {
            return Err(AttestationError::OtherPeriod { running });
        }
        if request.model_id != self.model_id().await? {
            return Err(AttestationError::Mismatch { what: "model" });
        }
        let (judge, period, omitted) = (self.judge.clone(), request.period, request.omitted_markets);
        let ours = tokio::task::spawn_blocking(move || judge.instances(period, omitted)).await;
        let ours = ours.map_err(|error| StateError::Corrupt(error.to_string()))??;
        let judge = &self.judge;
        compare(&judge.bundle.manifest.features, request, &ours)?;
        let statement = Statement {
            model_id: request.model_id,
            period: request.period,
            omitted: request.omitted_markets,
            instances: &ours,
            closes_e8: CLOSES_E8,
            attestor_set_version: request.attestor_set_version,
        };
        let markets = judge.bundle.manifest.markets.len();
        attest_once(&judge.store, &judge.chain, judge.oracle, &statement, markets).await
    }

    async fn model_id(&self) -> Result<B256, AttestationError> {
        let mut known = self.model_id.lock().await;
        if let Some((_, model_id)) = known.filter(|(asked, _)| asked.elapsed() < FRESH) {
            return Ok(model_id);
        }
        let model_id = self.judge.chain.read.model_id(self.judge.oracle, &self.judge.expected).await?;
        *known = Some((Instant::now(), model_id));
        Ok(model_id)
    }
}

impl AttestationContext {
    fn job(&self) -> JobKey {
        let contract = Contract { chain_id: self.chain.read.chain_id(), address: self.oracle };
        JobKey::new(contract, self.bundle.manifest_digest)
    }

    /// What this node's own cycle of the period says, or will say, without the omitted markets: its candles are fixed once
    /// they are stored. Whether an omitted market has candles is not asked, since an omission takes nothing from it:
    /// whoever has them can serve it within the period. But all that is not omitted must have candles here.
    fn instances(&self, period: PeriodId, omitted: OmittedMarkets) -> Result<Vec<U256>, AttestationError> {
        let markets = &self.bundle.manifest.markets;
        if !omitted.suits(markets.len()) {
            return Err(AttestationError::Mismatch { what: "set of markets" });
        }
        let record = self.store.cycle(self.job(), period)?;
        let record = record.filter(|record| !record.candles.is_empty()).ok_or(AttestationError::NotReady)?;
        if let Some(index) = record.omitted_markets().indices().find(|index| !omitted.omits(*index)) {
            let market = markets.get(index).map_or_else(|| index.to_string(), |market| market.name.clone());
            return Err(AttestationError::NoCandles { market });
        }
        if let Some(forecast) = record.forecast.as_ref().filter(|forecast| forecast.omitted == omitted) {
            return Ok(forecast.instances());
        }
        Ok(from_stored(&self.store, &self.bundle, &self.model, &record, omitted)?.instances())
    }
}

/// Names the first number of the request that is not ours.
fn compare(spec: &FeatureSpec, request: &AttestRequest, ours: &[U256]) -> Result<(), AttestationError> {
    if request.closes_e8 != CLOSES_E8 {
        let (theirs, ours) = (format!("{:?}", request.closes_e8), format!("{CLOSES_E8:?}"));
        return Err(AttestationError::Differs { name: "closes_e8".into(), theirs: quoted(&theirs), ours });
    }
    if request.instances.len() != ours.len() {
        let (theirs, ours) = (request.instances.len().to_string(), ours.len().to_string());
        return Err(AttestationError::Differs { name: "the number of instances".into(), theirs, ours });
    }
    match request.instances.iter().zip(ours).position(|(theirs, ours)| theirs != ours) {
        Some(index) => Err(AttestationError::Differs {
            name: public_inputs::name(spec, ours.len(), index),
            theirs: shown(request.instances[index]),
            ours: shown(ours[index]),
        }),
        None => Ok(()),
    }
}

fn shown(instance: U256) -> String {
    field::decode(instance).map_or_else(|| instance.to_string(), |integer| integer.to_string())
}
