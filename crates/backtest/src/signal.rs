//! What a policy looks at: a volatility for every minute.

use std::ops::Range;

use crate::error::BacktestError;
use veriregime_core::quantile::quantile;

/// A policy's eyes.
#[derive(Debug, Clone, PartialEq)]
pub enum Signal {
    /// Nothing: the fee is static.
    None,
    /// A volatility of one-minute returns for each minute, known before it begins; NaN where there is none yet.
    Known(Vec<f32>),
    /// The moves of the pool's own price, up to the minute before.
    OwnPool(OwnPool),
}

/// A pool that looks at itself: an exponentially weighted mean of the squared moves of its own price.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnPool {
    pub half_life_minutes: f64,
    /// What holds the fee near a forecast's, if anything does.
    pub guard: Option<Guard>,
    /// Volatility of one-minute returns that somebody feigns by trading to and fro inside the fee's band, where arbitrage does not follow.
    pub feigned_volatility: f64,
}

/// A forecast between whose multiples a fee has to lie.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// A volatility for each minute, as of [`Signal::Known`].
    pub forecast: Vec<f32>,
    /// Least and most, in fees at the forecast volatility.
    pub multiples: (f64, f64),
}

impl OwnPool {
    /// A pool that nobody guards and nobody deceives.
    pub fn alone(half_life_minutes: f64) -> Self {
        Self { half_life_minutes, guard: None, feigned_volatility: 0.0 }
    }

    /// The forecast that it needs in each minute, where it needs one.
    fn forecast(&self) -> Option<&[f32]> {
        self.guard.as_ref().map(|guard| guard.forecast.as_slice())
    }
}

impl Signal {
    /// Forecasts that are made every `every` minutes of the clock and hold until the next, from `delay` minutes after the decision on.
    ///
    /// `at` are the minutes before whose begin a forecast is made, in order, and `volatility` what is forecast there.
    pub fn held(
        minutes: usize,
        first_minute: i64,
        every: usize,
        delay: usize,
        at: &[usize],
        volatility: &[f64],
    ) -> Self {
        let mut values = vec![f32::NAN; minutes];
        let on_grid = |at: usize| (first_minute + at as i64).rem_euclid(every as i64) == 0;
        let made = at.iter().zip(volatility).filter(|(at, _)| on_grid(**at)).map(|(at, value)| (at + delay, *value));
        let mut made = made.peekable();
        while let Some((from, value)) = made.next() {
            let to = made.peek().map_or(minutes, |(next, _)| *next).min(minutes);
            values[from.min(to)..to].fill(value as f32);
        }
        Self::Known(values)
    }

    /// The volatilities of a signal that is known before.
    pub fn known(&self) -> Option<&[f32]> {
        let Self::Known(values) = self else { return None };
        Some(values)
    }

    /// A quantile of the values in `minutes`; none of a signal that is not known before.
    pub fn quantile(&self, minutes: &Range<usize>, share: f64) -> Option<f64> {
        let known: Vec<f64> = self.known()?.get(minutes.clone())?.iter().map(|value| f64::from(*value)).collect();
        Some(quantile(&known, share))
    }

    /// Checks that there is a value in each of `minutes`.
    ///
    /// # Errors
    /// [`BacktestError::Signal`] with the first that has none.
    pub fn check(
        &self,
        name: &str,
        minutes: &Range<usize>,
        time_ms: impl Fn(usize) -> i64,
    ) -> Result<(), BacktestError> {
        let values = match self {
            Self::None => None,
            Self::Known(values) => Some(values.as_slice()),
            Self::OwnPool(own) => own.forecast(),
        };
        let Some(values) = values else { return Ok(()) };
        let is_usable = |at: usize| values.get(at).is_some_and(|value| value.is_finite() && *value >= 0.0);
        match minutes.clone().find(|at| !is_usable(*at)) {
            Some(at) => Err(BacktestError::Signal { signal: name.to_owned(), time_ms: time_ms(at) }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forecast_holds_until_the_next_and_begins_when_it_has_landed() {
        // The first minute is the second of a period of four.
        let Signal::Known(values) = Signal::held(12, 1, 4, 1, &[2, 3, 7, 8], &[9.0, 1.0, 2.0, 9.0]) else { panic!() };
        assert!(values[..4].iter().all(|value| value.is_nan()));
        assert_eq!(values[4..8], [1.0; 4]);
        assert_eq!(values[8..], [2.0; 4]);
    }

    #[test]
    fn minutes_without_a_value_are_refused_with_their_time() {
        let signal = Signal::Known(vec![f32::NAN, 1.0, 1.0]);
        assert_eq!(signal.check("a", &(1..3), |at| at as i64), Ok(()));
        assert_eq!(
            signal.check("a", &(0..3), |at| at as i64),
            Err(BacktestError::Signal { signal: "a".to_owned(), time_ms: 0 })
        );
        assert!(signal.check("a", &(1..4), |at| at as i64).is_err());
    }
}
