//! What yield models say of strategies, from the tables of a folder.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::bundle::yields::{YieldModel, YieldModels};
use crate::render::layout::{self, Table};
use crate::render::{Render, lines};
use crate::sources::yields::error::YieldError;
use crate::sources::yields::folder::Yields;
use crate::sources::yields::table::Pool;
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::diagnostic::quoted;
use veriregime_core::types::time::format_day;
use veriregime_core::yields::conformal::{NOMINAL_COVERAGE, factors};
use veriregime_core::yields::features::{Window, row, target};
use veriregime_core::yields::forecast::{Forecast, Said};
use veriregime_core::yields::risk::Risk;
use veriregime_core::yields::{HORIZON_DAYS, Kind};

/// Most strategies of one call.
pub const MAX_STRATEGIES: usize = 1000;
/// How much older than the newest data of its kind a strategy may be, days.
const MAX_BEHIND_DAYS: Day = 3;
/// How like a name must be to what is there to be offered in its place.
const LEAST_SIMILARITY: f64 = 0.7;

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

/// What is said of a strategy; rates and volatility as shares, not percent.
#[derive(Debug, Serialize)]
pub(super) struct Prediction {
    /// Mean rate of the days ahead, a year.
    pub apy: f64,
    /// Standard deviation of its daily rate.
    pub volatility: f64,
    /// Ends of the 90 % interval of `apy`.
    pub interval: [f64; 2],
    /// Share of outcomes that the interval is to hold.
    pub coverage: f64,
    pub pool: String,
    pub kind: Kind,
    /// The last day that is known.
    pub as_of: String,
    /// Days since.
    pub age_days: i64,
    pub model_id: String,
    /// From the past; absent of young strategies.
    pub risk: Option<Risk>,
    /// What the rate leaves out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// What a rate of a liquidity pool leaves out.
const NOTE_LP: &str = "without impermanent loss";

/// Forecasts strategies.
///
/// # Errors
/// [`YieldError`], or a bundle that is not usable.
pub fn predict(request: &PredictRequest<'_>) -> anyhow::Result<Predictions> {
    request.check()?;
    forecasts(request, &YieldModels::open(request.model)?, &Yields::read(request.data)?)
}

impl PredictRequest<'_> {
    /// Refuses another horizon, and too many strategies.
    pub(super) fn check(&self) -> Result<(), YieldError> {
        if usize::try_from(self.horizon_days) != Ok(HORIZON_DAYS) {
            return Err(YieldError::Horizon { days: self.horizon_days });
        }
        let count = self.strategies.len();
        if count > MAX_STRATEGIES {
            return Err(YieldError::Count { count, limit: MAX_STRATEGIES });
        }
        Ok(())
    }
}

