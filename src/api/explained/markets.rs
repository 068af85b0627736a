//! A market's way from features to parameters.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::regime::RegimeJob;
use veriregime_core::features::unit::unit;
use veriregime_core::model::contributions::{contributions, neutral_outputs};
use veriregime_core::model::dense::{Activation, DenseLayer, DenseNetwork};
use veriregime_core::risk::{Applied, Vector};
use veriregime_core::types::cycle::Forecast;
use veriregime_core::types::feature::ScaledFeature;
use veriregime_core::types::manifest::Output;
use veriregime_core::types::prediction::REGIME_OUTPUTS;

/// A market in a period.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExplainedMarket {
    /// Its name.
    #[schema(example = "BTC-USD")]
    market: String,
    /// Whether the update leaves it as it was, because its candles failed: its row is the neutral one, and its outputs mean nothing.
    is_omitted: bool,
    /// In the order of the network's inputs: those from candles, then the calendar's. None where another's update landed before this node
    /// had forecast anything.
    features: Vec<ExplainedFeature>,
    /// In the order of the network's outputs.
    outputs: Vec<OutputView>,
    /// What the network says where every feature is at its mean: with all contributions it adds up to the outputs.
    neutral: Option<SharesView>,
    /// What the update did on chain; null where the node does not know it (yet).
    parameters: Option<MovedView>,
}

/// A feature of a market.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExplainedFeature {
    /// Name and parameters.
    #[schema(example = "log_rms_return minutes=30")]
    name: String,
    /// What `value` is counted in.
    #[schema(example = "ln of a one-minute return")]
    unit: &'static str,
    /// As it was measured, to the grid's width; null where it was clipped.
    value: Option<f64>,
    /// In standard deviations of the training data from their mean, as the network was fed.
    z: f64,
    /// Whether it lay outside of what the network takes.
    is_clipped: bool,
    /// The network's input.
    integer: i32,
    /// What it contributes to the forecast; null of a network that is not one layer of squares and one of sums.
    contribution: Option<SharesView>,
}

/// Parts of a market's outputs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SharesView {
    /// Of `logit_high` less `logit_low`: its sigmoid is the probability of High.
    log_odds_high: f64,
    /// Of `logit_high`.
    logit_high: f64,
    /// Of `log_volatility`.
    log_volatility: f64,
}

/// An output of the network.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OutputView {
    #[schema(example = "log_volatility")]
    name: String,
    /// On the outputs' grid, decimal.
    integer: String,
    value: f64,
    unit: String,
}

/// What an update did to a market.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MovedView {
    /// What readers saw in the block before; null where the chain had no state of then.
    before: Option<VectorView>,
    /// What the update leads to.
    after: VectorView,
    /// From when looser values hold, Unix seconds.
    effective_at_s: u64,
    /// What was forecast, as the contract reads it.
    forecast_volatility: f64,
    /// What the limits on rises and falls were asked for.
    requested_volatility: f64,
    /// What the parameters follow.
    applied_volatility: f64,
    /// The rules that bound, in their order: `dwell`, `margin`, `first_knot`, `last_knot`, `max_rise`, `max_fall`, `loosen_delay`.
    bound: Vec<&'static str>,
    /// The same in a sentence.
    because: String,
}

/// A market's parameters.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VectorView {
    /// Collateral for new borrowing, in bps of the debt.
    borrow_collateral_ratio_bps: u16,
    /// Collateral below which a position may be liquidated, in bps of the debt.
    liquidation_collateral_ratio_bps: u16,
    /// Swap fee, in hundredths of a bps.
    amm_fee_pips: u32,
    /// Part of the borrow cap that is open, in bps.
    borrow_cap_factor_bps: u16,
}

impl From<Vector> for VectorView {
    fn from(vector: Vector) -> Self {
        let Vector {
            borrow_collateral_ratio_bps,
            liquidation_collateral_ratio_bps,
            amm_fee_pips,
            borrow_cap_factor_bps,
        } = vector;
        Self { borrow_collateral_ratio_bps, liquidation_collateral_ratio_bps, amm_fee_pips, borrow_cap_factor_bps }
    }
}

/// A network in integers: `y = activation(weights · x + biases) << shift`, layer by layer, without any rounding. `x` of the first are
/// a market's feature integers, `y` of the last its outputs in units of 2^-`output_scale_log2`. The biases of the last layer are the first
/// market's; each market adds its own row of `offsets` to these sums.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NetworkView {
    /// log2 of the features' grid.
    input_scale_log2: u32,
    /// log2 of the outputs' grid.
    output_scale_log2: u32,
    /// Largest magnitude of a feature integer.
    feature_bound: i32,
    layers: Vec<LayerView>,
    /// What is added to the sums of the last layer besides, by market and output, decimal; none where all markets take the same way.
    offsets: Vec<Vec<String>>,
}

/// A layer of a network.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LayerView {
    /// By unit, and of each by input; decimal.
    weights: Vec<Vec<String>>,
    /// By unit; decimal.
    biases: Vec<String>,
    /// What follows each sum: `square`, `relu` or `none`.
    #[schema(example = "square")]
    activation: &'static str,
    /// How far each result is then shifted left.
    shift: u32,
}

