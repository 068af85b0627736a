//! What the feed's errors mean.

use alloy::sol_types::SolInterface;

use super::abi::Feed::FeedErrors;
use crate::actions::refusal::{Meaning, Refusal};
use crate::actions::risk_oracle;
use crate::chain::revert::Revert;
use veriregime_core::types::diagnostic::quoted;

/// The meaning of revert data; `None` for what is no error of the feed's own.
pub fn of(revert: &Revert) -> Option<Refusal> {
    let error = FeedErrors::abi_decode(revert.data()).ok()?;
    let meaning = if matches!(error, FeedErrors::PeriodDone(_)) { Meaning::AlreadyDone } else { Meaning::Final };
    Some(Refusal::new(meaning, quoted(&risk_oracle::refusal::words(&error))).advised(Some(advice(&error))))
}

fn advice(error: &FeedErrors) -> &'static str {
    match error {
        FeedErrors::InvalidConfiguration(_) => "deploy it with a registry and a name",
        FeedErrors::ForeignModel(_) => "use the feed and the bundle of the strategy; `yield deploy` shows both",
        FeedErrors::PeriodDone(_) => "nothing: the period has its forecast, and the next one begins anew",
        FeedErrors::DataOutOfTime(_) => "check the tables: the feed takes no data that are older than a week",
        FeedErrors::InvalidLevel(_) => "check the tables: no strategy has such a rate",
        FeedErrors::NoForecast(_) | FeedErrors::TooOld(_) => "wait for the next forecast, or allow an older one",
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{B256, U256};
    use alloy::sol_types::SolError;

    use super::*;
    use crate::actions::feed::abi::Feed;

    fn said(error: &impl SolError) -> Refusal {
        of(&Revert::new(&error.abi_encode())).unwrap()
    }

    #[test]
    fn the_feed_s_errors_become_decisions() {
        let done = Feed::PeriodDone { periodStart: U256::from(7), lastPeriodStart: U256::from(7) };
        assert_eq!(said(&done).meaning, Meaning::AlreadyDone);
        let foreign = said(&Feed::ForeignModel { modelId: B256::ZERO });
        assert!(foreign.meaning == Meaning::Final && foreign.hint().contains("strategy"), "{foreign:?}");
        let old = said(&Feed::DataOutOfTime { dataDay: U256::from(5), periodDay: U256::from(20) });
        assert!(old.words.contains("DataOutOfTime") && old.hint().contains("week"), "{old:?}");
        assert_eq!(of(&Revert::new(&[])), None);
    }
}
