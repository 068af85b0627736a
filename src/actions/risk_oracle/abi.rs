//! The contract's interface, from the artifact that forge built.
#![allow(missing_debug_implementations, clippy::pedantic)] // generated

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

    /// What an OP stack says of the L1 part of a fee (since its Fjord upgrade).
    #[sol(rpc)]
    interface GasPriceOracle {
        function getL1FeeUpperBound(uint256 unsignedTxSize) external view returns (uint256);
    }

    /// What an attestor signs, by EIP-712.
    struct Attestation {
        bytes32 modelId;
        uint64 period;
        uint256 omittedMarkets;
        bytes32 instancesHash;
        bytes32 closesHash;
        uint32 attestorSetVersion;
    }
}
