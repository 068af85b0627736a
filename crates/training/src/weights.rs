//! A network's weights as one list of numbers: what checkpoints and bundles hold. burn's own records carry identifiers
//! drawn at random, so the same weights would give other bytes each time.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};

/// All weights in the order of the network's fields, running statistics included.
pub fn flatten(network: &impl Module) -> Vec<f32> {
    struct Flatten(Vec<f32>);
    impl ModuleVisitor for Flatten {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.extend(numbers(param.val()));
        }
    }
    let mut flatten = Flatten(Vec::new());
    network.visit(&mut flatten);
    flatten.0
}

/// The network with `weights` instead of its own; `None` where their number is another.
pub fn load<M: Module>(network: M, weights: &[f32]) -> Option<M> {
    struct Load<'a> {
        rest: &'a [f32],
        missing: bool,
    }
    impl ModuleMapper for Load<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let (id, tensor, mapper) = param.consume();
            let shape = tensor.dims();
            let Some((own, rest)) = self.rest.split_at_checked(shape.iter().product()) else {
                self.missing = true;
                return Param::from_mapped_value(id, tensor, mapper);
            };
            self.rest = rest;
            let data = TensorData::new(own.to_vec(), shape);
            let loaded = Tensor::from_data(data, &tensor.device());
            let requires_gradient = tensor.is_require_grad();
            Param::from_mapped_value(id, loaded.set_require_grad(requires_gradient), mapper)
        }
    }
    let mut load = Load { rest: weights, missing: false };
    let network = network.map(&mut load);
    (!load.missing && load.rest.is_empty()).then_some(network)
}

/// A tensor's entries, row after row.
pub fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("every tensor here holds 32-bit floats")
}

/// A tensor of `rows` by `columns`.
pub fn matrix(entries: Vec<f32>, columns: usize, device: &Device) -> Tensor<2> {
    let rows = entries.len() / columns;
    Tensor::from_data(TensorData::new(entries, [rows, columns]), device)
}

/// Weights as a file holds them: little-endian, one after the other.
pub fn to_bytes(weights: &[f32]) -> Vec<u8> {
    weights.iter().flat_map(|weight| weight.to_le_bytes()).collect()
}

/// Reads what [`to_bytes`] wrote; bytes that do not fill a number are left out.
pub fn from_bytes(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect()
}
