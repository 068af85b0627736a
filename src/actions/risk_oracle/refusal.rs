//! What the contract's errors mean.

use alloy::sol_types::SolInterface;

use super::abi::oracle::RiskOracle::RiskOracleErrors;
use super::abi::registry::ModelRegistry::ModelRegistryErrors;
use super::advice;
use crate::actions::refusal::{Meaning, Refusal};
use crate::chain::revert::Revert;
use veriregime_core::types::diagnostic::quoted;
use veriregime_core::types::period::PeriodId;

/// The contract's `SkipReason.NoPolicy`.
const SKIPPED_NO_POLICY: u8 = 1;
/// The contract's `SkipReason.AlreadyUpdated`.
const SKIPPED_ALREADY_UPDATED: u8 = 2;

/// The meaning of revert data. The oracle passes on what its registry says.
pub fn of(revert: &Revert) -> Refusal {
    if revert.is_silent() {
        return Refusal::new(Meaning::Silent, revert.to_string());
    }
    let refusal = if let Ok(error) = RiskOracleErrors::abi_decode(revert.data()) {
        of_the_oracle(&error)
    } else if let Ok(error) = ModelRegistryErrors::abi_decode(revert.data()) {
        of_the_registry(&error)
    } else {
        Refusal::new(Meaning::Final, revert.to_string())
    };
    refusal.advised(advice::about(revert.data()))
}

/// Whether revert data holds an error of oracle or registry.
pub(crate) fn is_known(revert: &Revert) -> bool {
    advice::about(revert.data()).is_some()
}

fn of_the_oracle(error: &RiskOracleErrors) -> Refusal {
    match error {
        RiskOracleErrors::NothingApplied(error) => match error.reason {
            SKIPPED_ALREADY_UPDATED => Refusal::new(Meaning::AlreadyDone, "the period already has an update"),
            SKIPPED_NO_POLICY => Refusal::new(Meaning::Final, "the model's markets have no policy"),
            _ => Refusal::new(Meaning::Final, "the update omits all of the model's markets"),
        },
        other => Refusal::new(Meaning::Final, quoted(&words(other))),
    }
}

fn of_the_registry(error: &ModelRegistryErrors) -> Refusal {
    match error {
        ModelRegistryErrors::StalePeriod(_) => Refusal::new(Meaning::Over, "the period is over"),
        ModelRegistryErrors::FuturePeriod(error) => {
            let period = PeriodId(error.period.saturating_to());
            Refusal::new(Meaning::TooEarly { period }, "the period has not begun on chain")
        }
        ModelRegistryErrors::NotAttestor(error) => {
            Refusal::new(Meaning::NotAttestor, format!("{} is not an attestor", error.signer))
        }
        ModelRegistryErrors::InvalidAttestation(error) => {
            Refusal::new(Meaning::Final, format!("the attestation of {} does not hold", error.signer))
        }
        ModelRegistryErrors::InvalidProof(_) => Refusal::new(Meaning::Final, "the proof is invalid"),
        other => Refusal::new(Meaning::Final, quoted(&words(other))),
    }
}

/// A contract's error with its fields.
pub(crate) fn words(error: &impl std::fmt::Debug) -> String {
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
    use crate::actions::risk_oracle::abi::oracle::RiskOracle;
    use crate::actions::risk_oracle::abi::registry::ModelRegistry;

    fn meaning(error: &impl SolError) -> Meaning {
        of(&Revert::new(&error.abi_encode())).meaning
    }

    #[test]
    fn the_contracts_errors_are_understood() {
        let future = ModelRegistry::FuturePeriod { period: U256::from(8), current: U256::from(7) };
        assert_eq!(meaning(&future), Meaning::TooEarly { period: PeriodId(8) });
        let proof = of(&Revert::new(&ModelRegistry::InvalidProof {}.abi_encode()));
        assert_eq!((proof.meaning, proof.words.as_str()), (Meaning::Final, "the proof is invalid"));
        assert!(proof.hint().contains("`doctor`"), "{}", proof.hint());
        let signer = Address::repeat_byte(7);
        let stranger = of(&Revert::new(&ModelRegistry::NotAttestor { signer }.abi_encode()));
        assert_eq!((stranger.meaning, stranger.words), (Meaning::NotAttestor, format!("{signer} is not an attestor")));
        let forged = of(&Revert::new(&ModelRegistry::InvalidAttestation { signer }.abi_encode()));
        assert_eq!(
            (forged.meaning, forged.words),
            (Meaning::Final, format!("the attestation of {signer} does not hold"))
        );
        let skipped = [
            (Meaning::Final, "omits all"),
            (Meaning::Final, "no policy"),
            (Meaning::AlreadyDone, "already has an update"),
        ];
        for (reason, (meaning, words)) in (0..).zip(skipped) {
            let refusal = of(&Revert::new(&RiskOracle::NothingApplied { reason }.abi_encode()));
            assert!(refusal.meaning == meaning && refusal.words.contains(words), "{refusal:?}");
        }
    }

    #[test]
    fn errors_without_a_meaning_of_their_own_are_quoted_once_with_their_fields() {
        let said = of(&Revert::new(&ModelRegistry::UnknownModel { modelId: [1; 32].into() }.abi_encode())).to_string();
        assert!(said.starts_with("UnknownModel { modelId: 0x0101") && said.ends_with(" }"), "said once: {said}");
        assert_eq!(of(&Revert::new(&ModelRegistry::InvalidAttestors {}.abi_encode())).words, "InvalidAttestors");
        let field = Revert::new(&RiskOracle::InvalidPolicy { field: "marginBps".into() }.abi_encode());
        assert!(of(&field).words.contains("marginBps"));
        assert_eq!(of(&Revert::new(&[])), Refusal::new(Meaning::Silent, "it reverts without a reason"));
        assert_eq!(of(&Revert::without_data("out of gas")).meaning, Meaning::Final);
    }
}
