//! What a miner's model says to numbers that are given by hand.

use std::fmt::Write;
use std::path::Path;

use serde::Serialize;

use crate::bundle::Bundle;
use crate::bundle::error::BundleError;
use crate::render::Render;
use crate::render::layout::{self, Table};
use veriregime_core::hedge::{COLUMNS, HORIZON_MONTHS, Question, Units};
use veriregime_core::trees::Forest;
use veriregime_core::trees::error::TreesError;

/// A model's answer to one question.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// BTC for the electricity of each horizon, to the numbers as they were given.
    pub outputs: Vec<f32>,
    /// The units that they look like.
    pub units: Units,
    /// BTC for each horizon, to the same numbers in the units that the model was trained with; absent where they are in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs_in_trained_units: Option<Vec<f32>>,
    /// Months of each horizon.
    pub months: [u32; HORIZON_MONTHS.len()],
    /// Columns that look like other units than those of training.
    pub served_columns: Vec<&'static str>,
}

/// Asks the model in `folder`.
///
/// # Errors
/// What is wrong with the bundle, [`BundleError::Manifest`] for one with other columns or outputs than a miner's, or
/// [`TreesError::Row`].
pub fn predict(folder: &Path, question: &Question) -> anyhow::Result<Answer> {
    let bundle = Bundle::open(folder)?;
    let forest = bundle.forest()?;
    let shape = (forest.columns, forest.outputs.len());
    if shape != (COLUMNS.len(), HORIZON_MONTHS.len()) {
        let reason = format!("it has {} columns and {} outputs, a miner's model 11 and 4", shape.0, shape.1);
        return Err(BundleError::Manifest { path: bundle.manifest_path, reason }.into());
    }
    let units = question.units();
    let corrected = (units == Units::Served).then(|| evaluate(&forest, &question.corrected())).transpose()?;
    Ok(Answer {
        outputs: evaluate(&forest, question)?,
        units,
        outputs_in_trained_units: corrected,
        months: HORIZON_MONTHS,
        served_columns: question.served(),
    })
}

fn evaluate(forest: &Forest, question: &Question) -> Result<Vec<f32>, TreesError> {
    forest.evaluate(&question.0.map(|number| number as f32))
}

impl Render for Answer {
    fn text(&self) -> String {
        let mut header = vec!["months of electricity", "BTC, numbers as given"];
        if self.outputs_in_trained_units.is_some() {
            header.push("BTC, in USD and W");
        }
        let mut table = Table::new(&header);
        for (index, (months, given)) in self.months.iter().zip(&self.outputs).enumerate() {
            let corrected = self.outputs_in_trained_units.iter().filter_map(|outputs| outputs.get(index));
            let cells = [months.to_string(), format!("{given:.5}")].into_iter();
            table.add_row(cells.chain(corrected.map(|btc| format!("{btc:.5}"))).collect::<Vec<_>>());
        }
        let mut text = table.to_string();
        if self.units == Units::Served {
            let words = format!(
                "warning: these seem to be thousands of dollars or kilowatts: {}. The model was trained on dollars and watts: below \
                 every price and power that it knows, its answer is that of the cheapest bitcoin. The last column is its answer \
                 in the units that it was trained with.",
                self.served_columns.join(", ")
            );
            let _ = write!(text, "\n{}", layout::text(&words));
        }
        text
    }
}
