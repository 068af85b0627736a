//! The integration tests: one binary, one module a topic.

mod candles;
mod features;
mod inference;
mod market;
