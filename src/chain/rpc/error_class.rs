//! What nodes mean by their words. Clients word the same refusal differently, and codes tell less than words.

use alloy::primitives::Bytes;
use alloy::rpc::json_rpc::ErrorPayload;
use serde_json::Value;

use crate::chain::floor::Floor;

/// What a node says of signed bytes, or of a request, that it does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ErrorClass {
    /// It has the transaction already.
    Known,
    /// The nonce is used up: this transaction, or another one with its nonce, is mined.
    NonceUsed,
    /// Another transaction with the nonce waits, and this one does not offer enough more; or no node takes so little.
    Underpriced,
    /// The call reverts, and the contract says why.
    Reverted,
    /// The wallet cannot pay, or the call reverts for no reason that is said.
    Answer,
    /// The node does not want any more requests for now.
    Busy,
    /// Something about this node.
    Other,
}

/// In order: the first words that occur decide.
const WORDS: &[(&str, ErrorClass)] = &[
    ("already known", ErrorClass::Known),                       // geth, reth, anvil
    ("already imported", ErrorClass::Known),                    // OpenEthereum
    ("already in mempool", ErrorClass::Known),                  // several L2s
    ("known transaction", ErrorClass::Known),                   // Besu, Nethermind
    ("alreadyknown", ErrorClass::Known),                        // Nethermind
    ("already exists", ErrorClass::Known),                      // Erigon
    ("existing tx with same hash", ErrorClass::Known),          // Erigon
    ("nonce too low", ErrorClass::NonceUsed),                   // geth, reth, anvil, Arbitrum
    ("nonce_too_low", ErrorClass::NonceUsed),                   // Besu
    ("oldnonce", ErrorClass::NonceUsed),                        // Nethermind
    ("nonce is too low", ErrorClass::NonceUsed),                // OpenEthereum
    ("underpriced", ErrorClass::Underpriced),                   // geth, reth, anvil, Besu, Avalanche
    ("gas price below", ErrorClass::Underpriced),               // geth since 2026, Polygon, Besu
    ("fee per gas below", ErrorClass::Underpriced),             // Besu
    ("priority fee below", ErrorClass::Underpriced),            // reth
    ("could not replace existing", ErrorClass::Underpriced),    // Erigon
    ("replacementnotallowed", ErrorClass::Underpriced),         // Nethermind
    ("less than block base fee", ErrorClass::Underpriced),      // geth, reth, anvil, Arbitrum
    ("fee too low", ErrorClass::Underpriced),                   // Nethermind, Erigon
    ("fee is too low", ErrorClass::Underpriced),                // OpenEthereum
    ("feetoolow", ErrorClass::Underpriced),                     // Nethermind
    ("gas price too low", ErrorClass::Underpriced),             // several L2s
    ("wei is too low", ErrorClass::Underpriced),                // OpenEthereum
    ("gas price supplied is too low", ErrorClass::Underpriced), // OpenEthereum
    ("below configured minimum", ErrorClass::Underpriced),      // Besu, Hedera
    ("insufficient fee", ErrorClass::Underpriced),              // Cosmos' EVMs
    ("minimum global fee", ErrorClass::Underpriced),            // Cosmos' EVMs
    ("replacement rule", ErrorClass::Underpriced),              // Cosmos' EVMs
    ("priority is too low", ErrorClass::Underpriced),           // Substrate's EVMs
    ("revert", ErrorClass::Answer),                             // all
    ("insufficient funds", ErrorClass::Answer),                 // geth, reth, anvil, Arbitrum
    ("insufficient_balance", ErrorClass::Answer),               // Besu
    ("upfront cost exceeds", ErrorClass::Answer),               // Besu
    ("insufficientfunds", ErrorClass::Answer),                  // Nethermind
    ("rate limit", ErrorClass::Busy),                           // providers
    ("too many requests", ErrorClass::Busy),                    // providers
];

