//! Electricity models: trained, walked forward, judged.

pub mod backtest;
pub mod evaluate;
mod others;
pub mod train;
