//! What answers look like. The types of the work are not serialised themselves: those may change, these may not.

use alloy::primitives::keccak256;
use serde::Serialize;
use utoipa::ToSchema;

use super::yield_view::YieldView;
use crate::actions::risk_oracle::abi::oracle::RiskOracle::{paramsReturn, pendingReturn};
use crate::actions::risk_oracle::read::status_word;
use crate::job::tables::SOURCE;
use veriregime_core::hedge::forecast::{PriceForecast, read};
use veriregime_core::types::cycle::{CycleRecord, Forecast, Landed};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::Manifest;
use veriregime_core::types::manifest::error::ManifestError;
use veriregime_core::types::manifest::inputs::{Inputs, Market};
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::omission::Omission;
use veriregime_core::types::period::Grid;
use veriregime_core::types::prediction::{Outputs, Prediction};
use veriregime_core::types::stated::Stated;
use veriregime_core::types::time::format_utc;

const DAY_MINUTES: usize = 24 * 60;

/// The model that a node runs.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ModelView {
    /// Name of the model.
    #[schema(example = "btc-regime-4h-v1")]
    pub model_id: String,
    /// SHA-256 of the bundle's manifest, hex.
    pub manifest_sha256: String,
    /// Markets in the order of the proof's rows.
    pub markets: Vec<MarketView>,
    /// The candle features in order, then those of the calendar.
    pub features: Vec<String>,
    /// log2 of the features' grid.
    pub input_scale_log2: u32,
    /// log2 of the outputs' grid.
    pub output_scale_log2: u32,
    /// Minutes that the features look back over.
    pub lookback_minutes: usize,
    /// Length of a period.
    #[schema(example = 14400)]
    pub period_seconds: u64,
    /// Minutes that a forecast covers.
    pub horizon_minutes: usize,
    /// Standard deviation of one-minute returns above which the first market is High; absent for a model of something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold_volatility: Option<f64>,
    /// The same of each market, in their order; none for a model of something else.
    pub market_thresholds: Vec<f64>,
    /// Public inputs of a proof.
    pub instances: usize,
    /// How the chain is convinced: `ezkl`, `halo2` or `direct`.
    #[schema(example = "ezkl")]
    pub verification: &'static str,
    /// Length of a proof; 0 where the chain computes the network itself.
    pub proof_bytes: usize,
    /// Version of EZKL that proves, where it does.
    pub ezkl_version: Option<String>,
    /// SHA-256 of the SRS of the keys, hex, where there are keys.
    pub srs_sha256: Option<String>,
    /// Whether that string is the public ceremony's.
    pub srs_is_ceremony: Option<bool>,
    /// keccak-256 of the verifier's deployed code, 0x-hex.
    pub verifier_code_hash: String,
    /// SHA-256 of every file of the bundle, hex.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub files_sha256: std::collections::BTreeMap<String, Digest>,
}

/// A market of a model.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MarketView {
    /// Name.
    #[schema(example = "BTC-USD")]
    pub name: String,
    /// keccak-256 of the name, 0x-hex: its id on chain.
    pub id: String,
}

impl MarketView {
    /// Of a market in a manifest.
    pub fn of(market: &Market) -> Self {
        Self { name: market.name.clone(), id: market.id().to_string() }
    }
}

impl ModelView {
    /// Of a bundle's manifest and its digest, as it is verified.
    ///
    /// # Errors
    /// A model of another kind, or a way that it does not offer.
    pub fn new(manifest: &Manifest, digest: Digest, way: Way) -> Result<Self, ManifestError> {
        let model = manifest.regime()?;
        let features = &model.candles.features;
        let shape = Shape {
            markets: model.candles.markets.iter().map(MarketView::of).collect(),
            features: features.candle.iter().chain(&features.calendar).map(|one| one.feature.label()).collect(),
            output_scale_log2: model.output_scale,
            lookback_minutes: features.lookback_minutes,
            market_thresholds: model.labels.iter().map(|label| label.threshold).collect(),
        };
        Self::of(manifest, digest, way, shape)
    }

    /// Of a manifest of a table's model, for its only market, be it a country or a strategy, of so many days.
    ///
    /// # Errors
    /// As [`ModelView::new`].
    pub fn of_table(
        manifest: &Manifest,
        digest: Digest,
        way: Way,
        market: &str,
        history_days: i32,
    ) -> Result<Self, ManifestError> {
        let columns = match &manifest.inputs {
            Inputs::Table(table) => table.columns.iter().map(|column| column.name.clone()).collect(),
            Inputs::Candles(_) => Vec::new(),
        };
        let shape = Shape {
            markets: vec![MarketView { name: market.to_owned(), id: keccak256(market).to_string() }],
            features: columns,
            output_scale_log2: manifest.outputs.first().map_or(0, |output| output.scale),
            lookback_minutes: usize::try_from(history_days).unwrap_or(0) * DAY_MINUTES,
            market_thresholds: Vec::new(),
        };
        Self::of(manifest, digest, way, shape)
    }

