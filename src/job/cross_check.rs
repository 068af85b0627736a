//! A second exchange's word on what the model is fed.

use std::ops::Range;

use tracing::{info, warn};

use super::Agent;
use crate::job::error::StageError;
use crate::job::feeds::{CrossCheck, Feed};
use crate::job::fetch::Fetched;
use crate::job::input::Regime;
use crate::sources::candles::cross_check;
use crate::sources::candles::cross_check::Names;
use crate::sources::candles::error::CandleError;
use crate::telemetry::metrics;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::origin::CrossCheckResult;
use veriregime_core::types::period::MINUTE_MS;

impl Agent {
    /// Another exchange's view of the newest minutes of each market, if the policy asks for one. A market that it contradicts
    /// fails; where markets may be omitted, the others go on.
    pub(super) async fn cross_check(
        &self,
        regime: Regime<'_>,
        used: &Feed,
        fetched: &mut Fetched,
        to_ms: i64,
        may_omit: bool,
    ) -> Result<Vec<CrossCheckResult>, StageError> {
        let Some(policy) = &regime.feeds.cross_check else { return Ok(Vec::new()) };
        let from_ms = to_ms - (policy.minutes + 1) * MINUTE_MS;
        let mut tried = Vec::new();
        for other in policy.with.iter().filter(|other| other.name != used.name) {
            match self.witnesses(regime, (policy, may_omit), used, other, fetched, from_ms..to_ms).await {
                Ok(Some(witnesses)) => return Ok(witnesses),
                Ok(None) => tried.push(format!("{} has too few of the minutes", other.name)),
                Err(fault) if fault.is_of_exchange() => tried.push(format!("{}: {} {fault}", other.name, fault.code())),
                Err(fault) => return Err(fault),
            }
        }
        if tried.is_empty() {
            tried.push(format!("{} is in use itself", used.name));
        }
        let fault = CandleError::NoWitness { symbol: used.symbols.join(", "), tried: tried.join("; ") };
        if policy.required {
            return Err(fault.into());
        }
        warn!(code = fault.code(), error = %fault, "going on without a second source");
        Ok(Vec::new())
    }

    /// Compares every market with one other source. `None` where it has too few of the minutes.
    async fn witnesses(
        &self,
        regime: Regime<'_>,
        (policy, may_omit): (&CrossCheck, bool),
        used: &Feed,
        other: &Feed,
        fetched: &mut Fetched,
        range_ms: Range<i64>,
    ) -> Result<Option<Vec<CrossCheckResult>>, StageError> {
        let failed = fetched.markets.iter().enumerate().filter(|(_, market)| market.is_err());
        let skip: OmittedMarkets = failed.map(|(index, _)| index).collect();
        self.refresh(regime, other, &range_ms, skip, false).await?;
        let mut witnesses = Vec::with_capacity(fetched.markets.len());
        let mut contradicted = Vec::new();
        for (index, market) in fetched.markets.iter().enumerate() {
            let Ok(market) = market else { continue };
            let theirs = self.store.live_candles(&other.name, &other.symbols[index], &range_ms)?;
            let ours: Vec<Candle> = market
                .series
                .candles()
                .iter()
                .filter(|candle| range_ms.contains(&candle.open_time_ms))
                .filter(|candle| market.not_own.binary_search(&candle.open_time_ms).is_err())
                .copied()
                .collect();
            let Some(found) = cross_check::compare(&ours, &theirs, &policy.band) else { return Ok(None) };
            let names = Names {
                market: regime.model.candles.markets[index].name.clone(),
                fed: used.name.clone(),
                other: other.name.clone(),
                other_symbol: other.symbols[index].clone(),
            };
            let witness = match found.verdict(policy.band, names) {
                Ok(witness) => witness,
                Err(disagreement) => {
                    metrics::sources_disagree(&other.name);
                    // One of the two may have been wrong for a moment: the next try hears both again.
                    for feed in [used, other] {
                        self.store.forget_live_candles(&feed.name, &feed.symbols[index], &range_ms)?;
                    }
                    contradicted.push((index, StageError::from(CandleError::Disagreement(disagreement))));
                    continue;
                }
            };
            info!(
                source = witness.source,
                minutes = witness.common_minutes,
                beyond = witness.minutes_beyond,
                basis_pips = witness.basis_pips,
                worst_pips = witness.worst_pips,
                volatility_pips = witness.volatility_pips,
                "sources agree"
            );
            witnesses.push(witness);
        }
        if !may_omit || contradicted.len() == fetched.served() {
            // Nothing is left to go on with.
            if let Some((_, fault)) = contradicted.into_iter().next() {
                return Err(fault);
            }
            return Ok(Some(witnesses));
        }
        for (index, fault) in contradicted {
            fetched.markets[index] = Err(fault);
        }
        Ok(Some(witnesses))
    }
}
