//! Models with tables: what is known and said of any strategy of theirs at the end of a day.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::prediction::{Prediction, check_age};
use crate::bundle::yields::{YieldModel, YieldModels};
use crate::sources::yields::error::YieldError;
use crate::sources::yields::folder::Yields;
use crate::sources::yields::table::Pool;
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::diagnostic::quoted;
use veriregime_core::yields::conformal::factors;
use veriregime_core::yields::features::{Window, row, target};
use veriregime_core::yields::model::StrategyError;
use veriregime_core::yields::snapshot::Snapshot;
use veriregime_core::yields::{HORIZON_DAYS, Kind, Strategy};

/// How much older than the newest data of its kind a strategy may be, days.
const MAX_BEHIND_DAYS: Day = 3;
/// Days whose forecasts are scored for the width of intervals: what a publisher of funding gives at once reaches back as far, so
/// that whoever asks later comes to the same.
const SCORED_DAYS: Day = 300;
/// How like a name must be to what is there to be offered in its place.
const LEAST_SIMILARITY: f64 = 0.7;

/// Models with tables.
#[derive(Debug)]
pub struct Outlook {
    models: Arc<YieldModels>,
    yields: Yields,
    /// Of each kind the last day that counts, and the factor of its intervals.
    factors: BTreeMap<Kind, (Day, f64)>,
}

impl Outlook {
    /// At the end of a day; of the tables' last one where none is given. Later rows are not looked at.
    ///
    /// # Errors
    /// A model that does not answer.
    pub fn new(models: Arc<YieldModels>, yields: Yields, until: Option<Day>) -> Result<Self, YieldError> {
        let mut factors = BTreeMap::new();
        for kind in Kind::ALL {
            let Some(last) = yields.last_day(kind) else { continue };
            let last = until.map_or(last, |until| until.min(last));
            if let Some(model) = models.of(kind) {
                factors.insert(kind, (last, factor(&yields, model, kind, last)?));
            }
        }
        Ok(Self { models, yields, factors })
    }

    /// All that there are tables of, called as their pools.
    pub fn strategies(&self) -> impl Iterator<Item = Strategy> {
        let of = |pool: &Pool| Strategy { name: pool.id.clone(), kind: pool.kind, pool: pool.id.clone() };
        self.yields.pools.values().map(of)
    }

    /// The tables' pool of that id.
    ///
    /// # Errors
    /// [`YieldError::Unknown`].
    pub fn pool(&self, id: &str) -> Result<&Pool, YieldError> {
        self.yields.pools.get(id).ok_or_else(|| unknown(self.yields.pools.keys(), id))
    }

    /// The tables.
    pub fn tables(&self) -> &Yields {
        &self.yields
    }

    /// Rates of a pool over so many days up to a day, as shares; nothing for a day without one.
    pub fn past(&self, pool: &str, last: Day, days: usize) -> Vec<Option<f64>> {
        let series = self.yields.pools.get(pool).map(|pool| &pool.series);
        let rate = |day: Day| {
            let series = series?;
            Some(series.apy(series.position(day)?)? / 100.0)
        };
        (last - days as Day + 1..=last).map(rate).collect()
    }

    /// What is said of a strategy, for who asks on a day; however old its data are.
    ///
    /// # Errors
    /// [`YieldError`] where nothing can be said.
    pub fn predict(&self, strategy: &Strategy, today: Day) -> Result<Prediction, YieldError> {
        let (model, last, factor) = self.model(strategy)?;
        let snapshot = self.known(strategy, last, factor)?;
        let known = model.model.known(&snapshot)?;
        Ok(Prediction::new(&snapshot, &known, &model.bundle.manifest.model_id, today))
    }

    /// What is known of a strategy, for who asks on a day.
    ///
    /// # Errors
    /// As [`Outlook::predict`], and [`YieldError::Stale`].
    pub fn snapshot(&self, strategy: &Strategy, today: Day, max_age_days: u32) -> Result<Snapshot, YieldError> {
        let (_, last, factor) = self.model(strategy)?;
        let snapshot = self.known(strategy, last, factor)?;
        check_age(snapshot.day, today, max_age_days)?;
        Ok(snapshot)
    }

    fn model(&self, strategy: &Strategy) -> Result<(&YieldModel, Day, f64), YieldError> {
        self.pool(&strategy.pool)?;
        let found = self.models.of(strategy.kind).zip(self.factors.get(&strategy.kind));
        let (model, (last, factor)) = found.ok_or_else(|| YieldError::NoModel { kind: strategy.kind.name() })?;
        Ok((model, *last, *factor))
    }

    fn known(&self, strategy: &Strategy, last: Day, factor: f64) -> Result<Snapshot, YieldError> {
        let Pool { id, kind, series } = self.pool(&strategy.pool)?;
        if *kind != strategy.kind {
            return Err(YieldError::OtherKind { pool: id.clone(), kind: kind.name(), wanted: strategy.kind.name() });
        }
        let too_few = |day: Day| YieldError::TooFew { pool: id.clone(), day };
        // The strategy's own last day, which may lie a little before the others'.
        let end = series.position(last).ok_or_else(|| too_few(last))?.min(series.days() - 1);
        let at = (0..=end).rev().find(|at| series.apy(*at).is_some()).ok_or_else(|| too_few(last))?;
        let day = series.day(at);
        if day + MAX_BEHIND_DAYS < last {
            return Err(YieldError::Vanished { pool: id.clone(), last_day: day, data_day: last });
        }
        Window::new(series, at).ok_or_else(|| too_few(day))?;
        Ok(Snapshot::new((&strategy.name, id, *kind), series, at, self.yields.market.at(day), factor))
    }
}

/// The error for a strategy that is none, with the name that is most like it.
pub fn unknown<'a>(known: impl Iterator<Item = &'a String> + Clone, name: &str) -> YieldError {
    let likeness = |known: &str| strsim::jaro_winkler(known, name);
    let similar = known.max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    let similar = similar.filter(|known| likeness(known) >= LEAST_SIMILARITY).cloned();
    YieldError::Unknown { name: quoted(name), similar }
}

/// The factor of intervals of a kind at the end of a day, after all scores that are known by then.
fn factor(yields: &Yields, model: &YieldModel, kind: Kind, last: Day) -> Result<f64, YieldError> {
    let mut scored: Vec<(Day, Option<f64>)> = Vec::new();
    let scored_days = last - SCORED_DAYS + 1..=last;
    let mut first = 0.0;
    for pool in yields.pools.values().filter(|pool| pool.kind == kind) {
        for at in 0..pool.series.days() {
            let day = pool.series.day(at);
            let Some(row) = row(kind, &pool.series, &yields.market.at(day), at).filter(|_| scored_days.contains(&day))
            else {
                continue;
            };
            let Some((said, _)) = model.model.say(&row).map_err(StrategyError::from)? else { continue };
            first = said.width_factor;
            let came = Window::new(&pool.series, at).and_then(|window| target(&pool.series, at, &window));
            let came = came.filter(|_| day + HORIZON_DAYS as Day <= last);
            scored.push((day, came.map(|came| said.score(came.change))));
        }
    }
    scored.push((last, None));
    Ok(factors(first, scored).get(&last).copied().unwrap_or(first))
}
