//! What the demo is to show, and to whom it tells how that begins.

use std::path::PathBuf;

use crate::render::layout;

/// Jobs that there are to show.
pub const MAX_JOBS: usize = 3;
/// Seed of the first market that is simulated beside recorded candles.
const BESIDE_SEED: u64 = 14;
/// Columns of the names of what the demo has.
const NAME_COLUMNS: usize = 10;

/// What is shown.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Consecutive periods.
    pub periods: u32,
    /// The shipped model on a chain; the same on a second chain; there, a model over several markets: so many of these, 1 to
    /// [`MAX_JOBS`].
    pub jobs: usize,
    pub source: Source,
    /// A moment of the first period; the last periods of a file, and of the exchange, if absent.
    pub from_ms: Option<i64>,
    /// anvil, instead of the one of [`crate::devnet::foundry`].
    pub anvil: Option<PathBuf>,
}

/// Where candles come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A made-up market.
    Simulated { seed: u64 },
    /// A candle file.
    Recorded(PathBuf),
    /// The live exchange.
    Binance,
}

impl Source {
    /// The source in a word.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Simulated { seed } => format!("simulated:{seed}"),
            Self::Recorded(path) => path.display().to_string(),
            Self::Binance => "binance".into(),
        }
    }

    /// The seed of the first of more markets, where these are simulated: a file has only one market.
    pub(super) fn seed_beside(&self) -> Option<u64> {
        match self {
            Self::Simulated { seed } => Some(seed.wrapping_add(1)),
            Self::Recorded(_) => Some(BESIDE_SEED),
            Self::Binance => None,
        }
    }

    /// The source of more markets in a word.
    pub(super) fn name_beside(&self) -> String {
        self.seed_beside().map_or_else(|| self.name(), |seed| Self::Simulated { seed }.name())
    }
}

/// Who hears how the demo begins.
#[expect(missing_debug_implementations, reason = "functions have nothing to show")]
pub struct Told<'a> {
    /// A line to keep.
    pub line: &'a dyn Fn(String),
    /// What is being made now.
    pub step: &'a dyn Fn(&str),
}

impl Told<'_> {
    /// What the demo has, behind its name.
    pub(super) fn item(&self, name: &str, words: &str) {
        (self.line)(layout::item(&format!("{name:NAME_COLUMNS$}"), words));
    }
}
