//! `yield allocate` and `yield backtest`: money laid out over strategies.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::print;
use super::yield_args::{KindArg, YieldPredictArgs};
use crate::job::yields::allocation::{Allocation, Money};
use crate::modelling::training;
use crate::modelling::yield_request::YieldBacktestRequest;
use crate::operator::allocate::{AllocateRequest, allocate};
use crate::sources::yields::costs::Costs;
use veriregime_core::types::time::parse_day;
use veriregime_core::yields::Kind;
use veriregime_portfolio::decide::Policy;
use veriregime_portfolio::problem::Objective;

/// What is best.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ObjectiveArg {
    /// The highest rate less half of its variance times --risk-aversion
    MeanVariance,
    /// The highest rate in standard deviations
    MaxSharpe,
    /// The smallest mean of the worst drawdowns of the last 90 days, one in twenty
    MinDrawdown,
}

/// What moves cost.
#[derive(Debug, Args)]
struct CostArgs {
    /// Gas of entering a strategy, and of leaving it, USD; by `eth_gas_daily` where absent.
    #[arg(long, value_name = "USD")]
    gas_usd: Option<f64>,
    /// Lost of an amount that enters or leaves, basis points; nothing for lending and 10 for the others where absent.
    #[arg(long, value_name = "BPS")]
    slippage_bps: Option<f64>,
    /// Days in which a move must pay for itself: as many as are forecast, unless differences are trusted to last.
    #[arg(long, value_name = "DAYS", default_value_t = 7.0)]
    gate_days: f64,
}

/// Arguments of `yield allocate`.
#[derive(Debug, Args)]
pub struct YieldAllocateArgs {
    #[command(flatten)]
    predict: YieldPredictArgs,
    /// All of the money, USD.
    #[arg(long, value_name = "USD")]
    capital: f64,
    /// Share of the money that lies in a strategy now, by its name. The rest is cash.
    #[arg(long = "current", value_parser = weight, value_name = "NAME=SHARE")]
    current: Vec<(String, f64)>,
    /// What is best.
    #[arg(long, value_enum, default_value = "mean-variance")]
    objective: ObjectiveArg,
    /// How much risk counts in --objective mean-variance.
    #[arg(long, value_name = "NUMBER", default_value_t = 1.0)]
    risk_aversion: f64,
    /// Largest share of a strategy.
    #[arg(long, value_name = "SHARE", default_value_t = 1.0)]
    cap: f64,
    /// Smallest share of a strategy that holds anything: smaller ones are closed, and the rest is solved again.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    min_position: f64,
    /// Leave cash where that is better; everything is invested otherwise.
    #[arg(long)]
    cash: bool,
    /// What cash earns, percent a year.
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0, requires = "cash")]
    cash_rate: f64,
    #[command(flatten)]
    costs: CostArgs,
}

/// Arguments of `yield backtest`.
#[derive(Debug, Args)]
pub struct YieldBacktestArgs {
    /// Folder with the tables.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Kinds of strategies.
    #[arg(long = "kind", value_enum, default_values = ["lending", "delta"])]
    kinds: Vec<KindArg>,
    /// Day of the first decision.
    #[arg(long, value_parser = parse_day, value_name = "DATE")]
    from: i32,
    /// The last day; the last that all kinds have where absent.
    #[arg(long, value_parser = parse_day, value_name = "DATE")]
    until: Option<i32>,
    /// Money to begin with, USD.
    #[arg(long = "capital", value_name = "USD", default_values = ["10000", "100000", "1000000"])]
    capitals: Vec<f64>,
    /// Days between two decisions.
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=365))]
    every_days: u16,
    /// Largest share of a strategy, for the rules that count risk.
    #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
    cap: f64,
    /// Strategies of a kind that can be entered on a day: those in which most lies.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    largest: usize,
    #[command(flatten)]
    costs: CostArgs,
}

/// `aave=0.5`.
fn weight(text: &str) -> Result<(String, f64), String> {
    let wrong = || "write NAME=SHARE, as in aave=0.5".to_owned();
    let (name, share) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(wrong)?;
    Ok((name.to_owned(), share.parse().map_err(|_| wrong())?))
}

impl CostArgs {
    fn costs(&self) -> Costs {
        Costs { gas_usd: self.gas_usd, slippage_bps: self.slippage_bps }
    }
}

impl YieldAllocateArgs {
    /// What is to be done.
    ///
    /// # Errors
    /// Bundles, tables or numbers that are not usable.
    pub fn allocation(self) -> anyhow::Result<Allocation> {
        let objective = match self.objective {
            ObjectiveArg::MeanVariance => Objective::MeanVariance { risk_aversion: self.risk_aversion },
            ObjectiveArg::MaxSharpe => Objective::MaxSharpe,
            ObjectiveArg::MinDrawdown => Objective::MinDrawdown { confidence: 0.95 },
        };
        let policy = Policy {
            objective,
            min_position: self.min_position,
            cash: self.cash.then_some(self.cash_rate / 100.0),
            gate_days: self.costs.gate_days,
            is_open: false,
        };
        let money = Money { capital_usd: self.capital, current: self.current, cap: self.cap, policy };
        let model = self.predict.model();
        let predict = self.predict.request(&model);
        allocate(&AllocateRequest { predict, money, costs: self.costs.costs() })
    }
}

impl YieldBacktestArgs {
    /// Lives through the days.
    ///
    /// # Errors
    /// Tables or numbers that are not usable.
    pub fn run(self, json: bool) -> anyhow::Result<()> {
        let kinds: Vec<Kind> = self.kinds.iter().map(|kind| kind.kind()).collect();
        let request = YieldBacktestRequest {
            data: &self.data,
            kinds: &kinds,
            from: self.from,
            until: self.until,
            capitals_usd: &self.capitals,
            turn_days: self.every_days.into(),
            gate_days: self.costs.gate_days,
            cap: self.cap,
            largest: self.largest,
            costs: self.costs.costs(),
        };
        print::output(json, &training::backtest_yields(&request)?);
        Ok(())
    }
}
