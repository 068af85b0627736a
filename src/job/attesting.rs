//! What a job has attested, and what it attests for others.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use alloy::primitives::B256;

use super::Agent;
use crate::actions::Action;
use crate::actions::error::ActionError;
use crate::attestation::error::AttestationError;
use crate::attestation::gather::{Attesting, Claim};
use crate::attestation::registry::AttestorSet;
use crate::attestation::service::OwnWork;
use crate::bundle::Bundle;
use crate::chain::read::Reader;
use crate::forecast::{JobModel, StoredForecastError};
use crate::job::error::StageError;
use crate::state::Store;
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
        let (omitted, instances) = (forecast.omitted, forecast.instances());
        let claim = Claim { omitted, instances, ..self.claim(model_id, period) };
        Ok(self.attesting().of(claim).await?)
    }

    /// As many attestations of what is stated beside the forecast as the contract wants; none where nothing is.
    ///
    /// # Errors
    /// As [`Attesting::of`].
    pub async fn price_attestations(
        &self,
        model_id: B256,
        period: PeriodId,
        forecast: &Forecast,
    ) -> Result<Vec<Attestation>, StageError> {
        if forecast.stated.is_none() {
            return Ok(Vec::new());
        }
        let claim = Claim { prices: forecast.stated, ..self.claim(model_id, period) };
        Ok(self.attesting().of(claim).await?)
    }

    /// A claim that says nothing yet.
    fn claim(&self, model_id: B256, period: PeriodId) -> Claim {
        let (end_ms, markets) = (self.grid().end_ms(period), self.model.names().len());
        let (omitted, instances) = (OmittedMarkets::NONE, Vec::new());
        Claim { model_id, period, end_ms, markets, omitted, instances, prices: None }
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
    pub model: JobModel,
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

    fn name(&self, index: usize) -> String {
        self.model.input_name(index)
    }

    fn rows(&self) -> usize {
        self.model.names().len()
    }

    /// A cycle's candles, or tables, are fixed once they are stored. Whether an omitted market has candles is not asked, since an
    /// omission takes nothing from it: whoever has them can serve it within the period. But all that is not omitted must have
    /// candles here.
    fn forecast(&self, period: PeriodId, omitted: OmittedMarkets) -> Result<Forecast, AttestationError> {
        let names = self.model.names();
        if !omitted.suits(names.len()) {
            return Err(AttestationError::Mismatch { what: "set of markets" });
        }
        let contract = Contract { chain_id: self.read.chain_id(), address: self.action.contract() };
        let job = JobKey::new(contract, self.bundle.manifest_digest);
        let record = self.store.cycle(job, period)?;
        let record = record.filter(|record| !record.candles.is_empty()).ok_or(AttestationError::NotReady)?;
        if let Some(index) = record.omitted_markets().indices().find(|index| !omitted.omits(*index)) {
            let market = names.get(index).map_or_else(|| index.to_string(), Clone::clone);
            return Err(AttestationError::NoCandles { market });
        }
        if let Some(forecast) = record.forecast.as_ref().filter(|forecast| forecast.omitted == omitted) {
            return Ok(forecast.clone());
        }
        self.model.from_stored(&self.store, &record, omitted).map_err(|fault| match fault {
            StoredForecastError::State(fault) => fault.into(),
            StoredForecastError::Forecast(fault) => AttestationError::Own(Box::new(fault)),
            StoredForecastError::Electricity(fault) => AttestationError::Own(Box::new(fault)),
            StoredForecastError::Strategy(fault) => AttestationError::Own(Box::new(fault)),
        })
    }
}
