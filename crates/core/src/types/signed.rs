//! What the bytes of a signed transaction say of themselves.

use alloy::consensus::{Transaction, TxEnvelope};
use alloy::eips::eip2718::Decodable2718;
use alloy::primitives::Address;

/// Who signed a transaction, and what it is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// The wallet whose nonce it takes.
    pub wallet: Address,
    /// EIP-155 id of the only chain that takes it, if it names one.
    pub chain_id: Option<u64>,
    /// The account that is called or paid; none for a contract's creation.
    pub to: Option<Address>,
}

/// Reads the bytes of a transaction; `None` for bytes that hold none.
pub fn read(raw: &[u8]) -> Option<Signed> {
    let envelope = TxEnvelope::decode_2718(&mut &*raw).ok()?;
    let wallet = envelope.signature().recover_address_from_prehash(&envelope.signature_hash()).ok()?;
    Some(Signed { wallet, chain_id: envelope.chain_id(), to: envelope.to() })
}
