//! The exchanges whose candles are understood.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An exchange with a public API of one-minute candles that reaches back as far as models look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Venue {
    Binance,
    /// Coinbase Exchange, not Advanced Trade.
    Coinbase,
    /// Bybit's spot market.
    Bybit,
    Okx,
}

impl Venue {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Binance, Self::Coinbase, Self::Bybit, Self::Okx];

    /// The name in settings and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Binance => "binance",
            Self::Coinbase => "coinbase",
            Self::Bybit => "bybit",
            Self::Okx => "okx",
        }
    }
}

impl FromStr for Venue {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|venue| venue.name() == text).ok_or_else(|| format!("must be one of {names}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_here_and_in_settings() {
        for venue in Venue::ALL {
            assert_eq!(venue.name().parse(), Ok(venue));
            assert_eq!(serde_json::to_value(venue).unwrap(), venue.name());
        }
        assert!("kraken".parse::<Venue>().is_err());
    }
}
