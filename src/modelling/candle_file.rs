//! A candle file as people name it: with the market that it is of, where there are several.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

/// `FILE`, or `NAME=FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandleFile {
    /// The market, where it is named.
    pub market: Option<String>,
    /// Parquet, CSV or zip.
    pub path: PathBuf,
}

impl FromStr for CandleFile {
    type Err = Infallible;

    /// What stands before the first `=` is a market, unless it looks like a folder: `./a=b.csv` is a file.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = text.split_once('=').filter(|(name, _)| !name.is_empty() && !name.contains(['/', '\\']));
        Ok(match named {
            Some((name, path)) => Self { market: Some(name.to_owned()), path: path.into() },
            None => Self { market: None, path: text.into() },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_market_stands_before_the_file() {
        let file = |text: &str| text.parse::<CandleFile>().unwrap();
        let named = |market: Option<&str>, path: &str| CandleFile { market: market.map(Into::into), path: path.into() };
        assert_eq!(file("BTC-USD=a/b=c.csv"), named(Some("BTC-USD"), "a/b=c.csv"));
        assert_eq!(file("a/b.csv"), named(None, "a/b.csv"));
        assert_eq!(file("./a=b.csv"), named(None, "./a=b.csv"));
        assert_eq!(file("=b.csv"), named(None, "=b.csv"));
    }
}
