//! The contract's interface, from the artifact that forge built.
#![allow(missing_debug_implementations, clippy::pedantic, clippy::too_many_arguments)] // generated

alloy::sol!(
    #[sol(rpc, all_derives)]
    RiskOracle,
    "contracts/artifacts/RiskOracle.json"
);

alloy::sol! {
    /// What EZKL's verifier offers.
    #[sol(rpc)]
    interface Halo2Verifier {
        function verifyProof(bytes calldata proof, uint256[] calldata instances) external returns (bool);
    }
}
