//! "These features are what public candles give for this period": signed once for each period, and only what this node has
//! computed itself.

pub mod error;
pub mod gather;
mod once;
pub mod peers;
pub mod registry;
pub mod service;
pub mod statement;
