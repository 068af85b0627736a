pub mod baseline;
pub mod build;
pub mod protocol;
pub mod prover;
pub mod search;
pub mod srs;
pub mod supervisor;
pub mod worker;
