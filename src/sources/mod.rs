//! Where data come from: candles, and tables of daily numbers.

pub mod candles;
pub mod tables;