/// Codes of "too many requests": HTTP's own, and the one that providers agreed upon.
const TOO_MANY_REQUESTS: [i64; 2] = [429, -32005];

/// Code of a revert: geth's, which others took over.
const REVERTED: i64 = 3;
/// What `OpenEthereum` and Nethermind put before the data of a revert.
const REVERTED_PREFIX: &str = "Reverted";

/// After which words nodes name the least that they take, in wei: the builder's part, or all that is paid.
const MINIMA: [(&str, Part); 7] = [
    ("minimum needed ", Part::Priority),                // geth, Polygon, BSC
    ("minimum required priority fee ", Part::Priority), // reth
    ("minimum tip cap ", Part::Priority),               // Avalanche
    ("minimal: ", Part::Priority),                      // OpenEthereum
    ("minimum fee cap ", Part::Whole),                  // Avalanche
    ("basefee: ", Part::Whole),                         // geth, reth, anvil, Arbitrum, Nethermind
    ("base fee: ", Part::Whole),                        // several L2s
];

#[derive(Clone, Copy)]
enum Part {
    Priority,
    Whole,
}

/// The meaning of an error.
pub(crate) fn meaning(error: &ErrorPayload) -> ErrorClass {
    if let Some(data) = revert(error) {
        return if data.is_empty() { ErrorClass::Answer } else { ErrorClass::Reverted };
    }
    let message = error.message.to_lowercase();
    match WORDS.iter().find(|(words, _)| message.contains(words)) {
        Some((_, meaning)) => *meaning,
        None if TOO_MANY_REQUESTS.contains(&error.code) => ErrorClass::Busy,
        None => ErrorClass::Other,
    }
}

/// What a contract reverted with, which may be nothing; `None` where the error is no revert.
pub(crate) fn revert(error: &ErrorPayload) -> Option<Bytes> {
    let data = error.data.as_deref().and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
    let (said, data) = data.as_ref().and_then(hex_in).unzip();
    let is_revert = error.code == REVERTED || said == Some(true) || error.message.to_lowercase().contains("revert");
    is_revert.then(|| data.unwrap_or_default())
}

/// The first hex digits somewhere in what an error carries, and whether they are called a revert's.
fn hex_in(value: &Value) -> Option<(bool, Bytes)> {
    match value {
        Value::String(text) => {
            let bare = text.strip_prefix(REVERTED_PREFIX).map(str::trim_start);
            Some((bare.is_some(), bare.unwrap_or(text).parse().ok()?))
        }
        Value::Object(fields) => fields.values().find_map(hex_in),
        _ => None,
    }
}

