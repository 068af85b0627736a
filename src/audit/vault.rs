//! The audit of a vault's sales, by the tables as their publishers give them now.

use alloy::primitives::{Address, B256};
use tempfile::TempDir;

use super::checks::Findings;
use super::compare::Verdict;
use super::sale::{self, SaleReport, Told};
use crate::actions::error::ActionError;
use crate::actions::hedge_vault::published::PublishedSale;
use crate::actions::one_market::OneMarketModel;
use crate::bundle::Bundle;
use crate::chain::read::Reader;
use crate::config::Config;
use crate::config::hedge::Hedge;
use crate::job::tables::TableService;
use crate::node::assemble;
use veriregime_core::hedge::GRID;
use veriregime_core::types::alert::Subject;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::period::PeriodId;

/// Everything that audits of a vault's sales ask.
#[derive(Debug)]
pub struct VaultAuditor {
    config: Config,
    hedge: Hedge,
    pub vault: Address,
    pub reader: Reader,
    tables: TableService,
    /// Where the tables lie. Dropped last.
    _scratch: TempDir,
}

/// The bundle of a model on chain; else the digest of the manifest that none has, or has for another country.
type Known = Result<(Bundle, Way), Digest>;

impl VaultAuditor {
    /// Of a hedge job's vault.
    ///
    /// # Errors
    /// A job of another kind; settings, bundle or chain that cannot be used.
    pub async fn new(config: Config) -> anyhow::Result<Self> {
        let hedge = config.hedge.clone();
        let hedge = hedge.ok_or_else(|| anyhow::anyhow!("{} is no hedge job", config.names.job))?;
        Bundle::open(&config.bundle)?.electricity_model()?;
        let (vault, reader) = (assemble::oracle(&config)?, assemble::reader(&config)?);
        reader.check_chain_id().await?;
        if !reader.has_code(vault).await? {
            return Err(ActionError::NoContract(vault).into());
        }
        let scratch = tempfile::tempdir()?;
        let tables = TableService::new(scratch.path().to_owned(), hedge.electricity.clone(), hedge.rates.clone());
        Ok(Self { config, hedge, vault, reader, tables, _scratch: scratch })
    }

    /// The settings of the job.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The job: what is said of the vault is said of it.
    pub fn job(&self) -> Subject {
        Subject::Job { job: self.config.names.job.clone(), chain_id: self.config.chain.chain_id }
    }

    /// Audits the sales of these weeks.
    ///
    /// # Errors
    /// As [`VaultAuditor::audit`].
    pub async fn audit_periods(&self, periods: std::ops::Range<u64>, now_ms: i64) -> anyhow::Result<Vec<SaleReport>> {
        let mut reports = Vec::new();
        for period in periods.map(PeriodId) {
            for sale in self.reader.sales(self.vault, GRID, period).await? {
                reports.push(self.audit(&sale, now_ms).await?);
            }
        }
        Ok(reports)
    }

    /// Audits a sale by the bundle of its own model.
    ///
    /// # Errors
    /// A chain, a publisher or a prover that fails: nothing is known of the sale then.
    pub async fn audit(&self, sale: &PublishedSale, now_ms: i64) -> anyhow::Result<SaleReport> {
        let update = &sale.update;
        let found = match self.known(update.model_id).await? {
            Ok((bundle, way)) => self.found(&bundle, way, sale, now_ms).await?,
            Err(manifest) => {
                let mut found = Findings::new(Vec::new());
                let country = &self.hedge.country;
                found.refuse(
                    Verdict::UnknownModel,
                    format!("no bundle in the models' folder is manifest {manifest} for {country}: the forecast is anybody's"),
                );
                found
            }
        };
        Ok(SaleReport {
            job: self.config.names.job.clone(),
            period: update.period,
            transaction: update.transaction,
            block: update.block,
            sold_sats: sale.figures.sats,
            usdc: sale.figures.usdc,
            found,
        })
    }

    /// The bundle of a registered model, where one lies beside the job's and is of its country.
    ///
    /// # Errors
    /// A chain that does not say, or the job's own bundle.
    pub async fn known(&self, model_id: B256) -> anyhow::Result<Known> {
        let spec = self.reader.model_spec(self.vault, model_id).await?;
        let manifest = Digest(spec.manifestSha256.0);
        let Some(bundle) = assemble::bundle_with(&self.config, manifest)? else { return Ok(Err(manifest)) };
        let is_it = |way: &Way| {
            OneMarketModel::of_country(&bundle.manifest, bundle.manifest_digest, &self.hedge.country, *way)
                .is_some_and(|model| model.difference(&spec).is_none())
        };
        let way = bundle.manifest.offers().map(|offer| offer.way).find(is_it);
        Ok(way.map(|way| (bundle, way)).ok_or(manifest))
    }

    async fn found(&self, bundle: &Bundle, way: Way, sale: &PublishedSale, now_ms: i64) -> anyhow::Result<Findings> {
        let (update, model) = (&sale.update, bundle.electricity_model()?);
        let start_ms = GRID.start_ms(update.period);
        let snapshot = self.tables.snapshot(&self.hedge.country, start_ms, now_ms).await?;
        let forecast = model.compute(&snapshot)?;
        let mut found = Findings::new(sale::differences(&model.table, update, &forecast));
        found.checked("columns and both prices, from the publishers' tables as they are now: they revise");
        let told = Told {
            chain_id: self.reader.chain_id(),
            registry: self.reader.registry_of(self.vault).await?,
            update,
            stated: sale.prices.into(),
            stated_attestations: sale.price_attestations.as_ref(),
        };
        sale::check(&self.config, bundle, way, &told, &forecast, &mut found).await?;
        Ok(found)
    }
}
