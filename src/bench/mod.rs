//! Measurements of the program itself, on this machine and in this run.

pub mod api;
pub mod break_even;
pub mod cycle;
mod figures;
pub mod jobs;
pub mod markets;
pub mod ways;
