//! What a volatility forecast would have earned the liquidity providers of a pool, and saved a lender, on candles of the past.
//!
//! Everything here is deterministic: the same candles, signals and seed give the same numbers.

pub mod blocks;
pub mod closure;
pub mod contract;
pub mod cost;
pub mod entry;
pub mod error;
pub mod fee;
pub mod given;
pub mod lending;
pub mod loans;
pub mod market;
pub mod pool;
pub mod position;
pub mod signal;
pub mod study;
