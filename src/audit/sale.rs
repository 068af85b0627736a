//! What a stranger can say of a vault's sale: by its evidence here, by the publishers' tables in [`super::vault`].

use alloy::primitives::{Address, Bytes};

use super::checks::Findings;
use super::compare::{FeatureDifference, Verdict};
use super::market::Place;
use crate::actions::hedge_vault::contract::Vault;
use crate::actions::one_market::OneMarketContract;
use crate::actions::one_market::model::OneMarketModel;
use crate::actions::one_market::order::brings;
use crate::actions::one_market::published::Published;
use crate::actions::risk_oracle::published::{AttestorCheck, signatures};
use crate::attestation::statement::{Statement, is_by_its_signer, split};
use crate::bundle::Bundle;
use crate::config::Config;
use crate::node::assemble;
use veriregime_core::hedge::GRID;
use veriregime_core::types::cycle::Forecast;
use veriregime_core::types::evidence::{Evidence, SaleEvidence};
use veriregime_core::types::manifest::inputs::Table;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::public_inputs;
use veriregime_core::types::stated::Stated;
use veriregime_core::types::update::PublishedUpdate;

/// What was published of a sale, wherever it is read.
pub(super) struct Told<'a> {
    pub(super) chain_id: u64,
    pub(super) registry: Address,
    pub(super) update: &'a PublishedUpdate,
    /// What was stated beside the forecast, and the signatures of that.
    pub(super) stated: Stated,
    pub(super) stated_attestations: Option<&'a Bytes>,
}

impl<'a> Told<'a> {
    /// As the chain tells it.
    pub(super) async fn of<C: OneMarketContract>(place: &Place, published: &'a Published<C>) -> anyhow::Result<Self> {
        Ok(Self {
            chain_id: place.reader.chain_id(),
            registry: place.reader.registry_of(place.contract).await?,
            update: &published.update,
            stated: published.stated.into(),
            stated_attestations: published.stated_attestations.as_ref(),
        })
    }
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
    let mut found = Findings::new(differences(&model.table, update, &forecast));
    found.checked(format!("{} columns and both prices, from the tables in the file", update.candle_features.len()));
    let digests: Vec<_> = evidence.markets.iter().map(|one| one.candles_sha256).collect();
    if digests != [sale.snapshot.digest()] {
        found.refuse(Verdict::DataDiffer, "its tables have another digest");
    }
    let of_country = OneMarketModel::of_country(&bundle.manifest, bundle.manifest_digest, &sale.snapshot.country, way);
    if of_country.map(|model| model.model_id(evidence.verifier)) != Some(update.model_id) {
        found.refuse(Verdict::ProofInvalid, "its forecast is of another model than the bundle's for the country");
    }
    if sale.snapshot.day != day_before(update.period) {
        found.refuse(Verdict::DataDiffer, "its tables are not those of the days before the period");
    }
    if !brings::<Vault>(&evidence.calldata, update, sale.prices) {
        found.refuse(Verdict::ProofInvalid, "its calldata does not bring this forecast with these prices");
    }
    let told = Told {
        chain_id: evidence.chain_id,
        registry: evidence.registry,
        update,
        stated: sale.prices.into(),
        stated_attestations: Some(&sale.price_attestations),
    };
    check(config, bundle, way, &told, &forecast, &mut found).await?;
    found.not_checked("that publishers said so, and that the sale is on chain");
    Ok(found)
}

/// Proof, what is stated beside it and attestations, for who has a forecast of their own.
pub(super) async fn check(
    config: &Config,
    bundle: &Bundle,
    way: Way,
    told: &Told<'_>,
    forecast: &Forecast,
    found: &mut Findings,
) -> anyhow::Result<()> {
    let update = told.update;
    if forecast.stated != Some(told.stated) {
        let ours = forecast.stated.map_or_else(|| "none".into(), words);
        found.refuse(Verdict::DataDiffer, format!("stated were {}, the tables give {ours}", words(told.stated)));
    }
    let Some((arguments, of_stated)) = update.arguments.as_ref().zip(told.stated_attestations) else {
        found.not_checked("proof and attestations: a contract relayed it, and its transaction does not show them");
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
        prices: Some(told.stated),
    };
    let digest = statement.digest();
    for attestation in split(of_stated)? {
        let signed = is_by_its_signer(&attestation, digest);
        attestors.push(AttestorCheck { attestor: attestation.signer, signed, in_set: None });
    }
    found.take_attestors(attestors, update.block);
    Ok(())
}

fn words(stated: Stated) -> String {
    match stated {
        Stated::Prices(prices) => {
            format!("{:.6} EUR/MWh and {:.6} dollars for a euro", prices.eur_per_mwh(), prices.usd_per_eur())
        }
        Stated::Level(level) => format!(
            "a level of {:.9} and intervals of {:.9}, by data up to day {}",
            level.level(),
            level.factor(),
            level.day
        ),
    }
}

/// The last day that a week's forecast may know.
fn day_before(period: PeriodId) -> i32 {
    i32::try_from(GRID.start_ms(period).div_euclid(86_400_000) - 1).unwrap_or(i32::MAX)
}

pub(super) fn differences(table: &Table, update: &PublishedUpdate, forecast: &Forecast) -> Vec<FeatureDifference> {
    let ours = public_inputs::candle_features(&forecast.features);
    let pairs = ours.iter().zip(&table.columns).enumerate();
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
