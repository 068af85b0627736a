//! What the model says, as integers of the circuit and as numbers for people.

use serde::{Deserialize, Serialize};

/// Volatility regime of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Regime {
    /// Below the label's threshold.
    Low,
    /// Above the label's threshold.
    High,
}

impl std::fmt::Display for Regime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Low => "Low",
            Self::High => "High",
        })
    }
}

/// The circuit's outputs for one market: integers at a common power-of-two scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outputs {
    /// Logit of the Low class.
    pub logit_low: i128,
    /// Logit of the High class.
    pub logit_high: i128,
    /// Natural logarithm of the standard deviation of the period's one-minute returns.
    pub log_volatility: i128,
}

impl Outputs {
    /// Number of outputs of one market.
    pub const COUNT: usize = 3;
    /// Their names in the circuit's order.
    pub const NAMES: [&str; Self::COUNT] = ["logit_low", "logit_high", "log_volatility"];

    /// The outputs in the circuit's order.
    pub fn as_array(&self) -> [i128; Self::COUNT] {
        [self.logit_low, self.logit_high, self.log_volatility]
    }

    /// From the circuit's order.
    pub fn from_array([logit_low, logit_high, log_volatility]: [i128; Self::COUNT]) -> Self {
        Self { logit_low, logit_high, log_volatility }
    }

    /// Decodes at `output_scale` (log2).
    pub fn decode(&self, output_scale: u32) -> Prediction {
        let unit = libm::exp2(-f64::from(output_scale));
        let real = |value: i128| value as f64 * unit;
        Prediction::from_reals([real(self.logit_low), real(self.logit_high), real(self.log_volatility)])
    }
}

/// A forecast for one market and one period.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// High when its logit is the larger one.
    pub regime: Regime,
    /// Probability of High, 0 to 1.
    pub probability_high: f64,
    /// Forecast standard deviation of one-minute returns (0.0005 is 5 bps a minute).
    pub volatility: f64,
}

impl Prediction {
    /// From real-valued `[logit_low, logit_high, log_volatility]`: the softmax of two logits is the sigmoid of their
    /// difference.
    pub fn from_reals([logit_low, logit_high, log_volatility]: [f64; Outputs::COUNT]) -> Self {
        Self {
            regime: if logit_high > logit_low { Regime::High } else { Regime::Low },
            probability_high: 1.0 / (1.0 + libm::exp(logit_low - logit_high)),
            volatility: libm::exp(log_volatility),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_inverts_the_scale() {
        let outputs = Outputs { logit_low: -(1 << 65), logit_high: 1 << 65, log_volatility: -(7 << 65) };
        let prediction = outputs.decode(65);
        assert_eq!(prediction.regime, Regime::High);
        assert!((prediction.probability_high - 0.880_797).abs() < 1e-6);
        assert!((prediction.volatility - 0.000_911_88).abs() < 1e-7);
        let tie = Outputs { logit_low: 5, logit_high: 5, log_volatility: 0 }.decode(65);
        assert_eq!(tie.regime, Regime::Low);
    }
}
