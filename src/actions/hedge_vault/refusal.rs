//! What the vault's errors mean.

use std::time::Duration;

use alloy::sol_types::SolInterface;

use super::abi::vault::HedgeVault::HedgeVaultErrors;
use super::advice;
use crate::actions::refusal::{Meaning, Refusal};
use crate::actions::risk_oracle;
use crate::chain::revert::Revert;
use veriregime_core::types::diagnostic::quoted;

/// Pause before a vault is asked again that waits for its operator.
const TURN_PAUSE: Duration = Duration::from_secs(15);
/// The same, of what a pool's price has to do.
const PRICE_PAUSE: Duration = Duration::from_mins(1);
/// The same, of what its owner has to do: fill it, raise a budget, or let sales go on.
const OWNER_PAUSE: Duration = Duration::from_mins(2);

/// The meaning of revert data; `None` for what is no error of the vault's own.
pub fn of(revert: &Revert) -> Option<Refusal> {
    let error = HedgeVaultErrors::abi_decode(revert.data()).ok()?;
    Some(of_the_vault(&error).advised(advice::about(revert.data())))
}

fn of_the_vault(error: &HedgeVaultErrors) -> Refusal {
    let not_yet = |pause: Duration, words: String| Refusal::new(Meaning::NotYet { pause }, words);
    match error {
        HedgeVaultErrors::PeriodDone(_) => Refusal::new(Meaning::AlreadyDone, "the period has its sale"),
        HedgeVaultErrors::NothingToCover(_) => {
            Refusal::new(Meaning::Nothing, "nothing is to be sold: all days of the horizon are covered")
        }
        HedgeVaultErrors::OperatorFirst(error) => {
            let until = error.untilTimestamp;
            not_yet(TURN_PAUSE, format!("only operator and owner may sell before Unix time {until}"))
        }
        HedgeVaultErrors::VaultPaused(_) => {
            Refusal::new(Meaning::Paused { pause: OWNER_PAUSE }, "VaultPaused: the vault is paused by its owner")
        }
        HedgeVaultErrors::ThinHistory(error) => not_yet(
            OWNER_PAUSE,
            format!(
                "the pool has room for {} observations, the terms want {}",
                error.observations, error.minObservations
            ),
        ),
        HedgeVaultErrors::NoTwap(error) => {
            not_yet(PRICE_PAUSE, format!("the pool's observations do not reach back {} seconds", error.twapSeconds))
        }
        HedgeVaultErrors::TooLittleReceived(error) => not_yet(
            PRICE_PAUSE,
            format!("the sale would bring {} units of USDC, the terms want {}", error.usdc, error.minUsdc),
        ),
        HedgeVaultErrors::BudgetTooSmall(error) => not_yet(
            OWNER_PAUSE,
            format!("{} units of WBTC, what budgets and balance leave, do not pay a day", error.availableSats),
        ),
        other => Refusal::new(Meaning::Final, quoted(&risk_oracle::refusal::words(other))),
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::U256;
    use alloy::sol_types::SolError;

    use super::*;
    use crate::actions::hedge_vault::abi::vault::HedgeVault;
    use crate::actions::risk_oracle::abi::registry::ModelRegistry;
    use veriregime_core::types::diagnostic::Retry;

    fn said(error: &impl SolError) -> Refusal {
        of(&Revert::new(&error.abi_encode())).unwrap()
    }

    #[test]
    fn the_vault_s_errors_become_decisions() {
        let done = HedgeVault::PeriodDone { periodStart: U256::from(7), lastPeriodStart: U256::from(7) };
        assert_eq!(said(&done).meaning, Meaning::AlreadyDone);
        let covered = HedgeVault::NothingToCover { coveredUntilDay: U256::from(20_300) };
        assert_eq!(said(&covered).meaning, Meaning::Nothing);
        let early = HedgeVault::OperatorFirst { untilTimestamp: U256::from(900) };
        assert_eq!(said(&early).meaning, Meaning::NotYet { pause: TURN_PAUSE });
        let little = said(&HedgeVault::TooLittleReceived { usdc: U256::from(5), minUsdc: U256::from(6) });
        assert!(little.retry() == Retry::Later(PRICE_PAUSE) && little.words.contains("5 units"), "{little:?}");
        let poor = said(&HedgeVault::BudgetTooSmall { availableSats: U256::from(7) });
        let paused = said(&HedgeVault::VaultPaused {});
        assert!(poor.retry() == Retry::Later(OWNER_PAUSE) && paused.retry() == Retry::Later(OWNER_PAUSE));
        assert!(paused.words.contains("VaultPaused") && paused.hint().contains("owner"), "{paused:?}");
        let over = said(&HedgeVault::DeadlineOver { deadline: U256::from(7) });
        assert!(over.retry() == Retry::Never && over.hint().contains("deadline"), "{over:?}");
        assert_eq!(of(&Revert::new(&ModelRegistry::InvalidProof {}.abi_encode())), None);
        assert_eq!(of(&Revert::new(&[])), None);
    }
}
