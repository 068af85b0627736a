//! Yield models in a build with the feature `training`.

pub mod backtest;
pub mod compare;
pub mod evaluate;
mod exported;
pub mod train;

use crate::sources::yields::folder::Yields;
use veriregime_core::yields::Kind;
use veriregime_training::yields::samples::Samples;

/// All decisions of a folder's strategies of these kinds.
fn samples(yields: &Yields, kinds: &[Kind]) -> Samples {
    let pools = yields.pools.values().map(|pool| (pool.id.as_str(), pool.kind, &pool.series));
    Samples::new(kinds, pools, &yields.market)
}