    fn of(manifest: &Manifest, digest: Digest, way: Way, shape: Shape) -> Result<Self, ManifestError> {
        let offer = manifest.offer(way)?;
        let ezkl = manifest.verification.ezkl.as_ref().filter(|_| way == Way::Ezkl);
        Ok(Self {
            model_id: manifest.model_id.clone(),
            manifest_sha256: digest.to_string(),
            markets: shape.markets,
            features: shape.features,
            input_scale_log2: manifest.input_scale(),
            output_scale_log2: shape.output_scale_log2,
            lookback_minutes: shape.lookback_minutes,
            period_seconds: manifest.grid.period_seconds,
            horizon_minutes: usize::try_from(manifest.grid.horizon_seconds / 60).unwrap_or(usize::MAX),
            threshold_volatility: shape.market_thresholds.first().copied(),
            market_thresholds: shape.market_thresholds,
            instances: offer.instances,
            verification: way.name(),
            proof_bytes: offer.proof_bytes,
            ezkl_version: ezkl.map(|circuit| circuit.version.clone()),
            srs_sha256: offer.srs.map(|srs| srs.sha256.to_string()),
            srs_is_ceremony: offer.srs.map(|srs| srs.is_ceremony),
            verifier_code_hash: offer.verifier_code_hash.to_string(),
            files_sha256: manifest.files.clone(),
        })
    }
}

/// What differs from kind to kind of model.
struct Shape {
    markets: Vec<MarketView>,
    features: Vec<String>,
    output_scale_log2: u32,
    lookback_minutes: usize,
    market_thresholds: Vec<f64>,
}

/// A period's cycle in short.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PeriodView {
    /// Number of the period: Unix seconds divided by the `period_seconds` of its model.
    pub period: u64,
    /// When the period starts.
    #[schema(example = "2026-01-05T00:00Z")]
    pub start_utc: String,
    /// How far the cycle got: `planned`, `collected`, `forecast`, `proved`, `submitting`, `confirmed`, `already_by_other`
    /// or `missed`.
    #[schema(example = "confirmed")]
    pub stage: &'static str,
    /// When the cycle began, Unix milliseconds.
    pub started_ms: i64,
    /// When it last changed, Unix milliseconds.
    pub updated_ms: i64,
    /// Name of the source of its candles.
    pub source: Option<String>,
    /// What was forecast, by market that is not omitted.
    pub forecasts: Vec<ForecastView>,
    /// What a country's electricity was forecast to cost, by horizon; absent for a model of something else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub electricity: Vec<ElectricityView>,
    /// What a strategy was forecast to yield; absent for a model of something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<YieldView>,
    /// Markets that the update leaves as they are, because their candles kept failing.
    pub omitted: Vec<OmissionView>,
    /// Milliseconds that the proof took.
    pub prove_ms: Option<u64>,
    /// The update on chain.
    pub landed: Option<LandedView>,
    /// SHA-256 of the update's evidence, for `/v1/evidence/{digest}`; of our own updates, until it is pruned.
    pub evidence: Option<String>,
    /// Why there is none.
    pub missed: Option<MissView>,
}

/// One market's forecast.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ForecastView {
    /// Name of the market.
    pub market: String,
    /// `Low` or `High`.
    pub regime: String,
    /// Probability of High, 0 to 1.
    pub probability_high: f64,
    /// Standard deviation of one-minute returns.
    pub volatility: f64,
    /// Minutes of the window that were carried forward.
    pub carried_minutes: usize,
}

/// One horizon of a country's electricity.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ElectricityView {
    /// Months ahead.
    pub months: u32,
    /// Mean price of the last 30 days, EUR/MWh.
    pub last_month_eur_mwh: f64,
    /// Forecast mean price of these months, EUR/MWh.
    pub eur_mwh: f64,
}

impl ElectricityView {
    /// Of a stored forecast; nothing for one of something else.
    fn of(forecast: &Forecast, scale: u32) -> Vec<Self> {
        let integers: Vec<i128> = forecast.outputs.iter().flat_map(Outputs::values).collect();
        let Some((prices, horizons)) = forecast.stated.and_then(Stated::prices).zip(read(&integers, scale)) else {
            return Vec::new();
        };
        let last_month_eur_mwh = prices.eur_per_mwh();
        let view = |one: &PriceForecast| Self {
            months: one.months,
            last_month_eur_mwh,
            eur_mwh: last_month_eur_mwh * libm::exp(one.log_ratio),
        };
        horizons.iter().map(view).collect()
    }
}

/// A market that a period's update omits.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OmissionView {
    /// Name of the market.
    pub market: String,
    /// Stable code of what is wrong with its candles; the operator handbook explains it.
    #[schema(example = "VR-DATA-007")]
    pub code: String,
}

/// An update on chain.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LandedView {
    /// Hash of the transaction, 0x-hex.
    pub transaction: String,
    /// Block that holds it.
    pub block: u64,
    /// Gas that it used.
    pub gas_used: u64,
}

impl From<Landed> for LandedView {
    fn from(Landed { hash, block, gas_used }: Landed) -> Self {
        Self { transaction: hash.to_string(), block, gas_used }
    }
}

