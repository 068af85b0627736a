//! What a stranger can say of a vault's sale: by its evidence, or by the publishers' tables as they are now.

use alloy::primitives::{Address, B256, Bytes};
use serde::Serialize;

use super::checks::Findings;
use super::compare::{FeatureDifference, Verdict};
use super::render;
use crate::actions::hedge_vault::model::CountryModel;
use crate::actions::hedge_vault::order::{brings, prices_brought};
use crate::actions::hedge_vault::published::PublishedSale;
use crate::actions::risk_oracle::published::{AttestorCheck, signatures};
use crate::attestation::statement::{Statement, is_by_its_signer, split};
use crate::bundle::Bundle;
use crate::chain::read::Reader;
use crate::config::Config;
use crate::job::tables::TableService;
use crate::node::assemble;
use crate::render::Render;
use veriregime_core::hedge::GRID;
use veriregime_core::hedge::electricity::ElectricityModel;
use veriregime_core::hedge::prices::Prices;
use veriregime_core::hedge::snapshot::Snapshot;
use veriregime_core::types::cycle::Forecast;
use veriregime_core::types::evidence::{Evidence, SaleEvidence};
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::public_inputs;
use veriregime_core::types::stated::Stated;
use veriregime_core::types::time::format_utc;
use veriregime_core::types::update::PublishedUpdate;

/// What came out for one week's sale.
#[derive(Debug, Serialize)]
pub struct SaleReport {
    /// The job of the settings whose vault it is.
    pub job: String,
    pub period: PeriodId,
    pub transaction: B256,
    pub block: u64,
    pub sold_sats: u64,
    pub usdc: u64,
    #[serde(flatten)]
    pub found: Findings,
}

impl Render for SaleReport {
    fn text(&self) -> String {
        format!(
            "{}, period {} ({}): {}; {} units of WBTC for {} units of USDC, transaction {}{}{}",
            self.job,
            self.period,
            format_utc(GRID.start_ms(self.period)),
            self.found.verdict.words(),
            self.sold_sats,
            self.usdc,
            self.transaction,
            render::differences(&self.found),
            render::findings(&self.found)
        )
    }
}

/// What was published of a sale, wherever it is read.
struct Told<'a> {
    chain_id: u64,
    registry: Address,
    update: &'a PublishedUpdate,
    prices: Prices,
    price_attestations: Option<&'a Bytes>,
}

/// Verifies the evidence of a sale, without a network.
pub(super) async fn verify(
    config: &Config,
    bundle: &Bundle,
    evidence: &Evidence,
    sale: &SaleEvidence,
) -> anyhow::Result<Findings> {
    let (model, update, way) = (bundle.electricity_model()?, &evidence.update, evidence.verification);
    let forecast = model.compute(&sale.snapshot)?;
    let mut found = Findings::new(differences(&model, update, &forecast));
    found.checked(format!("{} columns and both prices, from the tables in the file", update.candle_features.len()));
    let digests: Vec<_> = evidence.markets.iter().map(|one| one.candles_sha256).collect();
    if digests != [sale.snapshot.digest()] {
        found.refuse(Verdict::DataDiffer, "its tables have another digest");
    }
    let of_country = CountryModel::of(&bundle.manifest, bundle.manifest_digest, &sale.snapshot.country, way);
    if of_country.map(|model| model.model_id(evidence.verifier)) != Some(update.model_id) {
        found.refuse(Verdict::ProofInvalid, "its forecast is of another model than the bundle's for the country");
    }
    if sale.snapshot.day != day_before(update.period) {
        found.refuse(Verdict::DataDiffer, "its tables are not those of the days before the period");
    }
    if !brings(&evidence.calldata, update) || prices_brought(&evidence.calldata) != Some(sale.prices) {
        found.refuse(Verdict::ProofInvalid, "its calldata does not bring this forecast with these prices");
    }
    let told = Told {
        chain_id: evidence.chain_id,
        registry: evidence.registry,
        update,
        prices: sale.prices,
        price_attestations: Some(&sale.price_attestations),
    };
    check(config, bundle, way, &told, &forecast, &mut found).await?;
    found.not_checked("that publishers said so, and that the sale is on chain");
    Ok(found)
}

