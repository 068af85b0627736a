//! Reading the chain: blocks, receipts, and what the contract says.

use alloy::contract::Error as ContractError;
use alloy::eips::BlockNumberOrTag;
use alloy::network::Ethereum;
use alloy::primitives::{Address, B256, U256, address};
use alloy::providers::{Provider, ProviderBuilder, RootProvider};
use alloy::rpc::client::RpcClient;
use alloy::sol_types::SolValue;
use alloy::transports::{RpcError, TransportError};

use super::Settings;
use super::answers::{self, Block, Receipt, Sent};
use super::fees::Policy;
use super::rpc::Rpcs;
use crate::actions::risk_oracle::abi::IRegimeRiskOracle::ModelSpec;
use crate::actions::risk_oracle::abi::{GasPriceOracle, RiskOracle};
use crate::actions::risk_oracle::spec::Expected;
use crate::chain::error::ChainError;
use veriregime_core::types::cycle::{Landed, Mined};
use veriregime_core::types::period::PeriodId;

/// Blocks under the newest one count as final from this depth on, where the chain does not say which are.
const FINAL_DEPTH: u64 = 64;

/// Where every OP stack has it (Optimism's specification, predeploys).
const OP_GAS_PRICE_ORACLE: Address = address!("420000000000000000000000000000000000000F");

/// A connection that only reads.
#[derive(Debug, Clone)]
pub struct Reader {
    pub(crate) provider: RootProvider<Ethereum>,
    pub(crate) settings: Settings,
}

/// A contract's attestor set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttestorSet {
    /// Goes up with each change.
    pub version: u32,
    /// How many of its members must attest.
    pub threshold: u8,
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

/// What a market's parameters can be by the contract: its `Status` in words, in its order.
pub const STATUS_WORDS: [&str; 5] = ["unset", "fresh", "grace", "stale", "withheld"];

/// The contract's `Status` in a word.
pub fn status_word(status: u8) -> &'static str {
    STATUS_WORDS[usize::from(status).min(STATUS_WORDS.len() - 1)]
}

impl Reader {
    /// Prepares the connection; nothing is sent yet.
    ///
    /// # Errors
    /// [`ChainError::Unreachable`] for a system that cannot make connections.
    pub fn new(settings: Settings) -> Result<Self, ChainError> {
        let client = RpcClient::new(Rpcs::new(&settings)?, false);
        let provider = ProviderBuilder::new().disable_recommended_fillers().connect_client(client);
        Ok(Self { provider, settings })
    }

    /// The chain that the settings name.
    pub fn chain_id(&self) -> u64 {
        self.settings.chain_id
    }

    /// What may be paid.
    pub fn fees(&self) -> &Policy {
        &self.settings.fees
    }

    /// Refuses an RPC that is on another chain than the settings say.
    ///
    /// # Errors
    /// [`ChainError::WrongChain`] or [`ChainError::Unreachable`].
    pub async fn check_chain_id(&self) -> Result<(), ChainError> {
        let actual = self.provider.get_chain_id().await?;
        if actual == self.settings.chain_id {
            return Ok(());
        }
        Err(ChainError::WrongChain { expected: self.settings.chain_id, actual })
    }

