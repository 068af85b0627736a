//! The electricity model: fitted on daily prices of many countries, walked forward through time, and judged.

pub mod card;
pub mod ridge;
pub mod samples;
pub mod score;
pub mod walk;
