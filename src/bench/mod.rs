//! Measurements of the program itself, on this machine and in this run.

pub mod jobs;
