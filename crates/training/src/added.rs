//! What a trained network has to know of a market that it was not trained on: how its candles are normalised, above what it is High,
//! and what others would say of it.
//!
//! The network judges a market by its own normalised past, so that it needs no training for a further one. Its logits were fitted to
//! a threshold that a certain share of horizons exceeded. The further market's threshold is the one that the same share of its own
//! horizons exceeds: the median, where the network was trained at medians.

use std::ops::Range;

use super::dataset::{Decision, Wanted};
use super::error::TrainingError;
use super::evaluation::baselines;
use super::statistics::scaled;
use veriregime_core::features::har::LEAST_BEFORE;
use veriregime_core::features::measure;
use veriregime_core::features::sums::Sums;
use veriregime_core::quantile::quantile;
use veriregime_core::types::baselines::Baselines;
use veriregime_core::types::feature::{FeatureSpec, Scaler};
use veriregime_core::types::manifest::frozen;
use veriregime_core::types::manifest::regime::Label;
use veriregime_core::types::period::{Grid, MINUTE_MS};

/// Minutes between two decision times that statistics are of.
const STRIDE_MINUTES: usize = 5;
/// Fewest decision times, and fewest periods, that statistics are made of.
pub const LEAST_DECISIONS: usize = 500;
pub const LEAST_PERIODS: usize = 100;

/// A market as a network sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedMarket {
    /// Means and standard deviations of the candle features, in their order.
    pub scalers: Vec<Scaler>,
    /// Standard deviation of one-minute returns above which a horizon is High.
    pub threshold: f64,
    /// What it is compared with.
    pub baselines: Baselines,
    /// Decision times that the statistics are of.
    pub decisions: usize,
    /// Periods whose horizons gave the threshold.
    pub periods: usize,
}

/// Candles, and what a network wants to know of them.
#[derive(Debug, Clone, Copy)]
pub struct NewMarket<'a> {
    /// The network's features.
    pub features: &'a FeatureSpec,
    /// Minutes of a horizon.
    pub horizon_minutes: usize,
    /// When it forecasts.
    pub grid: Grid,
    /// Share of horizons that are to exceed the threshold, above 0 and below 1.
    pub share_high: f64,
    /// The market's candles, the first of which opens at `start_ms`.
    pub sums: &'a Sums<'a>,
    /// See `sums`, ms UTC.
    pub start_ms: i64,
}

impl NewMarket<'_> {
    /// Fits scalers, threshold and baselines on the decision times in `times`, ms UTC.
    ///
    /// # Errors
    /// [`TrainingError::TooFew`], or [`TrainingError::Constant`] where a feature never moves.
    pub fn fit(&self, times: &Range<i64>) -> Result<FittedMarket, TrainingError> {
        let wanted = Wanted {
            lookback_minutes: self.features.lookback_minutes,
            max_missing_minutes: self.features.max_missing_minutes,
            horizon_minutes: self.horizon_minutes,
        };
        let of = |times: &Range<i64>, minutes| wanted.decisions(self.sums, self.start_ms, times, minutes);
        let decisions = of(times, STRIDE_MINUTES);
        let too_few = |part: &str, found, needed| TrainingError::TooFew { part: part.to_owned(), found, needed };
        if decisions.len() < LEAST_DECISIONS {
            return Err(too_few("the market's past", decisions.len(), LEAST_DECISIONS));
        }
        let periods = of(&self.on_grid(times), self.period_minutes());
        if periods.len() < LEAST_PERIODS {
            return Err(too_few("the market's periods", periods.len(), LEAST_PERIODS));
        }
        let volatilities: Vec<f64> = periods.iter().map(|(_, volatility)| *volatility).collect();
        let threshold = frozen(quantile(&volatilities, 1.0 - self.share_high));
        let scalers = self.scalers(&decisions)?;
        let label = Label { horizon_minutes: self.horizon_minutes, threshold };
        let baselines = baselines::fit(self.sums, &decisions, &[], &label)
            .ok_or_else(|| too_few("the baselines", decisions.len(), LEAST_BEFORE))?;
        Ok(FittedMarket { scalers, threshold, baselines, decisions: decisions.len(), periods: periods.len() })
    }

    fn scalers(&self, decisions: &[Decision]) -> Result<Vec<Scaler>, TrainingError> {
        let scaler = |feature| {
            let values: Vec<f64> = decisions.iter().map(|(at, _)| measure::value(feature, self.sums, *at)).collect();
            Ok(scaled(feature, &[values.iter().copied()])?.scaler())
        };
        self.features.candle.iter().map(|one| scaler(&one.feature)).collect()
    }

    /// The same times from the first period on that the features can look back from: every so many minutes later another one begins.
    fn on_grid(&self, times: &Range<i64>) -> Range<i64> {
        let lookback_ms = i64::try_from(self.features.lookback_minutes).unwrap_or(i64::MAX).saturating_mul(MINUTE_MS);
        let from_ms = times.start.max(self.start_ms.saturating_add(lookback_ms));
        let period = self.grid.period_at(from_ms);
        let first = if self.grid.start_ms(period) < from_ms { period.next() } else { period };
        self.grid.start_ms(first)..times.end
    }

    fn period_minutes(&self) -> usize {
        usize::try_from(self.grid.period_seconds / 60).unwrap_or(usize::MAX)
    }
}
