//! The audit of a vault's sales, by the tables as their publishers give them now.

use alloy::primitives::B256;
use tempfile::TempDir;

use super::checks::Findings;
use super::market::{MarketAuditor, Place};
use super::reports::SaleReport;
use super::sale::{self, Told};
use super::watch::Notice;
use crate::actions::hedge_vault::contract::{PublishedSale, Vault};
use crate::actions::one_market::model::OneMarketModel;
use crate::bundle::Bundle;
use crate::config::Config;
use crate::config::hedge::Hedge;
use crate::job::tables::TableService;
use veriregime_core::hedge::GRID;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::Manifest;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::period::Grid;

/// Everything that audits of a vault's sales ask.
#[derive(Debug)]
pub struct VaultAuditor {
    place: Place,
    hedge: Hedge,
    tables: TableService,
    /// Where the tables lie. Dropped last.
    _scratch: TempDir,
}

impl VaultAuditor {
    /// Of a hedge job's vault.
    ///
    /// # Errors
    /// A job of another kind; settings, bundle or chain that cannot be used.
    pub async fn new(config: Config) -> anyhow::Result<Self> {
        let hedge = config.hedge.clone();
        let hedge = hedge.ok_or_else(|| anyhow::anyhow!("{} is no hedge job", config.names.job))?;
        Bundle::open(&config.bundle)?.electricity_model()?;
        let (place, scratch) = (Place::new(config).await?, tempfile::tempdir()?);
        let tables = TableService::new(scratch.path().to_owned(), hedge.electricity.clone(), hedge.rates.clone());
        Ok(Self { place, hedge, tables, _scratch: scratch })
    }
}

impl MarketAuditor for VaultAuditor {
    type Contract = Vault;
    type Report = SaleReport;

    const GRID: Grid = GRID;
    const SERVED: &'static str = "is that of the vault's terms";

    fn place(&self) -> &Place {
        &self.place
    }

    async fn served(&self) -> anyhow::Result<B256> {
        Ok(self.place.reader.hedge_vault(self.place.contract).await?.terms.modelId)
    }

    fn market(&self) -> &str {
        &self.hedge.country
    }

    fn model(&self, manifest: &Manifest, digest: Digest, way: Way) -> Option<OneMarketModel> {
        OneMarketModel::of_country(manifest, digest, &self.hedge.country, way)
    }

    async fn found(&self, bundle: &Bundle, way: Way, sale: &PublishedSale, now_ms: i64) -> anyhow::Result<Findings> {
        let (update, model) = (&sale.update, bundle.electricity_model()?);
        let start_ms = GRID.start_ms(update.period);
        let snapshot = self.tables.snapshot(&self.hedge.country, start_ms, now_ms).await?;
        let forecast = model.compute(&snapshot)?;
        let mut found = Findings::new(sale::differences(&model.table, update, &forecast));
        found.checked("columns and both prices, from the publishers' tables as they are now: they revise");
        let told = Told::of(&self.place, sale).await?;
        sale::check(&self.place.config, bundle, way, &told, &forecast, &mut found).await?;
        Ok(found)
    }

    fn report(&self, sale: &PublishedSale, found: Findings) -> SaleReport {
        SaleReport {
            job: self.place.config.names.job.clone(),
            period: sale.update.period,
            transaction: sale.update.transaction,
            block: sale.update.block,
            sold_sats: sale.figures.sats,
            usdc: sale.figures.usdc,
            found,
        }
    }

    fn findings(report: &SaleReport) -> &Findings {
        &report.found
    }

    fn notice(report: &SaleReport) -> Notice<'_> {
        Notice::Sale(report)
    }
}
