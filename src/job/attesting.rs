//! What a job has attested, and what it attests for others.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use alloy::primitives::{B256, U256};

use super::Agent;
use crate::actions::Action;
use crate::actions::error::ActionError;
use crate::attestation::error::AttestationError;
use crate::attestation::gather::{Attesting, Claim};
use crate::attestation::registry::AttestorSet;
use crate::attestation::service::OwnWork;
use crate::bundle::Bundle;
use crate::chain::read::Reader;
use crate::forecast::{StoredForecastError, from_stored};
use crate::job::error::StageError;
use crate::state::Store;
use veriregime_core::forecast::RegimeModel;
use veriregime_core::types::attestation::Attestation;
use veriregime_core::types::contract::Contract;
use veriregime_core::types::cycle::Forecast;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::PeriodId;

impl Agent {
    /// The contract's attestor set, if this node and the operators that it knows can make an update acceptable.
    ///
    /// # Errors
    /// As [`Attesting::set`].
    pub async fn attestor_set(&self) -> Result<AttestorSet, StageError> {
        Ok(self.attesting().set().await?)
    }

    /// As many attestations of the forecast as the contract wants.
    ///
    /// # Errors
    /// As [`Attesting::of`].
    pub async fn attestations(
        &self,
        model_id: B256,
        period: PeriodId,
        forecast: &Forecast,
    ) -> Result<Vec<Attestation>, StageError> {
        let end_ms = self.grid().end_ms(period);
        let markets = self.model.candles.markets.len();
        let (omitted, instances) = (forecast.omitted, forecast.instances());
        Ok(self.attesting().of(Claim { model_id, period, end_ms, markets, omitted, instances }).await?)
    }

    fn attesting(&self) -> Attesting<'_> {
        Attesting { chain: &self.chain, store: &self.store, contract: self.action.contract(), peers: &self.peers }
    }
}

/// The cycles of a job, for those who ask it to attest. Its connection to the database is not the job's; the cycles are.
#[derive(Debug)]
pub struct OwnCycles {
    pub store: Arc<Store>,
    pub bundle: Bundle,
    pub model: RegimeModel,
    pub read: Reader,
    pub action: Action,
}

impl OwnWork for OwnCycles {
    fn model_id(&self) -> Pin<Box<dyn Future<Output = Result<B256, AttestationError>> + Send + '_>> {
        Box::pin(async {
            self.action.model_id(&self.read).await.map_err(|fault| match fault {
                ActionError::Chain(fault) => AttestationError::Chain(fault),
                fault => AttestationError::Own(Box::new(fault)),
            })
        })
    }

    /// A cycle's candles are fixed once they are stored. Whether an omitted market has candles is not asked, since an omission
    /// takes nothing from it: whoever has them can serve it within the period. But all that is not omitted must have candles
    /// here.
    fn instances(&self, period: PeriodId, omitted: OmittedMarkets) -> Result<Vec<U256>, AttestationError> {
        let markets = &self.model.candles.markets;
        if !omitted.suits(markets.len()) {
            return Err(AttestationError::Mismatch { what: "set of markets" });
        }
        let contract = Contract { chain_id: self.read.chain_id(), address: self.action.contract() };
        let job = JobKey::new(contract, self.bundle.manifest_digest);
        let record = self.store.cycle(job, period)?;
        let record = record.filter(|record| !record.candles.is_empty()).ok_or(AttestationError::NotReady)?;
        if let Some(index) = record.omitted_markets().indices().find(|index| !omitted.omits(*index)) {
            let market = markets.get(index).map_or_else(|| index.to_string(), |market| market.name.clone());
            return Err(AttestationError::NoCandles { market });
        }
        if let Some(forecast) = record.forecast.as_ref().filter(|forecast| forecast.omitted == omitted) {
            return Ok(forecast.instances());
        }
        match from_stored(&self.store, &self.model, &record, omitted) {
            Ok(forecast) => Ok(forecast.instances()),
            Err(StoredForecastError::State(fault)) => Err(fault.into()),
            Err(StoredForecastError::Forecast(fault)) => Err(AttestationError::Own(Box::new(fault))),
        }
    }
}
