//! Measurements of the program itself, on this machine and in this run.

pub mod api;
pub mod break_even;
mod client;
pub mod cycle;
mod figures;
pub mod jobs;
pub mod lstm;
pub mod markets;
mod process;
mod viewers;
pub mod ways;
