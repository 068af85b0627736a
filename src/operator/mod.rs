//! What an operator does by hand, beside the node: each with a result that people and programs read.

pub mod allocate;
pub mod cycle;
pub mod evidence;
pub mod forecast;
pub mod hedge;
pub mod hedge_sale;
pub mod hedge_swap;
pub mod keys;
pub mod once;
pub mod proof;
pub mod sale_outlook;
pub mod settings;
pub mod status;
pub mod table_proof;
pub mod transactions;
pub mod yields;
