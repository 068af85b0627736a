//! What the chain says of a contract's updates, against public candles and the proof.

pub mod checks;
pub mod compare;
pub mod error;
pub mod follow;
pub mod follow_market;
pub mod market;
pub mod models;
pub mod offline;
pub mod one;
pub mod own;
pub mod publication;
pub mod render;
pub mod reports;
pub mod sale;
pub mod vault;
pub mod watch;
