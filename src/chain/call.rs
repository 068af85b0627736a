//! What is asked of a contract.

use alloy::network::TransactionBuilder;
use alloy::primitives::{Address, Bytes, U256};
use alloy::rpc::types::TransactionRequest;

/// A call of a contract, whatever it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub to: Address,
    pub data: Bytes,
    pub value_wei: U256,
}

impl Call {
    /// A call that pays nothing.
    pub fn new(to: Address, data: impl Into<Bytes>) -> Self {
        Self { to, data: data.into(), value_wei: U256::ZERO }
    }
}

impl From<Call> for TransactionRequest {
    fn from(call: Call) -> Self {
        Self::default().with_to(call.to).with_input(call.data).with_value(call.value_wei)
    }
}
