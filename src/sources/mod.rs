//! Where data come from: candles, tables of daily numbers, and rates of strategies on chain.

pub mod candles;
pub mod tables;
pub mod yields;
