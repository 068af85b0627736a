//! What to do about each of the vault's errors.

use super::abi::vault::HedgeVault::HedgeVaultErrors;

/// What to do about the error that revert data holds; `None` for what is no error of the vault.
pub(super) fn about(data: &[u8]) -> Option<&'static str> {
    of(HedgeVaultErrors::name_by_selector(*data.first_chunk::<4>()?)?)
}

fn of(error: &str) -> Option<&'static str> {
    Some(match error {
        "InvalidConfiguration" => "correct that field in [vault] of the vault's file",
        "InvalidTerms" => "correct that field in [terms] of the vault's file",
        "NotAllowed" => "send it with the key of the vault's owner",
        "VaultPaused" => "nothing: the week is sold once its owner lets sales go on; only the owner can",
        "DeadlineOver" => "let the owner set terms with a later deadline",
        "ForeignModel" => "use the bundle and the country of the vault's terms",
        "PeriodDone" => "nothing: the period has its sale, and the next one begins anew",
        "OperatorFirst" => "wait until `untilTimestamp`, or send it with the operator's key",
        "InvalidPrices" => "check the tables: a price of electricity, or of the euro, is zero",
        "ThinHistory" => {
            "let anyone call the pool's `increaseObservationCardinalityNext`, or the owner ask for fewer observations"
        }
        "NoTwap" => "wait: the pool's observations do not reach back that far yet",
        "NothingToCover" => "nothing: all days of the horizon are covered",
        "BudgetTooSmall" => "send WBTC to the vault, or let the owner raise the budget",
        "TooLittleReceived" => {
            "wait until the pool's price is back, or has been where it is for a while; the period is not lost"
        }
        "NotPool" => "report it with the error: this program makes no call that meets it",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use alloy::sol_types::SolInterface;

    use super::*;

    #[test]
    fn every_error_of_the_vault_has_advice() {
        let without: Vec<_> = HedgeVaultErrors::selectors().filter(|selector| about(selector).is_none()).collect();
        assert!(without.is_empty(), "{without:?}");
        assert_eq!((about(&[]), about(&[1, 2, 3, 4])), (None, None));
    }
}
