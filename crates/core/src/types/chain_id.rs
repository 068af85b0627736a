//! Which chains are for development only.

/// Chain ids on which a development SRS, the mock prover and a replayed clock are accepted: anvil, Hardhat, geth --dev.
pub const DEVELOPMENT_CHAIN_IDS: [u64; 2] = [31_337, 1337];

/// Whether `chain_id` is a development chain's.
pub fn is_development(chain_id: u64) -> bool {
    DEVELOPMENT_CHAIN_IDS.contains(&chain_id)
}

/// What fees are paid in on a chain; in so many words where the chain is not known here.
pub fn coin(chain_id: u64) -> &'static str {
    match chain_id {
        // Ethereum and its layers that pay in ether, their testnets, and development chains.
        1 | 10 | 130 | 324 | 480 | 1337 | 8453 | 31_337 | 34_443 | 42_161 | 57_073 | 59_144 | 81_457 | 534_352
        | 17_000 | 84_532 | 421_614 | 560_048 | 11_155_111 | 11_155_420 => "ETH",
        56 => "BNB",
        100 => "xDAI",
        137 => "POL",
        146 => "S",
        5000 => "MNT",
        42_220 => "CELO",
        43_114 => "AVAX",
        _ => "of the chain's coin",
    }
}
