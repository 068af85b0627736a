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
        self.over(kind, Self::gas_usd(kind, yields, day), day)
    }

    /// The same over what is known of gas on that day.
    ///
    /// # Errors
    /// [`YieldError::NoGas`].
    pub fn over(&self, kind: Kind, known_gas_usd: Option<f64>, day: Day) -> Result<Leg, YieldError> {
        let gas_usd = self.gas_usd.or(known_gas_usd).ok_or(YieldError::NoGas { day })?;
        Ok(Leg { gas_usd, slippage: self.slippage_bps.map_or_else(|| slippage(kind), |bps| bps / BPS) })
    }

    /// What the gas of a transaction costs at the end of a day, as far as tables tell.
    pub fn gas_usd(kind: Kind, yields: &Yields, day: Day) -> Option<f64> {
        yields.gas.usd(gas_units(kind), day, MAX_GAS_AGE_DAYS)
    }
}
