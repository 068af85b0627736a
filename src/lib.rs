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

pub mod actions;
pub mod alerts;
pub mod api;
pub mod attestation;
pub mod audit;
pub mod bench;
pub mod bundle;
pub mod chain;
pub mod clock;
pub mod cmd;
pub mod config;
pub mod demo;
pub mod deployment;
pub mod devnet;
pub mod diagnosis;
pub mod doctor;
pub mod evidence;
pub mod forecast;
pub mod health;
pub mod http;
pub mod job;
pub mod modelling;
pub mod node;
pub mod operator;
pub mod render;
pub mod sources;
pub mod state;
pub mod telemetry;
pub mod verification;
