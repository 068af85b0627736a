//! What the contract's errors mean.

use alloy::sol_types::SolInterface;

use super::abi::RiskOracle::RiskOracleErrors;
use crate::actions::refusal::{Meaning, Refusal};
use crate::chain::revert::Revert;
use veriregime_core::types::diagnostic::quoted;
use veriregime_core::types::period::PeriodId;

/// The contract's `SkipReason.Withheld`.
const SKIPPED_WITHHELD: u8 = 0;
/// The contract's `SkipReason.AlreadyUpdated`.
const SKIPPED_ALREADY_UPDATED: u8 = 1;

/// The meaning of revert data.
pub fn of(revert: &Revert) -> Refusal {
    if revert.is_silent() {
        return Refusal::new(Meaning::Silent, revert.to_string());
    }
    let Ok(error) = RiskOracleErrors::abi_decode(revert.data()) else {
        return Refusal::new(Meaning::Final, revert.to_string());
    };
    match error {
        RiskOracleErrors::AlreadySubmitted(_) => Refusal::new(Meaning::AlreadyDone, "the period already has an update"),
        RiskOracleErrors::StalePeriod(_) => Refusal::new(Meaning::Over, "the period is over"),
        RiskOracleErrors::FuturePeriod(error) => {
            let starts_seconds = PeriodId(error.period.saturating_to()).start_seconds();
            Refusal::new(Meaning::TooEarly { starts_seconds }, "the period has not begun on chain")
        }
        RiskOracleErrors::NotAttestor(error) => {
            Refusal::new(Meaning::NotAttestor, format!("{} is not an attestor", error.signer))
        }
        RiskOracleErrors::InvalidAttestation(error) => {
            Refusal::new(Meaning::Final, format!("the attestation of {} does not hold", error.signer))
        }
        RiskOracleErrors::NothingApplied(error) => match error.reason {
            SKIPPED_WITHHELD => {
                let words = "the guardian withholds the period for all of the model's markets";
                Refusal::new(Meaning::Withheld, words)
            }
            SKIPPED_ALREADY_UPDATED => {
                let words = "all of the model's markets have another model's update for the period";
                Refusal::new(Meaning::Final, words)
            }
            _ => Refusal::new(Meaning::Final, "the price feeds of the model's markets do not agree with the closes"),
        },
        RiskOracleErrors::InvalidProof(_) => Refusal::new(Meaning::Final, "the proof is invalid"),
        other => Refusal::new(Meaning::Final, quoted(&words(&other))),
    }
}

/// A contract's error with its fields.
fn words(error: &RiskOracleErrors) -> String {
    let text = format!("{error:?}");
    // The variant has the name of what is in it.
    match text.split_once('(').and_then(|(_, inner)| inner.strip_suffix(')')) {
        Some(inner) => inner.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, U256};
    use alloy::sol_types::SolError;

    use super::*;
    use crate::actions::risk_oracle::abi::RiskOracle;

    fn meaning(error: &impl SolError) -> Meaning {
        of(&Revert::new(&error.abi_encode())).meaning
    }

    #[test]
    fn the_contracts_errors_are_understood() {
        assert_eq!(meaning(&RiskOracle::AlreadySubmitted { modelId: [1; 32].into(), period: 7 }), Meaning::AlreadyDone);
        let future = RiskOracle::FuturePeriod { period: U256::from(8), current: U256::from(7) };
        assert_eq!(meaning(&future), Meaning::TooEarly { starts_seconds: PeriodId(8).start_seconds() });
        let proof = of(&Revert::new(&RiskOracle::InvalidProof {}.abi_encode()));
        assert_eq!(proof, Refusal::new(Meaning::Final, "the proof is invalid"));
        let signer = Address::repeat_byte(7);
        let stranger = of(&Revert::new(&RiskOracle::NotAttestor { signer }.abi_encode()));
        assert_eq!(stranger, Refusal::new(Meaning::NotAttestor, format!("{signer} is not an attestor")));
        let forged = of(&Revert::new(&RiskOracle::InvalidAttestation { signer }.abi_encode()));
        assert_eq!(forged, Refusal::new(Meaning::Final, format!("the attestation of {signer} does not hold")));
        let skipped = [
            (Meaning::Withheld, "the guardian withholds"),
            (Meaning::Final, "another model's update"),
            (Meaning::Final, "the price feeds"),
        ];
        for (reason, (meaning, words)) in (0..).zip(skipped) {
            let refusal = of(&Revert::new(&RiskOracle::NothingApplied { reason }.abi_encode()));
            assert!(refusal.meaning == meaning && refusal.words.contains(words), "{refusal:?}");
        }
    }

    #[test]
    fn errors_without_a_meaning_of_their_own_are_quoted_once_with_their_fields() {
        let said = of(&Revert::new(&RiskOracle::UnknownModel { modelId: [1; 32].into() }.abi_encode())).to_string();
        assert!(said.starts_with("UnknownModel { modelId: 0x0101") && said.ends_with(" }"), "said once: {said}");
        assert_eq!(of(&Revert::new(&RiskOracle::InvalidAttestors {}.abi_encode())).words, "InvalidAttestors");
        let field = Revert::new(&RiskOracle::InvalidPolicy { field: "marginBps".into() }.abi_encode());
        assert!(of(&field).words.contains("marginBps"));
        assert_eq!(of(&Revert::new(&[])), Refusal::new(Meaning::Silent, "it reverts without a reason"));
        assert_eq!(of(&Revert::without_data("out of gas")).meaning, Meaning::Final);
    }
}
