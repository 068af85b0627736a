//! What every generated contract has around its sums: the interface, the numbers of public inputs, and its data.
//!
//! Data are either in the contract's own code or, beyond that, the code of contracts that its constructor creates. Where
//! those are follows from its own address and the order of their creation, and their code must have the hash that stands in
//! this contract's code. So one code hash, that of the verifier, says all that is computed, whoever deployed it.

use std::fmt::Write as _;

use alloy::primitives::keccak256;

use super::word::Lines;
use crate::model::ModelError;

/// Name of the generated contract.
pub const CONTRACT: &str = "DirectVerifier";
/// Largest code of a contract, EIP-170.
pub const MAX_CODE_BYTES: usize = 24_576;
/// Largest code that creates one, EIP-3860: data that the constructor turns into contracts count as well.
pub const MAX_CREATION_BYTES: usize = 2 * MAX_CODE_BYTES;
/// Most data of one contract: its code begins with `STOP`, so that nobody can run the data.
const MAX_CHUNK_BYTES: usize = MAX_CODE_BYTES - 1;
/// Code that creates a contract of what follows it: its length stands in the two bytes behind the first.
const CREATION_BYTES: usize = 10;
/// Gas of finding a contract of data: it has not been touched in the transaction before.
const CHUNK_GAS: usize = 2_800;
/// Code that reads, checks and creates a contract of data.
const CHUNK_CODE_BYTES: usize = 300;

/// A contract before it is written.
pub struct Contract<'a> {
    pub model_id: &'a str,
    /// What it computes, a line of documentation each.
    pub what: Vec<String>,
    pub markets: usize,
    pub features: usize,
    pub outputs: usize,
    pub bound: i32,
    /// What the assembly finds in memory from [`DATA`] on.
    pub data: Vec<u8>,
    /// Code of the contract without its data, estimated from above.
    pub code_bytes: usize,
    /// Assembly that clears `fits` where something does not fit. `at` is the first feature, `outputs` the first output, and
    /// memory behind the data is free.
    pub body: Lines,
}

/// Where data are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// There are none.
    Nowhere,
    /// In the contract's own code.
    Own,
    /// In so many contracts of their own.
    Contracts(usize),
}

impl Place {
    /// The place of so many bytes of data besides so much code.
    ///
    /// # Errors
    /// [`ModelError::ContractTooLarge`].
    pub fn of(data_bytes: usize, code_bytes: usize) -> Result<Self, ModelError> {
        let contracts = data_bytes.div_ceil(MAX_CHUNK_BYTES);
        let created = data_bytes + code_bytes + contracts * CHUNK_CODE_BYTES;
        match data_bytes {
            0 if code_bytes <= MAX_CODE_BYTES => Ok(Self::Nowhere),
            1.. if data_bytes + code_bytes <= MAX_CODE_BYTES => Ok(Self::Own),
            1.. if created <= MAX_CREATION_BYTES => Ok(Self::Contracts(contracts)),
            _ => Err(ModelError::ContractTooLarge { bytes: created, limit: MAX_CREATION_BYTES }),
        }
    }

    /// Gas of finding the data.
    pub fn gas(self) -> usize {
        match self {
            Self::Nowhere | Self::Own => 0,
            Self::Contracts(count) => CHUNK_GAS * count,
        }
    }
}

/// Where data begin in memory: behind the length of the first thing that Solidity allocates.
pub const DATA: usize = 160;
/// Where features begin in the calldata: behind the selector, two offsets, the empty proof's length and their number.
const FEATURES_AT: usize = 4 + 4 * 32;
/// Where outputs begin in the calldata.
pub fn outputs_at(markets: usize, features: usize) -> usize {
    FEATURES_AT + 32 * markets * features
}

/// Assembly inside of the contract's one function.
pub const BODY_DEPTH: usize = 3;

