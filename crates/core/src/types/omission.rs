//! Markets that an update leaves as they are, because their candles failed.

use serde::{Deserialize, Serialize};

/// Markets that an update omits, as the contract takes them: bit i is the model's i-th market.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OmittedMarkets(u32);

impl OmittedMarkets {
    /// No market: the update serves all.
    pub const NONE: Self = Self(0);

    /// From the contract's mask.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The contract's mask.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Whether the update serves all markets.
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// Whether the update omits the market of this index.
    pub fn omits(self, index: usize) -> bool {
        u32::try_from(index).ok().and_then(|index| self.0.checked_shr(index)).is_some_and(|rest| rest & 1 == 1)
    }

    /// The markets that are omitted, of a model with so many markets at least.
    pub fn indices(self) -> impl Iterator<Item = usize> {
        (0..u32::BITS as usize).filter(move |index| self.omits(*index))
    }

    /// Whether an update of a model with so many markets may omit these: none that it does not have, and not all.
    pub fn suits(self, markets: usize) -> bool {
        self.indices().all(|index| index < markets) && (self.0.count_ones() as usize) < markets
    }

    /// Whether these are among the others.
    pub fn is_within(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    /// Those that are in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl FromIterator<usize> for OmittedMarkets {
    /// Indices of 32 and more, which no model has, count for nothing.
    fn from_iter<I: IntoIterator<Item = usize>>(indices: I) -> Self {
        let bit = |index: usize| u32::try_from(index).ok().and_then(|index| 1_u32.checked_shl(index)).unwrap_or(0);
        Self(indices.into_iter().map(bit).fold(0, |bits, bit| bits | bit))
    }
}

/// Why a market is omitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Omission {
    /// Index of the market in the model.
    pub index: usize,
    /// The model's name of the market.
    pub market: String,
    /// Stable code of what is wrong with its candles.
    pub code: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bit_i_is_the_market_of_index_i() {
        let omitted: OmittedMarkets = [0, 3, 31, 32, 64].into_iter().collect();
        assert_eq!(omitted.bits(), 1 | 8 | 1 << 31);
        assert_eq!(omitted.indices().collect::<Vec<_>>(), [0, 3, 31]);
        assert!(omitted.omits(31) && !omitted.omits(32) && !omitted.omits(1));
        assert!(OmittedMarkets::from_bits(8).is_within(omitted) && !omitted.is_within(OmittedMarkets::from_bits(8)));
        assert_eq!(omitted.and(OmittedMarkets::from_bits(9)).bits(), 9);
    }

    #[test]
    fn neither_all_markets_nor_others_can_be_omitted() {
        for (bits, markets, suits) in
            [(0, 1, true), (1, 1, false), (2, 2, true), (3, 2, false), (4, 2, false), (3, 3, true), (1 << 31, 32, true)]
        {
            assert_eq!(OmittedMarkets::from_bits(bits).suits(markets), suits, "{bits:b} of {markets}");
        }
        assert!(!OmittedMarkets::from_bits(u32::MAX).suits(32));
    }
}
