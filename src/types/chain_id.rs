//! Which chains are for development only.

/// Chain ids on which a development SRS, the mock prover and a replayed clock are accepted: anvil, Hardhat, geth --dev.
pub const DEVELOPMENT_CHAIN_IDS: [u64; 2] = [31_337, 1337];

/// Whether `chain_id` is a development chain's.
pub fn is_development(chain_id: u64) -> bool {
    DEVELOPMENT_CHAIN_IDS.contains(&chain_id)
}
