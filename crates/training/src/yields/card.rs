//! What a yield model is, for people.

use std::fmt::Write;

use super::score::Score;
use veriregime_core::yields::Kind;

/// Name of the card inside a bundle.
pub const CARD_FILE: &str = "MODEL_CARD.md";

/// Figures of a model on days after those that it was fitted on.
#[derive(Debug, Clone, PartialEq)]
pub struct TestRow {
    /// What was forecast by whom.
    pub name: String,
    /// The figures.
    pub score: Score,
}

/// The card of a model for these kinds, trained up to a day, with figures of a model that was fitted up to an earlier day.
pub fn card(
    model_id: &str,
    kinds: &[Kind],
    weights: usize,
    trained_to: &str,
    tested_from: &str,
    rows: &[TestRow],
) -> String {
    let names = kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    let mut text = format!(
        "# {model_id}\n\nForecasts the mean APY of the next 7 days of {names} strategies, as a change of \
         `z = sign · ln(1 + |APY in percent|)` against the last 7 days, the logarithm of the next 7 days' standard deviation of `z`, \
         and the width of the first 90 % interval. {weights} weights; outcomes up to {trained_to}.\n\n\
         ## Figures\n\nOf a model that was fitted in the same way on what was known by {tested_from}, on all decisions after it. Skill is \
         1 − MSE / MSE of the other forecast, of `z`; MAE in percentage points.\n\n{}",
        table(rows)
    );
    text.push_str(
        "\n## What it does not do\n\nRates of liquidity pools leave out what their providers lose where prices part. Nothing here foresees \
         that a pool ends, is emptied, or changes its rewards. Intervals learn from their misses, a week late.\n",
    );
    text
}

/// Figures as a table.
pub fn table(rows: &[TestRow]) -> String {
    let mut text = String::from(
        "| | rows | R² | MAE | skill over last day | over 7-day mean | volatility skill | inside 90 % |\n|---|---|---|---|---|---|---|---|\n",
    );
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
    for TestRow { name, score } in rows {
        let Score { rows, r2, mae_pp, skill_last, skill_mean7, volatility_skill, coverage90 } = *score;
        let figures = [r2, mae_pp, skill_last, skill_mean7, volatility_skill, coverage90].map(number);
        let _ = writeln!(text, "| {name} | {rows} | {} |", figures.join(" | "));
    }
    text
}
