//! What is asked of `models add-market`.

use std::path::Path;

use super::set_up::CircuitTools;
use veriregime_core::types::manifest::inputs::Market;

/// A market, its candles, and the model that it is added to.
#[derive(Debug)]
pub struct AddMarketRequest<'a> {
    /// Folder of the model bundle.
    pub model: &'a Path,
    /// The market.
    pub market: Market,
    /// Candle file.
    pub candles: &'a Path,
    /// Folder of the new bundle, whose name is the model's.
    pub out: &'a Path,
    /// First decision time of statistics and threshold, ms UTC; that of the model's training where absent.
    pub from_ms: Option<i64>,
    /// End of these decision times, ms UTC; what comes after is measured.
    pub to_ms: Option<i64>,
    /// What makes circuits.
    pub tools: &'a CircuitTools<'a>,
}
