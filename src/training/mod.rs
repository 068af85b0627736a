//! From candles to a trained network. Shares the features with the daemon and nothing else: a model reaches it only as
//! files.

pub mod export;