/// The least that a node says it takes; zero where it does not say.
pub(crate) fn minimum(message: &str) -> Floor {
    let message = message.to_lowercase();
    let mut floor = Floor::default();
    for (words, part) in MINIMA {
        let Some((_, rest)) = message.split_once(words) else { continue };
        let rest = rest.trim_start_matches('(');
        let digits = &rest[..rest.bytes().take_while(u8::is_ascii_digit).count()];
        let wei = digits.parse().unwrap_or(0);
        let named = match part {
            Part::Priority => Floor { priority_fee_wei: wei, ..Floor::default() },
            Part::Whole => Floor { max_fee_per_gas_wei: wei, ..Floor::default() },
        };
        floor = floor.and(named);
    }
    floor
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use serde_json::value::to_raw_value;

    use super::*;

    fn error(code: i64, message: &str, data: Option<Value>) -> ErrorPayload {
        ErrorPayload { code, message: message.to_owned().into(), data: data.map(|data| to_raw_value(&data).unwrap()) }
    }

    #[test]
    fn the_words_of_several_clients_are_understood() {
        let cases = [
            ("already known", ErrorClass::Known),
            ("INTERNAL_ERROR: existing tx with same hash", ErrorClass::Known),
            ("nonce too low: next nonce 5, tx nonce 4", ErrorClass::NonceUsed),
            ("replacement transaction underpriced", ErrorClass::Underpriced),
            ("transaction underpriced: gas tip cap 0, minimum needed 1", ErrorClass::Underpriced),
            (
                "transaction gas price below minimum: gas tip cap 1000000000, minimum needed 3000000000",
                ErrorClass::Underpriced,
            ),
            ("INTERNAL_ERROR: could not replace existing tx", ErrorClass::Underpriced),
            ("Gas price below configured minimum gas price", ErrorClass::Underpriced),
            ("Max priority fee per gas below configured minimum", ErrorClass::Underpriced),
            ("transaction priority fee below minimum required priority fee 7", ErrorClass::Underpriced),
            ("Transaction gas price 1wei is too low. (minimal: 2, got: 1)", ErrorClass::Underpriced),
            ("insufficient fee; got: 1aphoton required: 2aphoton", ErrorClass::Underpriced),
            ("Gas price '1' is below configured minimum gas price '7'", ErrorClass::Underpriced),
            ("AlreadyKnown", ErrorClass::Known),
            ("execution reverted", ErrorClass::Answer),
            ("insufficient funds for gas * price + value", ErrorClass::Answer),
            ("Your app has exceeded its rate limit", ErrorClass::Busy),
            ("header not found", ErrorClass::Other),
        ];
        for (words, expected) in cases {
            assert_eq!(meaning(&error(-32000, words, None)), expected, "{words}");
        }
    }

    #[test]
    fn a_named_minimum_is_taken_at_its_word() {
        let cases = [
            (
                "transaction gas price below minimum: gas tip cap 1000000000, minimum needed 3000000000",
                3_000_000_000,
                0,
            ),
            ("transaction underpriced: gas tip cap 0, minimum needed 1", 1, 0),
            ("transaction priority fee below minimum required priority fee 7", 7, 0),
            (
                "max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1, baseFee: 765625000",
                0,
                765_625_000,
            ),
            ("transaction underpriced: have gas tip cap (0) < pool minimum tip cap (5)", 5, 0),
            ("Transaction gas price 1wei is too low. (minimal: 2, got: 1)", 2, 0),
            ("minimum needed 99999999999999999999999999999999999999999999", 0, 0),
            ("minimum needed", 0, 0),
            ("replacement transaction underpriced", 0, 0),
        ];
        for (words, priority_fee_wei, max_fee_per_gas_wei) in cases {
            assert_eq!(minimum(words), Floor { max_fee_per_gas_wei, priority_fee_wei }, "{words}");
        }
    }

    #[test]
    fn a_revert_is_one_in_every_dialect() {
        let data = "0x7838d0c40000000000000000000000000000000000000000000000000000000000000001";
        let bytes: Bytes = data.parse().unwrap();
        let cases = [
            (error(-32000, "execution reverted", None), Some(Bytes::new())),
            (error(3, "execution reverted", Some(json!("0x"))), Some(Bytes::new())),
            (error(-32015, "VM execution error.", Some(json!("Reverted 0x"))), Some(Bytes::new())),
            (error(-32015, "VM execution error.", Some(json!("Reverted"))), Some(Bytes::new())),
            (error(-32015, "VM execution error.", Some(json!(format!("Reverted {data}")))), Some(bytes.clone())),
            (error(3, "execution reverted: custom error", Some(json!(data))), Some(bytes.clone())),
            (error(-32603, "VM Exception: revert", Some(json!({"0xhash": {"return": data}}))), Some(bytes)),
            (error(-32015, "VM execution error.", Some(json!("Bad instruction fe"))), None),
            (error(-32000, "header not found", Some(json!("0x12"))), None),
        ];
        for (error, expected) in cases {
            let wanted = match &expected {
                Some(data) if data.is_empty() => ErrorClass::Answer,
                Some(_) => ErrorClass::Reverted,
                None => ErrorClass::Other,
            };
            assert_eq!((revert(&error), meaning(&error)), (expected, wanted), "{error}");
        }
    }
}
