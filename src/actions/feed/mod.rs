//! A strategy's forecasts, published to a `Feed`.

pub mod abi;
pub mod action;
pub mod model;
pub mod publication;
pub mod published;
pub mod refusal;
