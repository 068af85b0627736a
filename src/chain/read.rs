//! Reading the chain: blocks, receipts, accounts, events.

use std::ops::Range;

use alloy::contract::Error as ContractError;
use alloy::eips::BlockNumberOrTag;
use alloy::network::{Ethereum, TransactionBuilder};
use alloy::primitives::{Address, B256, Bytes, U256, address};
use alloy::providers::{Provider, ProviderBuilder, RootProvider};
use alloy::rpc::client::RpcClient;
use alloy::rpc::types::{Filter, Log, TransactionRequest};
use alloy::transports::{RpcError, TransportError};

use super::Settings;
use super::answers::{self, Block, Receipt, Sent};
use super::fees::Policy;
use super::rpc::Rpcs;
use super::rpc::endpoints::EndpointState;
use crate::chain::error::ChainError;
use veriregime_core::types::cycle::{Landed, Mined};

/// Blocks under the newest one count as final from this depth on, where the chain does not say which are.
const FINAL_DEPTH: u64 = 64;

/// Most blocks that one call asks events of; public RPCs allow few more.
const LOG_BLOCKS: u64 = 2_000;
/// Where every OP stack has it (Optimism's specification, predeploys).
const OP_GAS_PRICE_ORACLE: Address = address!("420000000000000000000000000000000000000F");

/// A connection that only reads.
#[derive(Debug, Clone)]
pub struct Reader {
    pub(crate) provider: RootProvider<Ethereum>,
    pub(crate) settings: Settings,
    rpcs: Rpcs,
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

alloy::sol! {
    /// What an OP stack says of the L1 part of a fee (since its Fjord upgrade).
    #[sol(rpc)]
    interface GasPriceOracle {
        function getL1FeeUpperBound(uint256 unsignedTxSize) external view returns (uint256);
    }
}

impl Reader {
    /// Prepares the connection; nothing is sent yet.
    ///
    /// # Errors
    /// [`ChainError::Unreachable`] for a system that cannot make connections.
    pub fn new(settings: Settings) -> Result<Self, ChainError> {
        let rpcs = Rpcs::new(&settings)?;
        let client = RpcClient::new(rpcs.clone(), false);
        let provider = ProviderBuilder::new().disable_recommended_fillers().connect_client(client);
        Ok(Self { provider, settings, rpcs })
    }

    /// How each RPC is, in the order of the settings.
    pub fn endpoints(&self) -> Vec<EndpointState> {
        self.rpcs.endpoints()
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
        Ok(!self.code(address).await?.is_empty())
    }

    /// The code at `address`; empty where there is none.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn code(&self, address: Address) -> Result<Bytes, ChainError> {
        Ok(self.provider.get_code_at(address).await?)
    }

    /// What a contract answers to a call at the newest block, which may use so much gas.
    ///
    /// # Errors
    /// [`ChainError::Rejected`] where it refuses, else [`ChainError`].
    pub async fn call(&self, to: Address, data: Bytes, gas: u64) -> Result<Bytes, ChainError> {
        let request = TransactionRequest::default().with_to(to).with_input(data).with_gas_limit(gas);
        Ok(self.provider.call(request).await?)
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

    /// The events of these blocks, asked for in pieces.
    ///
    /// # Errors
    /// [`ChainError`].
    pub(crate) async fn logs(&self, filter: &Filter, blocks: Range<u64>) -> Result<Vec<Log>, ChainError> {
        let (mut from, mut found) = (blocks.start, Vec::new());
        while from < blocks.end {
            let to = from.saturating_add(LOG_BLOCKS).min(blocks.end);
            found.extend(self.provider.get_logs(&filter.clone().from_block(from).to_block(to - 1)).await?);
            from = to;
        }
        Ok(found)
    }

    /// The first block whose time is not before `seconds`, at most one more than `newest`.
    ///
    /// # Errors
    /// [`ChainError`].
    pub(crate) async fn first_block_at(&self, seconds: i64, newest: u64) -> Result<u64, ChainError> {
        let (mut low, mut high) = (0, newest.saturating_add(1));
        while low < high {
            let middle = low + (high - low) / 2;
            let block = self.block(BlockNumberOrTag::Number(middle)).await?;
            let block = block.ok_or_else(|| ChainError::Refused(format!("the RPC has no block {middle}")))?;
            if block.timestamp.cast_signed() < seconds {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}
