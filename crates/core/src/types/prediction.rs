//! What the model says, as integers of the circuit and as numbers for people.

use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Volatility regime of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Regime {
    /// Below the label's threshold.
    Low,
    /// Above the label's threshold.
    High,
}

impl fmt::Display for Regime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Low => "Low",
            Self::High => "High",
        })
    }
}

/// Names and units of a regime model's outputs, in the order in which its contract reads them.
pub const REGIME_OUTPUTS: [(&str, &str); 3] = [
    ("logit_low", "logit"),
    ("logit_high", "logit"),
    ("log_volatility", "ln of the standard deviation of one-minute returns"),
];

/// The circuit's outputs for one market: named integers in the model's order, each on its output's grid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outputs(Vec<(String, i128)>);

impl Outputs {
    /// Of a model's names and the values in their order.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>, values: impl IntoIterator<Item = i128>) -> Self {
        Self(names.into_iter().map(str::to_owned).zip(values).collect())
    }

    /// The integers in the model's order.
    pub fn values(&self) -> impl Iterator<Item = i128> + '_ {
        self.0.iter().map(|(_, value)| *value)
    }

    /// The integer of that name.
    pub fn get(&self, name: &str) -> Option<i128> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| *value)
    }
}

impl Serialize for Outputs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for Outputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Named;

        impl<'de> Visitor<'de> for Named {
            type Value = Outputs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("integers by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outputs, A::Error> {
                let mut outputs = Outputs::default();
                while let Some((name, value)) = map.next_entry::<String, i128>()? {
                    if outputs.get(&name).is_some() {
                        return Err(A::Error::custom(format_args!("{name:?} comes twice")));
                    }
                    outputs.0.push((name, value));
                }
                Ok(outputs)
            }
        }

        deserializer.deserialize_map(Named)
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
    /// Reads a regime model's outputs, by their names, at `output_scale` (log2); `None` where one is absent.
    pub fn read(outputs: &Outputs, output_scale: u32) -> Option<Self> {
        let integers: Option<Vec<i128>> = REGIME_OUTPUTS.iter().map(|(name, _)| outputs.get(name)).collect();
        Self::from_integers(&integers?, output_scale)
    }

    /// Reads integers in the order of [`REGIME_OUTPUTS`] at `output_scale` (log2); `None` unless there are as many.
    pub fn from_integers(integers: &[i128], output_scale: u32) -> Option<Self> {
        let unit = libm::exp2(-f64::from(output_scale));
        Self::from_reals(integers.iter().map(|integer| *integer as f64 * unit))
    }

    /// Reads numbers in the order of [`REGIME_OUTPUTS`], `None` unless there are as many: the softmax of two logits is the
    /// sigmoid of their difference.
    pub fn from_reals(reals: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut reals = reals.into_iter();
        let (logit_low, logit_high, log_volatility) = (reals.next()?, reals.next()?, reals.next()?);
        reals.next().is_none().then(|| Self {
            regime: if logit_high > logit_low { Regime::High } else { Regime::Low },
            probability_high: 1.0 / (1.0 + libm::exp(logit_low - logit_high)),
            volatility: libm::exp(log_volatility),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(values: [i128; 3]) -> Outputs {
        Outputs::new(REGIME_OUTPUTS.map(|(name, _)| name), values)
    }

    #[test]
    fn decoding_inverts_the_scale() {
        let prediction = Prediction::read(&outputs([-(1 << 65), 1 << 65, -(7 << 65)]), 65).unwrap();
        assert_eq!(prediction.regime, Regime::High);
        assert!((prediction.probability_high - 0.880_797).abs() < 1e-6);
        assert!((prediction.volatility - 0.000_911_88).abs() < 1e-7);
        assert_eq!(Prediction::read(&outputs([5, 5, 0]), 65).unwrap().regime, Regime::Low, "a tie");
    }

    #[test]
    fn outputs_are_found_by_name_whatever_their_order() {
        let other =
            Outputs::new(["log_volatility", "spare", "logit_high", "logit_low"], [-(7 << 65), 9, 1 << 65, -(1 << 65)]);
        let usual = outputs([-(1 << 65), 1 << 65, -(7 << 65)]);
        assert_eq!(Prediction::read(&other, 65), Prediction::read(&usual, 65));
        assert_eq!(Prediction::read(&Outputs::new(["logit_high", "logit_low"], [1, 2]), 65), None);
        assert_eq!(Prediction::from_integers(&[1, 2, 3, 4], 65), None);
    }

    #[test]
    fn outputs_are_written_as_they_were_when_there_were_always_three() {
        let outputs = outputs([i128::MIN, -1, i128::MAX]);
        let json = format!(r#"{{"logit_low":{},"logit_high":-1,"log_volatility":{}}}"#, i128::MIN, i128::MAX);
        assert_eq!(serde_json::to_string(&outputs).unwrap(), json);
        assert_eq!(serde_json::from_str::<Outputs>(&json).unwrap(), outputs);
        assert!(serde_json::from_str::<Outputs>(r#"{"a":1,"a":2}"#).is_err());
    }
}
