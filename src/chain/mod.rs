//! The chain: reading the contract, attesting, signing and sending updates. The only holder of keys.

pub mod abi;
pub mod attest;
pub mod deploy;
pub mod fault;
mod fees;
pub mod model;
pub mod published;
mod submission;

use std::time::Duration;

use alloy::consensus::BlockHeader;
use alloy::eips::BlockNumberOrTag;
use alloy::eips::eip2718::Encodable2718;
use alloy::network::{Ethereum, EthereumWallet, NetworkTransactionBuilder, TransactionBuilder};
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::providers::{Provider, ProviderBuilder, RootProvider};
use alloy::rpc::client::RpcClient;
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolValue;
use alloy::transports::{RpcError, TransportError};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::types::cycle::{Attempt, Landed};
use crate::types::feature::FeatureVector;
use crate::types::period::PeriodId;
use crate::types::prediction::Outputs;
use crate::types::proof::Proof;
use abi::IRegimeRiskOracle::ModelSpec;
use abi::{Halo2Verifier, RiskOracle};
use fault::{ChainFault, Rejection};
use model::Expected;

/// Gas limit over the estimate: the verifier's cost hardly varies, storage and calldata do a little.
const GAS_MARGIN_PERCENT: u64 = 20;
/// No update may ask for more than this.
const MAX_GAS_LIMIT: u64 = 10_000_000;
/// Longest wait for a transaction that is not an update.
const RECEIPT_TIMEOUT: Duration = Duration::from_mins(2);
/// Pause between two looks for its receipt.
const RECEIPT_POLL: Duration = Duration::from_millis(20);

/// How to reach a chain.
#[derive(Debug, Clone)]
pub struct Settings {
    pub rpc_url: Url,
    pub chain_id: u64,
    pub max_fee_per_gas_wei: u128,
    pub priority_fee_wei: u128,
    pub request_timeout: Duration,
}

/// A connection that only reads.
#[derive(Debug, Clone)]
pub struct Reader {
    provider: RootProvider<Ethereum>,
    settings: Settings,
}

/// A connection with a wallet.
#[derive(Debug, Clone)]
pub struct Chain {
    /// For everything that needs no key.
    pub read: Reader,
    wallet: EthereumWallet,
    address: Address,
    attestor: PrivateKeySigner,
}

/// The newest block.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    /// Height.
    pub number: u64,
    /// Unix seconds.
    pub timestamp_seconds: i64,
    /// In wei; 0 on chains without one.
    pub base_fee_wei: u128,
}

/// Everything that `RiskOracle.submit` takes.
#[derive(Debug, Clone)]
pub struct Update<'a> {
    pub model_id: B256,
    pub period: PeriodId,
    pub features: &'a [FeatureVector],
    pub outputs: &'a [Outputs],
    pub proof: &'a Bytes,
}

impl Reader {
    /// Prepares the connection; nothing is sent yet.
    ///
    /// # Errors
    /// [`ChainFault::Unreachable`] for a system that cannot make connections.
    pub fn new(settings: Settings) -> Result<Self, ChainFault> {
        let client = reqwest::Client::builder()
            .timeout(settings.request_timeout)
            .build()
            .map_err(|error| ChainFault::Unreachable(error.to_string()))?;
        let provider = ProviderBuilder::new()
            .disable_recommended_fillers()
            .connect_client(RpcClient::new_http_with_client(client, settings.rpc_url.clone()));
        Ok(Self { provider, settings })
    }

    /// Refuses an RPC that is on another chain than the settings say.
    ///
    /// # Errors
    /// [`ChainFault::WrongChain`] or [`ChainFault::Unreachable`].
    pub async fn check_chain_id(&self) -> Result<(), ChainFault> {
        let actual = self.provider.get_chain_id().await?;
        if actual == self.settings.chain_id {
            return Ok(());
        }
        Err(ChainFault::WrongChain { expected: self.settings.chain_id, actual })
    }

    /// The newest block.
    ///
    /// # Errors
    /// [`ChainFault`].
    pub async fn head(&self) -> Result<Head, ChainFault> {
        let block = self
            .provider
            .get_block_by_number(BlockNumberOrTag::Latest)
            .await?
            .ok_or_else(|| ChainFault::Refused("the RPC has no newest block".into()))?;
        Ok(Head {
            number: block.header.number(),
            timestamp_seconds: i64::try_from(block.header.timestamp()).unwrap_or(i64::MAX),
            base_fee_wei: u128::from(block.header.base_fee_per_gas().unwrap_or(0)),
        })
    }

