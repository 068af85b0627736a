//! The graphics backend, on whatever adapter there is: a software one will do.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use veriregime_core::features::baseline_cnn::CHANNELS;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_training::baseline_cnn::WINDOW_MINUTES;
use veriregime_training::device::{Backend, Computer, open};
use veriregime_training::loss::{LossSettings, Samples};
use veriregime_training::network::{Inputs, Network};
use veriregime_training::optimiser::OptimizerConfig;
use veriregime_training::reproduction::TrainedOriginal;
use veriregime_training::student::{LayerSettings, Student};
use veriregime_training::trainer::{Epoch, FitSettings, Progress, SelectBy, TrainInputs, fit};

use crate::given;

#[derive(Debug)]
struct Rows {
    columns: usize,
    entries: Vec<f32>,
}

impl Inputs for Rows {
    fn columns(&self) -> usize {
        self.columns
    }

    fn append(&self, at: usize, row: &mut Vec<f32>) {
        row.extend_from_slice(&self.entries[at * self.columns..(at + 1) * self.columns]);
    }
}

/// The adapter, or a loud word that there is none.
fn adapter() -> Option<Computer> {
    let found = open(Backend::Wgpu);
    if let Err(error) = &found {
        assert_eq!(error.code(), "VR-TRAIN-010");
        given::left_out("vulkan", error);
    }
    found.ok()
}

/// One epoch of a network on `count` rows of noise, of which the first number decides, in batches of 128.
fn train<N: Network>(start: N, columns: usize, count: usize, computer: &Computer) -> Epoch {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let rows = Rows { columns, entries: (0..count * columns).map(|_| random.random_range(-2.0..2.0)).collect() };
    let size = |at: usize| rows.entries[at * columns].powi(2);
    let samples = |from: usize, to: usize| Samples {
        at: (from..to).collect(),
        high: (from..to).map(|at| f32::from(u8::from(size(at) > 1.0))).collect(),
        log_volatility: (from..to).map(|at| size(at) - 1.0).collect(),
        teacher: None,
        weight: None,
    };
    let settings = FitSettings {
        stride_minutes: 1,
        epochs: 1,
        patience: 1,
        batch: 128,
        select_by: SelectBy::Loss,
        step: OptimizerConfig { learning_rate: 1e-2, weight_decay: 1e-4, gradient_norm: 1.0 },
        loss: LossSettings { volatility_weight: 0.5, focal_gamma: 0.0, class_weights: true },
    };
    let device = computer.device.clone().autodiff();
    let lesson = TrainInputs {
        settings: &settings,
        distillation: None,
        inputs: &rows,
        train: &samples(0, count * 3 / 4),
        validation: &samples(count * 3 / 4, count),
        seed: 4,
        device: &device,
    };
    fit(start, &lesson, Progress::default(), |_| (), |_| Ok(())).unwrap().curve[0]
}

/// Trains the same network there and on the processor and compares.
fn compare(train: impl Fn(&Computer) -> Epoch) {
    let Some(adapter) = adapter() else { return };
    let [there, here] = [&adapter, &open(Backend::Cpu).unwrap()].map(train);
    println!("{}: {there:?}; processor: {here:?}", adapter.name);
    assert!((there.training_loss - here.training_loss).abs() < 1e-2);
    assert!((there.validation_loss - here.validation_loss).abs() < 1e-2);
    assert!(adapter.name.starts_with("burn 0.22.1, wgpu backend on "));
    assert_eq!(open(Backend::Wgpu).unwrap().name, adapter.name, "an adapter is opened once");
}

#[test]
fn a_student_learns_the_same_there_as_on_the_processor() {
    compare(|computer| {
        let device = computer.device.clone().autodiff();
        let layers = [LayerSettings::Linear(8), LayerSettings::Square];
        let mut random = ChaCha8Rng::seed_from_u64(12);
        train(Student::new(12, &layers, 12, [0.0, 1.0], &mut random, &device), 12, 1024, computer)
    });
}

#[test]
fn the_original_network_learns_the_same_there_as_on_the_processor() {
    compare(|computer| {
        let start = TrainedOriginal::start(12, &computer.device.clone().autodiff());
        train(start, WINDOW_MINUTES * CHANNELS, 128, computer)
    });
}