impl Contract<'_> {
    /// Its Solidity.
    ///
    /// # Errors
    /// [`ModelError::ContractTooLarge`].
    pub fn source(&self) -> Result<String, ModelError> {
        let place = Place::of(self.data.len(), self.code_bytes)?;
        let Self { model_id, markets, features, outputs, bound, .. } = self;
        let width = 2 * i64::from(*bound) + 1;
        let instances = markets * (features + outputs);
        let what = self.what.iter().fold(String::new(), |text, line| text + "/// " + line + "\n");
        let (declared, allocated) = match place {
            Place::Nowhere => (String::new(), ""),
            Place::Own => (
                format!("    bytes private constant DATA = hex\"{}\";\n", hex::encode(&self.data)),
                "        bytes memory own = DATA;\n",
            ),
            Place::Contracts(_) => (self.constructor(), ""),
        };
        let read = match place {
            Place::Nowhere => String::new(),
            Place::Own => format!("            if xor(own, {}) {{ revert(0, 0) }}\n", DATA - 32),
            Place::Contracts(_) => self.reading(),
        };
        Ok(format!(
            "// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title {CONTRACT}
/// @notice Computes the model {model_id} and compares what is claimed of it: {features} features and {outputs} outputs of each of {markets} market(s).
/// There is no proof: the chain itself runs the model.
/// @dev Generated.
{what}contract {CONTRACT} {{
    /// Order of the field that public inputs are elements of; negative numbers are counted down from it.
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// Largest magnitude of a feature, and how many values it can have.
    uint256 private constant BOUND = {bound};
    uint256 private constant WIDTH = {width};
{declared}
    /// @notice Answers `verifyProof(bytes,uint256[])`: whether each output is what the model gives for its features.
    /// @dev The proof is empty; public inputs are all markets' features, then all markets' outputs, canonical elements of the
    /// field. Only the one encoding of that is read. Where each of them stands is known then, and nothing is decoded.
    fallback() external {{
{allocated}        assembly {{
            let asked := and(eq(calldatasize(), {size}), eq(shr(224, calldataload(0)), {selector}))
            asked := and(asked, and(eq(calldataload(4), 64), eq(calldataload(36), 96)))
            asked := and(asked, and(iszero(calldataload(68)), eq(calldataload(100), {instances})))
            if iszero(asked) {{ revert(0, 0) }}
            let fits := 1
            let at := {FEATURES_AT}
            let outputs := {outputs_at}
{read}{body}            mstore(0, fits)
            return(0, 32)
        }}
    }}
}}
",
            size = FEATURES_AT + 32 * instances,
            selector = &keccak256("verifyProof(bytes,uint256[])").to_string()[..10],
            outputs_at = outputs_at(*markets, *features),
            body = self.markets_body(),
        ))
    }

    /// The body, once for each market.
    fn markets_body(&self) -> String {
        if self.markets == 1 {
            return self.body.text().to_owned();
        }
        let next = format!("outputs := add(outputs, {})", 32 * self.outputs);
        let body = self.body.text();
        format!("            for {{ let end := outputs }} lt(at, end) {{ {next} }} {{\n{body}            }}\n")
    }

    fn chunks(&self) -> impl Iterator<Item = Vec<u8>> {
        self.data.chunks(MAX_CHUNK_BYTES).map(|chunk| [&[0], chunk].concat())
    }

    /// A constructor that creates the contracts of data.
    fn constructor(&self) -> String {
        let mut text = String::from("\n    constructor() {\n");
        for code in self.chunks() {
            // PUSH2 length, DUP1, PUSH1 offset, RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN.
            let mut creation = vec![0x61, (code.len() >> 8) as u8, code.len() as u8];
            creation.extend([0x80, 0x60, CREATION_BYTES as u8, 0x3d, 0x39, 0x3d, 0xf3]);
            debug_assert_eq!(creation.len(), CREATION_BYTES);
            creation.extend(&code);
            let _ = writeln!(text, "        _create(hex\"{}\");", hex::encode(creation));
        }
        text.push_str(
            "    }

    function _create(bytes memory creation) private {
        assembly {
            if iszero(create(0, add(creation, 32), mload(creation))) { revert(0, 0) }
        }
    }
",
        );
        text
    }

    /// Assembly that copies the data into memory, and accepts nothing where they are not what they must be.
    fn reading(&self) -> String {
        let mut text = String::new();
        for (index, code) in self.chunks().enumerate() {
            let (nonce, hash, bytes) = (index + 1, keccak256(&code), code.len() - 1);
            let to = DATA + index * MAX_CHUNK_BYTES;
            let _ = write!(
                text,
                "            {{
                // The address of the contract that this one created as number {nonce}: of RLP's [address, {nonce}].
                mstore(0, or(shl(240, 0xd694), or(shl(80, address()), shl(72, {nonce}))))
                let from := and(keccak256(0, 23), 0xffffffffffffffffffffffffffffffffffffffff)
                fits := and(fits, eq(extcodehash(from), {hash}))
                extcodecopy(from, {to}, 1, {bytes})
            }}
"
            );
        }
        text
    }
}
