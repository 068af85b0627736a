//! What was fitted, as a bundle holds it.

use veriregime_core::hedge::panel::Day;
use veriregime_core::model::export::Layer;
use veriregime_core::model::lstm_grid::on_coarsest;
use veriregime_core::model::onnx::Network;
use veriregime_core::types::manifest::network::{Layers, ModelKind};
use veriregime_core::yields::forecast::OUTPUTS;
use veriregime_training::yields::model::{Fitted, FittedNetwork};
use veriregime_training::yields::samples::Samples;

/// log2 of the inputs' grid of layers.
const INPUT_SCALE: u32 = 13;
/// log2 of the weights' grid of layers.
const PARAM_SCALE: u32 = 16;
/// Most rows that an LSTM's grid is chosen by.
const GRID_ROWS: usize = 4096;

/// A network on its circuit's grid.
#[derive(Debug)]
pub struct Exported {
    /// Its file.
    pub onnx: Vec<u8>,
    /// What a manifest says of it.
    pub model: ModelKind,
    /// Number of weights.
    pub weights: usize,
    /// log2 of the inputs' grid.
    pub input_scale: u32,
    /// log2 of the outputs' grid.
    pub output_scale: u32,
    /// Of a circuit that rounds, the largest distance of an output from the network's in floats.
    pub deviation: Option<f64>,
}

/// Puts what was fitted on a grid: layers on one that rounds nothing, an LSTM on the coarsest that keeps what it says of the decisions up to
/// a day.
///
/// # Errors
/// A network that no grid holds.
pub fn exported(fitted: &Fitted, samples: &Samples, until: Day) -> anyhow::Result<Exported> {
    match &fitted.network {
        FittedNetwork::Layers(network) => {
            let network = network.clone().on_grid(PARAM_SCALE);
            let onnx = network.to_onnx(1);
            let layers = Network::parse(&onnx, 1, network.features, OUTPUTS.len())?.layers();
            // Squares double what comes in, and weights are as fine as the sums before them.
            let squares = network.layers.iter().filter(|layer| **layer == Layer::Square).count();
            let output_scale = (0..squares).fold(INPUT_SCALE + PARAM_SCALE, |scale, _| 2 * scale + PARAM_SCALE);
            Ok(Exported {
                onnx,
                model: ModelKind::Layers(Layers { param_scale: PARAM_SCALE, layers }),
                weights: network.parameters(),
                input_scale: INPUT_SCALE,
                output_scale,
                deviation: None,
            })
        }
        FittedNetwork::Lstm(network) => {
            let known: Vec<_> = samples.known(until).map(|(sample, _)| sample).collect();
            let step = known.len().div_ceil(GRID_ROWS).max(1);
            let rows: Vec<Vec<f64>> =
                known.into_iter().step_by(step).map(|sample| fitted.inputs.normalised(&sample.row)).collect();
            let chosen = on_coarsest(network, &rows)?;
            let scale = chosen.lstm.scale;
            Ok(Exported {
                onnx: chosen.network.to_onnx(),
                model: ModelKind::Lstm(chosen.lstm),
                weights: chosen.network.parameters(),
                input_scale: scale,
                output_scale: scale,
                deviation: Some(chosen.deviation),
            })
        }
    }
}
