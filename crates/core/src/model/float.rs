//! The float model, run by tract.

use std::sync::Arc;

use tract_onnx::prelude::{
    DatumExt, Framework, InferenceModelExt, IntoRunnable, IntoTValue, Tensor, TractError, TypedRunnableModel, tvec,
};

use super::ModelError;

/// tract's plan for a fixed number of rows.
#[derive(Debug, Clone)]
pub struct FloatModel {
    plan: Arc<TypedRunnableModel>,
    rows: usize,
    features: usize,
    outputs: usize,
}

impl FloatModel {
    /// Plans the model for inputs of `rows` rows. Rows do not see each other, so any number may be planned whatever
    /// number the file was written for.
    ///
    /// # Errors
    /// [`ModelError::Tract`].
    pub fn load(onnx: &[u8], rows: usize, features: usize, outputs: usize) -> Result<Self, ModelError> {
        let plan = || -> Result<_, TractError> {
            tract_onnx::onnx()
                .model_for_read(&mut &*onnx)?
                .with_input_fact(0, f32::fact([rows, features]).into())?
                .with_output_fact(0, f32::fact([rows, outputs]).into())?
                .into_optimized()?
                .into_runnable()
        };
        Ok(Self { plan: plan().map_err(|error| tract(&error))?, rows, features, outputs })
    }

    /// Outputs of a row.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Runs the planned number of rows; the outputs come row after row.
    ///
    /// # Errors
    /// [`ModelError::Count`] or [`ModelError::Tract`].
    pub fn run(&self, inputs: &[f32]) -> Result<Vec<f32>, ModelError> {
        let needed = self.rows * self.features;
        if inputs.len() != needed {
            return Err(ModelError::Count { given: inputs.len(), needed });
        }
        let run = || -> Result<Vec<_>, TractError> {
            let input = Tensor::from_shape(&[self.rows, self.features], inputs)?;
            let outputs = self.plan.run(tvec!(input.into_tvalue()))?;
            let outputs = outputs[0].try_as_plain_ram()?;
            Ok(outputs.as_slice::<f32>()?.to_vec())
        };
        run().map_err(|error| tract(&error))
    }
}

/// The real inputs that feature integers stand for: `q / 2^input_scale`, exact in f32 up to 24 bits.
pub fn inputs(integers: &[i32], input_scale: u32) -> Vec<f32> {
    let unit = libm::exp2f(-(input_scale as f32));
    integers.iter().map(|integer| *integer as f32 * unit).collect()
}

fn tract(error: &TractError) -> ModelError {
    ModelError::Tract { detail: format!("{error:#}") }
}
