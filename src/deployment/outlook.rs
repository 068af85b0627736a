//! What transactions would come to, and what they cost, before the first of them is sent.

use alloy::primitives::utils::format_ether;
use alloy::primitives::{Address, U256};
use serde_json::{Value, json};

use crate::actions::contracts::refusal_of;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use crate::chain::rehearsal::{Cost, Outcome, Trial};
use crate::deployment::Step;
use crate::deployment::error::DeploymentError;
use crate::render::{gwei, layout};
use veriregime_core::types::chain_id::coin;

/// Decimals of an amount that is shown.
const DECIMALS: usize = 6;

/// What a row of transactions comes to, all of which would go through.
#[derive(Debug)]
pub struct Outlook {
    pub wallet: Address,
    /// Units of gas of each, by its name.
    gas: Vec<(String, u64)>,
    /// Of those that the wallet sends.
    cost: Cost,
    balance_wei: U256,
    /// The cap for a unit of gas.
    cap_wei: u128,
    coin: &'static str,
}

impl Outlook {
    /// Of steps that were tried out, with what each came to.
    ///
    /// # Errors
    /// [`DeploymentError::Refused`] with the first that would not go through, or what the chain says.
    pub async fn of(
        reader: &Reader,
        wallet: Address,
        trials: &[(&Step, Trial)],
        outcomes: Vec<Outcome>,
    ) -> Result<Self, DeploymentError> {
        let (mut gas, mut own) = (Vec::new(), Vec::new());
        for ((step, trial), outcome) in trials.iter().zip(outcomes) {
            match outcome {
                Outcome::Refused(revert) => {
                    let reason = refusal_of(&revert);
                    return Err(DeploymentError::Refused { step: step.name.clone(), reason });
                }
                Outcome::Passes { gas_used } => {
                    gas.push((step.name.clone(), gas_used));
                    if step.sender == wallet {
                        own.push((gas_used, trial.data.len()));
                    }
                }
            }
        }
        let cost = reader.cost(&own).await?;
        let balance_wei = reader.balance_wei(wallet).await?;
        let cap_wei = reader.fees().caps().max_fee_per_gas_wei;
        Ok(Self { wallet, gas, cost, balance_wei, cap_wei, coin: coin(reader.chain_id()) })
    }

    /// Refuses to begin what the wallet cannot pay to the end.
    ///
    /// # Errors
    /// [`ChainError::EmptyWallet`].
    pub fn check_funds(&self) -> Result<(), DeploymentError> {
        if self.is_affordable() {
            return Ok(());
        }
        let (wallet, balance_wei, needed_wei) = (self.wallet, self.balance_wei, self.cost.needed_wei);
        Err(ChainError::EmptyWallet { wallet, balance_wei, needed_wei }.into())
    }

    fn is_affordable(&self) -> bool {
        self.balance_wei >= self.cost.needed_wei
    }

    /// Units of gas of the step with that name.
    pub fn gas_of(&self, name: &str) -> Option<u64> {
        self.gas.iter().find(|(known, _)| known == name).map(|(_, gas)| *gas)
    }

    /// What it costs, for people; nothing where the wallet sends nothing.
    pub fn lines(&self) -> Option<String> {
        let Cost { transactions, gas, price_wei, now_wei, needed_wei, most_wei } = self.cost;
        let amount = |wei: U256| amount(wei, self.coin);
        let enough = if self.is_affordable() {
            String::new()
        } else {
            format!("; that is NOT ENOUGH, nothing begins below {}", amount(needed_wei))
        };
        (transactions > 0).then(|| {
            let cost = format!(
                "Cost: {transactions} transaction{} of this wallet, {gas} gas: {} at the price of now ({}), {} at most \
                 (at chain.max_fee_per_gas_gwei, {}).",
                if transactions == 1 { "" } else { "s" },
                amount(now_wei),
                gwei(price_wei),
                amount(most_wei),
                gwei(self.cap_wei),
            );
            let wallet = format!("Wallet {} holds {}{enough}.", self.wallet, amount(self.balance_wei));
            format!("{}\n{}", layout::text(&cost), layout::text(&wallet))
        })
    }

    /// What it costs, for programs.
    pub fn json(&self) -> Value {
        let Cost { transactions, gas, price_wei, now_wei, needed_wei, most_wei } = self.cost;
        let each: serde_json::Map<String, Value> =
            self.gas.iter().map(|(name, gas)| (name.clone(), json!(gas))).collect();
        json!({
            "wallet": self.wallet,
            "transactions": transactions,
            "gas": gas,
            "gas_of_each": each,
            "price_wei": price_wei.to_string(),
            "now_wei": now_wei.to_string(),
            "most_wei": most_wei.to_string(),
            "needed_wei": needed_wei.to_string(),
            "balance_wei": self.balance_wei.to_string(),
            "coin": self.coin,
        })
    }
}

/// An amount to six decimals; a smaller one whole.
fn amount(wei: U256, coin: &str) -> String {
    let exact = format_ether(wei);
    let (whole, decimals) = exact.split_once('.').unwrap_or((&exact, ""));
    let kept = decimals.get(..DECIMALS).unwrap_or(decimals);
    let is_lost = whole == "0" && kept.bytes().all(|digit| digit == b'0');
    let decimals = (if is_lost { decimals } else { kept }).trim_end_matches('0');
    if decimals.is_empty() { format!("{whole} {coin}") } else { format!("{whole}.{decimals} {coin}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_short_and_never_nothing() {
        let cases = [
            (0_u128, "0 ETH"),
            (1, "0.000000000000000001 ETH"),
            (1_234_567_890_000_000, "0.001234 ETH"),
            (2_000_000_000_000_000_000, "2 ETH"),
            (12_500_000_000_000_000_000, "12.5 ETH"),
        ];
        for (wei, words) in cases {
            assert_eq!(amount(U256::from(wei), "ETH"), words);
        }
    }
}
