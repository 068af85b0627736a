//! Rates on a scale on which 355,083 % is a number among others: `z = sign · ln(1 + |APY in percent|)`.

/// Largest `z`: 2,980 % a year. Beyond, a rate is a row of a few dollars or a fault.
pub const MAX_Z: f64 = 8.0;

/// A rate in percent on that scale.
pub fn z(apy_percent: f64) -> f64 {
    libm::copysign(libm::log1p(apy_percent.abs()), apy_percent)
}

/// The rate in percent that a `z` stands for, at most that of [`MAX_Z`] either way.
pub fn apy_percent(z: f64) -> f64 {
    let z = z.clamp(-MAX_Z, MAX_Z);
    libm::copysign(libm::expm1(z.abs()), z)
}

/// A rate no further from zero than [`MAX_Z`] allows.
pub fn clipped(apy: f64) -> f64 {
    let most = apy_percent(MAX_Z);
    apy.clamp(-most, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_come_back_and_large_ones_are_clipped() {
        for apy in [-139.2, -0.5, 0.0, 0.001, 5.2, 2979.0] {
            assert!((apy_percent(z(apy)) - apy).abs() < 1e-9, "{apy}");
        }
        assert!((z(std::f64::consts::E - 1.0) - 1.0).abs() < 1e-12);
        assert!((z(-5.0) + z(5.0)).abs() < f64::EPSILON);
        assert!((clipped(355_083.0) - 2979.957).abs() < 1e-2);
        assert!((apy_percent(100.0) - clipped(355_083.0)).abs() < 1e-9);
    }
}