    /// Whether there is a contract at the address.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn has_code(&self, address: Address) -> Result<bool, ChainError> {
        Ok(!self.provider.get_code_at(address).await?.is_empty())
    }

    /// The newest block.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn head(&self) -> Result<Head, ChainError> {
        let block = self.block(BlockNumberOrTag::Latest).await?;
        let block = block.ok_or_else(|| ChainError::Refused("the RPC has no newest block".into()))?;
        Ok(Head {
            number: answers::height(block.number)?,
            timestamp_seconds: block.timestamp.cast_signed(),
            base_fee_wei: block.base_fee_per_gas.unwrap_or(0).into(),
        })
    }

    /// Unix seconds of the block that a transaction would come into. A quiet chain's newest block may be old.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn next_block_seconds(&self) -> Result<u64, ChainError> {
        match self.block(BlockNumberOrTag::Pending).await {
            Ok(Some(block)) => Ok(block.timestamp),
            _ => Ok(self.head().await?.timestamp_seconds.unsigned_abs()),
        }
    }

    pub(crate) async fn block(&self, at: BlockNumberOrTag) -> Result<Option<Block>, TransportError> {
        self.provider.raw_request("eth_getBlockByNumber".into(), (at, false)).await
    }

    pub(crate) async fn sent(&self, hash: B256) -> Result<Option<Sent>, TransportError> {
        self.provider.raw_request("eth_getTransactionByHash".into(), (hash,)).await
    }

    /// What became of a transaction; `None` while the chain has nothing of it.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn receipt(&self, hash: B256) -> Result<Option<Receipt>, ChainError> {
        Ok(self.provider.raw_request("eth_getTransactionReceipt".into(), (hash,)).await?)
    }

    /// The id of the model that serves the expected markets, after checking that it is the bundle's.
    ///
    /// # Errors
    /// [`ChainError::NoContract`] or [`ChainError::ForeignModel`], else [`ChainError`].
    pub async fn model_id(&self, oracle: Address, expected: &Expected) -> Result<B256, ChainError> {
        if !self.has_code(oracle).await? {
            return Err(ChainError::NoContract(oracle));
        }
        let contract = RiskOracle::new(oracle, &self.provider);
        let foreign = |what: &str| ChainError::ForeignModel(what.into());
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
    /// [`ChainError`].
    pub async fn model_spec(&self, oracle: Address, model_id: B256) -> Result<ModelSpec, ChainError> {
        let encoded = RiskOracle::new(oracle, &self.provider).modelSpec(model_id).call().await?;
        ModelSpec::abi_decode(&encoded).map_err(|error| ChainError::Refused(error.to_string()))
    }

    /// The last period for which the model landed an update.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn latest_period(&self, oracle: Address, model_id: B256) -> Result<PeriodId, ChainError> {
        answers::period(RiskOracle::new(oracle, &self.provider).latestPeriod(model_id).call().await?)
    }

    /// The same as of a block; `None` where the RPC has no state of it, or there was no contract yet.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn latest_period_at(
        &self,
        oracle: Address,
        model_id: B256,
        block: u64,
    ) -> Result<Option<PeriodId>, ChainError> {
        let contract = RiskOracle::new(oracle, &self.provider);
        match contract.latestPeriod(model_id).block(block.into()).call().await.map_err(ChainError::from) {
            Ok(period) => answers::period(period).map(Some),
            Err(ChainError::Refused(_) | ChainError::Rejected(_)) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// The contract's attestor set.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn attestor_set(&self, oracle: Address) -> Result<AttestorSet, ChainError> {
        let set = RiskOracle::new(oracle, &self.provider).attestorSet().call().await?;
        Ok(AttestorSet { version: set.version, threshold: set.threshold })
    }

    /// Whether an account is in the contract's attestor set.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn is_attestor(&self, oracle: Address, account: Address) -> Result<bool, ChainError> {
        Ok(RiskOracle::new(oracle, &self.provider).isAttestor(account).call().await?)
    }

    /// A market's parameters and their status.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn params(&self, oracle: Address, market: B256) -> Result<RiskOracle::paramsReturn, ChainError> {
        Ok(RiskOracle::new(oracle, &self.provider).params(market).call().await?)
    }

    /// What a market's last update leads to, and when.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn pending(&self, oracle: Address, market: B256) -> Result<RiskOracle::pendingReturn, ChainError> {
        Ok(RiskOracle::new(oracle, &self.provider).pending(market).call().await?)
    }

    /// An account's next nonce by the newest block.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn nonce(&self, account: Address) -> Result<u64, ChainError> {
        Ok(self.provider.get_transaction_count(account).latest().await?)
    }

    /// What an account holds, in wei.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn balance_wei(&self, account: Address) -> Result<U256, ChainError> {
        Ok(self.provider.get_balance(account).await?)
    }

    /// The most that the L1 part of a transaction of so many bytes costs on an OP stack, in wei, which is paid beside its gas;
    /// nothing on other chains.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn data_fee_wei(&self, bytes: usize) -> Result<U256, ChainError> {
        let contract = GasPriceOracle::new(OP_GAS_PRICE_ORACLE, &self.provider);
        match contract.getL1FeeUpperBound(U256::from(bytes)).call().await {
            Ok(fee_wei) => Ok(fee_wei),
            Err(ContractError::TransportError(error)) => match ChainError::from(error) {
                ChainError::Rejected(_) => Ok(U256::ZERO),
                fault => Err(fault),
            },
            // There is no such contract.
            Err(_) => Ok(U256::ZERO),
        }
    }

    /// What became of the transaction, `None` while it is in no block.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn mined(&self, hash: B256) -> Result<Option<Mined>, ChainError> {
        Ok(self.receipt(hash).await?.and_then(|receipt| {
            let block = receipt.block_number?;
            let landed = Landed { hash, block, gas_used: receipt.gas_used };
            Some(if receipt.succeeded() { Mined::Landed(landed) } else { Mined::Reverted { block } })
        }))
    }

    /// Gas times price of a mined transaction; `None` while it is in no block, or where the RPC does not tell the price.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn fee_wei(&self, hash: B256) -> Result<Option<u128>, ChainError> {
        let paid = |receipt: Receipt| Some(u128::from(receipt.gas_used) * u128::from(receipt.effective_gas_price?));
        Ok(self.receipt(hash).await?.and_then(paid))
    }

    /// Height of the newest block that the chain will not drop any more: the one that it calls final, or one well below
    /// the newest where it has no such word.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn final_block(&self) -> Result<u64, ChainError> {
        match self.block(BlockNumberOrTag::Finalized).await {
            Ok(Some(block)) => answers::height(block.number),
            // Chains without the word answer with nothing, or with an error of their own.
            Ok(None) | Err(RpcError::ErrorResp(_)) => Ok(self.head().await?.number.saturating_sub(FINAL_DEPTH)),
            Err(error) => Err(error.into()),
        }
    }
}
