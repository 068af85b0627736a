//! What yield models say of strategies, from the tables of a folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use crate::bundle::yields::YieldModels;
use crate::job::yields::outlook::Outlook;
use crate::job::yields::prediction::Prediction;
use crate::render::layout::{self, Table};
use crate::render::{Render, lines};
use crate::sources::yields::error::YieldError;
use crate::sources::yields::folder::Yields;
use veriregime_core::hedge::panel::Day;
use veriregime_core::yields::risk::Risk;
use veriregime_core::yields::{HORIZON_DAYS, Strategy};

/// Most strategies of one call.
pub const MAX_STRATEGIES: usize = 1000;

/// What is asked.
#[derive(Debug)]
pub struct PredictRequest<'a> {
    /// Folder of the bundles.
    pub model: &'a Path,
    /// Folder with the tables.
    pub data: &'a Path,
    /// Strategies: names with the pools that they stand for; all that there are where empty.
    pub strategies: Vec<(String, String)>,
    /// Days ahead.
    pub horizon_days: u32,
    /// The last day that is known; the data's last where absent.
    pub at: Option<Day>,
    /// The day that it is.
    pub today: Day,
    /// How old the data may be, days.
    pub max_age_days: Option<u32>,
}

/// Forecasts by strategy.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the field's name in what is answered")]
pub struct Predictions {
    /// One for each.
    pub(super) predictions: BTreeMap<String, Prediction>,
    /// Days ahead.
    horizon_days: usize,
    /// Strategies that nothing can be said of, where none were named.
    left_out: usize,
}

/// Forecasts strategies.
///
/// # Errors
/// [`YieldError`], or a bundle that is not usable.
pub fn predict(request: &PredictRequest<'_>) -> anyhow::Result<Predictions> {
    predictions(request, &outlook(request)?)
}

/// Models and tables, once the request makes sense.
pub(super) fn outlook(request: &PredictRequest<'_>) -> anyhow::Result<Outlook> {
    if usize::try_from(request.horizon_days) != Ok(HORIZON_DAYS) {
        return Err(YieldError::Horizon { days: request.horizon_days.into() }.into());
    }
    let count = request.strategies.len();
    if count > MAX_STRATEGIES {
        return Err(YieldError::Count { count, limit: MAX_STRATEGIES }.into());
    }
    let models = Arc::new(YieldModels::open(request.model)?);
    Ok(Outlook::new(models, Yields::read(request.data)?, request.at)?)
}

/// What they say.
pub(super) fn predictions(request: &PredictRequest<'_>, outlook: &Outlook) -> anyhow::Result<Predictions> {
    let ask = |strategy: &Strategy| {
        let prediction = outlook.predict(strategy, request.today)?;
        request.max_age_days.map_or(Ok(()), |limit_days| prediction.check_age(request.today, limit_days))?;
        Ok::<_, YieldError>(prediction)
    };
    let mut predictions = BTreeMap::new();
    let mut left_out = 0;
    for (name, id) in &request.strategies {
        let kind = outlook.pool(id)?.kind;
        predictions.insert(name.clone(), ask(&Strategy { name: name.clone(), kind, pool: id.clone() })?);
    }
    if request.strategies.is_empty() {
        for strategy in outlook.strategies() {
            match ask(&strategy) {
                Ok(prediction) => drop(predictions.insert(strategy.name, prediction)),
                Err(error) if is_of_strategy(&error) => left_out += 1,
                Err(error) => return Err(error.into()),
            }
        }
        let count = predictions.len();
        if !(1..=MAX_STRATEGIES).contains(&count) {
            return Err(YieldError::Count { count, limit: MAX_STRATEGIES }.into());
        }
    }
    Ok(Predictions { predictions, horizon_days: HORIZON_DAYS, left_out })
}

/// Whether others may be forecast where this one is not.
fn is_of_strategy(error: &YieldError) -> bool {
    matches!(error, YieldError::Vanished { .. } | YieldError::TooFew { .. } | YieldError::NoModel { .. })
}

impl Render for Predictions {
    fn text(&self) -> String {
        let mut table =
            Table::new(&["strategy", "kind", "APY", "from", "to", "volatility", "drawdown", "VaR 7 d", "as of"]);
        let percent = |share: f64| format!("{:.2} %", share * 100.0);
        for (name, one) in &self.predictions {
            let risk =
                |of: &dyn Fn(&Risk) -> f64| one.risk.as_ref().map_or_else(|| "–".to_owned(), |risk| percent(of(risk)));
            table.add_row([
                name.clone(),
                one.kind.name().to_owned(),
                percent(one.apy),
                percent(one.interval[0]),
                percent(one.interval[1]),
                percent(one.volatility),
                risk(&|risk| risk.drawdown_trailing),
                risk(&|risk| risk.value_at_risk_week),
                format!("{}, {} days ago", one.as_of, one.age_days),
            ]);
        }
        let head = format!("mean APY of the next {} days, with 90 % intervals", self.horizon_days);
        let note = "Drawdown and value at risk are those of the last 90 days. Rates of liquidity pools leave out impermanent loss.";
        let left_out = (self.left_out > 0).then(|| {
            format!(
                "{} strategies are left out: too young, with too many gaps, ended, or without a model",
                self.left_out
            )
        });
        lines([head, table.to_string(), layout::text(note)].into_iter().chain(left_out))
    }
}
