//! What a vault needs by a cycle's forecast, and what it would sell or has sold: without a signature.

use alloy::primitives::Address;
use serde::Serialize;

use crate::actions::hedge_vault::contract::PublishedSale;
use crate::actions::hedge_vault::estimate::Estimate;
use crate::forecast::JobModel;
use crate::job::Agent;
use crate::render::{Render, layout, lines};
use veriregime_core::types::cycle::CycleRecord;
use veriregime_core::types::evidence::SaleFigures;
use veriregime_core::types::stated::Stated;
use veriregime_core::types::time::format_day;

const SATS: f64 = 1e8;
const USDC_UNITS: f64 = 1e6;

/// A vault in a period.
#[derive(Debug, Serialize)]
pub struct SaleOutlook {
    vault: Address,
    country: String,
    /// What it needs and would sell; absent where the vault cannot say, as without a price of the pool.
    estimate: Option<Estimate>,
    /// What it has sold.
    sold: Option<SaleFigures>,
}

/// Of a cycle of a job that sells; `None` of any other, and of one that has forecast nothing.
///
/// # Errors
/// A chain that does not answer.
pub async fn sale_outlook(agent: &Agent, record: &CycleRecord) -> anyhow::Result<Option<SaleOutlook>> {
    let JobModel::Electricity { model, country } = &agent.model else { return Ok(None) };
    let Some(forecast) = &record.forecast else { return Ok(None) };
    let (read, vault) = (&agent.chain.read, agent.action.contract());
    let sold: Option<PublishedSale> = match &record.landed {
        Some(landed) => read.publication_in(vault, landed.hash).await?,
        None => None,
    };
    let integers = forecast.output_integers();
    let estimate = match (forecast.stated.and_then(Stated::prices).zip(model.read(&integers)), &sold) {
        (Some((prices, horizons)), None) => {
            let state = read.hedge_vault(vault).await?;
            let mean = read.vault_mean(vault, state.terms.twapSeconds).await?;
            let times = (record.start_ms.unsigned_abs() / 1000, read.next_block_seconds().await?);
            mean.and_then(|mean| Estimate::of(&state, (prices, &horizons), times, &mean))
        }
        _ => None,
    };
    Ok(Some(SaleOutlook { vault, country: country.clone(), estimate, sold: sold.map(|sale| sale.figures) }))
}

fn btc(sats: u64) -> f64 {
    sats as f64 / SATS
}

fn day(number: u32) -> String {
    format_day(i32::try_from(number).unwrap_or(i32::MAX))
}

impl Render for SaleOutlook {
    fn text(&self) -> String {
        let mut said = Vec::new();
        if let Some(one) = &self.estimate {
            said.push(layout::text(&format!(
                "{}: the last 30 days cost {:.2} EUR/MWh, the next {} months will cost {:.2} by the forecast: {:.2} dollars a day",
                self.country, one.last_month_eur_mwh, one.months, one.forecast_eur_mwh, one.usd_a_day
            )));
            said.push(layout::text(&format!(
                "vault {} needs {:.8} WBTC for the days from {} until {}, at {:.2} dollars each after the pool's fee; budgets and \
                 balance leave {:.8}: it would sell {:.8}, for the days until {}",
                self.vault,
                btc(one.need_sats),
                day(one.from_day),
                day(one.horizon_day),
                one.btc_usd,
                btc(one.available_sats),
                btc(one.sold_sats),
                day(one.until_day)
            )));
        }
        if let Some(sold) = &self.sold {
            said.push(layout::text(&format!(
                "vault {} sold {:.8} WBTC for {:.2} USDC, for the electricity from {} until {}",
                self.vault,
                btc(sold.sats),
                sold.usdc as f64 / USDC_UNITS,
                day(sold.from_day),
                day(sold.until_day)
            )));
        }
        if said.is_empty() {
            said.push(format!("vault {}: nothing is known of a sale", self.vault));
        }
        lines(said)
    }
}
