//! What every demo shows: what it begins with, then how far it is.

use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

use super::print;
use crate::demo::scenario::Told;
use veriregime_core::types::time::format_utc;

/// Between two turns of what shows that something is being made.
const TICK: Duration = Duration::from_millis(100);

/// Starts a demo and runs as many of its periods, called `unit`, as long as anybody reads; `next` runs one after it has said when
/// that begins. Programs are not shown anything.
///
/// # Errors
/// What keeps the demo from starting, or the first period that does not land.
pub(super) async fn shown<D>(
    json: bool,
    (count, unit): (u32, &str),
    start: impl AsyncFnOnce(&Told<'_>) -> anyhow::Result<D>,
    mut next: impl AsyncFnMut(&mut D, &dyn Fn(i64)) -> anyhow::Result<()>,
) -> anyhow::Result<D> {
    let bar = ProgressBar::new_spinner();
    let say = |line: String| {
        if !json {
            bar.suspend(|| println!("{line}"));
        }
    };
    bar.enable_steady_tick(TICK);
    let told = Told { line: &say, step: &|step| bar.set_message(step.to_owned()) };
    let mut demo = start(&told).await?;
    bar.disable_steady_tick();
    bar.set_length(u64::from(count));
    say(String::new());
    let template = format!("{{msg}} {{bar:30}} {{pos}}/{{len}} {unit}");
    bar.set_style(ProgressStyle::with_template(&template).context("progress bar")?);
    for _ in 0..count {
        if !print::is_read() {
            break;
        }
        next(&mut demo, &|start_ms| bar.set_message(format_utc(start_ms))).await?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(demo)
}

/// Leaves a demo up until Ctrl-C, and says where a browser finds it.
///
/// # Errors
/// A system without signals.
pub(super) async fn kept(json: bool, dashboard: &str) -> anyhow::Result<()> {
    if !json {
        println!("\nThe chain stays up; Ctrl-C ends it. Meanwhile, in a browser:\n\n  {dashboard}");
    }
    Ok(tokio::signal::ctrl_c().await?)
}
