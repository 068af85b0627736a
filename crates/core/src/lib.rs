//! Pure parts of the agent: types, features, and the arithmetic of models. No async, no clock, no input or output.

pub mod bars;
pub mod bootstrap;
pub mod features;
pub mod forecast;
pub mod hedge;
pub mod model;
pub mod policy;
pub mod quantile;
pub mod risk;
pub mod schedule;
pub mod score;
pub mod trees;
pub mod types;
pub mod yields;
