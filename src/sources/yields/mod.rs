//! Daily rates of strategies on chain: tables of a folder, and the dialect of DefiLlama.

pub mod costs;
pub mod defillama;
pub mod error;
pub mod fetch;
pub mod folder;
pub mod funding;
pub mod renewal;
pub mod table;
