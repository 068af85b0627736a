//! The tests of training and evaluation: one binary, one module a topic.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod evaluation;
#[path = "../../../../tests/it/given.rs"]
#[expect(dead_code, reason = "of what it asks for, these tests need only some")]
mod given;
#[path = "../../../../tests/it/market.rs"]
mod market;
mod markets;
mod original;
mod training;
mod wgpu;
