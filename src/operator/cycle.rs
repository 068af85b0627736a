//! A cycle that was run by hand.

use std::fmt::Write as _;

use serde::{Serialize, Serializer};
use serde_json::json;

use super::sale_outlook::SaleOutlook;
use crate::forecast::JobModel;
use crate::job::Agent;
use crate::render::{Render, cycle, volatility_bps};
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::prediction::Prediction;
use veriregime_core::types::time::format_utc;
use veriregime_core::yields::forecast::Forecast as YieldForecast;

/// How a cycle ended, with what it forecast.
#[derive(Debug)]
pub struct CycleResult {
    record: CycleRecord,
    /// Each market's name and forecast; `None` for one that the update omits.
    forecasts: Vec<(String, Option<Prediction>)>,
    /// What a vault needs, and would sell; of a job that sells.
    sale: Option<SaleOutlook>,
    /// A strategy's name, and what it is forecast to yield.
    strategy: Option<(String, YieldForecast)>,
}

impl CycleResult {
    /// Of an agent's cycle.
    pub fn of(agent: &Agent, record: CycleRecord, sale: Option<SaleOutlook>) -> Self {
        let omitted = record.omitted_markets();
        let forecasts = match &agent.model {
            JobModel::Electricity { .. } | JobModel::Strategy { .. } => Vec::new(),
            JobModel::Regime(model) => {
                let outputs = record.forecast.iter().flat_map(|forecast| &forecast.outputs).enumerate();
                let served = outputs.map(|(index, outputs)| model.read(outputs).filter(|_| !omitted.omits(index)));
                agent.model.names().into_iter().zip(served).collect()
            }
        };
        let of_strategy = agent.strategy().zip(record.forecast.as_ref());
        let strategy =
            of_strategy.and_then(|(of, forecast)| Some((of.strategy.name.clone(), of.model.told(forecast)?)));
        Self { record, forecasts, sale, strategy }
    }

    /// Where it ended.
    pub fn stage(&self) -> Stage {
        self.record.stage
    }
}

impl Serialize for CycleResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut said = cycle::json(&self.record);
        said["forecasts"] = self.forecasts.iter().map(|(_, prediction)| json!(prediction)).collect();
        if let Some(sale) = &self.sale {
            said["sale"] = json!(sale);
        }
        if let Some((name, forecast)) = &self.strategy {
            said["strategy"] = json!({"name": name, "forecast": forecast});
        }
        said.serialize(serializer)
    }
}

impl Render for CycleResult {
    fn text(&self) -> String {
        let record = &self.record;
        let mut line = format!("period {} ({}): {}", record.period, format_utc(record.start_ms), record.stage.name());
        for (market, prediction) in &self.forecasts {
            let Some(prediction) = prediction else { continue };
            let _ = write!(
                line,
                "\n  {market}: {} with probability {:.1} %, volatility {} a minute",
                prediction.regime,
                prediction.probability_high * 100.0,
                volatility_bps(prediction.volatility)
            );
        }
        if record.origin.is_some() {
            let _ = write!(line, "\n  candles from {}", cycle::origin(record));
        }
        if record.tables.is_some() {
            let _ = write!(line, "\n  tables: {}", cycle::origin(record));
        }
        if let Some(sale) = &self.sale {
            let _ = write!(line, "\n  {}", sale.text().replace('\n', "\n  "));
        }
        if let Some((name, said)) = &self.strategy {
            let _ = write!(
                line,
                "\n  {name}: {:.2} % a year in the next 7 days, 90 % between {:.2} and {:.2} %, volatility {:.2} points",
                said.apy_percent, said.low_percent, said.high_percent, said.volatility_pp
            );
        }
        if let Some(landed) = &record.landed {
            let _ = write!(line, "\n  transaction {} in block {}, {} gas", landed.hash, landed.block, landed.gas_used);
        }
        if let Some(miss) = &record.miss {
            let _ = write!(line, "\n  {} after stage {}: {}", miss.code, miss.stage.name(), miss.message);
        }
        line
    }
}
