//! The feed's interface, from the artifact that forge built.
#![allow(missing_debug_implementations, clippy::pedantic, clippy::too_many_arguments)] // generated

alloy::sol!(
    #[sol(rpc, all_derives)]
    Feed,
    "contracts/artifacts/Feed.json"
);
