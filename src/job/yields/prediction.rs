//! What is said of a strategy, for whoever asks.

use serde::Serialize;

use crate::sources::yields::error::YieldError;
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::time::format_day;
use veriregime_core::yields::Kind;
use veriregime_core::yields::conformal::NOMINAL_COVERAGE;
use veriregime_core::yields::model::Known;
use veriregime_core::yields::risk::Risk;
use veriregime_core::yields::snapshot::Snapshot;

/// What a rate of a liquidity pool leaves out.
const NOTE_LP: &str = "without impermanent loss";

/// What is said of a strategy; rates and volatility as shares, not percent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// Mean rate of the days ahead, a year.
    pub apy: f64,
    /// Standard deviation of its daily rate.
    pub volatility: f64,
    /// Ends of the 90 % interval of `apy`.
    pub interval: [f64; 2],
    /// Share of outcomes that the interval is to hold.
    pub coverage: f64,
    /// What publishers call it.
    pub pool: String,
    /// What it does.
    pub kind: Kind,
    /// The last day that is known, and the days from it on.
    pub as_of: String,
    /// Days since, on the day that it was asked for.
    pub age_days: i64,
    /// The model.
    pub model_id: String,
    /// From the past; absent of young strategies.
    pub risk: Option<Risk>,
    /// What the rate leaves out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
    /// `as_of`, counted from 1970-01-01.
    #[serde(skip)]
    pub day: Day,
}

impl Prediction {
    /// Of what a model says of a snapshot, for who asks on a day.
    pub fn new(snapshot: &Snapshot, known: &Known, model_id: &str, today: Day) -> Self {
        let share = |percent: f64| percent / 100.0;
        let said = &known.forecast;
        Self {
            apy: share(said.apy_percent),
            volatility: share(said.volatility_pp),
            interval: [share(said.low_percent), share(said.high_percent)],
            coverage: NOMINAL_COVERAGE,
            pool: snapshot.pool.clone(),
            kind: snapshot.kind,
            as_of: format_day(known.day),
            age_days: i64::from(today) - i64::from(known.day),
            model_id: model_id.to_owned(),
            risk: known.risk,
            note: (snapshot.kind == Kind::Lp).then_some(NOTE_LP),
            day: known.day,
        }
    }

    /// The same for who asks on another day.
    #[must_use]
    pub fn seen_on(&self, today: Day) -> Self {
        Self { age_days: i64::from(today) - i64::from(self.day), ..self.clone() }
    }

    /// Refuses data that are older than is allowed on a day.
    ///
    /// # Errors
    /// [`YieldError::Stale`].
    pub fn check_age(&self, today: Day, limit_days: u32) -> Result<(), YieldError> {
        check_age(self.day, today, limit_days)
    }
}

/// Refuses data up to a day that are older than is allowed on another.
///
/// # Errors
/// [`YieldError::Stale`].
pub fn check_age(day: Day, today: Day, limit_days: u32) -> Result<(), YieldError> {
    let age_days = i64::from(today) - i64::from(day);
    if age_days > i64::from(limit_days) {
        return Err(YieldError::Stale { day, age_days, limit_days });
    }
    Ok(())
}
