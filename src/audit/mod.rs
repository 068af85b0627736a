pub mod checks;
pub mod compare;
pub mod error;
pub mod follow;
pub mod models;
pub mod one;
