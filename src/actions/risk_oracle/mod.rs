pub mod abi;
pub mod admin;
pub mod events;
pub mod published;
pub mod spec;
pub mod update;
