//! An owner's WBTC, sold for the electricity of the next months.

pub mod abi;
mod advice;
pub mod contract;
pub mod estimate;
pub mod model;
pub mod read;
pub mod refusal;
pub mod wallet;
