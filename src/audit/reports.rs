//! What comes out of the audits of contracts that take one market's forecast.

use alloy::primitives::B256;
use serde::Serialize;

use super::checks::Findings;
use veriregime_core::types::evidence::YieldFigures;
use veriregime_core::types::period::PeriodId;

/// What came out for one week's sale.
#[derive(Debug, Serialize)]
pub struct SaleReport {
    /// The job of the settings whose vault it is.
    pub job: String,
    pub period: PeriodId,
    pub transaction: B256,
    pub block: u64,
    pub sold_sats: u64,
    pub usdc: u64,
    #[serde(flatten)]
    pub found: Findings,
}

/// What came out for one day's forecast.
#[derive(Debug, Serialize)]
pub struct PublicationReport {
    /// The job of the settings whose feed it is.
    pub job: String,
    pub period: PeriodId,
    pub transaction: B256,
    pub block: u64,
    pub figures: YieldFigures,
    #[serde(flatten)]
    pub found: Findings,
}
