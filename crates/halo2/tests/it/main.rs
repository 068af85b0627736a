//! The circuit against the model's integers, and proofs against whatever should not pass for one.

mod circuit;
mod given;
mod programs;
mod proofs;
