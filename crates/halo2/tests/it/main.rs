//! The circuit against the model's integers, and proofs against whatever should not pass for one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop where it is")]

mod circuit;
mod given;
mod programs;
mod proofs;