impl NetworkView {
    /// Of a network.
    pub(super) fn of(network: &DenseNetwork) -> Self {
        let last = network.layers.len().saturating_sub(1);
        let layer = |(at, layer): (usize, &DenseLayer)| LayerView {
            weights: layer.units.iter().map(|unit| unit.weights.iter().map(ToString::to_string).collect()).collect(),
            biases: layer.units.iter().map(|unit| unit.constant.to_string()).collect(),
            activation: match layer.activation {
                Activation::Identity => "none",
                Activation::Square => "square",
                Activation::Relu => "relu",
            },
            shift: if at == last { network.output_shift } else { 0 },
        };
        Self {
            input_scale_log2: network.layout.input_scale,
            output_scale_log2: network.layout.output_scale,
            feature_bound: network.layout.feature_bound,
            layers: network.layers.iter().enumerate().map(layer).collect(),
            offsets: network.offsets.iter().map(|own| own.iter().map(ToString::to_string).collect()).collect(),
        }
    }
}

impl SharesView {
    /// Of integers in the order of the outputs.
    fn of(integers: &[i128], outputs: &[Output]) -> Option<Self> {
        let [low, high, volatility] = REGIME_OUTPUTS.map(|(name, _)| {
            let at = outputs.iter().position(|output| output.name == name)?;
            Some(*integers.get(at)? as f64 * grid(outputs.get(at)?.scale))
        });
        let (low, high) = (low?, high?);
        Some(Self { log_odds_high: high - low, logit_high: high, log_volatility: volatility? })
    }
}

/// A unit of a grid.
fn grid(scale: u32) -> f64 {
    libm::exp2(-f64::from(scale))
}

impl ExplainedMarket {
    /// The market of this index, `None` where the forecast has no row for it.
    pub(super) fn new(regime: &RegimeJob, forecast: &Forecast, index: usize, applied: &[Applied]) -> Option<Self> {
        let market = regime.markets.get(index)?.clone();
        let integers: Vec<i32> = forecast.features.get(index)?.integers().collect();
        let network = regime.networks.as_ref().and_then(|networks| networks.get(index));
        let shares = network.and_then(|network| contributions(network, &integers));
        let spec = regime.features.get(index)?;
        let feature = |(at, (scaled, integer)): (usize, (&ScaledFeature, &i32))| {
            let z = f64::from(*integer) * grid(spec.input_scale);
            let is_clipped = integer.unsigned_abs() >= spec.bound().unsigned_abs();
            let contribution = shares.as_ref().and_then(|shares| SharesView::of(shares.get(at)?, &regime.outputs));
            ExplainedFeature {
                name: scaled.feature.label(),
                unit: unit(&scaled.feature),
                value: (!is_clipped).then_some(scaled.mean + z * scaled.standard_deviation),
                z,
                is_clipped,
                integer: *integer,
                contribution,
            }
        };
        let outputs = forecast.outputs.get(index)?;
        let output = |(output, integer): (&Output, i128)| OutputView {
            name: output.name.clone(),
            integer: integer.to_string(),
            value: integer as f64 * grid(output.scale),
            unit: output.unit.clone(),
        };
        let neutral = shares.as_ref().and(network).and_then(neutral_outputs);
        Some(Self {
            market,
            is_omitted: forecast.omitted.omits(index),
            features: spec.candle.iter().chain(&spec.calendar).zip(&integers).enumerate().map(feature).collect(),
            outputs: regime.outputs.iter().zip(outputs.values()).map(output).collect(),
            neutral: neutral.and_then(|neutral| SharesView::of(&neutral, &regime.outputs)),
            parameters: applied.iter().find(|applied| applied.market == index).map(MovedView::of),
        })
    }
}

impl ExplainedMarket {
    /// A market that another one's update has moved, of which this node has forecast nothing; `None` where that is not known.
    pub(super) fn of_others(regime: &RegimeJob, index: usize, applied: &[Applied]) -> Option<Self> {
        let moved = applied.iter().find(|applied| applied.market == index)?;
        Some(Self {
            market: regime.markets.get(index)?.clone(),
            is_omitted: false,
            features: Vec::new(),
            outputs: Vec::new(),
            neutral: None,
            parameters: Some(MovedView::of(moved)),
        })
    }
}

impl MovedView {
    fn of(applied: &Applied) -> Self {
        let reason = applied.reason();
        let real = |volatility_e9: u32| f64::from(volatility_e9) / 1e9;
        Self {
            before: applied.before.map(|before| before.vector.into()),
            after: applied.moved.after.into(),
            effective_at_s: applied.effective_at_seconds,
            forecast_volatility: real(applied.moved.forecast_e9),
            requested_volatility: real(applied.moved.requested_e9),
            applied_volatility: real(applied.moved.applied_e9),
            bound: reason.bound.iter().map(|bound| bound.name()).collect(),
            because: reason.because,
        }
    }
}
