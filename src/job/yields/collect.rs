//! The stage that fetches a strategy's days.

use super::day_of;
use crate::job::Agent;
use crate::job::error::StageError;
use crate::job::input::OfStrategy;
use crate::job::tables::FALL_BACK_AFTER_MS;
use crate::state::Step;
use veriregime_core::types::cycle::CycleRecord;

impl Agent {
    /// Fetches the strategy's days and stores what of them the period's forecast is made from: the days before the period, as
    /// they are told now. One that nothing can be said of may be told of later.
    pub(in crate::job) async fn collect_strategy(
        &self,
        record: &CycleRecord,
        of: OfStrategy<'_>,
    ) -> Result<CycleRecord, StageError> {
        if let Some(step) = self.look_on_chain(record).await? {
            return Ok(self.advance(record, &step)?);
        }
        let now_ms = self.clock.now_ms();
        let falls_back = now_ms >= record.start_ms.max(record.started_ms) + FALL_BACK_AFTER_MS;
        let day = day_of(record.start_ms);
        let used = self.store.editions()?;
        let asked = of.service.snapshot(&of.strategy.name, day, now_ms, falls_back, &used);
        let (snapshot, origin) = asked.await?;
        // What cannot be computed with is not stored.
        of.model.compute(&snapshot)?;
        Ok(self.advance(record, &Step::Tables(&snapshot.to_bytes(), &origin))?)
    }
}
