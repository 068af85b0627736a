//! How money is laid out over strategies: weights by their forecasts, and only those moves that pay for their gas and slippage.

use super::yields::{PredictRequest, outlook, predictions};
use crate::job::yields::allocation::{self, Allocation, Asset, Money};
use crate::render::layout::{self, Table};
use crate::render::{Render, lines};
use crate::sources::yields::costs::Costs;
use crate::sources::yields::error::YieldError;
use veriregime_core::yields::risk::TRAILING_DAYS;

/// What is to be laid out, and how.
#[derive(Debug)]
pub struct AllocateRequest<'a> {
    /// The strategies, and what is known of them.
    pub predict: PredictRequest<'a>,
    /// The money.
    pub money: Money,
    /// What moves cost.
    pub costs: Costs,
}

/// Decides.
///
/// # Errors
/// [`YieldError`], or a bundle that is not usable.
pub fn allocate(request: &AllocateRequest<'_>) -> anyhow::Result<Allocation> {
    let outlook = outlook(&request.predict)?;
    let said = predictions(&request.predict, &outlook)?.predictions;
    let last = said.values().map(|one| one.day).max().unwrap_or_default();
    let assets = said.iter().map(|(name, prediction)| {
        let past = outlook.past(&prediction.pool, last, TRAILING_DAYS);
        let leg = request.costs.leg(prediction.kind, outlook.tables(), last)?;
        Ok(Asset { name, prediction, past, leg })
    });
    Ok(allocation::allocate(&assets.collect::<Result<Vec<_>, YieldError>>()?, &request.money)?)
}

impl Render for Allocation {
    fn text(&self) -> String {
        let percent = |share: f64| format!("{:.2} %", share * 100.0);
        let mut table =
            Table::new(&["strategy", "kind", "APY", "90 % interval", "volatility", "now", "best", "weight"]);
        for (name, one) in &self.strategies {
            table.add_row([
                name.clone(),
                one.kind.name().to_owned(),
                percent(one.apy),
                format!("{} to {}", percent(one.interval[0]), percent(one.interval[1])),
                percent(one.volatility),
                percent(one.current),
                percent(one.target),
                percent(one.weight),
            ]);
        }
        let mut moves = Table::new(&["from", "to", "USD", "", "why"]);
        for one in &self.moves {
            let verdict = if one.is_made { "made" } else { "refused" };
            moves.add_row([
                one.from.clone(),
                one.to.clone(),
                format!("{:.2}", one.usd),
                verdict.to_owned(),
                one.why.clone(),
            ]);
        }
        let head = format!("{:.2} USD by what was known at the end of {}", self.capital_usd, self.as_of);
        let [before, after] = self.expected_apy.map(percent);
        let sum = format!(
            "{} stay cash. The made moves gain {:.2} USD in {} days and cost {:.2}; everything is expected to earn {after} a year, {before} \
             as it lies now.",
            percent(self.cash),
            self.expected_gain_usd,
            self.gate_days,
            self.cost_usd
        );
        let moves = if self.moves.is_empty() { "nothing to move".to_owned() } else { moves.to_string() };
        let is_pool = self.strategies.values().any(|one| one.note.is_some());
        let note = is_pool.then(|| layout::text("Rates of liquidity pools leave out impermanent loss."));
        lines([head, table.to_string(), moves, layout::text(&sum)].into_iter().chain(note))
    }
}
