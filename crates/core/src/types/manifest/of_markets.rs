//! What differs, or may differ, from market to market.

use serde::{Deserialize, Serialize};

/// One value for all markets, or one for each of them in their order. JSON has the value itself or a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OfMarkets<T> {
    /// All have the same.
    Same(T),
    /// Each has its own.
    Each(Vec<T>),
}

impl<T> OfMarkets<T> {
    /// That of each of so many markets; `None` where there is another number of them.
    pub fn each(&self, markets: usize) -> Option<Vec<&T>> {
        match self {
            Self::Same(value) => Some(vec![value; markets]),
            Self::Each(values) => (values.len() == markets).then(|| values.iter().collect()),
        }
    }

    /// All values that are there.
    pub fn values(&self) -> &[T] {
        match self {
            Self::Same(value) => std::slice::from_ref(value),
            Self::Each(values) => values,
        }
    }
}

impl<T: Clone + PartialEq> OfMarkets<T> {
    /// Of one value for each market, written once where all are the same; `None` of no market.
    pub fn of(values: Vec<T>) -> Option<Self> {
        let first = values.first()?;
        let is_same = values.iter().all(|value| value == first);
        Some(if is_same { Self::Same(first.clone()) } else { Self::Each(values) })
    }
}

impl<T> From<T> for OfMarkets<T> {
    fn from(value: T) -> Self {
        Self::Same(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_is_written_as_it_always_was_and_several_as_a_list() {
        for (json, values, markets) in [("0.0005", vec![0.0005], 3), ("[0.0005,0.0007]", vec![0.0005, 0.0007], 2)] {
            let read: OfMarkets<f64> = serde_json::from_str(json).unwrap();
            assert_eq!((read.values(), serde_json::to_string(&read).unwrap().as_str()), (values.as_slice(), json));
            assert_eq!(read.each(markets).unwrap().len(), markets);
            assert_eq!(read.each(5).is_some(), values.len() == 1);
        }
        assert_eq!(OfMarkets::of(vec![1, 1]), Some(OfMarkets::Same(1)));
        assert_eq!(OfMarkets::of(vec![1, 2]), Some(OfMarkets::Each(vec![1, 2])));
        assert_eq!(OfMarkets::<u8>::of(vec![]), None);
        assert!(serde_json::from_str::<OfMarkets<f64>>("\"0.5\"").is_err());
    }
}
