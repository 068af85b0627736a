//! The fitted numbers of the forecasters that a model is compared with, as its manifest freezes them.

use serde::{Deserialize, Serialize};

/// Everything that was fitted on the training part; volatilities are standard deviations of one-minute returns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baselines {
    /// Share of the training labels that are High.
    pub training_share_high: f64,
    /// Intercept and the coefficients of ln RV over 60, 240, 1440 and 10080 minutes, for the logit of High.
    pub har_logistic: [f64; 5],
    /// The same regressors for the volatility itself.
    pub har_volatility: HarVolatility,
    /// Conditional variance of returns.
    pub garch: Garch,
}

/// Corsi's regression (2009) of the log-volatility that follows on those that went before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HarVolatility {
    /// Intercept and the coefficients of ln RV over 60, 240, 1440 and 10080 minutes.
    pub coefficients: [f64; 5],
    /// What it leaves unexplained.
    pub residual: Residual,
}

/// GARCH(1,1) of Bollerslev (1986): `variance = omega + news * return² + memory * variance before`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Garch {
    /// Length of a return in minutes: the one of those tried that was better on validation.
    pub return_minutes: usize,
    /// Constant term, bps² of one return.
    pub omega: f64,
    /// Weight of the last squared return.
    pub news: f64,
    /// Weight of the last variance.
    pub memory: f64,
    /// Mean of the log-volatility that followed, less the logarithm of the forecast one.
    pub log_shift: f64,
    /// What it leaves unexplained after the shift.
    pub residual: Residual,
}

/// Errors of a log-volatility forecast over the training part.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residual {
    /// Their standard deviation: what turns the forecast into a probability.
    pub deviation: f64,
    /// Mean ratio of the variance that followed to the square of the forecast volatility: a forecast of the logarithm
    /// is too low for the variance itself, by this factor.
    pub variance_ratio: f64,
}