/// The same of what has been opened and read.
pub(super) fn forecasts(
    request: &PredictRequest<'_>,
    models: &YieldModels,
    yields: &Yields,
) -> anyhow::Result<Predictions> {
    let mut factors: BTreeMap<Kind, (Day, f64)> = BTreeMap::new();
    for kind in Kind::ALL {
        let Some(last) = yields.last_day(kind) else { continue };
        let last = request.at.map_or(last, |at| at.min(last));
        if let Some(model) = models.of(kind) {
            factors.insert(kind, (last, factor(yields, model, kind, last)?));
        }
    }
    let asker = Asker { request, models, yields, factors: &factors };
    let mut predictions = BTreeMap::new();
    let mut left_out = 0;
    if !request.strategies.is_empty() {
        for (name, id) in &request.strategies {
            let pool = yields.pools.get(id).ok_or_else(|| unknown(yields, id))?;
            predictions.insert(name.clone(), asker.ask(pool)?);
        }
    } else {
        for (id, pool) in &yields.pools {
            match asker.ask(pool) {
                Ok(prediction) => drop(predictions.insert(id.clone(), prediction)),
                Err(error) if is_of_strategy(&error) => left_out += 1,
                Err(error) => return Err(error),
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
fn is_of_strategy(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref(),
        Some(YieldError::Vanished { .. } | YieldError::TooFew { .. } | YieldError::NoModel { .. })
    )
}

fn unknown(yields: &Yields, id: &str) -> YieldError {
    let likeness = |known: &str| strsim::jaro_winkler(known, id);
    let similar = yields.pools.keys().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    let similar = similar.filter(|known| likeness(known) >= LEAST_SIMILARITY).cloned();
    YieldError::Unknown { name: quoted(id), similar }
}

/// The factor of intervals of a kind at the end of a day, after all scores that are known by then.
fn factor(yields: &Yields, model: &YieldModel, kind: Kind, last: Day) -> anyhow::Result<f64> {
    let mut scored: Vec<(Day, Option<f64>)> = Vec::new();
    let mut first = 0.0;
    for pool in yields.pools.values().filter(|pool| pool.kind == kind) {
        for at in 0..pool.series.days() {
            let day = pool.series.day(at);
            let Some(row) = row(kind, &pool.series, &yields.market.at(day), at).filter(|_| day <= last) else {
                continue;
            };
            let said = model.say(&row)?.0;
            first = said.width_factor;
            let came = Window::new(&pool.series, at).and_then(|window| target(&pool.series, at, &window));
            let came = came.filter(|_| day + HORIZON_DAYS as Day <= last);
            scored.push((day, came.map(|came| said.score(came.change))));
        }
    }
    scored.push((last, None));
    Ok(factors(first, scored).get(&last).copied().unwrap_or(first))
}

/// All that one answer needs.
struct Asker<'a> {
    request: &'a PredictRequest<'a>,
    models: &'a YieldModels,
    yields: &'a Yields,
    factors: &'a BTreeMap<Kind, (Day, f64)>,
}

impl Asker<'_> {
    fn ask(&self, pool: &Pool) -> anyhow::Result<Prediction> {
        let Pool { id, kind, series } = pool;
        let model = self.models.of(*kind).zip(self.factors.get(kind));
        let folder = || self.request.model.display().to_string();
        let (model, (last, factor)) =
            model.ok_or_else(|| YieldError::NoModel { folder: folder(), kind: kind.name() })?;
        let too_few = |day: Day| YieldError::TooFew { pool: id.clone(), day };
        // The strategy's own last day, which may lie a little before the others'.
        let end = series.position(*last).ok_or_else(|| too_few(*last))?.min(series.days() - 1);
        let at = (0..=end).rev().find(|at| series.apy(*at).is_some()).ok_or_else(|| too_few(*last))?;
        let day = series.day(at);
        if day + MAX_BEHIND_DAYS < *last {
            return Err(YieldError::Vanished { pool: id.clone(), last_day: day, data_day: *last }.into());
        }
        let age_days = i64::from(self.request.today) - i64::from(day);
        if let Some(limit_days) = self.request.max_age_days.filter(|limit| age_days > i64::from(*limit)) {
            return Err(YieldError::Stale { day, age_days, limit_days }.into());
        }
        let window = Window::new(series, at).ok_or_else(|| too_few(day))?;
        let row = row(*kind, series, &self.yields.market.at(day), at).ok_or_else(|| too_few(day))?;
        let said: Said = model.say(&row)?.0;
        let Forecast { apy_percent, volatility_pp, low_percent, high_percent } = said.forecast(&window, *factor);
        Ok(Prediction {
            apy: apy_percent / 100.0,
            volatility: volatility_pp / 100.0,
            interval: [low_percent / 100.0, high_percent / 100.0],
            coverage: NOMINAL_COVERAGE,
            pool: id.clone(),
            kind: *kind,
            as_of: format_day(day),
            age_days,
            model_id: model.bundle.manifest.model_id.clone(),
            risk: Risk::new(series, at),
            note: (*kind == Kind::Lp).then_some(NOTE_LP),
        })
    }
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
