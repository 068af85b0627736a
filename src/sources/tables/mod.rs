//! Daily numbers that are no candles: electricity prices, exchange rates, mining difficulty. Files and servers speak the
//! dialects of those who publish them; what a file is, its bytes say and not its name.

pub mod bitcoin;
pub mod columns;
pub mod difficulty;
pub mod electricity;
pub mod error;
pub mod fetch;
pub mod folder;
pub mod quality;
pub mod rates;
pub mod series;
pub mod serve;
pub mod snapshot;
pub mod vintages;
