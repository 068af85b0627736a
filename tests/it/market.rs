//! Candles for tests: reproducible from a seed, rough like a real market.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::period::MINUTE_MS;

/// Candles of `minutes` minutes from `start_ms` on. Volatility clusters and follows the hour of the day.
pub fn candles(seed: u64, start_ms: i64, minutes: usize) -> Vec<Candle> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut close = 20_000.0_f64;
    let mut log_volatility = 0.0_f64;
    (0..minutes)
        .map(|minute| {
            let open_time_ms = start_ms + i64::try_from(minute).expect("fits") * MINUTE_MS;
            let hour = (open_time_ms / 3_600_000).rem_euclid(24) as f64;
            log_volatility = 0.995 * log_volatility + 0.08 * random.random_range(-1.0..1.0);
            let volatility = 5e-4 * libm::exp(log_volatility + 0.5 * libm::sin(hour / 24.0 * std::f64::consts::TAU));
            let noise: f64 = (0..4).map(|_| random.random_range(-1.0..1.0)).sum();
            let open = close;
            close = (open * (1.0 + volatility * 0.87 * noise) * 100.0).round() / 100.0;
            let reach = 1.0 + volatility * random.random_range(0.0..1.0);
            let high = (open.max(close) * reach * 100.0).ceil() / 100.0;
            let low = (open.min(close) / reach * 100.0).floor() / 100.0;
            let volume = (libm::exp(log_volatility + random.random_range(0.0..2.0)) * 1e3).round() / 1e3;
            Candle { open_time_ms, open, high, low, close, volume }
        })
        .collect()
}
