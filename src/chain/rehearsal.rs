//! Transactions tried out before the first of them is sent: all of them, one on top of the other, each at its own time.

use alloy::primitives::{Address, Bytes, U64, U256};
use alloy::providers::Provider;
use serde::Deserialize;
use serde_json::json;

use super::floor::Floor;
use super::read::Reader;
use super::{ENVELOPE_BYTES, GAS_MARGIN_PERCENT, MAX_GAS_LIMIT, fees};
use crate::chain::error::ChainError;
use crate::chain::revert::Revert;

const METHOD: &str = "eth_simulateV1";

/// A transaction that is not sent.
#[derive(Debug, Clone)]
pub struct Trial {
    pub from: Address,
    pub to: Address,
    pub data: Bytes,
    /// Unix seconds of its block at the earliest.
    pub not_before_seconds: u64,
}

/// What a trial came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It goes through, with that gas.
    Passes { gas_used: u64 },
    /// It reverts.
    Refused(Revert),
}

/// What transactions cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    pub transactions: usize,
    /// Units of gas that they use.
    pub gas: u64,
    /// Price of a unit of gas as it is now, in wei.
    pub price_wei: u128,
    /// What they cost at that price, in wei, L1 data fees included.
    pub now_wei: U256,
    /// What the wallet must hold for all of them to be taken, in wei: their gas limits at the fee that is offered.
    pub needed_wei: U256,
    /// The most that they can cost, in wei: their gas limits at the cap.
    pub most_wei: U256,
}

#[derive(Debug, Deserialize)]
struct TriedBlock {
    calls: Vec<TriedCall>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TriedCall {
    status: U64,
    gas_used: U64,
    #[serde(default)]
    return_data: Bytes,
    error: Option<TriedError>,
}

#[derive(Debug, Deserialize)]
struct TriedError {
    #[serde(default)]
    message: String,
    data: Option<Bytes>,
}

impl Reader {
    /// What would become of these transactions, sent in this order from now on. None is sent, and no account needs money.
    ///
    /// # Errors
    /// [`ChainError::Refused`] where the RPC cannot try transactions out, else [`ChainError`].
    pub async fn try_out(&self, trials: &[Trial]) -> Result<Vec<Outcome>, ChainError> {
        if trials.is_empty() {
            return Ok(Vec::new());
        }
        let mut seconds = self.head().await?.timestamp_seconds.unsigned_abs();
        let mut blocks = Vec::with_capacity(trials.len());
        for trial in trials {
            seconds = seconds.saturating_add(1).max(trial.not_before_seconds);
            blocks.push(json!({
                "blockOverrides": {"time": U64::from(seconds), "gasLimit": U64::from(MAX_GAS_LIMIT)},
                "calls": [{"from": trial.from, "to": trial.to, "input": trial.data, "gas": U64::from(MAX_GAS_LIMIT)}],
            }));
        }
        let params = json!([{"blockStateCalls": blocks}, "latest"]);
        let tried: Vec<TriedBlock> = self.provider.raw_request(METHOD.into(), params).await?;
        let calls: Vec<TriedCall> = tried.into_iter().flat_map(|block| block.calls).collect();
        if calls.len() != trials.len() {
            return Err(ChainError::Garbage(format!("{} outcomes of {} trials", calls.len(), trials.len())));
        }
        calls.into_iter().map(outcome).collect()
    }

    /// What transactions cost from now on: for each, the units of gas that it uses and the bytes of its calldata.
    ///
    /// # Errors
    /// [`ChainError::FeeAboveCap`] where the fee of now is above the cap, else [`ChainError`].
    pub async fn cost(&self, transactions: &[(u64, usize)]) -> Result<Cost, ChainError> {
        if transactions.is_empty() {
            return Ok(Cost::default());
        }
        let caps = self.settings.fees.caps();
        let base_fee_wei = self.head().await?.base_fee_wei;
        let offer = fees::offer(base_fee_wei, caps.priority_fee_wei, caps.max_fee_per_gas_wei, Floor::default())?;
        let mut data_fees_wei = U256::ZERO;
        for (_, bytes) in transactions {
            data_fees_wei = data_fees_wei.saturating_add(self.data_fee_wei(bytes + ENVELOPE_BYTES).await?);
        }
        let (mut gas, mut limit) = (0_u64, 0_u64);
        for (used, _) in transactions {
            gas = gas.saturating_add(*used);
            limit = limit.saturating_add(with_margin(*used));
        }
        let price_wei = base_fee_wei.saturating_add(offer.priority_fee_wei);
        let at = |units: u64, unit_wei: u128| {
            U256::from(units).saturating_mul(U256::from(unit_wei)).saturating_add(data_fees_wei)
        };
        Ok(Cost {
            transactions: transactions.len(),
            gas,
            price_wei,
            now_wei: at(gas, price_wei),
            needed_wei: at(limit, offer.max_fee_per_gas_wei),
            most_wei: at(limit, caps.max_fee_per_gas_wei),
        })
    }
}

/// The gas limit for a transaction that uses so much.
fn with_margin(gas: u64) -> u64 {
    (gas.saturating_add(gas.saturating_mul(GAS_MARGIN_PERCENT) / 100)).min(MAX_GAS_LIMIT)
}

fn outcome(call: TriedCall) -> Result<Outcome, ChainError> {
    if call.status == U64::ONE {
        let gas_used: u64 = call.gas_used.to();
        if gas_used > MAX_GAS_LIMIT {
            return Err(ChainError::Garbage(format!("{gas_used} gas of a transaction that had {MAX_GAS_LIMIT}")));
        }
        return Ok(Outcome::Passes { gas_used });
    }
    let error = call.error.unwrap_or(TriedError { message: String::new(), data: None });
    let data = error.data.filter(|data| !data.is_empty()).unwrap_or(call.return_data);
    Ok(Outcome::Refused(if data.is_empty() { Revert::without_data(&error.message) } else { Revert::new(&data) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(json: serde_json::Value) -> Result<Outcome, ChainError> {
        outcome(serde_json::from_value(json).unwrap())
    }

    #[test]
    fn what_nodes_say_of_a_trial_is_understood() {
        let passes = tried(json!({"status": "0x1", "gasUsed": "0x5208", "returnData": "0x", "logs": []})).unwrap();
        assert_eq!(passes, Outcome::Passes { gas_used: 21_000 });
        let data = Bytes::from_static(b"\x01\x02\x03\x04 marginBps");
        let places = [
            json!({"status": "0x0", "gasUsed": "0x1", "returnData": data}),
            json!({"status": "0x0", "gasUsed": "0x1", "error": {"code": 3, "message": "execution reverted", "data": data}}),
        ];
        for place in places {
            let Outcome::Refused(reason) = tried(place).unwrap() else { panic!("refused") };
            assert_eq!(reason, Revert::new(&data));
        }
        let silent =
            json!({"status": "0x0", "gasUsed": "0x989680", "returnData": "0x", "error": {"message": "out of gas"}});
        let Outcome::Refused(reason) = tried(silent).unwrap() else { panic!("refused") };
        assert!(reason.to_string().contains("out of gas"), "{reason}");
        let absurd = json!({"status": "0x1", "gasUsed": "0xffffffffffffffff", "returnData": "0x"});
        assert!(matches!(tried(absurd), Err(ChainError::Garbage(_))));
    }
}
