//! VeriRegime agent: forecasts the volatility regime of the next four hours, proves the forecast with EZKL and sets a
//! protocol's risk parameters on chain.
//!
//! ```text
//! clock ─► schedule ─► candles ─► features ─► inference ─► proof ─► chain ─► confirm
//!                          └───────── state: every stage durable before its side effect ──► api, status
//! training ─► models/<id>/ (files only) ─► inference, proof
//! ```

// With the signers of key services the futures of commands nest more deeply than the compiler expects.
#![recursion_limit = "256"]

pub mod alerts;
pub mod api;
pub mod audit;
pub mod candles;
pub mod chain;
pub mod clock;
pub mod cmd;
pub mod config;
pub mod cycle;
pub mod evaluation;
pub mod evidence;
pub mod features;
pub mod fs;
pub mod health;
pub mod inference;
pub mod peers;
pub mod plots;
pub mod proof;
pub mod registry;
pub mod schedule;
pub mod state;
pub mod telemetry;
pub mod training;
pub mod types;
