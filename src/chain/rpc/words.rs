//! What nodes mean by their words. Clients word the same refusal differently, and codes tell less than words.

use alloy::rpc::json_rpc::ErrorPayload;

/// What a node says of signed bytes, or of a request, that it does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Meaning {
    /// It has the transaction already.
    Known,
    /// The nonce is used up: this transaction, or another one with its nonce, is mined.
    NonceUsed,
    /// Another transaction with the nonce waits, and this one does not offer enough more.
    Underpriced,
    /// The wallet cannot pay, or the call reverts: every node would say so.
    Answer,
    /// The node does not want any more requests for now.
    Busy,
    /// Something about this node.
    Other,
}

/// In order: the first words that occur decide.
const WORDS: [(&str, Meaning); 21] = [
    ("already known", Meaning::Known),                  // geth, reth, anvil
    ("already imported", Meaning::Known),               // OpenEthereum
    ("already in mempool", Meaning::Known),             // several L2s
    ("known transaction", Meaning::Known),              // Besu, Nethermind
    ("alreadyknown", Meaning::Known),                   // Nethermind
    ("already exists", Meaning::Known),                 // Erigon
    ("nonce too low", Meaning::NonceUsed),              // geth, reth, anvil, Arbitrum
    ("nonce_too_low", Meaning::NonceUsed),              // Besu
    ("oldnonce", Meaning::NonceUsed),                   // Nethermind
    ("nonce is too low", Meaning::NonceUsed),           // OpenEthereum
    ("underpriced", Meaning::Underpriced),              // geth, reth, anvil, Besu
    ("replacementnotallowed", Meaning::Underpriced),    // Nethermind
    ("less than block base fee", Meaning::Underpriced), // geth, reth, anvil
    ("fee too low", Meaning::Underpriced),              // Nethermind, OpenEthereum
    ("feetoolow", Meaning::Underpriced),                // Nethermind
    ("revert", Meaning::Answer),                        // all
    ("insufficient funds", Meaning::Answer),            // geth, reth, anvil, Arbitrum
    ("insufficient_balance", Meaning::Answer),          // Besu
    ("upfront cost exceeds", Meaning::Answer),          // Besu
    ("insufficientfunds", Meaning::Answer),             // Nethermind
    ("rate limit", Meaning::Busy),                      // providers
];

/// Codes of "too many requests": HTTP's own, and the one that providers agreed upon.
const TOO_MANY_REQUESTS: [i64; 2] = [429, -32005];

/// The meaning of an error.
pub(crate) fn meaning(error: &ErrorPayload) -> Meaning {
    if error.as_revert_data().is_some() {
        return Meaning::Answer;
    }
    let message = error.message.to_lowercase();
    match WORDS.iter().find(|(words, _)| message.contains(words)) {
        Some((_, meaning)) => *meaning,
        None if TOO_MANY_REQUESTS.contains(&error.code) => Meaning::Busy,
        None => Meaning::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_several_clients_are_understood() {
        let cases = [
            ("already known", Meaning::Known),
            ("nonce too low: next nonce 5, tx nonce 4", Meaning::NonceUsed),
            ("replacement transaction underpriced", Meaning::Underpriced),
            ("transaction underpriced: gas tip cap 0, minimum needed 1", Meaning::Underpriced),
            ("AlreadyKnown", Meaning::Known),
            ("execution reverted", Meaning::Answer),
            ("insufficient funds for gas * price + value", Meaning::Answer),
            ("Your app has exceeded its rate limit", Meaning::Busy),
            ("header not found", Meaning::Other),
        ];
        for (words, expected) in cases {
            let error = ErrorPayload { code: -32000, message: words.into(), data: None };
            assert_eq!(meaning(&error), expected, "{words}");
        }
    }
}
