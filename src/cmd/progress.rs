//! What a training run shows while it works.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use veriregime_training::Stage;
use veriregime_training::trainer::Event;

/// One bar for the running epoch where standard error is a terminal, and one line for every finished one.
#[derive(Debug)]
pub struct TrainingProgress {
    bar: ProgressBar,
}

impl TrainingProgress {
    /// Nothing is shown before the first event.
    pub fn start() -> Self {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{prefix:24} {bar:30} {pos}/{len} steps, {msg}, {eta} left");
        bar.set_style(style.expect("the template is a valid one"));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar }
    }

    /// Shows an event of a stage.
    pub fn show(&self, stage: &Stage, event: Event) {
        match event {
            Event::Step { epoch, step, steps, loss } => {
                if step == 1 {
                    self.bar.reset();
                    self.bar.set_length(steps as u64);
                    self.bar.set_prefix(format!("{} {epoch}/{}", stage.name, stage.epochs));
                }
                self.bar.set_message(format!("loss {loss:.4}"));
                self.bar.set_position(step as u64);
            }
            Event::Epoch(epoch) => {
                let line = format!(
                    "{:14} epoch {:>2} of {}  loss {:.4}  validation: loss {:.4}, {:.2} % right, F1 {:.4}",
                    stage.name,
                    epoch.epoch,
                    stage.epochs,
                    epoch.training_loss,
                    epoch.validation_loss,
                    epoch.validation_accuracy * 100.0,
                    epoch.validation_f1,
                );
                self.bar.suspend(|| eprintln!("{line}"));
            }
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
