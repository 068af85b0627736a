//! What an electricity model is, for people.

use std::fmt::Write;

use super::score::{Cell, Report, Rival, Score};
use veriregime_core::hedge::HORIZON_MONTHS;

/// The card of a model of that name, trained up to a day, with the figures of its walk forward.
pub fn card(model_id: &str, trained_to: &str, countries: usize, report: &Report) -> String {
    let mut text = format!(
        "# {model_id}\n\nForecasts `y(h) = ln(mean price of the next 30·h days / mean price of the last 30)` of day-ahead electricity \
         for h = 2, 3, 4, 5 months, from 13 features of daily prices. One linear layer: a ridge regression on normalised and \
         clipped features, of whose change half is forecast, and a constant half-width for each horizon. Trained on {countries} \
         countries up to {trained_to}. Readers clip `y` to ±0.7.\n\n\
         All figures are of a walk forward: fitted anew every 91 days on what was known by then, first after two years. \
         Skill is 1 − MSE / MSE of persistence (the next months cost what the last one did). MAPE is of the mean price.\n\n"
    );
    let decisions =
        report.decisions.as_ref().map_or_else(String::new, |[from, to]| format!(", decisions {from} to {to}"));
    let _ = writeln!(text, "## By horizon{decisions}\n\n{}", scores(&report.horizons));
    let [positive, cells] = report.cells;
    let _ =
        writeln!(text, "## Skill by year\n\n{}\nPositive in {positive} of {cells} cells.\n", cells_of(&report.by_year));
    let _ = writeln!(text, "## Against others, on the same rows: skill\n\n{}", rivals(&report.rivals));
    let _ = writeln!(text, "## Skill by country\n\n{}", cells_of(&report.by_country));
    text.push_str(
        "## What it does not do\n\nIt does not foresee shocks: they come to all countries at once, and intervals that were made to \
         cover 80 % cover far less in such years (the table says how much). Rows of neighbouring days and countries share most \
         of what happens; a year is closer to one observation than to eleven thousand. Nothing here says what a bitcoin will cost.\n",
    );
    text
}

/// Figures as a table.
fn scores(scores: &[Score]) -> String {
    let mut text = String::from(
        "| months | rows | skill | MAPE | of persistence | inside the 80 % interval |\n|---|---|---|---|---|---|\n",
    );
    for score in scores {
        let coverage = score.coverage.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0));
        let _ = writeln!(
            text,
            "| {} | {} | {:.3} | {:.1} % | {:.1} % | {coverage} |",
            score.months,
            score.rows,
            score.skill,
            score.mape * 100.0,
            score.mape_persistence * 100.0
        );
    }
    text
}

/// Skill and coverage, a row for each of what the cells are of.
fn cells_of(cells: &[Cell]) -> String {
    let mut text = String::from("| | ");
    for months in HORIZON_MONTHS {
        let _ = write!(text, "{months} months | ");
    }
    text.push_str("inside |\n|---|---|---|---|---|---|\n");
    let mut names: Vec<&str> = cells.iter().map(|cell| cell.of.as_str()).collect();
    names.dedup();
    for name in names {
        let _ = write!(text, "| {name} | ");
        let mut inside = Vec::new();
        for months in HORIZON_MONTHS {
            let score = cells.iter().find(|cell| cell.of == name && cell.score.months == months).map(|cell| cell.score);
            let skill = score.map_or_else(|| "–".to_owned(), |score| format!("{:.2}", score.skill));
            inside.push(
                score
                    .and_then(|score| score.coverage)
                    .map_or_else(|| "–".to_owned(), |share| format!("{:.0}", share * 100.0)),
            );
            let _ = write!(text, "{skill} | ");
        }
        let _ = writeln!(text, "{} % |", inside.join(" / "));
    }
    text
}

fn rivals(rivals: &[Rival]) -> String {
    let mut text = String::from("| | ");
    for months in HORIZON_MONTHS {
        let _ = write!(text, "{months} months | ");
    }
    text.push_str("\n|---|---|---|---|---|\n");
    for rival in rivals {
        let _ = write!(text, "| {} | ", rival.name);
        for months in HORIZON_MONTHS {
            let score = rival.horizons.iter().find(|score| score.months == months);
            let _ = write!(text, "{} | ", score.map_or_else(|| "–".to_owned(), |score| format!("{:.2}", score.skill)));
        }
        text.push('\n');
    }
    text
}
