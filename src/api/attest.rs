//! `POST /v1/attest`: another operator asks this node to sign what they are about to publish.

use std::sync::Arc;

use alloy::primitives::{Address, B256, U256};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Shared;
use crate::api::error::{ApiError, ErrorBody};
use crate::attestation::statement::Statement;
use veriregime_core::hedge::prices::Prices;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::stated::Stated;
use veriregime_core::yields::level::Level;

/// All that the contract will be told, but for the proof.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AttestBody {
    /// The chain's id.
    chain_id: u64,
    /// The contract's address there.
    #[schema(value_type = String)]
    oracle: Address,
    /// The registry of the contract's models and attestors, 0x-hex.
    #[schema(value_type = String)]
    registry: Address,
    /// The model, as the contract calls it.
    #[schema(value_type = String)]
    model_id: B256,
    /// Number of the period: Unix seconds divided by the `period_seconds` of its model.
    period: u64,
    /// Version of the contract's attestor set.
    attestor_set_version: u32,
    /// Markets that the update leaves as they are, bit i being the model's i-th; 0 where it serves all.
    #[serde(default)]
    omitted_markets: u32,
    /// The proof's public inputs, 0x-hex: features of all markets, then outputs of all markets. Empty where `prices` are stated.
    #[schema(value_type = Vec<String>)]
    instances: Vec<U256>,
    /// What is stated beside a forecast, in place of it.
    #[serde(default)]
    prices: Option<StatedBody>,
}

/// What is stated beside a country's forecast of electricity, or a strategy's of its yield.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub(super) enum StatedBody {
    /// Of electricity.
    Prices(PricesBody),
    /// Of a yield.
    Level(LevelBody),
}

/// The level that a strategy's forecast begins with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LevelBody {
    /// Last day of the data, counted from 1970-01-01.
    day: u32,
    /// sign · ln(1 + |r|) of the mean rate r of the 7 days up to it, in percent a year; times 1e9.
    level_e9: i64,
    /// What the size of an error is multiplied with for half of the interval; times 1e9.
    factor_e9: u64,
}

impl From<StatedBody> for Stated {
    fn from(body: StatedBody) -> Self {
        match body {
            StatedBody::Prices(PricesBody { eur_per_mwh_e6, usd_per_eur_e6 }) => {
                Prices { eur_per_mwh_e6, usd_per_eur_e6 }.into()
            }
            StatedBody::Level(LevelBody { day, level_e9, factor_e9 }) => Level { day, level_e9, factor_e9 }.into(),
        }
    }
}

/// Prices of a country's electricity and of the euro.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PricesBody {
    /// Mean price of the last 30 days in EUR/MWh, times 1e6.
    eur_per_mwh_e6: u64,
    /// Dollars for a euro, times 1e6.
    usd_per_eur_e6: u64,
}

/// An EIP-712 signature of an attestor.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Attested {
    /// Who signed.
    #[schema(value_type = String)]
    signer: Address,
    /// 65 bytes, 0x-hex.
    signature: String,
}

/// Signs the inputs and outputs of an update if this node's own candles and model give the same, integer by integer. Of each
/// market it signs one row for each period and model, and the same one as often as it is asked, with others or without.
#[utoipa::path(post, path = "/v1/attest", request_body = AttestBody, responses(
    (status = 200, description = "signed", body = Attested),
    (status = 400, description = "a body that makes no sense", body = ErrorBody),
    (status = 404, description = "this node does not attest for others", body = ErrorBody),
    (status = 409, description = "not what this node would publish", body = ErrorBody),
    (status = 413, description = "the body is too large", body = ErrorBody),
    (status = 429, description = "too many requests", body = ErrorBody),
    (status = 503, description = "not at the moment", body = ErrorBody),
))]
pub(super) async fn attest(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<AttestBody>, JsonRejection>,
) -> Result<Json<Attested>, ApiError> {
    let attests = shared.jobs.all().any(|(_, job)| job.is_some_and(|job| job.notary.is_some()));
    let Json(body) = if attests { body? } else { return Err(ApiError::NoRoute) };
    let notary = shared.jobs.notary(body.chain_id, body.oracle).ok_or(ApiError::NoRoute)?;
    let request = Statement {
        chain_id: body.chain_id,
        oracle: body.oracle,
        registry: body.registry,
        model_id: body.model_id,
        period: PeriodId(body.period),
        attestor_set_version: body.attestor_set_version,
        omitted_markets: OmittedMarkets::from_bits(body.omitted_markets),
        instances: body.instances,
        prices: body.prices.map(Stated::from),
    };
    let attestation = notary.attest(&request).await?;
    Ok(Json(Attested { signer: attestation.signer, signature: attestation.signature.to_string() }))
}
