//! The integration tests: one binary, one module a topic.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod admin;
mod alerts;
mod api;
mod architecture;
mod attestation;
mod audit;
mod bad_exchange;
mod bad_input;
mod candles;
mod chaos;
mod cli;
mod cycle;
mod deploy;
mod doctor;
mod evaluation;
mod evidence;
mod features;
mod fees;
mod health;
mod inference;
mod keys;
mod market;
mod model;
mod models;
mod node;
mod operators;
mod original;
mod outside_bytes;
mod proof;
mod proxy;
mod replicas;
mod rpc;
mod soak;
mod source_policy;
mod sources;
mod status;
mod time;
mod training;
mod training_run;
mod transactions;
mod tx;
mod wgpu;
mod world;
