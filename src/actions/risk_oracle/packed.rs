//! Features and outputs as updates carry them: big-endian two's complement, 4 and 16 bytes each.

use alloy::primitives::Bytes;

/// The bytes of features.
pub fn pack_features(features: &[i32]) -> Bytes {
    features.iter().flat_map(|feature| feature.to_be_bytes()).collect()
}

/// The bytes of outputs.
pub fn pack_outputs(outputs: &[i128]) -> Bytes {
    outputs.iter().flat_map(|output| output.to_be_bytes()).collect()
}

/// The features in bytes. What is left over is none: the contract accepts whole ones alone.
pub fn unpack_features(packed: &[u8]) -> Vec<i32> {
    packed.as_chunks().0.iter().map(|bytes| i32::from_be_bytes(*bytes)).collect()
}

/// The outputs in bytes, the same way.
pub fn unpack_outputs(packed: &[u8]) -> Vec<i128> {
    packed.as_chunks().0.iter().map(|bytes| i128::from_be_bytes(*bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_come_back_whatever_their_signs() {
        let features = [0, 1, -1, 32_768, -32_768, i32::MIN, i32::MAX];
        let outputs = [0, 1, -1, 1 << 80, -(1 << 80), i128::MIN, i128::MAX];
        assert_eq!(unpack_features(&pack_features(&features)), features);
        assert_eq!(unpack_outputs(&pack_outputs(&outputs)), outputs);
        assert_eq!(pack_features(&[-2, 3])[..], [255, 255, 255, 254, 0, 0, 0, 3]);
        assert_eq!(pack_outputs(&[-2])[..], [&[255; 15][..], &[254]].concat());
        assert!(unpack_features(&[1, 2, 3]).is_empty() && unpack_outputs(&[0; 15]).is_empty());
    }
}
