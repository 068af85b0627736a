//! What a list of cycles tells of a strategy's forecast.

use serde::Serialize;
use utoipa::ToSchema;

use veriregime_core::types::cycle::Forecast;
use veriregime_core::types::stated::Stated;
use veriregime_core::types::time::format_day;
use veriregime_core::yields::model::told;

/// What a strategy is forecast to yield in the 7 days after its data: shares of 1 a year.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct YieldView {
    /// Last day of the data.
    #[schema(example = "2026-01-04")]
    pub as_of: String,
    /// Mean rate.
    pub apy: f64,
    /// Standard deviation of the daily rate.
    pub volatility: f64,
    /// Ends of the mean rate's 90 % interval.
    pub interval: [f64; 2],
}

impl YieldView {
    /// Of a stored forecast; nothing for one of something else.
    pub(super) fn of(forecast: &Forecast, scale: u32) -> Option<Self> {
        let level = forecast.stated.and_then(Stated::level)?;
        let said = told(forecast, scale)?;
        Some(Self {
            as_of: format_day(i32::try_from(level.day).unwrap_or(i32::MAX)),
            apy: said.apy_percent / 100.0,
            volatility: said.volatility_pp / 100.0,
            interval: [said.low_percent / 100.0, said.high_percent / 100.0],
        })
    }
}
