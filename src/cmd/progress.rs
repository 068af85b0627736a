//! What runs that take minutes show while they work.

use std::cell::Cell;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::bench::jobs;
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

/// What is being done, on one line of a terminal that is wiped in the end.
#[derive(Debug)]
pub struct StageProgress {
    bar: ProgressBar,
}

impl StageProgress {
    /// Nothing is shown before the first stage.
    pub fn start() -> Self {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar }
    }

    /// Shows a stage.
    pub fn show(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }
}

impl Drop for StageProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// How far `bench --jobs` is: one bar where standard error is a terminal, and a line for every tenth part where it is not.
#[derive(Debug)]
pub struct JobsProgress {
    bar: ProgressBar,
    is_terminal: bool,
    said: Cell<Option<(u64, usize)>>,
}

impl JobsProgress {
    /// Nothing is shown before the first step.
    pub fn start() -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let bar = if is_terminal { ProgressBar::new(0) } else { ProgressBar::hidden() };
        bar.set_style(ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}").expect("the template is a valid one"));
        Self { bar, is_terminal, said: Cell::default() }
    }

    /// Shows a step.
    pub fn show(&self, step: jobs::Progress) {
        let (done, jobs, period, words) = match step {
            jobs::Progress::Deployed { done, jobs } => (done, jobs, 0, "models deployed".to_owned()),
            jobs::Progress::Landed { done, jobs, period, periods } => {
                (done, jobs, period, format!("updates landed in period {period} of {periods}"))
            }
        };
        let tenth = done * 10 / jobs.max(1);
        if !self.is_terminal && self.said.replace(Some((period, tenth))) != Some((period, tenth)) {
            eprintln!("{jobs} jobs: {done} {words}");
        }
        self.bar.set_message(format!("{jobs} jobs, {words}"));
        self.bar.set_length(jobs as u64);
        self.bar.set_position(done as u64);
    }
}

impl Drop for JobsProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
