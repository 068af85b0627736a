//! Putting the contracts on a chain: verifier, oracle, markets with their policies, model, submitter.

use alloy::primitives::aliases::U24;
use alloy::primitives::{Address, B256, Bytes};
use serde::Serialize;

use super::abi::IRegimeRiskOracle::{Bounds, ModelSpec, Policy, RiskVector};
use super::abi::RiskOracle;
use super::fault::ChainFault;
use super::{Chain, Expected};
use crate::types::digest::Digest;
use crate::types::manifest::Manifest;
use crate::types::period::PeriodId;

/// What was deployed.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Deployment {
    /// The generated verifier.
    pub verifier: Address,
    /// The risk oracle.
    pub oracle: Address,
    /// The registered model.
    pub model_id: B256,
}

/// What a deployment needs of a bundle.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    pub manifest: &'a Manifest,
    pub expected: &'a Expected,
    pub onnx: Digest,
    /// Creation code of the verifier.
    pub verifier_bytecode: Bytes,
    pub submitter: Address,
}

/// The policy that a new market starts with: 150 % collateral and 5 bps fee in calm hours, 180 % and 30 bps in turbulent
/// ones, liquidation at 130 % always; overdue after 6 hours, stale after 12.
pub fn starting_policy() -> Policy {
    Policy {
        calm: RiskVector {
            borrowCollateralRatioBps: U24::from(15_000),
            ammFeePips: U24::from(500),
            borrowCapFactorBps: 10_000,
        },
        turbulent: RiskVector {
            borrowCollateralRatioBps: U24::from(18_000),
            ammFeePips: U24::from(3_000),
            borrowCapFactorBps: 6_000,
        },
        liquidationCollateralRatioBps: U24::from(13_000),
        graceAfterSeconds: 21_600,
        staleAfterSeconds: 43_200,
    }
}

/// The limits within which the market's owner may change that policy.
fn starting_bounds() -> Bounds {
    Bounds {
        minBorrowCollateralRatioBps: U24::from(11_000),
        maxBorrowCollateralRatioBps: U24::from(40_000),
        minAmmFeePips: U24::from(0),
        maxAmmFeePips: U24::from(20_000),
    }
}

/// Deploys everything with the chain's wallet as owner of the contract and of its markets.
///
/// # Errors
/// [`ChainFault`]; what was deployed before it stays.
pub async fn deploy(chain: &Chain, plan: &Plan<'_>) -> Result<Deployment, ChainFault> {
    chain.read.check_chain_id().await?;
    let verifier = chain.create(plan.verifier_bytecode.clone()).await?;
    let owner = chain.address();
    let code = RiskOracle::deploy_builder(&chain.read.provider, owner).calldata().clone();
    let oracle = chain.create(code).await?;
    let contract = RiskOracle::new(oracle, &chain.read.provider);
    for market in &plan.expected.markets {
        let register = contract.registerMarket(*market, owner, starting_bounds());
        chain.send(register.into_transaction_request()).await?;
        chain.send(contract.setPolicy(*market, starting_policy()).into_transaction_request()).await?;
    }
    chain.send(contract.registerModel(model_spec(plan, verifier)).into_transaction_request()).await?;
    chain.send(contract.setSubmitter(plan.submitter, true).into_transaction_request()).await?;
    let model_id = chain.read.model_id(oracle, plan.expected).await?;
    Ok(Deployment { verifier, oracle, model_id })
}

fn model_spec(plan: &Plan<'_>, verifier: Address) -> ModelSpec {
    let features = &plan.manifest.features;
    let circuit = &plan.manifest.circuit;
    debug_assert_eq!(plan.expected.calendar_table.len() as u64, PeriodId::PER_WEEK);
    ModelSpec {
        verifier,
        verifierCodeHash: plan.expected.verifier_code_hash,
        manifestSha256: plan.expected.manifest.0.into(),
        verifyingKeySha256: plan.expected.verifying_key.0.into(),
        onnxSha256: plan.onnx.0.into(),
        candleFeatureCount: features.candle.len() as u16,
        calendarFeatureCount: features.calendar.len() as u16,
        inputScale: features.input_scale as u8,
        outputScale: circuit.output_scale as u8,
        featureBound: features.bound().unsigned_abs(),
        proofLength: circuit.proof_bytes as u32,
        markets: plan.expected.markets.clone(),
        calendarTable: plan.expected.calendar_table.concat(),
    }
}
