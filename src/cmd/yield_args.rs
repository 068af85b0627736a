//! What several subcommands of `yield` take.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::clock::Clock;
use crate::config::place;
use crate::operator::yields::PredictRequest;
use veriregime_core::types::time::{DAY_MS, parse_day};
use veriregime_core::yields::Kind;

/// A kind of strategies.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum KindArg {
    /// Liquidity pools
    Lp,
    /// Lending
    Lending,
    /// Long a token, short its perpetual future
    Delta,
}

/// Arguments of `yield predict`, and of what is done by its forecasts.
#[derive(Debug, Args)]
pub struct YieldPredictArgs {
    /// Folder with a bundle for each kind, or of one for all.
    #[arg(long, value_name = "DIR", default_value = "models/yields-v1")]
    model: PathBuf,
    /// Folder with the tables.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// A pool by its id, or a name of your own for it; all pools where absent.
    #[arg(long = "strategy", value_parser = strategy, value_name = "[NAME=]POOL")]
    strategies: Vec<(String, String)>,
    /// Days ahead.
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    horizon_days: u32,
    /// The last day that is known; the data's last where absent.
    #[arg(long, value_parser = parse_day, value_name = "DATE")]
    at: Option<i32>,
    /// Refuse data that are older.
    #[arg(long, value_name = "DAYS")]
    max_age_days: Option<u32>,
}

/// `aave=aave-v2:USDC`, or the pool alone.
fn strategy(text: &str) -> Result<(String, String), String> {
    let (name, pool) = text.split_once('=').unwrap_or((text, text));
    if name.is_empty() || pool.is_empty() {
        return Err("write a pool's id, or NAME=POOL".into());
    }
    Ok((name.to_owned(), pool.to_owned()))
}

impl YieldPredictArgs {
    /// Where the models are looked for.
    pub fn model(&self) -> PathBuf {
        place::data(&self.model)
    }

    /// What is asked of the models of a folder.
    pub fn request<'a>(&'a self, model: &'a Path) -> PredictRequest<'a> {
        PredictRequest {
            model,
            data: &self.data,
            strategies: self.strategies.clone(),
            horizon_days: self.horizon_days,
            at: self.at,
            today: i32::try_from(Clock::System.now_ms().div_euclid(DAY_MS)).unwrap_or(i32::MAX),
            max_age_days: self.max_age_days,
        }
    }
}

impl KindArg {
    pub fn kind(self) -> Kind {
        match self {
            Self::Lp => Kind::Lp,
            Self::Lending => Kind::Lending,
            Self::Delta => Kind::Delta,
        }
    }
}
