//! An owner's WBTC, sold for the electricity of the next months.

pub mod abi;
mod advice;
pub mod model;
pub mod order;
pub mod prices;
pub mod read;
pub mod refusal;
pub mod wallet;
