//! An owner's WBTC, sold for the electricity of the next months.

pub mod abi;
pub mod action;
mod advice;
pub mod estimate;
pub mod model;
pub mod order;
mod prices;
pub mod published;
pub mod read;
pub mod refusal;
pub mod wallet;
