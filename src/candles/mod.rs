//! Where candles come from and where they rest: the exchange, files, and a simulated market behind an exchange's API.

pub mod archive;
pub mod binance;
pub mod download;
pub mod error;
pub mod file;
pub mod http;
pub mod market;
pub mod parquet;
pub mod quality;
pub mod serve;
pub mod simulated;
