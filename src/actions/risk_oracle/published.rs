//! Updates that are on chain: found by their events, with the arguments of their transactions.

use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::primitives::{Address, B256, U256};
use alloy::rpc::types::Log;
use alloy::sol_types::SolEvent;

use super::abi::oracle::RiskOracle;
use super::abi::registry::ModelRegistry;
use super::packed::{unpack_features, unpack_outputs};
use super::read::{omitted_markets, period as checked_period};
use super::update::submitted;
use crate::actions::sent::Sent;
use crate::attestation::statement::{Statement, is_by_its_signer, split};
use crate::chain::answers;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use veriregime_core::types::attestation::Attestation;
use veriregime_core::types::period::{Grid, PeriodId};
use veriregime_core::types::update::{Arguments, PublishedUpdate};

/// Whether an attestation of an update is what it should be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AttestorCheck {
    /// Who is said to have signed.
    pub attestor: Address,
    /// Whether the signature is theirs; `None` for a contract's, which only the chain could ask, and for one that only the
    /// chain has seen.
    pub signed: Option<bool>,
    /// Whether they were in the set when the update landed; `None` where the RPC has no state of that time.
    pub in_set: Option<bool>,
}

impl Reader {
    /// The update of a model for a period, `None` where the chain has none.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn published(
        &self,
        oracle: Address,
        model_id: B256,
        grid: Grid,
        period: PeriodId,
    ) -> Result<Option<PublishedUpdate>, ChainError> {
        Ok(self.updates(oracle, grid, period).await?.into_iter().find(|update| update.model_id == model_id))
    }

    /// The update that a transaction brought, `None` where it brought none.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn published_in(
        &self,
        oracle: Address,
        transaction: B256,
    ) -> Result<Option<PublishedUpdate>, ChainError> {
        let Some(receipt) = self.receipt(transaction).await? else { return Ok(None) };
        let is_update =
            |log: &&Log| log.address() == oracle && log.topic0() == Some(&RiskOracle::UpdateAccepted::SIGNATURE_HASH);
        match receipt.logs.iter().find(is_update) {
            Some(log) => self.read_update(oracle, log).await.map(Some),
            None => Ok(None),
        }
    }

    /// The update behind an event.
    pub(crate) async fn read_update(&self, oracle: Address, log: &Log) -> Result<PublishedUpdate, ChainError> {
        let refused = |what: &str| ChainError::Refused(what.into());
        let event = RiskOracle::UpdateAccepted::decode_log(&log.inner)
            .map_err(|error| ChainError::Refused(error.to_string()))?
            .data;
        let transaction = log.transaction_hash.ok_or_else(|| refused("an event without its transaction"))?;
        let sent = self.sent(transaction).await?;
        let sent = sent.ok_or_else(|| refused("an event's transaction is unknown"))?;
        let called = submitted(&sent.input).filter(|_| sent.to == Some(oracle));
        let update = PublishedUpdate {
            model_id: event.modelId,
            period: checked_period(event.period)?,
            relayer: event.relayer,
            omitted_markets: omitted_markets(event.omittedMarkets)?,
            candle_features: unpack_features(&event.features),
            outputs: unpack_outputs(&event.outputs),
            proof_hash: event.proofHash,
            attestor_set_version: event.attestorSetVersion,
            transaction,
            block: answers::height(log.block_number)?,
            arguments: called.map(|call| Arguments { proof: call.proof, attestations: call.attestations }),
            signers: event.signers,
        };
        if update.arguments.is_some() {
            return Ok(PublishedUpdate { signers: Vec::new(), ..update });
        }
        match self.relayed(oracle, &update, &sent.input).await? {
            Some(arguments) => Ok(PublishedUpdate { arguments: Some(arguments), signers: Vec::new(), ..update }),
            None => Ok(update),
        }
    }

    /// Whoever attested an update by its event, and whether they were in the set at the update's block.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn told_attestors(
        &self,
        oracle: Address,
        update: &PublishedUpdate,
    ) -> Result<Vec<AttestorCheck>, ChainError> {
        let told = update.signers.iter().map(|signer| AttestorCheck { attestor: *signer, signed: None, in_set: None });
        let mut checks: Vec<_> = told.collect();
        self.check_membership(self.registry_of(oracle).await?, update.block, &mut checks).await;
        Ok(checks)
    }

    /// Each attestation of an update: its signature, and whether its signer was in the set at the update's block.
    ///
    /// # Errors
    /// [`ChainError::Refused`] for attestations that cannot be taken apart.
    pub async fn attestors(
        &self,
        oracle: Address,
        update: &PublishedUpdate,
        arguments: &Arguments,
        instances: &[U256],
    ) -> Result<Vec<AttestorCheck>, ChainError> {
        let registry = self.registry_of(oracle).await?;
        let mut checks = signatures(self.settings.chain_id, registry, update, arguments, instances)?;
        self.check_membership(registry, update.block, &mut checks).await;
        Ok(checks)
    }

    async fn check_membership(&self, registry: Address, block: u64, checks: &mut [AttestorCheck]) {
        let contract = ModelRegistry::new(registry, &self.provider);
        // With the block before: a set that is replaced after the update in the same block was the one that counted.
        let blocks = [block, block.saturating_sub(1)].map(|block| BlockId::Number(BlockNumberOrTag::Number(block)));
        for check in checks {
            for block in blocks {
                if check.in_set != Some(true) {
                    check.in_set = contract.isAttestor(check.attestor).block(block).call().await.ok().or(check.in_set);
                }
            }
        }
    }
}

/// Each attestation of an update and whether its signature is its signer's. Nobody is asked about the set.
///
/// # Errors
/// [`ChainError::Refused`] for attestations that cannot be taken apart.
pub fn signatures(
    chain_id: u64,
    registry: Address,
    update: &PublishedUpdate,
    arguments: &Arguments,
    instances: &[U256],
) -> Result<Vec<AttestorCheck>, ChainError> {
    let statement = Statement {
        chain_id,
        oracle: Address::ZERO, // not signed
        registry,
        model_id: update.model_id,
        period: update.period,
        attestor_set_version: update.attestor_set_version,
        omitted_markets: update.omitted_markets,
        instances: instances.to_vec(),
        prices: None,
    };
    let digest = statement.digest();
    let check = |attestation: Attestation| AttestorCheck {
        attestor: attestation.signer,
        signed: is_by_its_signer(&attestation, digest),
        in_set: None,
    };
    Ok(split(&arguments.attestations)?.into_iter().map(check).collect())
}

/// Whether `calldata` is the call of `submit` that brings just this update.
pub fn brings(calldata: &[u8], update: &PublishedUpdate) -> bool {
    submitted(calldata).is_some_and(|sent| {
        let sent = Sent {
            model_id: sent.modelId,
            period: sent.period,
            omitted: sent.omittedMarkets,
            features: &sent.features,
            outputs: &sent.outputs,
            proof: &sent.proof,
            attestations: &sent.attestations,
        };
        sent.is(update)
    })
}
