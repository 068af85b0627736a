//! `reliability.csv` of a bundle: how often High followed where it was promised with some probability, as it was measured when the
//! model was made.

use serde::{Deserialize, Serialize};

use super::Bundle;

/// Name of the table inside a bundle.
pub const RELIABILITY_FILE: &str = "reliability.csv";
const MAX_BYTES: u64 = 1 << 16;
const MAX_BINS: usize = 100;

/// A class of promises.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReliabilityBin {
    /// Their mean.
    pub forecast: f64,
    /// Share of them that High followed.
    pub observed: f64,
    /// How many there were.
    pub count: u64,
}

/// The text of such a table.
///
/// # Errors
/// None that memory does not have.
pub fn text(bins: &[ReliabilityBin]) -> Result<Vec<u8>, csv::Error> {
    let mut table = csv::Writer::from_writer(Vec::new());
    for bin in bins {
        table.serialize(bin)?;
    }
    table.into_inner().map_err(|error| error.into_error().into())
}

impl Bundle {
    /// The bins of a bundle that has such a table; none where it is not one.
    pub fn reliability(&self) -> Vec<ReliabilityBin> {
        if !self.manifest.files.contains_key(RELIABILITY_FILE) {
            return Vec::new();
        }
        let text = veriregime_files::read_text(&self.path(RELIABILITY_FILE), MAX_BYTES);
        text.map(|text| parsed(&text)).unwrap_or_default()
    }
}

/// The bins of a table; none where a row is not one.
fn parsed(text: &str) -> Vec<ReliabilityBin> {
    let mut table = csv::Reader::from_reader(text.as_bytes());
    let bins: Result<Vec<ReliabilityBin>, _> = table.deserialize().take(MAX_BINS).collect();
    let is_share = |share: f64| (0.0..=1.0).contains(&share);
    let is_good = |bins: &Vec<ReliabilityBin>| bins.iter().all(|bin| is_share(bin.forecast) && is_share(bin.observed));
    bins.ok().filter(is_good).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_as_it_was_written_and_anything_else_is_none() {
        let bins = vec![
            ReliabilityBin { forecast: 0.041, observed: 0.029, count: 12_000 },
            ReliabilityBin { forecast: 0.97, observed: 0.96, count: 1 },
        ];
        let written = String::from_utf8(text(&bins).unwrap()).unwrap();
        assert!(written.starts_with("forecast,observed,count\n0.041,0.029,12000\n"), "{written}");
        assert_eq!(parsed(&written), bins);
        for bad in ["", "a,b\n1,2\n", "forecast,observed,count\n0.1,1.5,3\n", "forecast,observed,count\nNaN,0.5,3\n"] {
            assert_eq!(parsed(bad), [], "{bad}");
        }
    }
}
