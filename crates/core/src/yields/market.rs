//! What all strategies share: bitcoin's closes and the price of gas.

use std::collections::BTreeMap;

use crate::hedge::panel::Day;

/// Daily returns that a deviation is taken over.
const DEVIATION_DAYS: Day = 14;
/// Days that a return is taken over.
const RETURN_DAYS: Day = 7;
/// Days that a day's gas is compared with.
const GAS_DAYS: Day = 30;
/// Fewest of a window's days that must be known.
const REQUIRED_SHARE: f64 = 0.8;
/// Lowest deviation inside a logarithm.
const DEVIATION_FLOOR: f64 = 1e-4;

/// Daily numbers of the market; each is known at its day's end.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Market {
    closes: BTreeMap<Day, f64>,
    gas: BTreeMap<Day, f64>,
}

/// What the market looks like at a day's end; nothing for what is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct View {
    /// Logarithm of the standard deviation of bitcoin's daily returns over 14 days.
    pub deviation: Option<f64>,
    /// Bitcoin's logarithmic return over 7 days.
    pub weekly_return: Option<f64>,
    /// Logarithm of the day's gas price against its mean over 30 days.
    pub gas: Option<f64>,
}

impl Market {
    /// Of closes in USD and gas prices in gwei; numbers that are not positive are left out.
    pub fn new(closes: impl Iterator<Item = (Day, f64)>, gas: impl Iterator<Item = (Day, f64)>) -> Self {
        let logarithm = |(day, value): (Day, f64)| (value > 0.0 && value.is_finite()).then(|| (day, libm::log(value)));
        Self { closes: closes.filter_map(logarithm).collect(), gas: gas.filter_map(logarithm).collect() }
    }

    /// What is known at the end of a day.
    pub fn at(&self, day: Day) -> View {
        View { deviation: self.deviation(day), weekly_return: self.weekly_return(day), gas: self.gas(day) }
    }

    fn deviation(&self, day: Day) -> Option<f64> {
        let change = |day: Day| Some(self.closes.get(&day)? - self.closes.get(&(day - 1))?);
        let changes: Vec<f64> = (day - DEVIATION_DAYS + 1..=day).filter_map(change).collect();
        if (changes.len() as f64) < REQUIRED_SHARE * f64::from(DEVIATION_DAYS) || !self.closes.contains_key(&day) {
            return None;
        }
        let mean = changes.iter().sum::<f64>() / changes.len() as f64;
        let variance =
            changes.iter().map(|change| (change - mean) * (change - mean)).sum::<f64>() / changes.len() as f64;
        Some(libm::log(libm::sqrt(variance).max(DEVIATION_FLOOR)))
    }

    fn weekly_return(&self, day: Day) -> Option<f64> {
        Some(self.closes.get(&day)? - self.closes.get(&(day - RETURN_DAYS))?)
    }

    fn gas(&self, day: Day) -> Option<f64> {
        let today = self.gas.get(&day)?;
        let known: Vec<f64> = self.gas.range(day - GAS_DAYS + 1..=day).map(|(_, gas)| *gas).collect();
        let is_enough = known.len() as f64 >= REQUIRED_SHARE * f64::from(GAS_DAYS);
        is_enough.then(|| today - known.iter().sum::<f64>() / known.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_deviations_and_gas_are_those_of_their_definitions() {
        let market = Market::new(
            (0..40).map(|day| (day, libm::exp(if day % 2 == 0 { 0.0 } else { 0.1 }))),
            (0..40).map(|day| (day, if day == 39 { libm::exp(1.0) } else { 1.0 })),
        );
        let view = market.at(39);
        // Returns of ±0.1, as many of each.
        assert!((view.deviation.unwrap() - libm::log(0.1)).abs() < 1e-9);
        assert!((view.weekly_return.unwrap() - 0.1).abs() < 1e-9);
        assert!((view.gas.unwrap() - (1.0 - 1.0 / 30.0)).abs() < 1e-9);
        assert_eq!(market.at(40), View::default(), "what is not known");
        assert_eq!(market.at(9).deviation, None, "too young");
    }

    #[test]
    fn a_later_close_changes_nothing() {
        let of = |later: f64| {
            let closes = (0..40).map(move |day| (day, if day > 30 { later } else { 100.0 + f64::from(day) }));
            Market::new(closes.clone(), closes)
        };
        assert_eq!(of(1.0).at(30), of(1e6).at(30));
        assert_ne!(of(1.0).at(31), of(1e6).at(31));
    }
}
