//! Attesting for other operators: what they ask to sign is computed again from this node's own data, and signed only if it
//! is the same, integer by integer.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256, U256};
use tokio::sync::Mutex;

use super::once::attest_once;
use crate::attestation::error::AttestationError;
use crate::attestation::statement::Statement;
use crate::chain::Chain;
use crate::clock::Clock;
use crate::state::Store;
use crate::state::error::StateError;
use veriregime_core::types::attestation::Attestation;
use veriregime_core::types::cycle::Forecast;
use veriregime_core::types::field;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::{Grid, PeriodId};
use veriregime_core::types::stated::Stated;

/// The chain is asked for its model once in so long, however many ask.
const FRESH: Duration = Duration::from_secs(10);

/// What a job that attests knows itself.
pub trait OwnWork: Debug + Send + Sync {
    /// The id by which the contract knows the job's model.
    ///
    /// # Errors
    /// What the chain says.
    fn model_id(&self) -> Pin<Box<dyn Future<Output = Result<B256, AttestationError>> + Send + '_>>;

    /// What the public input at `index` is, in words.
    fn name(&self, index: usize) -> String;

    /// How many markets, or countries, the model has.
    fn rows(&self) -> usize;

    /// What the job publishes for the period, or will, without these markets. Takes its time.
    ///
    /// # Errors
    /// [`AttestationError`] where it does not know, or would publish no such thing.
    fn forecast(&self, period: PeriodId, omitted: OmittedMarkets) -> Result<Forecast, AttestationError>;
}

/// Everything that it takes to judge a request. Its connection to the database is not the one of the cycles.
#[derive(Debug)]
pub struct AttestationContext {
    pub clock: Clock,
    pub store: Arc<Store>,
    pub chain: Chain,
    /// The contract.
    pub contract: Address,
    /// The grid of the model's periods.
    pub grid: Grid,
    pub own: Arc<dyn OwnWork>,
}

/// Answers other operators.
#[derive(Debug)]
pub struct AttestationService {
    context: AttestationContext,
    /// The contract's model and when it was asked for.
    model_id: Mutex<Option<(Instant, B256)>>,
}

impl AttestationService {
    /// Ready to be asked.
    pub fn new(context: AttestationContext) -> Self {
        Self { context, model_id: Mutex::default() }
    }

    /// Signs what is asked for if this node's own data give the same.
    ///
    /// # Errors
    /// [`AttestationError`] that says what is not the same.
    pub async fn attest(&self, request: &Statement) -> Result<Attestation, AttestationError> {
        let context = &self.context;
        if request.chain_id != context.chain.read.chain_id() {
            return Err(AttestationError::Mismatch { what: "chain" });
        }
        if request.oracle != context.contract {
            return Err(AttestationError::Mismatch { what: "contract" });
        }
        if request.registry != context.chain.read.registry_of(context.contract).await? {
            return Err(AttestationError::Mismatch { what: "registry" });
        }
        let running = context.grid.period_at(context.clock.now_ms());
        if request.period != running {
            return Err(AttestationError::OtherPeriod { running });
        }
        if request.model_id != self.model_id().await? {
            return Err(AttestationError::Mismatch { what: "model" });
        }
        let (own, period, omitted) = (context.own.clone(), request.period, request.omitted_markets);
        let ours = tokio::task::spawn_blocking(move || own.forecast(period, omitted)).await;
        let ours = ours.map_err(|error| StateError::Corrupt(error.to_string()))??;
        match request.prices {
            Some(stated) => compare_stated(request, stated, ours.stated)?,
            None => compare(context, request, &ours.instances())?,
        }
        let promise = request.promise(context.own.rows(), context.grid.end_ms(running));
        attest_once(&context.store, &context.chain, &promise, request.digest()).await
    }

    async fn model_id(&self) -> Result<B256, AttestationError> {
        let mut known = self.model_id.lock().await;
        if let Some((_, model_id)) = known.filter(|(asked, _)| asked.elapsed() < FRESH) {
            return Ok(model_id);
        }
        let model_id = self.context.own.model_id().await?;
        *known = Some((Instant::now(), model_id));
        Ok(model_id)
    }
}

/// Names the first number of the request that is not ours.
fn compare(context: &AttestationContext, request: &Statement, ours: &[U256]) -> Result<(), AttestationError> {
    if request.instances.len() != ours.len() {
        let (theirs, ours) = (request.instances.len().to_string(), ours.len().to_string());
        return Err(AttestationError::Differs { name: "the number of instances".into(), theirs, ours });
    }
    match request.instances.iter().zip(ours).position(|(theirs, ours)| theirs != ours) {
        Some(index) => Err(AttestationError::Differs {
            name: context.own.name(index),
            theirs: shown(request.instances[index]),
            ours: shown(ours[index]),
        }),
        None => Ok(()),
    }
}

/// Names the first number of what the request states beside a forecast that is not ours.
fn compare_stated(request: &Statement, theirs: Stated, ours: Option<Stated>) -> Result<(), AttestationError> {
    if !request.instances.is_empty() {
        return Err(AttestationError::Mismatch { what: "kind of statement" });
    }
    let pair = |name: &'static str, theirs: &dyn ToString, ours: &dyn ToString| {
        let (theirs, ours) = (theirs.to_string(), ours.to_string());
        (theirs != ours).then(|| AttestationError::Differs { name: name.into(), theirs, ours })
    };
    let difference = match (theirs, ours) {
        (Stated::Prices(theirs), Some(Stated::Prices(ours))) => {
            let month = "the last month's price in millionths of EUR/MWh";
            pair(month, &theirs.eur_per_mwh_e6, &ours.eur_per_mwh_e6)
                .or_else(|| pair("the euro in millionths of a dollar", &theirs.usd_per_eur_e6, &ours.usd_per_eur_e6))
        }
        (Stated::Level(theirs), Some(Stated::Level(ours))) => pair("the last day of the data", &theirs.day, &ours.day)
            .or_else(|| pair("the level of the last week in billionths", &theirs.level_e9, &ours.level_e9))
            .or_else(|| pair("the interval's factor in billionths", &theirs.factor_e9, &ours.factor_e9)),
        _ => Some(AttestationError::Mismatch { what: "kind of model" }),
    };
    difference.map_or(Ok(()), Err)
}

fn shown(instance: U256) -> String {
    field::decode(instance).map_or_else(|| instance.to_string(), |integer| integer.to_string())
}
