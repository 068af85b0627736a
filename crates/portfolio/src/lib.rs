//! Weights of strategies, and whether a move pays for itself. Pure: numbers in, numbers out.

pub mod allocate;
pub mod decide;
mod drawdown;
pub mod error;
pub mod gate;
pub mod history;
pub mod live;
pub mod problem;
mod program;
mod quadratic;
