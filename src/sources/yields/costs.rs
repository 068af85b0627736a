//! What moves between strategies cost.

use super::error::YieldError;
use super::folder::Yields;
use veriregime_core::hedge::panel::Day;
use veriregime_core::yields::Kind;
use veriregime_core::yields::costs::{gas_units, slippage};
use veriregime_portfolio::gate::Leg;

/// How old a price of gas may be, days.
const MAX_GAS_AGE_DAYS: Day = 7;
/// Basis points of everything.
const BPS: f64 = 1e4;

/// What a move costs, where that is said; otherwise what is assumed of the kind, at the day's prices.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Costs {
    /// Gas of a transaction, USD.
    pub gas_usd: Option<f64>,
    /// Lost of an amount that enters or leaves, basis points.
    pub slippage_bps: Option<f64>,
}

impl Costs {
    /// Of a kind at the end of a day.
    ///
    /// # Errors
    /// [`YieldError::NoGas`].
    pub fn leg(&self, kind: Kind, yields: &Yields, day: Day) -> Result<Leg, YieldError> {
        let known = || yields.gas.usd(gas_units(kind), day, MAX_GAS_AGE_DAYS);
        let gas_usd = self.gas_usd.or_else(known).ok_or(YieldError::NoGas { day })?;
        Ok(Leg { gas_usd, slippage: self.slippage_bps.map_or_else(|| slippage(kind), |bps| bps / BPS) })
    }
}