    /// The id of the model that serves the expected markets, after checking that it is the bundle's.
    ///
    /// # Errors
    /// [`ChainFault::NoContract`] or [`ChainFault::ForeignModel`], else [`ChainFault`].
    pub async fn model_id(&self, oracle: Address, expected: &Expected) -> Result<B256, ChainFault> {
        if self.provider.get_code_at(oracle).await?.is_empty() {
            return Err(ChainFault::NoContract(oracle));
        }
        let contract = RiskOracle::new(oracle, &self.provider);
        let foreign = |what: &str| ChainFault::ForeignModel(what.into());
        let first = *expected.markets.first().ok_or_else(|| foreign("the bundle has no market"))?;
        let model_id = contract.activeModel(first).call().await?;
        if model_id.is_zero() {
            return Err(foreign("no model is active for the market"));
        }
        match expected.difference(&self.model_spec(oracle, model_id).await?) {
            Some(difference) => Err(foreign(difference)),
            None => Ok(model_id),
        }
    }

    /// A registered model's specification.
    ///
    /// # Errors
    /// [`ChainFault`].
    pub async fn model_spec(&self, oracle: Address, model_id: B256) -> Result<ModelSpec, ChainFault> {
        let encoded = RiskOracle::new(oracle, &self.provider).modelSpec(model_id).call().await?;
        ModelSpec::abi_decode(&encoded).map_err(|error| ChainFault::Refused(error.to_string()))
    }

    /// The last period for which the model landed an update.
    ///
    /// # Errors
    /// [`ChainFault`].
    pub async fn latest_period(&self, oracle: Address, model_id: B256) -> Result<PeriodId, ChainFault> {
        Ok(PeriodId(RiskOracle::new(oracle, &self.provider).latestPeriod(model_id).call().await?))
    }

    /// A market's parameters and their status.
    ///
    /// # Errors
    /// [`ChainFault`].
    pub async fn params(&self, oracle: Address, market: B256) -> Result<RiskOracle::paramsReturn, ChainFault> {
        Ok(RiskOracle::new(oracle, &self.provider).params(market).call().await?)
    }

    /// What a market's last update leads to, and when.
    ///
    /// # Errors
    /// [`ChainFault`].
    pub async fn pending(&self, oracle: Address, market: B256) -> Result<RiskOracle::pendingReturn, ChainFault> {
        Ok(RiskOracle::new(oracle, &self.provider).pending(market).call().await?)
    }

    /// Where the transaction landed, `None` while it has not.
    ///
    /// # Errors
    /// [`ChainFault::Reverted`] if it was mined and failed, else [`ChainFault`].
    pub async fn landed(&self, hash: B256) -> Result<Option<Landed>, ChainFault> {
        let Some(receipt) = self.provider.get_transaction_receipt(hash).await? else {
            return Ok(None);
        };
        if !receipt.status() {
            return Err(ChainFault::Reverted(hash));
        }
        Ok(Some(Landed { hash, block: receipt.block_number.unwrap_or(0), gas_used: receipt.gas_used }))
    }

    /// Waits for a transaction to be mined.
    ///
    /// # Errors
    /// [`ChainFault::Reverted`], or [`ChainFault::Unreachable`] where no receipt comes, else [`ChainFault`].
    pub async fn receipt(&self, hash: B256) -> Result<TransactionReceipt, ChainFault> {
        let found = tokio::time::timeout(RECEIPT_TIMEOUT, async {
            loop {
                if let Some(receipt) = self.provider.get_transaction_receipt(hash).await? {
                    return Ok::<_, ChainFault>(receipt);
                }
                tokio::time::sleep(RECEIPT_POLL).await;
            }
        });
        let receipt = found.await.map_err(|_| ChainFault::Unreachable(format!("no receipt for {hash}")))??;
        if receipt.status() { Ok(receipt) } else { Err(ChainFault::Reverted(hash)) }
    }
}

impl Chain {
    /// Prepares the connection; nothing is sent yet. The wallet attests, unless [`Chain::with_attestor`] says otherwise.
    ///
    /// # Errors
    /// [`ChainFault::Signing`] for a key that is none.
    pub fn new(settings: Settings, key: &SecretString) -> Result<Self, ChainFault> {
        let attestor = signer(key)?;
        let wallet = EthereumWallet::from(attestor.clone());
        Ok(Self { read: Reader::new(settings)?, address: attestor.address(), wallet, attestor })
    }

    /// Lets another key than the wallet's attest.
    ///
    /// # Errors
    /// [`ChainFault::Signing`] for a key that is none.
    pub fn with_attestor(self, key: &SecretString) -> Result<Self, ChainFault> {
        Ok(Self { attestor: signer(key)?, ..self })
    }

    /// The address that attestations come from.
    pub fn attestor(&self) -> Address {
        self.attestor.address()
    }

    /// The wallet's address.
    pub fn address(&self) -> Address {
        self.address
    }

    /// The next nonce by the newest block: whatever is still waiting is meant to be replaced.
    ///
    /// # Errors
    /// [`ChainFault`].
    pub async fn nonce(&self) -> Result<u64, ChainFault> {
        Ok(self.read.provider.get_transaction_count(self.address).latest().await?)
    }

