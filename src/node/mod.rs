pub mod assemble;
pub mod feeds;
pub mod reload;
pub mod replay;
pub mod services;
pub mod smoke;
