//! What the vault's errors mean.

use alloy::sol_types::SolInterface;

use super::abi::vault::HedgeVault::HedgeVaultErrors;
use super::advice;
use crate::actions::refusal::{Meaning, Refusal};
use crate::actions::risk_oracle;
use crate::chain::revert::Revert;
use veriregime_core::types::diagnostic::quoted;

/// The meaning of revert data; `None` for what is no error of the vault's own.
pub fn of(revert: &Revert) -> Option<Refusal> {
    let error = HedgeVaultErrors::abi_decode(revert.data()).ok()?;
    Some(of_the_vault(&error).advised(advice::about(revert.data())))
}

fn of_the_vault(error: &HedgeVaultErrors) -> Refusal {
    match error {
        HedgeVaultErrors::PeriodDone(_) => Refusal::new(Meaning::AlreadyDone, "the period has its sale"),
        HedgeVaultErrors::NothingToCover(_) => Refusal::new(Meaning::AlreadyDone, "all days are covered"),
        HedgeVaultErrors::OperatorFirst(error) => Refusal::new(
            Meaning::TooEarly { starts_seconds: error.untilTimestamp.saturating_to() },
            "only operator and owner may sell yet",
        ),
        HedgeVaultErrors::TooLittleReceived(error) => Refusal::new(
            Meaning::Final,
            format!("the sale would bring {} units of USDC, the terms want {}", error.usdc, error.minUsdc),
        ),
        HedgeVaultErrors::BudgetTooSmall(error) => Refusal::new(
            Meaning::Final,
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

    fn said(error: &impl SolError) -> Refusal {
        of(&Revert::new(&error.abi_encode())).unwrap()
    }

    #[test]
    fn the_vault_s_errors_become_decisions() {
        let done = HedgeVault::PeriodDone { periodStart: U256::from(7), lastPeriodStart: U256::from(7) };
        assert_eq!(said(&done).meaning, Meaning::AlreadyDone);
        let covered = HedgeVault::NothingToCover { coveredUntilDay: U256::from(20_300) };
        assert_eq!(said(&covered).meaning, Meaning::AlreadyDone);
        let early = HedgeVault::OperatorFirst { untilTimestamp: U256::from(900) };
        assert_eq!(said(&early).meaning, Meaning::TooEarly { starts_seconds: 900 });
        let little = said(&HedgeVault::TooLittleReceived { usdc: U256::from(5), minUsdc: U256::from(6) });
        assert!(little.meaning == Meaning::Final && little.words.contains("5 units"), "{little:?}");
        assert!(said(&HedgeVault::VaultPaused {}).words.contains("VaultPaused"));
        assert_eq!(of(&Revert::new(&ModelRegistry::InvalidProof {}.abi_encode())), None);
        assert_eq!(of(&Revert::new(&[])), None);
    }
}
