//! The chain: reading it, signing and sending calls. It knows no contract of ours, and is the only holder of keys.

pub mod answers;
pub mod call;
pub mod envelope;
pub mod error;
pub mod fees;
pub mod floor;
pub mod read;
pub mod read_only_proxy;
pub mod rehearsal;
pub mod revert;
pub mod rpc;
mod sending;
pub mod signer;
mod signing;
pub mod wallet;

use std::time::Duration;

use alloy::eips::BlockNumberOrTag;
use alloy::eips::eip2718::Encodable2718;
use alloy::network::{NetworkTransactionBuilder, TransactionBuilder};
use alloy::primitives::{Address, B256, U256};
use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use alloy::transports::{RpcError, TransportError};

use error::ChainError;
use floor::Floor;
use read::Reader;
use rpc::error_class::{ErrorClass, meaning};
use signer::Signer;
use veriregime_core::types::attestation::Attestation;
use veriregime_core::types::cycle::{Attempt, Purpose};
use veriregime_core::types::rpc_url::RpcUrl;
use wallet::Wallet;

/// Gas limit over the estimate: the verifier's cost hardly varies, storage and calldata do a little.
const GAS_MARGIN_PERCENT: u64 = 20;
/// Bytes of a transaction beside its calldata, rounded up.
const ENVELOPE_BYTES: usize = 200;
/// No transaction may ask for more than this.
const MAX_GAS_LIMIT: u64 = 10_000_000;

/// How to reach a chain, and what to pay there.
#[derive(Debug, Clone)]
pub struct Settings {
    /// At least one; reads prefer the first.
    pub rpc_urls: Vec<RpcUrl>,
    pub chain_id: u64,
    pub fees: fees::Policy,
    /// An RPC whose newest block is older than another's by more is not asked.
    pub max_head_lag: Duration,
    /// Longest wait for one answer.
    pub request_timeout: Duration,
    /// A transaction that is not mined by then is replaced.
    pub replace_after: Duration,
}

/// A connection with a wallet.
#[derive(Debug, Clone)]
pub struct Chain {
    /// For everything that needs no key.
    pub read: Reader,
    pub wallet: Wallet,
    attestor: Signer,
}

impl Chain {
    /// Prepares the connection; nothing is sent yet. The wallet attests, unless [`Chain::with_attestor`] says otherwise.
    ///
    /// # Errors
    /// [`ChainError::Unreachable`] for a system that cannot make connections.
    pub fn new(settings: Settings, wallet: Signer) -> Result<Self, ChainError> {
        Ok(Self::over(Reader::new(settings)?, wallet))
    }

    /// A wallet on a connection that others use, too. It attests, unless [`Chain::with_attestor`] says otherwise.
    pub fn over(read: Reader, wallet: Signer) -> Self {
        Self { wallet: Wallet::new(&wallet), read, attestor: wallet }
    }

    /// Lets another key than the wallet's attest.
    #[must_use]
    pub fn with_attestor(self, attestor: Signer) -> Self {
        Self { attestor, ..self }
    }

    /// The address that attestations come from.
    pub fn attestor(&self) -> Address {
        self.attestor.address()
    }

    /// The wallet's address.
    pub fn address(&self) -> Address {
        self.wallet.address()
    }

