//! Adam with decoupled weight decay (Loshchilov and Hutter 2019) and a limit on the gradient's norm.
//!
//! burn's optimiser restores its state on the default device, which is a GPU wherever the program was built for one;
//! this one keeps its moments beside the weights, so that a run can go on from a checkpoint on any device.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::weights::numbers;

const FIRST_DECAY: f64 = 0.9;
const SECOND_DECAY: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// How far a step may go.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerConfig {
    /// First step size.
    pub learning_rate: f64,
    /// Share of a matrix that each step takes away, times the step size; biases keep all.
    pub weight_decay: f64,
    /// Largest Euclidean norm of the gradient of all weights together.
    pub gradient_norm: f64,
}

/// Moments of the gradients of a network's weights.
#[derive(Debug, Default)]
pub struct Optimiser {
    steps: i32,
    moments: Vec<[Tensor<1>; 2]>,
}

/// An optimiser's state as numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OptimiserState {
    /// Steps taken.
    pub steps: i32,
    /// First moments of all weights, then second moments.
    pub moments: [Vec<f32>; 2],
}

impl Optimiser {
    /// Goes on from a state; the tensors are made at the first step.
    pub fn restore<M: Module>(state: &OptimiserState, network: &M) -> Option<Self> {
        struct Shapes<'a> {
            rest: [&'a [f32]; 2],
            moments: Option<Vec<[Tensor<1>; 2]>>,
        }
        impl ModuleVisitor for Shapes<'_> {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let tensor = param.val();
                if !tensor.is_require_grad() {
                    return;
                }
                let count = tensor.dims().iter().product();
                let device = tensor.device().without_autodiff();
                let next = |rest: &mut &[f32]| {
                    let (own, others) = rest.split_at_checked(count)?;
                    *rest = others;
                    Some(Tensor::<1>::from_data(TensorData::new(own.to_vec(), [count]), &device))
                };
                let [first, second] = &mut self.rest;
                match (next(first), next(second), &mut self.moments) {
                    (Some(first), Some(second), Some(moments)) => moments.push([first, second]),
                    _ => self.moments = None,
                }
            }
        }
        let [first, second] = &state.moments;
        let mut shapes = Shapes { rest: [first, second], moments: Some(Vec::new()) };
        network.visit(&mut shapes);
        if state.steps > 0 && !(shapes.rest.iter().all(|rest| rest.is_empty())) {
            return None;
        }
        let moments = if state.steps == 0 { Vec::new() } else { shapes.moments? };
        Some(Self { steps: state.steps, moments })
    }

    /// The state as numbers.
    pub fn state(&self) -> OptimiserState {
        let all = |which: usize| self.moments.iter().flat_map(|pair| numbers(pair[which].clone())).collect();
        OptimiserState { steps: self.steps, moments: [all(0), all(1)] }
    }

    /// One step of size `rate` against `gradients`.
    pub fn step<M: Module>(
        &mut self,
        settings: &OptimizerConfig,
        rate: f64,
        network: M,
        gradients: GradientsParams,
    ) -> M {
        let norm = norm(&network, &gradients);
        self.steps += 1;
        let limit = if norm > settings.gradient_norm { settings.gradient_norm / norm } else { 1.0 };
        let mut step = Step { optimiser: self, gradients, rate, limit, decay: settings.weight_decay, next: 0 };
        network.map(&mut step)
    }
}

struct Step<'a> {
    optimiser: &'a mut Optimiser,
    gradients: GradientsParams,
    rate: f64,
    limit: f64,
    decay: f64,
    next: usize,
}

impl ModuleMapper for Step<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let Some(gradient) = self.gradients.remove::<D>(id) else {
            return Param::from_mapped_value(id, tensor, mapper);
        };
        let shape = tensor.dims();
        let gradient: Tensor<1> = gradient.flatten::<1>(0, D - 1) * self.limit;
        let moments = &mut self.optimiser.moments;
        if moments.len() == self.next {
            moments.push([gradient.zeros_like(), gradient.zeros_like()]);
        }
        let [first, second] = &mut moments[self.next];
        self.next += 1;
        *first = first.clone() * FIRST_DECAY + gradient.clone() * (1.0 - FIRST_DECAY);
        *second = second.clone() * SECOND_DECAY + gradient.clone() * gradient * (1.0 - SECOND_DECAY);
        let steps = self.optimiser.steps;
        let [mean, spread] = [FIRST_DECAY, SECOND_DECAY].map(|decay| 1.0 - decay.powi(steps));
        let change = first.clone() / mean / ((second.clone() / spread).sqrt() + EPSILON);
        let decay = if shape.iter().filter(|side| **side > 1).count() > 1 { self.rate * self.decay } else { 0.0 };
        let inner = tensor.inner();
        let moved = inner * (1.0 - decay) - (change * self.rate).reshape(shape);
        Param::from_mapped_value(id, Tensor::from_inner(moved).require_grad(), mapper)
    }
}

/// Euclidean norm of all gradients together.
fn norm<M: Module>(network: &M, gradients: &GradientsParams) -> f64 {
    struct Squares<'a> {
        gradients: &'a GradientsParams,
        sum: f64,
    }
    impl ModuleVisitor for Squares<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.get::<D>(param.id) {
                let square: f32 = (gradient.clone() * gradient).sum().into_scalar();
                self.sum += f64::from(square);
            }
        }
    }
    let mut squares = Squares { gradients, sum: 0.0 };
    network.visit(&mut squares);
    squares.sum.sqrt()
}
