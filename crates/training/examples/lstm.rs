//! How fast the documented LSTM learns here, and how well, as one line of JSON:
//!
//! ```text
//! lstm LESSON.csv EPOCHS
//! ```
//!
//! `yield evaluate --lstm EPOCHS --lstm-run DIR` leaves a lesson in each of its folders. `missed` is the mean square of the best epoch's
//! errors on the validation part, of the change and of the logarithm of the deviation, both in standard deviations of the training part;
//! `skill` is 1 − the first / that of no change. `benches/lstm_vs_pytorch.py` runs this and its twin.

use std::error::Error;
use std::time::{Duration, Instant};

use burn::module::Module;
use burn::tensor::Device;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use veriregime_core::yields::WINDOW_DAYS;
use veriregime_training::network::Network;
use veriregime_training::optimiser::OptimizerConfig;
use veriregime_training::weights::{matrix, numbers};
use veriregime_training::yields::fit::{Epoch, FitSettings, Lesson, fit};
use veriregime_training::yields::lstm::{DOCUMENTED_UNITS, Lstm};
use veriregime_training::yields::ridge::TARGETS;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, epochs] = arguments.as_slice() else { return Err("lstm LESSON.csv EPOCHS".into()) };
    let settings = FitSettings {
        epochs: epochs.parse()?,
        batch_size: 128,
        patience: epochs.parse()?,
        seed: 1,
        step: OptimizerConfig { learning_rate: 0.001, weight_decay: 0.0, gradient_norm: 1.0 },
    };
    let (none, [lesson, later]) = load(path)?;
    let device = Device::flex();
    let mut random = ChaCha8Rng::seed_from_u64(settings.seed);
    let numbers_a_day = lesson.columns / WINDOW_DAYS;
    let start = Lstm::new(WINDOW_DAYS, numbers_a_day, DOCUMENTED_UNITS, &mut random, &device.clone().autodiff());
    let begun = Instant::now();
    let mut without = Duration::ZERO;
    fit(start.clone(), &lesson, None, &FitSettings { epochs: 1, ..settings }, &device, &mut |_: Epoch| {
        without = begun.elapsed();
    })?;
    let (network, epoch) = fit(start, &lesson, Some(&later), &settings, &device, &mut |_: Epoch| ())?;
    let said = numbers(network.valid().forward(matrix(later.rows.clone(), later.columns, &device), None));
    let mut missed = [0.0; TARGETS];
    for (index, (said, came)) in said.iter().zip(later.targets.iter().flatten()).enumerate() {
        missed[index % TARGETS] += f64::from(said - came).powi(2) / later.targets.len() as f64;
    }
    let still: f64 = later.targets.iter().map(|[came, _]| f64::from(came - none).powi(2)).sum();
    let skill = 1.0 - missed[0] * later.targets.len() as f64 / still;
    let samples_per_second = lesson.targets.len() as f64 / without.as_secs_f64();
    println!(
        "{{\"samples_per_second\": {samples_per_second}, \"epoch\": {epoch}, \"missed\": {missed:?}, \"skill\": {skill}}}"
    );
    Ok(())
}

/// What stands for no change, the rows to learn from, and those that choose the epoch.
fn load(path: &str) -> Result<(f32, [Lesson; 2]), Box<dyn Error>> {
    let mut none = 0.0;
    let mut parts = [Lesson::default(), Lesson::default()];
    for line in std::fs::read_to_string(path)?.lines().skip(1) {
        let cells: Vec<f32> = line.split(',').map(str::parse).collect::<Result<_, _>>()?;
        let [is_validation, no_change, row @ .., change, deviation] = cells.as_slice() else {
            return Err("a short row".into());
        };
        none = *no_change;
        let part = &mut parts[usize::from(*is_validation > 0.5)];
        part.columns = row.len();
        part.rows.extend(row);
        part.targets.push([*change, *deviation]);
    }
    Ok((none, parts))
}
