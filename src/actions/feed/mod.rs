//! A strategy's forecasts, published to a `Feed`.

pub mod abi;
pub mod contract;
pub mod model;
pub mod refusal;
