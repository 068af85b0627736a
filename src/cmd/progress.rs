//! What a training run shows while it works.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::modelling::Progress;

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

    /// Shows how far the run is.
    pub fn show(&self, progress: Progress<'_>) {
        match progress {
            Progress::Step { network, epoch, epochs, step, steps, loss } => {
                if step == 1 {
                    self.bar.reset();
                    self.bar.set_length(steps as u64);
                    self.bar.set_prefix(format!("{network} {epoch}/{epochs}"));
                }
                self.bar.set_message(format!("loss {loss:.4}"));
                self.bar.set_position(step as u64);
            }
            Progress::Epoch(line) => self.bar.suspend(|| eprintln!("{line}")),
            Progress::Done => self.bar.finish_and_clear(),
        }
    }
}
