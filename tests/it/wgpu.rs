//! The graphics backend, on whatever adapter there is: a software one will do.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use veriregime_agent::training::device::{Backend, Computer, open};
use veriregime_agent::training::loss::{LossSettings, Samples};
use veriregime_agent::training::network::Inputs;
use veriregime_agent::training::optimiser::StepSettings;
use veriregime_agent::training::student::{LayerSettings, Student};
use veriregime_agent::training::trainer::{Epoch, FitSettings, Lesson, Progress, SelectBy, fit};
use veriregime_agent::types::fault::Fault;

const FEATURES: usize = 12;

#[derive(Debug)]
struct Rows(Vec<f32>);

impl Inputs for Rows {
    fn columns(&self) -> usize {
        FEATURES
    }

    fn append(&self, at: usize, row: &mut Vec<f32>) {
        row.extend_from_slice(&self.0[at * FEATURES..(at + 1) * FEATURES]);
    }
}

/// One epoch of a small student.
fn train(computer: &Computer) -> Epoch {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let rows = Rows((0..1024 * FEATURES).map(|_| random.random_range(-2.0..2.0)).collect());
    let size = |at: usize| rows.0[at * FEATURES].powi(2);
    let samples = |from: usize, to: usize| Samples {
        at: (from..to).collect(),
        high: (from..to).map(|at| f32::from(u8::from(size(at) > 1.0))).collect(),
        log_volatility: (from..to).map(|at| size(at) - 1.0).collect(),
        teacher: None,
    };
    let settings = FitSettings {
        stride_minutes: 1,
        epochs: 1,
        patience: 1,
        batch: 128,
        select_by: SelectBy::Loss,
        step: StepSettings { learning_rate: 1e-2, weight_decay: 1e-4, gradient_norm: 1.0 },
        loss: LossSettings { volatility_weight: 0.5, focal_gamma: 0.0, class_weights: true },
    };
    let device = computer.device.clone().autodiff();
    let layers = [LayerSettings::Linear(8), LayerSettings::Square];
    let lesson = Lesson {
        settings: &settings,
        distillation: None,
        inputs: &rows,
        train: &samples(0, 768),
        validation: &samples(768, 1024),
        seed: 4,
        device: &device,
    };
    let start = Student::new(FEATURES, &layers, 12, [0.0, 1.0], &mut random, &device);
    fit(start, &lesson, Progress::default(), |_| (), |_| Ok(())).unwrap().curve[0]
}

#[test]
fn a_student_learns_the_same_there_as_on_the_processor() {
    let adapter = match open(Backend::Wgpu) {
        Ok(adapter) => adapter,
        Err(error) => {
            assert_eq!(error.code(), "VR-TRAIN-010");
            println!("SKIPPED: no Vulkan device: {error}");
            return;
        }
    };
    let there = train(&adapter);
    let here = train(&open(Backend::Cpu).unwrap());
    println!("{}: {there:?}; processor: {here:?}", adapter.name);
    assert!((there.training_loss - here.training_loss).abs() < 1e-2);
    assert!((there.validation_loss - here.validation_loss).abs() < 1e-2);
    assert!(adapter.name.starts_with("burn 0.22.1, wgpu backend on "));
    assert_eq!(open(Backend::Wgpu).unwrap().name, adapter.name, "an adapter is opened once");
}
