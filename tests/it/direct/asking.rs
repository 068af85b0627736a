//! A chain on which generated contracts are asked about many rows at once.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use alloy::hex;
use alloy::primitives::{Address, Bytes, U256};
use alloy::sol_types::SolCall;
use serde_json::{Value, json};
use veriregime_agent::chain::Chain;
use veriregime_agent::devnet::{self, Anvil};
use veriregime_core::model::solidity::{CONTRACT, MAX_CODE_BYTES, MAX_CREATION_BYTES, OPTIMIZER_RUNS};

alloy::sol! {
    function verifyProof(bytes calldata proof, uint256[] calldata instances) external view returns (bool accepted);
    function ask(address verifier, bytes[] calldata calls) external view returns (uint256[] memory answers);
}

/// Twice the gas of each call, and one more where it is accepted. The verifier has been touched before, as by a registry.
const ASKING: &str = "pragma solidity ^0.8.20;
contract Asking {
    function ask(address verifier, bytes[] calldata calls) external view returns (uint256[] memory answers) {
        answers = new uint256[](calls.length);
        require(verifier.code.length > 0);
        for (uint256 i; i < calls.length; ++i) {
            bytes memory data = calls[i];
            assembly {
                mstore(0, 2)
                let used := gas()
                let accepted := staticcall(gas(), verifier, add(data, 32), mload(data), 0, 32)
                used := sub(used, gas())
                accepted := and(accepted, and(eq(mload(0), 1), eq(returndatasize(), 32)))
                mstore(add(answers, mul(32, add(i, 1))), add(mul(2, used), accepted))
            }
        }
    }
}";
/// Bytes of the calls of one request; anvil takes twice that many characters and some more.
const REQUEST_BYTES: usize = 400_000;
/// The gas of one request.
const GAS: u64 = 1_000_000_000;
/// Most gas of a transaction since the Osaka upgrade.
const MAX_TRANSACTION_GAS: u64 = 16_777_216;

/// Compiled code.
pub struct Code {
    pub creation: Bytes,
    pub deployed: Bytes,
}

/// Compiles a contract as the product does.
pub fn compiled(source: &str, contract: &str) -> Code {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts/verifier.mjs");
    let mut command = Command::new("node");
    command.arg(script).args(["--contract", contract, "--runs", &OPTIMIZER_RUNS.to_string()]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{contract} does not compile");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let code = |name: &str| found[name].as_str().unwrap().parse().unwrap();
    Code { creation: code("bytecode"), deployed: code("deployedBytecode") }
}

/// One question, and what the contract made of it.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    pub is_accepted: bool,
    pub gas: u64,
}

/// The chain.
pub struct Asking {
    pub anvil: Anvil,
    wallet: Chain,
    contract: Address,
}

/// A contract on it.
pub struct Deployed {
    pub address: Address,
    pub code_bytes: usize,
    pub creation_bytes: usize,
    pub creation_gas: u64,
}

impl Asking {
    pub async fn new() -> Self {
        let (anvil, wallet) = devnet::bare_chain().await.unwrap();
        let contract = wallet.create(compiled(ASKING, "Asking").creation).await.unwrap();
        Self { anvil, wallet, contract }
    }

    /// Puts a generated contract on the chain, within the limits of one that has any.
    pub async fn deploy(&self, source: &str) -> Deployed {
        let code = compiled(source, CONTRACT);
        let (code_bytes, creation_bytes) = (code.deployed.len(), code.creation.len());
        assert!(code_bytes <= MAX_CODE_BYTES && creation_bytes <= MAX_CREATION_BYTES, "{code_bytes} {creation_bytes}");
        let creation = json!([{ "from": self.wallet.address(), "data": code.creation }]);
        let gas = self.anvil.request("eth_estimateGas", creation).await.unwrap();
        let creation_gas = u64::from_str_radix(gas.as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
        assert!(creation_gas <= MAX_TRANSACTION_GAS, "{creation_gas}");
        let address = self.wallet.create(code.creation).await.unwrap();
        Deployed { address, code_bytes, creation_bytes, creation_gas }
    }

    /// Puts any contract on the chain.
    pub async fn put(&self, creation: Bytes) -> Address {
        self.wallet.create(creation).await.unwrap()
    }

    /// What the contract says of rows of public inputs.
    pub async fn ask(&self, contract: Address, rows: &[Vec<U256>]) -> Vec<Answer> {
        let calls = rows.iter().map(|row| call(&[], row)).collect::<Vec<_>>();
        self.ask_calls(contract, &calls).await
    }

    /// What it says of calls of any kind.
    pub async fn ask_calls(&self, contract: Address, calls: &[Bytes]) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(calls.len());
        let longest = calls.iter().map(|call| call.len()).max().unwrap_or(0);
        for calls in calls.chunks((REQUEST_BYTES / longest.max(1)).max(1)) {
            let data = Bytes::from(askCall { verifier: contract, calls: calls.to_vec() }.abi_encode());
            let request = json!([{ "to": self.contract, "data": data, "gas": format!("{GAS:#x}") }, "latest"]);
            let answer = self.anvil.request("eth_call", request).await.unwrap();
            let answer = hex::decode(answer.as_str().unwrap()).unwrap();
            let found = askCall::abi_decode_returns(&answer).unwrap();
            answers.extend(found.iter().map(|answer| {
                let answer = answer.to::<u64>();
                Answer { is_accepted: answer % 2 == 1, gas: answer / 2 }
            }));
        }
        answers
    }
}

/// The calldata of a question.
pub fn call(proof: &[u8], instances: &[U256]) -> Bytes {
    verifyProofCall { proof: proof.to_vec().into(), instances: instances.to_vec() }.abi_encode().into()
}