/// Why a period has no update.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MissView {
    /// The stage that had been reached.
    pub stage: &'static str,
    /// Stable code of the error; the operator handbook explains it.
    #[schema(example = "VR-CHAIN-001")]
    pub code: String,
}

impl PeriodView {
    /// Of a stored cycle. The words of its error stay in the node: they may name what is nobody else's business.
    pub fn new(record: &CycleRecord, model: &ModelView) -> Self {
        let forecasts = record.forecast.iter().flat_map(|forecast| {
            let rows = model.markets.iter().zip(&forecast.outputs).zip(&forecast.carried_minutes).enumerate();
            let served = rows.filter(|(index, _)| !forecast.omitted.omits(*index));
            served.filter_map(|(_, ((market, outputs), carried))| {
                let prediction = Prediction::read(outputs, model.output_scale_log2)?;
                Some(ForecastView {
                    market: market.name.clone(),
                    regime: prediction.regime.to_string(),
                    probability_high: prediction.probability_high,
                    volatility: prediction.volatility,
                    carried_minutes: *carried,
                })
            })
        });
        let omitted = record.origin.iter().flat_map(|origin| &origin.omitted);
        let omission = |one: &Omission| OmissionView { market: one.market.clone(), code: one.code.clone() };
        Self {
            period: record.period.0,
            start_utc: format_utc(record.start_ms),
            stage: record.stage.name(),
            started_ms: record.started_ms,
            updated_ms: record.updated_ms,
            source: record
                .origin
                .as_ref()
                .map(|origin| origin.source.clone())
                .or_else(|| record.tables.as_ref().map(|_| SOURCE.to_owned())),
            forecasts: forecasts.collect(),
            electricity: record
                .forecast
                .iter()
                .flat_map(|forecast| ElectricityView::of(forecast, model.output_scale_log2))
                .collect(),
            strategy: record.forecast.as_ref().and_then(|forecast| YieldView::of(forecast, model.output_scale_log2)),
            omitted: omitted.map(omission).collect(),
            prove_ms: record.prove_ms,
            landed: record.landed.map(LandedView::from),
            evidence: record.evidence.map(|digest| digest.to_string()),
            missed: record.miss.as_ref().map(|miss| MissView { stage: miss.stage.name(), code: miss.code.clone() }),
        }
    }
}

/// A market's parameters on chain.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ParamsView {
    /// The market.
    pub market: MarketView,
    /// `unset` before the first update, then `fresh`, `grace`, `stale`, or `withheld`.
    #[schema(example = "fresh")]
    pub status: &'static str,
    /// Period of the last update.
    pub period: u64,
    /// Collateral for new borrowing, in bps of the debt.
    pub borrow_collateral_ratio_bps: u64,
    /// Collateral below which a position may be liquidated, in bps of the debt.
    pub liquidation_collateral_ratio_bps: u64,
    /// Swap fee, in hundredths of a bps.
    pub amm_fee_pips: u64,
    /// Part of the borrow cap that is open, in bps.
    pub borrow_cap_factor_bps: u64,
    /// The last update's probability of a High period, in bps.
    pub probability_high_bps: u64,
    /// Forecast standard deviation of one-minute returns.
    pub volatility: f64,
    /// Volatility that the parameters follow: the forecast behind dwell, margin and rate limits.
    pub applied_volatility: f64,
    /// What the last update leads to.
    pub next: NextView,
}

/// Parameters that will hold.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NextView {
    /// From when on, Unix seconds.
    pub effective_at_seconds: u64,
    /// When the liquidation ratio will have come to its new value, Unix seconds.
    pub liquidation_reached_at_seconds: u64,
    pub borrow_collateral_ratio_bps: u64,
    pub liquidation_collateral_ratio_bps: u64,
    pub amm_fee_pips: u64,
    pub borrow_cap_factor_bps: u64,
}

impl ParamsView {
    /// Of what the contract said.
    pub fn new(market: MarketView, grid: Grid, now: &paramsReturn, next: &pendingReturn) -> Self {
        let (params, later) = (&now.current, &next.next);
        Self {
            market,
            status: status_word(now.status),
            period: grid.period_at_seconds(params.periodStart.to()).0,
            borrow_collateral_ratio_bps: params.borrowCollateralRatioBps.into(),
            liquidation_collateral_ratio_bps: params.liquidationCollateralRatioBps.into(),
            amm_fee_pips: params.ammFeePips.to(),
            borrow_cap_factor_bps: params.borrowCapFactorBps.into(),
            probability_high_bps: params.probabilityHighBps.into(),
            volatility: f64::from(params.volatilityE9) / 1e9,
            applied_volatility: f64::from(params.appliedVolatilityE9) / 1e9,
            next: NextView {
                effective_at_seconds: next.effectiveAt.saturating_to(),
                liquidation_reached_at_seconds: next.liquidationReachedAt.saturating_to(),
                borrow_collateral_ratio_bps: later.borrowCollateralRatioBps.into(),
                liquidation_collateral_ratio_bps: later.liquidationCollateralRatioBps.into(),
                amm_fee_pips: later.ammFeePips.to(),
                borrow_cap_factor_bps: later.borrowCapFactorBps.into(),
            },
        }
    }
}
