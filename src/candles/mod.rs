//! Where candles come from and where they rest: the exchange, files, and a simulated market behind an exchange's API.

pub mod archive;
pub mod error;
pub mod file;
pub mod parquet;
