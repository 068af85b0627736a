//! The contracts' interfaces, from the artifacts that forge built.
#![allow(missing_debug_implementations, clippy::pedantic, clippy::too_many_arguments)] // generated

/// Markets, policies and updates.
pub mod oracle {
    alloy::sol!(
        #[sol(rpc, all_derives)]
        RiskOracle,
        "contracts/artifacts/RiskOracle.json"
    );
}

/// Models and attestors.
pub mod registry {
    alloy::sol!(
        #[sol(rpc, all_derives)]
        ModelRegistry,
        "contracts/artifacts/ModelRegistry.json"
    );
}

alloy::sol! {
    /// What every verifier offers.
    #[sol(rpc)]
    interface Verifier {
        function verifyProof(bytes calldata proof, uint256[] calldata instances) external returns (bool);
    }
}
