//! What is noted of a cycle beside its evidence, so that whoever looks at the node later needs neither the chain's past nor the
//! exchange's: what its update did to markets, and what followed the forecasts before it.

use std::collections::BTreeMap;

use alloy::primitives::Address;
use tracing::warn;

use super::Agent;
use super::input::Regime;
use crate::actions::Action;
use crate::job::error::StageError;
use crate::state::error::StateError;
use crate::state::jobs::Scope;
use crate::state::outcomes::Outcome;
use veriregime_core::features;
use veriregime_core::features::outcome::{plain, realised};
use veriregime_core::features::sums::Sums;
use veriregime_core::forecast::ForecastError;
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::cycle::CycleRecord;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::manifest::inputs::Market;
use veriregime_core::types::period::{Grid, MINUTE_MS, PeriodId};

/// Updates that are made up for in one go, newest first.
const UPDATES: u32 = 12;
/// The same of others' updates, each of which has to be looked for, and how old they may be.
const OTHERS: u32 = 3;
const OTHERS_MS: i64 = 24 * 60 * MINUTE_MS;

impl Agent {
    /// Notes what followed earlier forecasts, by the candles of this cycle. What fails is tried again with the next cycle: an update is
    /// good without it.
    ///
    /// # Errors
    /// Only when the database fails.
    pub(super) async fn note_what_followed(&self, record: &CycleRecord) -> Result<(), StateError> {
        let Some(regime) = self.regime() else { return Ok(()) };
        let _room = regime.candles.room(1).await;
        match self.note_outcomes(regime, record) {
            Ok(()) => Ok(()),
            Err(StageError::State(fault)) => Err(fault),
            Err(fault) => {
                warn!(code = fault.code(), error = %fault, hint = fault.hint(), "what followed is not known yet");
                Ok(())
            }
        }
    }

    /// Notes what landed updates did to markets.
    pub(super) async fn note_parameters(&self) -> Result<(), StateError> {
        let Action::RiskOracle(oracle) = &self.action else { return Ok(()) };
        let jobs: Vec<_> =
            self.cared_for()?.into_iter().filter(|job| job.contract.address == oracle.contract).collect();
        for record in self.store.without_parameters(Scope::Jobs(&jobs), UPDATES)? {
            let (Some(landed), Ok(manifest)) = (record.landed, self.manifest_of(&record)) else { continue };
            let Ok(markets) = manifest.markets() else { continue };
            let markets: Vec<_> = markets.iter().map(Market::id).collect();
            match self.chain.read.applied_in(oracle.contract, landed.hash, &markets).await {
                Ok(Some(applied)) => self.store.set_parameters(&record, &applied)?,
                Ok(None) => {}
                Err(fault) => {
                    warn!(period = record.period.0, code = fault.code(), error = %fault, "what the update did is not known yet");
                    return Ok(());
                }
            }
        }
        self.note_others(oracle.contract, &jobs).await
    }

    /// Notes what others' updates of the last day did to markets: their events are looked for among the blocks of the period.
    async fn note_others(&self, contract: Address, jobs: &[JobKey]) -> Result<(), StateError> {
        let now_ms = self.clock.now_ms();
        let after_seconds = (now_ms - OTHERS_MS).div_euclid(1000);
        for record in self.store.others_without_parameters(Scope::Jobs(jobs), after_seconds, OTHERS)? {
            let Ok(manifest) = self.manifest_of(&record) else { continue };
            let Ok(markets) = manifest.markets() else { continue };
            let markets: Vec<_> = markets.iter().map(Market::id).collect();
            match self.chain.read.applied_for(contract, manifest.grid, record.period, &markets).await {
                // The block that it was seen in may have been dropped: it is looked for again while its period lasts.
                Ok(applied) if applied.is_empty() && now_ms < record.end_ms => {}
                Ok(applied) => self.store.set_parameters(&record, &applied)?,
                Err(fault) => {
                    warn!(period = record.period.0, code = fault.code(), error = %fault, "what another's update did is not known yet");
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Measures what the window of this cycle tells: what forecasters without a network say now, and what followed the
    /// forecasts of the periods that it covers.
    fn note_outcomes(&self, regime: Regime<'_>, record: &CycleRecord) -> Result<(), StageError> {
        if record.candles.is_empty() || record.job != self.job() {
            return Ok(());
        }
        let first = self.grid().period_at(features::window_ms(&regime.model.candles.features, record.start_ms).0);
        let known = self.store.outcomes(record.job, first, record.period)?;
        let periods = self.store.periods_between(record.job, first, record.period)?;
        let horizon_ms = i64::try_from(self.grid().horizon_seconds).unwrap_or(i64::MAX).saturating_mul(1000);
        let is_over = |period: PeriodId| self.grid().start_ms(period).saturating_add(horizon_ms) <= record.start_ms;
        let is_open = |period: PeriodId, market: usize| match known.get(&(period, market)) {
            Some(outcome) if is_over(period) => !outcome.is_complete(),
            Some(outcome) => outcome.persistence.is_none() || outcome.har.is_none(),
            None => true,
        };
        let open_of = |market: usize| -> Vec<PeriodId> {
            periods.iter().copied().filter(|period| is_open(*period, market)).collect()
        };
        if (0..record.candles.len()).all(|market| open_of(market).is_empty()) {
            return Ok(());
        }
        let stored = self.store.candles(record.job, record.period)?;
        let mut found = BTreeMap::new();
        for (market, candles) in stored.iter().enumerate().filter(|(_, candles)| !candles.is_empty()) {
            let window = regime.model.window(candles, record.period).map_err(|error| {
                // What was computed with before has become unusable.
                StateError::Corrupt(ForecastError::from(error).to_string())
            })?;
            let open = open_of(market);
            found.extend(
                measured((regime, market), &self.bundle.manifest.grid, &window, &open)
                    .into_iter()
                    .map(|(period, outcome)| ((period, market), outcome)),
            );
        }
        Ok(self.store.keep_outcomes(record.job, &found)?)
    }
}

/// What a market's window tells of these periods.
fn measured(
    (regime, market): (Regime<'_>, usize),
    grid: &Grid,
    window: &CandleSeries,
    periods: &[PeriodId],
) -> Vec<(PeriodId, Outcome)> {
    let known = regime.model.labels.get(market).zip(regime.model.baselines.get(market));
    let Some((label, baselines)) = known else { return Vec::new() };
    let sums = Sums::new(window.candles(), window.carried());
    let of = |period: &PeriodId| {
        let at = usize::try_from((grid.start_ms(*period) - window.start_ms()) / MINUTE_MS).ok()?;
        let said = plain(&sums, at, label, baselines);
        let outcome = Outcome { persistence: said.persistence, har: said.har, realised: realised(&sums, at, label) };
        (outcome != Outcome::default()).then_some((*period, outcome))
    };
    periods.iter().filter_map(of).collect()
}
