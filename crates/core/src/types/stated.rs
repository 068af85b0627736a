//! What attestors state beside a forecast: numbers that act with it and that no feature tells. Pure.

use serde::{Deserialize, Serialize};

use crate::hedge::prices::Prices;
use crate::yields::level::Level;

/// What is stated beside a forecast, by the kind of its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Stated {
    /// Of a country's electricity.
    Prices(Prices),
    /// Of a strategy.
    Level(Level),
}

impl Stated {
    /// The prices, where it is these.
    pub fn prices(self) -> Option<Prices> {
        match self {
            Self::Prices(prices) => Some(prices),
            Self::Level(_) => None,
        }
    }

    /// The level, where it is that.
    pub fn level(self) -> Option<Level> {
        match self {
            Self::Level(level) => Some(level),
            Self::Prices(_) => None,
        }
    }
}

impl From<Prices> for Stated {
    fn from(prices: Prices) -> Self {
        Self::Prices(prices)
    }
}

impl From<Level> for Stated {
    fn from(level: Level) -> Self {
        Self::Level(level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart_by_their_fields() {
        let prices = Stated::from(Prices { eur_per_mwh_e6: 1, usd_per_eur_e6: 2 });
        let level = Stated::from(Level { day: 20_300, level_e9: -3, factor_e9: 4 });
        for stated in [prices, level] {
            let text = serde_json::to_string(&stated).unwrap();
            assert_eq!(serde_json::from_str::<Stated>(&text).unwrap(), stated, "{text}");
        }
        assert_eq!(serde_json::to_string(&prices).unwrap(), r#"{"eur_per_mwh_e6":1,"usd_per_eur_e6":2}"#);
        assert!(serde_json::from_str::<Stated>(r#"{"day":1,"level_e9":2,"factor_e9":3,"more":4}"#).is_err());
    }
}
