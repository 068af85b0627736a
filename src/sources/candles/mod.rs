//! Where candles come from and where they rest: exchanges, files, and a simulated market behind an exchange's API.

pub mod archive;
mod columns;
pub mod cross_check;
pub mod download;
pub mod error;
pub mod exchange_api;
pub mod file;
pub mod holes;
pub mod http;
pub mod import;
pub mod market;
pub mod minutes;
pub mod parquet;
pub mod quality;
pub mod serve;
pub mod simulated;
pub mod source;
pub mod window;
pub mod written;
