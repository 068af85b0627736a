//! A transcript that takes the public inputs and not the zeros between those of several markets.

use std::io;

use halo2_axiom::halo2curves::bn256::{Fr, G1Affine};
use halo2_axiom::transcript::{EncodedChallenge, Transcript, TranscriptRead, TranscriptWrite};

use crate::table::Table;

/// Another transcript, without what no public input stands for.
pub struct Sparse<T> {
    inner: T,
    /// Whether each of the next common scalars is taken; those after them are.
    takes: Box<dyn Iterator<Item = bool>>,
}

impl<T> Sparse<T> {
    /// The verifying key's digest comes first, then the column of public inputs.
    pub fn new(inner: T, table: &Table) -> Self {
        Self { inner, takes: Box::new(std::iter::once(true).chain(table.is_public())) }
    }

    /// The transcript without the rule.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<E: EncodedChallenge<G1Affine>, T: Transcript<G1Affine, E>> Transcript<G1Affine, E> for Sparse<T> {
    fn squeeze_challenge(&mut self) -> E {
        self.inner.squeeze_challenge()
    }

    fn common_point(&mut self, point: G1Affine) -> io::Result<()> {
        self.inner.common_point(point)
    }

    fn common_scalar(&mut self, scalar: Fr) -> io::Result<()> {
        if self.takes.next().unwrap_or(true) { self.inner.common_scalar(scalar) } else { Ok(()) }
    }
}

impl<E: EncodedChallenge<G1Affine>, T: TranscriptWrite<G1Affine, E>> TranscriptWrite<G1Affine, E> for Sparse<T> {
    fn write_point(&mut self, point: G1Affine) -> io::Result<()> {
        self.inner.write_point(point)
    }

    fn write_scalar(&mut self, scalar: Fr) -> io::Result<()> {
        self.inner.write_scalar(scalar)
    }
}

impl<E: EncodedChallenge<G1Affine>, T: TranscriptRead<G1Affine, E>> TranscriptRead<G1Affine, E> for Sparse<T> {
    fn read_point(&mut self) -> io::Result<G1Affine> {
        self.inner.read_point()
    }

    fn read_scalar(&mut self) -> io::Result<Fr> {
        self.inner.read_scalar()
    }
}