/// Audits a job's sales of these weeks, by the tables as their publishers give them now.
///
/// # Errors
/// A chain, a publisher or a prover that fails: nothing is known of the sales then.
pub async fn audit(config: &Config, periods: std::ops::Range<u64>, now_ms: i64) -> anyhow::Result<Vec<SaleReport>> {
    let hedge = config.hedge.as_ref().ok_or_else(|| anyhow::anyhow!("{} is no hedge job", config.names.job))?;
    let (bundle, reader, vault) = (Bundle::open(&config.bundle)?, assemble::reader(config)?, assemble::oracle(config)?);
    reader.check_chain_id().await?;
    let model = bundle.electricity_model()?;
    let scratch = tempfile::tempdir()?;
    let tables = TableService::new(scratch.path().to_owned(), hedge.electricity.clone(), hedge.rates.clone());
    let mut reports = Vec::new();
    for period in periods.map(PeriodId) {
        for sale in reader.sales(vault, GRID, period).await? {
            let snapshot = tables.snapshot(&hedge.country, GRID.start_ms(period), now_ms).await?;
            reports.push(one(config, (&bundle, &model), &reader, vault, sale, &snapshot).await?);
        }
    }
    Ok(reports)
}

async fn one(
    config: &Config,
    (bundle, model): (&Bundle, &ElectricityModel),
    reader: &Reader,
    vault: Address,
    sale: PublishedSale,
    snapshot: &Snapshot,
) -> anyhow::Result<SaleReport> {
    let (update, way) = (&sale.update, config.prover.kind.way());
    let forecast = model.compute(snapshot)?;
    let mut found = Findings::new(differences(model, update, &forecast));
    found.checked("columns and both prices, from the publishers' tables as they are now: they revise");
    let told = Told {
        chain_id: reader.chain_id(),
        registry: reader.registry_of(vault).await?,
        update,
        prices: sale.prices,
        price_attestations: sale.price_attestations.as_ref(),
    };
    check(config, bundle, way, &told, &forecast, &mut found).await?;
    Ok(SaleReport {
        job: config.names.job.clone(),
        period: update.period,
        transaction: update.transaction,
        block: update.block,
        sold_sats: sale.figures.sats,
        usdc: sale.figures.usdc,
        found,
    })
}

/// Proof, prices and attestations, for who has a forecast of their own.
async fn check(
    config: &Config,
    bundle: &Bundle,
    way: Way,
    told: &Told<'_>,
    forecast: &Forecast,
    found: &mut Findings,
) -> anyhow::Result<()> {
    let update = told.update;
    let ours = forecast.prices.and_then(Stated::prices);
    if ours != Some(told.prices) {
        let ours = ours.map_or_else(|| "none".into(), words);
        found.refuse(Verdict::DataDiffer, format!("stated were {}, the tables give {ours}", words(told.prices)));
    }
    let Some((arguments, of_prices)) = update.arguments.as_ref().zip(told.price_attestations) else {
        found
            .not_checked("proof and attestations: a contract relayed the sale, and its transaction does not show them");
        return Ok(());
    };
    let instances = public_inputs::instances(&update.candle_features, &update.outputs);
    let mut prover = assemble::prover_of(config, bundle, way).await?;
    let proof = found.check_proof(&mut prover, way, update, arguments, instances).await;
    prover.stop().await;
    let mut attestors = signatures(told.chain_id, told.registry, update, arguments, &proof?.instances)?;
    let statement = Statement {
        chain_id: told.chain_id,
        oracle: Address::ZERO, // not signed
        registry: told.registry,
        model_id: update.model_id,
        period: update.period,
        attestor_set_version: update.attestor_set_version,
        omitted_markets: OmittedMarkets::NONE,
        instances: Vec::new(),
        prices: Some(told.prices.into()),
    };
    let digest = statement.digest();
    for attestation in split(of_prices)? {
        let signed = is_by_its_signer(&attestation, digest);
        attestors.push(AttestorCheck { attestor: attestation.signer, signed, in_set: None });
    }
    found.take_attestors(attestors, update.block);
    Ok(())
}

fn words(prices: Prices) -> String {
    format!("{:.6} EUR/MWh and {:.6} dollars for a euro", prices.eur_per_mwh(), prices.usd_per_eur())
}

/// The last day that a week's forecast may know.
fn day_before(period: PeriodId) -> i32 {
    i32::try_from(GRID.start_ms(period).div_euclid(86_400_000) - 1).unwrap_or(i32::MAX)
}

fn differences(model: &ElectricityModel, update: &PublishedUpdate, forecast: &Forecast) -> Vec<FeatureDifference> {
    let ours = public_inputs::candle_features(&forecast.features);
    let pairs = ours.iter().zip(&model.table.columns).enumerate();
    pairs
        .filter_map(|(index, (recomputed, column))| {
            let published = update.candle_features.get(index).copied();
            (published != Some(*recomputed)).then(|| FeatureDifference {
                market: 0,
                index,
                feature: column.name.clone(),
                published: published.unwrap_or_default(),
                recomputed: *recomputed,
            })
        })
        .collect()
}
