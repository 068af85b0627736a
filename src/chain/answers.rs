//! What nodes answer, as far as it is used: the rest may be missing, odd or anything. Numbers have bounds here that no chain
//! comes near, so that whatever is computed with them stays in range.

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::rpc::types::Log;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error};
use serde_json::value::RawValue;

use crate::chain::error::ChainError;
use veriregime_core::types::diagnostic::quoted;

/// Highest block. At ten a second that is nearly a million years.
const MAX_HEIGHT: u64 = 1 << 48;
/// Latest Unix time in seconds, in the year 36812: whoever says more counts milliseconds.
pub(crate) const MAX_SECONDS: u64 = 1 << 40;
/// Most gas of a transaction.
const MAX_GAS: u64 = 1 << 40;
/// Highest nonce.
const MAX_NONCE: u64 = 1 << 48;
/// Highest price of a unit of gas, in wei: an ether.
const MAX_GAS_PRICE_WEI: u64 = 1_000_000_000_000_000_000;

/// A block.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Block {
    /// Height; `None` for one that is still made.
    #[serde(default, deserialize_with = "optional::<MAX_HEIGHT, _>")]
    pub(crate) number: Option<u64>,
    /// Unix seconds.
    #[serde(deserialize_with = "up_to::<MAX_SECONDS, _>")]
    pub(crate) timestamp: u64,
    /// In wei; `None` on chains without one.
    #[serde(default, deserialize_with = "optional::<MAX_GAS_PRICE_WEI, _>")]
    pub(crate) base_fee_per_gas: Option<u64>,
}

/// What became of a transaction.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    pub transaction_hash: B256,
    #[serde(deserialize_with = "up_to::<1, _>")]
    status: u64,
    /// `None` while it is in no block.
    #[serde(default, deserialize_with = "optional::<MAX_HEIGHT, _>")]
    pub block_number: Option<u64>,
    #[serde(deserialize_with = "up_to::<MAX_GAS, _>")]
    pub gas_used: u64,
    /// In wei.
    #[serde(default, deserialize_with = "optional::<MAX_GAS_PRICE_WEI, _>")]
    pub effective_gas_price: Option<u64>,
    /// Of a creation.
    #[serde(default)]
    pub contract_address: Option<Address>,
    #[serde(default)]
    pub(crate) logs: Vec<Log>,
}

impl Receipt {
    /// Whether it did what it was meant to do.
    pub fn succeeded(&self) -> bool {
        self.status == 1
    }
}

/// A transaction as it was sent.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Sent {
    #[serde(default)]
    pub(crate) to: Option<Address>,
    pub(crate) input: Bytes,
}

/// Whether an answer to `method` is one that can be used.
///
/// # Errors
/// [`ChainError::Garbage`].
pub(crate) fn check(method: &str, answer: &RawValue) -> Result<(), ChainError> {
    match method {
        "eth_getBlockByNumber" => is::<Option<Block>>(answer),
        "eth_getTransactionReceipt" => is::<Option<Receipt>>(answer),
        "eth_getTransactionByHash" => is::<Option<Sent>>(answer),
        "eth_getTransactionCount" => number::<MAX_NONCE>(answer),
        "eth_estimateGas" => number::<MAX_GAS>(answer),
        "eth_getBalance" => is::<U256>(answer),
        "eth_call" | "eth_getCode" => is::<Bytes>(answer),
        "eth_getLogs" => is::<Vec<Log>>(answer),
        _ => Ok(()),
    }
}

/// A height that a node names beside what has a bound of its own.
pub(crate) fn height(number: Option<u64>) -> Result<u64, ChainError> {
    match number {
        Some(number) if number <= MAX_HEIGHT => Ok(number),
        Some(number) => Err(ChainError::Garbage(format!("a block of height {number}"))),
        None => Err(ChainError::Garbage("a block without its height".into())),
    }
}

fn is<T: DeserializeOwned>(answer: &RawValue) -> Result<(), ChainError> {
    serde_json::from_str::<T>(answer.get()).map(|_| ()).map_err(garbage)
}

fn number<const MOST: u64>(answer: &RawValue) -> Result<(), ChainError> {
    let number = serde_json::from_str(answer.get()).and_then(within::<MOST, serde_json::Error>);
    number.map(|_| ()).map_err(garbage)
}

fn garbage(error: serde_json::Error) -> ChainError {
    ChainError::Garbage(quoted(&error.to_string()))
}

fn up_to<'de, const MOST: u64, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within::<MOST, D::Error>(U256::deserialize(deserializer)?)
}

fn optional<'de, const MOST: u64, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Option::<U256>::deserialize(deserializer)?.map(within::<MOST, D::Error>).transpose()
}

fn within<const MOST: u64, E: Error>(number: U256) -> Result<u64, E> {
    u64::try_from(number)
        .ok()
        .filter(|number| *number <= MOST)
        .ok_or_else(|| E::custom(format!("{number} where {MOST} is the most that makes sense")))
}

#[cfg(test)]
mod tests {
    use serde_json::value::to_raw_value;
    use serde_json::{Value, json};

    use super::*;
    use veriregime_core::types::diagnostic::Diagnostic;

    fn judged(method: &str, answer: &Value) -> Result<(), &'static str> {
        check(method, &to_raw_value(answer).unwrap()).map_err(|fault| fault.code())
    }

    #[test]
    fn a_number_without_sense_is_refused_wherever_it_is() {
        let most = json!("0xffffffffffffffff");
        let block = json!({"number": "0x5", "timestamp": "0x69000000", "baseFeePerGas": "0x7"});
        let receipt = json!({
            "transactionHash": B256::ZERO, "status": "0x1", "blockNumber": "0x5", "gasUsed": "0x5208",
            "effectiveGasPrice": "0x7",
        });
        for (method, whole) in [("eth_getBlockByNumber", block), ("eth_getTransactionReceipt", receipt)] {
            assert_eq!(judged(method, &whole), Ok(()));
            assert_eq!(judged(method, &Value::Null), Ok(()), "there is none");
            for key in whole.as_object().unwrap().keys() {
                let mut lie = whole.clone();
                lie[key] = most.clone();
                assert_eq!(judged(method, &lie), Err("VR-CHAIN-013"), "{method} {key}");
            }
        }
        for method in ["eth_getTransactionCount", "eth_estimateGas"] {
            assert_eq!(judged(method, &json!("0x5208")), Ok(()));
            for lie in [most.clone(), json!("many"), Value::Null, json!({})] {
                assert_eq!(judged(method, &lie), Err("VR-CHAIN-013"), "{method} {lie}");
            }
        }
        assert_eq!(judged("eth_call", &json!("not hex")), Err("VR-CHAIN-013"));
        assert!(height(Some(u64::MAX)).is_err() && height(None).is_err() && height(Some(7)).is_ok());
    }

    #[test]
    fn blocks_without_what_nobody_uses_are_taken() {
        // No mixHash, no difficulty, no hash; no base fee either, as on a chain without one.
        assert_eq!(judged("eth_getBlockByNumber", &json!({"number": "0x5", "timestamp": "0x69000000"})), Ok(()));
        let pending = json!({"number": null, "timestamp": "0x69000000", "baseFeePerGas": null, "miner": null});
        assert_eq!(judged("eth_getBlockByNumber", &pending), Ok(()));
        assert_eq!(judged("eth_getBlockByNumber", &json!({"number": "0x5"})), Err("VR-CHAIN-013"));
    }
}
