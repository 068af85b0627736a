//! The ceremony's reference strings, files `kzgN.srs` for `2^N` rows.

use halo2_axiom::SerdeFormat;
use halo2_axiom::halo2curves::bn256::{Bn256, G1Affine, G2Affine};
use halo2_axiom::halo2curves::serde::SerdeObject;
use halo2_axiom::poly::commitment::Params;
use halo2_axiom::poly::kzg::commitment::ParamsKZG;

use crate::{Halo2Error, processor};

/// A point of the first group, two coordinates of 32 bytes.
const POINT_BYTES: usize = 64;
/// log2 of the number of rows, and two points of the second group, of twice the size.
const OTHER_BYTES: usize = 4 + 4 * POINT_BYTES;

/// A reference string whose points were checked to lie on their curves. Whether it is the ceremony's, its hash tells.
#[derive(Debug, Clone)]
pub struct Srs(ParamsKZG<Bn256>);

impl Srs {
    /// Reads a file's bytes.
    ///
    /// # Errors
    /// [`Halo2Error::Processor`] or [`Halo2Error::Srs`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Halo2Error> {
        processor::check()?;
        let unreadable = |detail: &str| Halo2Error::Srs { detail: detail.to_owned() };
        let (head, _) = bytes.split_first_chunk().ok_or_else(|| unreadable("it is empty"))?;
        let bits = u32::from_le_bytes(*head);
        // Before anything is reserved for what a damaged file claims to hold.
        let needed =
            1_usize.checked_shl(bits).and_then(|rows| (2 * POINT_BYTES).checked_mul(rows)?.checked_add(OTHER_BYTES));
        if needed != Some(bytes.len()) {
            return Err(unreadable("its length is not that of the number of rows it says"));
        }
        // halo2 takes any two coordinates for a point.
        let (first, second) = bytes[4..].split_at(bytes.len() - OTHER_BYTES);
        let on_first = first.chunks(POINT_BYTES).all(|point| G1Affine::from_raw_bytes(point).is_some());
        let on_second = second.chunks(2 * POINT_BYTES).all(|point| G2Affine::from_raw_bytes(point).is_some());
        if !on_first || !on_second {
            return Err(unreadable("a point lies on no curve"));
        }
        let read = ParamsKZG::read_custom(&mut &*bytes, SerdeFormat::RawBytes);
        read.map(Self).map_err(|error| unreadable(&error.to_string()))
    }

    /// log2 of the number of rows.
    pub fn row_bits(&self) -> u32 {
        self.0.k()
    }

    pub(crate) fn params(&self) -> &ParamsKZG<Bn256> {
        &self.0
    }
}