    /// The next nonce by the newest block: whatever is still waiting is meant to be replaced.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn nonce(&self) -> Result<u64, ChainError> {
        self.read.nonce(self.wallet.address()).await
    }

    /// How many transactions the wallet has sent, those that wait to be mined included.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn sent(&self) -> Result<u64, ChainError> {
        let pending = self.read.provider.get_transaction_count(self.wallet.address()).pending().await?;
        // Some RPCs know of no pool.
        Ok(pending.max(self.nonce().await?))
    }

    /// Whether none of the wallet's transactions is on its way.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn is_idle(&self) -> Result<bool, ChainError> {
        Ok(self.sent().await? == self.nonce().await?)
    }

    /// Sends signed bytes to every RPC. That one has them already is no error, and one that takes them is enough.
    ///
    /// # Errors
    /// [`ChainError::Underpriced`] where none takes them at their price, else [`ChainError`].
    pub async fn broadcast(&self, attempt: &Attempt) -> Result<(), ChainError> {
        match self.read.provider.send_raw_transaction(&attempt.raw).await {
            Ok(_) => Ok(()),
            Err(error) if is_known_already(&error) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// This node's attestation of `digest`.
    ///
    /// # Errors
    /// [`ChainError::Signing`].
    pub async fn attest(&self, digest: B256) -> Result<Attestation, ChainError> {
        let signature = self.attestor.sign(digest).await?.as_bytes().to_vec();
        Ok(Attestation { signer: self.attestor(), signature: signature.into() })
    }

    /// Simulates a call and signs it, where it replaces another transaction for that much at least. Nothing is sent.
    ///
    /// # Errors
    /// [`ChainError::Rejected`] with what the contract gives back, [`ChainError::EmptyWallet`],
    /// [`ChainError::FeeAboveCap`], else [`ChainError`].
    pub async fn sign(
        &self,
        purpose: Purpose,
        request: impl Into<TransactionRequest>,
        nonce: u64,
        replaces: Option<Floor>,
    ) -> Result<Attempt, ChainError> {
        let caps = self.read.settings.fees.caps();
        let cap_wei = match purpose {
            Purpose::Action => caps.max_fee_per_gas_wei,
            Purpose::Cancel => caps.max_cancel_fee_per_gas_wei,
        };
        let request: TransactionRequest = request.into();
        let request = request.with_from(self.wallet.address()).with_chain_id(self.read.settings.chain_id);
        // Without the nonce, since others of the wallet may wait to be mined before it. On the pending block, whose time is now:
        // the newest one of a quiet chain may lie in the period before. But a transaction that is to be replaced may be in the
        // pending block already, and stand in its own way.
        let block = if replaces.is_some() { BlockNumberOrTag::Latest } else { BlockNumberOrTag::Pending };
        let estimate = self.read.provider.estimate_gas(request.clone()).block(block.into());
        let bytes = request.input.input().map_or(0, |input| input.len()) + ENVELOPE_BYTES;
        // What the price must not be above comes before what the call would do.
        let offer = async {
            let head = self.read.head().await?;
            fees::offer(head.base_fee_wei, caps.priority_fee_wei, cap_wei, replaces.unwrap_or_default())
        };
        let (offer, estimate, data_fee_wei, balance_wei) = tokio::join!(
            offer,
            estimate.into_future(),
            self.read.data_fee_wei(bytes),
            self.read.balance_wei(self.wallet.address()),
        );
        let offer = offer?;
        let gas_limit = (estimate?.saturating_mul(100 + GAS_MARGIN_PERCENT) / 100).min(MAX_GAS_LIMIT);
        let gas_wei = U256::from(gas_limit) * U256::from(offer.max_fee_per_gas_wei);
        self.check_balance(balance_wei?, gas_wei.saturating_add(data_fee_wei?))?;
        let envelope = request
            .with_nonce(nonce)
            .with_gas_limit(gas_limit)
            .with_max_fee_per_gas(offer.max_fee_per_gas_wei)
            .with_max_priority_fee_per_gas(offer.priority_fee_wei)
            .build(self.wallet.key())
            .await
            .map_err(|error| ChainError::Signing(error.to_string()))?;
        Ok(Attempt {
            purpose,
            wallet: self.wallet.address(),
            nonce,
            hash: *envelope.tx_hash(),
            raw: envelope.encoded_2718().into(),
            max_fee_per_gas_wei: offer.max_fee_per_gas_wei,
            priority_fee_wei: offer.priority_fee_wei,
        })
    }

    fn check_balance(&self, balance_wei: U256, needed_wei: U256) -> Result<(), ChainError> {
        if balance_wei >= needed_wei {
            return Ok(());
        }
        Err(ChainError::EmptyWallet { wallet: self.wallet.address(), balance_wei, needed_wei })
    }
}

/// A node that holds the transaction, or that saw its nonce used up, has nothing against it.
fn is_known_already(error: &TransportError) -> bool {
    match error {
        RpcError::ErrorResp(payload) => matches!(meaning(payload), ErrorClass::Known | ErrorClass::NonceUsed),
        _ => false,
    }
}
