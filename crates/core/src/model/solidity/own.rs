//! What markets add to their outputs besides: words at the beginning of the data, one for each output of each market, as far from one
//! another as the outputs themselves. So where a market's words are follows from where its outputs are.

use super::contract::{DATA, outputs_at};
use super::word::{WORD_BYTES, shifted};
use crate::model::dense::DenseNetwork;

/// The words, market after market; nothing where all markets take the same way.
pub fn data(network: &DenseNetwork) -> Vec<u8> {
    let words = network.offsets.iter().flatten().map(|more| shifted(*more, 0));
    words.flat_map(|word| word.to_be_bytes::<WORD_BYTES>()).collect()
}

/// Assembly that reads the word that belongs to the public input at `place`, where `ahead` outputs of the market lie between `outputs`
/// and it that `place` does not count.
pub fn word_of(network: &DenseNetwork, place: &str, ahead: usize) -> String {
    let layout = network.layout;
    let (to, from) = (DATA + WORD_BYTES * ahead, outputs_at(layout.markets, layout.features));
    let at = if to >= from { format!("add({place}, {})", to - from) } else { format!("sub({place}, {})", from - to) };
    format!("mload({at})")
}

/// Whether some market adds something to this output.
pub fn has(network: &DenseNetwork, output: usize) -> bool {
    network.offsets.iter().any(|own| own.get(output).is_some_and(|more| *more != 0))
}