    /// Whether none of the wallet's transactions is on its way.
    ///
    /// # Errors
    /// [`ChainFault`].
    pub async fn is_idle(&self) -> Result<bool, ChainFault> {
        let sent = self.read.provider.get_transaction_count(self.address).pending().await?;
        Ok(sent == self.nonce().await?)
    }

    /// Sends signed bytes. That the node has them already is no error.
    ///
    /// # Errors
    /// [`ChainFault`].
    pub async fn broadcast(&self, attempt: &Attempt) -> Result<(), ChainFault> {
        match self.read.provider.send_raw_transaction(&attempt.raw).await {
            Ok(_) => Ok(()),
            Err(error) if is_known_already(&error) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Signs and sends a transaction that is not an update, and waits for it.
    ///
    /// # Errors
    /// As [`Reader::receipt`].
    pub async fn send(&self, request: TransactionRequest) -> Result<TransactionReceipt, ChainFault> {
        let attempt = self.sign(request, self.nonce().await?, None).await?;
        self.broadcast(&attempt).await?;
        self.read.receipt(attempt.hash).await
    }

    /// Puts creation code on the chain.
    ///
    /// # Errors
    /// As [`Chain::send`].
    pub async fn create(&self, code: Bytes) -> Result<Address, ChainFault> {
        let receipt = self.send(TransactionRequest::default().with_deploy_code(code)).await?;
        receipt.contract_address.ok_or_else(|| ChainFault::Refused("a creation's receipt names no contract".into()))
    }

    /// Gas of a transaction that asks a generated verifier about a proof.
    ///
    /// # Errors
    /// As [`Chain::send`].
    pub async fn verification_gas(&self, verifier: Address, proof: &Proof) -> Result<u64, ChainFault> {
        let contract = Halo2Verifier::new(verifier, &self.read.provider);
        let call = contract.verifyProof(proof.bytes.clone(), proof.instances.clone());
        Ok(self.send(call.into_transaction_request()).await?.gas_used)
    }

    async fn sign(
        &self,
        request: TransactionRequest,
        nonce: u64,
        replaced: Option<&Attempt>,
    ) -> Result<Attempt, ChainFault> {
        let head = self.read.head().await?;
        let offer = fees::offer(
            head.base_fee_wei,
            self.read.settings.priority_fee_wei,
            self.read.settings.max_fee_per_gas_wei,
            replaced,
        )?;
        let request = request.with_from(self.address).with_nonce(nonce).with_chain_id(self.read.settings.chain_id);
        // On the pending block, whose time is now: the newest one of a quiet chain may lie in the period before. But a
        // transaction that is to be replaced may be in the pending block already, and stand in its own way.
        let block = if replaced.is_some() { BlockNumberOrTag::Latest } else { BlockNumberOrTag::Pending };
        let simulated = self.read.provider.estimate_gas(request.clone()).block(block.into()).await;
        let estimate = match simulated.map_err(ChainFault::from) {
            Err(ChainFault::Rejected(Rejection::FuturePeriod { starts_seconds })) => {
                return Err(ChainFault::ChainBehind { behind_seconds: starts_seconds - head.timestamp_seconds });
            }
            estimate => estimate?,
        };
        let gas_limit = (estimate + estimate * GAS_MARGIN_PERCENT / 100).min(MAX_GAS_LIMIT);
        self.check_balance(U256::from(gas_limit) * U256::from(offer.max_fee_per_gas_wei)).await?;
        let envelope = request
            .with_gas_limit(gas_limit)
            .with_max_fee_per_gas(offer.max_fee_per_gas_wei)
            .with_max_priority_fee_per_gas(offer.priority_fee_wei)
            .build(&self.wallet)
            .await
            .map_err(|error| ChainFault::Signing(error.to_string()))?;
        Ok(Attempt {
            nonce,
            hash: *envelope.tx_hash(),
            raw: envelope.encoded_2718().into(),
            max_fee_per_gas_wei: offer.max_fee_per_gas_wei,
            priority_fee_wei: offer.priority_fee_wei,
        })
    }

    async fn check_balance(&self, needed_wei: U256) -> Result<(), ChainFault> {
        let balance_wei = self.read.provider.get_balance(self.address).await?;
        if balance_wei >= needed_wei {
            return Ok(());
        }
        Err(ChainFault::EmptyWallet { wallet: self.address, balance_wei, needed_wei })
    }
}

fn signer(key: &SecretString) -> Result<PrivateKeySigner, ChainFault> {
    key.expose_secret().parse().map_err(|_| ChainFault::Signing("not a valid private key".into()))
}

/// Nodes word it differently when they hold a transaction, or a later one of the nonce, already.
fn is_known_already(error: &TransportError) -> bool {
    const WORDS: [&str; 4] = ["already known", "already imported", "already in mempool", "nonce too low"];
    match error {
        RpcError::ErrorResp(payload) => {
            let message = payload.message.to_lowercase();
            WORDS.iter().any(|words| message.contains(words))
        }
        _ => false,
    }
}
