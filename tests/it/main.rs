//! The integration tests: one binary, one module a topic.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod admin;
mod alerts;
mod api;
mod architecture;
mod attestation;
mod audit;
#[cfg(feature = "training")]
mod backtest;
mod bad_exchange;
mod bad_input;
mod bench_jobs;
mod candles;
mod chaos;
mod cli;
mod cycle;
mod cycles;
mod dashboard;
mod demo;
mod deploy;
mod direct;
mod doctor;
#[cfg(feature = "training")]
mod electricity;
mod evidence;
mod features;
mod fees;
mod fleet;
mod given;
mod grids;
mod handover;
mod health;
mod hedge_job;
mod inference;
mod install;
mod jobs;
mod jobs_told;
mod keys;
mod killing;
mod market;
#[cfg(feature = "training")]
mod markets;
#[cfg(feature = "training")]
mod model;
mod models;
mod node;
mod omission;
mod operators;
mod outside_bytes;
mod page;
mod pipes;
mod proof;
mod proxy;
mod replicas;
mod rpc;
#[cfg(feature = "training")]
mod soak;
mod source_policy;
mod sources;
mod status;
mod tables;
mod time;
#[cfg(feature = "training")]
mod training_run;
mod transactions;
mod trees;
mod tx;
mod vault;
mod wallets;
#[cfg(feature = "halo2")]
mod ways;
#[cfg(not(feature = "training"))]
mod without_training;
mod world;
mod yield_job;
mod yield_portfolio;
mod yields;
