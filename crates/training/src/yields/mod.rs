//! Yield models: fitted on daily rates of many strategies, split by time and by strategy, and judged.

pub mod card;
pub mod documented;
pub mod fit;
pub mod inputs;
pub mod kept;
pub mod lstm;
pub mod model;
pub mod ridge;
pub mod samples;
pub mod score;
pub mod square;
pub mod walk;
