//! The shared vocabulary. Depends on nothing else in the crate and does no I/O.

pub mod address;
pub mod alert;
pub mod attestation;
pub mod baselines;
pub mod candle;
pub mod chain_id;
pub mod contract;
pub mod cycle;
pub mod diagnostic;
pub mod digest;
pub mod evidence;
pub mod feature;
pub mod field;
pub mod gwei;
pub mod manifest;
pub mod origin;
pub mod period;
pub mod prediction;
pub mod proof;
pub mod reference;
pub mod replica;
pub mod rpc_url;
pub mod signed;
pub mod time;
pub mod update;
pub mod venue;
