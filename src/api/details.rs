//! What more is told of a job: how its transactions, RPCs, sources and forecasts are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::primitives::Address;
use tokio::sync::{Mutex, Semaphore};

use super::gate::Gate;
use crate::actions::risk_oracle::rules::MarketRules;
use crate::api::error::ApiError;
use crate::chain::error::ChainError;
use crate::chain::read::Reader as ChainReader;
use crate::health::checks::{Funds, funds};
use crate::job::feeds::Feed;
use crate::state::error::StateError;
use crate::state::reader::Reader;
use veriregime_core::model::dense::DenseNetwork;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::manifest::inputs::Market;
use veriregime_core::types::period::Grid;

/// What the chain said is good for this long.
const FRESH: Duration = Duration::from_secs(10);
/// Longest wait for the chain.
const CHAIN_LIMIT: Duration = Duration::from_secs(4);

/// Where it is found, and what was found of late.
#[derive(Debug)]
pub struct Details {
    pub(super) parts: Parts,
    funds: Mutex<Option<(Instant, Option<Funds>)>>,
    /// By the market's index.
    rules: Mutex<BTreeMap<usize, (Instant, MarketRules)>>,
    gate: Gate,
    /// One policy is tried at a time.
    pub(super) trying: Semaphore,
}

/// What a bundle says of its model.
#[derive(Debug, Clone, Default)]
pub struct Card {
    pub card_markdown: Option<String>,
    pub verification_markdown: Option<String>,
    pub metrics: serde_json::Value,
    /// Mean promise of High, share that High followed, and rows of each class of promises.
    pub reliability: Vec<(f64, f64, u64)>,
    /// log2 of the grids of features and outputs, and the bound of a feature's integer.
    pub input_scale: u32,
    pub output_scale: u32,
    pub feature_bound: Option<i32>,
}

/// What [`Details`] are made of.
#[derive(Debug)]
pub struct Parts {
    pub reader: Arc<Reader>,
    pub job: JobKey,
    pub grid: Grid,
    pub chain: ChainReader,
    /// Who pays.
    pub wallet: Address,
    /// Those of the model; of a country's or a strategy's there are none.
    pub markets: Vec<Market>,
    /// The exchanges in the order of the policy.
    pub sources: Vec<Arc<Feed>>,
    /// The network as sums, where it is one.
    pub network: Option<DenseNetwork>,
    /// What the bundle says of the model.
    pub card: Card,
}

impl Details {
    /// Of a job that was opened.
    pub fn new(parts: Parts) -> Self {
        Self { parts, funds: Mutex::default(), rules: Mutex::default(), gate: Gate::new(), trying: Semaphore::new(1) }
    }

    /// Index and ids of a market.
    pub(super) fn market(&self, name: &str) -> Result<(usize, &Market), ApiError> {
        if self.parts.markets.is_empty() {
            return Err(ApiError::NotRegime);
        }
        let found = self.parts.markets.iter().enumerate().find(|(_, market)| market.name == name);
        found.ok_or(ApiError::NoMarket)
    }

    /// Reads on a thread that may wait.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.gate.read(&self.parts.reader, read).await
    }

    /// What the wallet holds; `None` where the chain does not say. At most ten seconds old.
    pub(super) async fn funds(&self) -> Option<Funds> {
        let mut known = self.funds.lock().await;
        if let Some((at, funds)) = *known
            && at.elapsed() < FRESH
        {
            return funds;
        }
        let asked = tokio::time::timeout(CHAIN_LIMIT, funds(&self.parts.chain, self.parts.wallet)).await;
        let funds = asked.ok().and_then(Result::ok);
        *known = Some((Instant::now(), funds));
        funds
    }

    /// What a market goes by, at most ten seconds old.
    pub(super) async fn rules(&self, name: &str) -> Result<MarketRules, ApiError> {
        let (index, market) = self.market(name)?;
        let mut known = self.rules.lock().await;
        if let Some((_, rules)) = known.get(&index).filter(|(at, _)| at.elapsed() < FRESH) {
            return Ok(rules.clone());
        }
        let rules = self.asked(self.parts.chain.market_rules(self.parts.job.contract.address, market.id())).await?;
        known.insert(index, (Instant::now(), rules.clone()));
        Ok(rules)
    }

    /// What the chain answers, in time.
    async fn asked<T>(&self, asked: impl Future<Output = Result<T, ChainError>>) -> Result<T, ApiError> {
        match tokio::time::timeout(CHAIN_LIMIT, asked).await {
            Ok(answer) => answer.map_err(|fault| ApiError::Chain(fault.code())),
            Err(_) => Err(ApiError::Chain(ChainError::Unreachable(String::new()).code())),
        }
    }
}
