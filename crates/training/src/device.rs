//! Where networks are computed.

use std::sync::{Mutex, PoisonError};

use burn::tensor::Device;

use super::error::TrainingError;

/// What computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The processor. Training gives the same weights to the bit each time.
    Cpu,
    /// A graphics processor, through whatever interface this machine has for it. Weights differ from the processor's in
    /// their last digits, and may from one run to the next.
    Wgpu,
}

/// A device that is there.
#[derive(Debug, Clone)]
pub struct Computer {
    /// For tensors that need no gradients.
    pub device: Device,
    /// What it is, for a model's provenance.
    pub name: String,
}

/// The adapter in use: a process can open it only once.
static ADAPTER: Mutex<Option<Computer>> = Mutex::new(None);

/// Opens the device of a backend.
///
/// # Errors
/// [`TrainingError::NoDevice`] where there is no adapter that can compute.
pub fn open(backend: Backend) -> Result<Computer, TrainingError> {
    match backend {
        Backend::Cpu => Ok(Computer { device: Device::flex(), name: "burn 0.22.1, flex backend".into() }),
        Backend::Wgpu => {
            let mut adapter = ADAPTER.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(computer) = &*adapter {
                return Ok(computer.clone());
            }
            let (device, setup) = Device::wgpu_options()
                .init_with_setup()
                .map_err(|error| TrainingError::NoDevice { reason: error.to_string() })?;
            let info = setup.adapter.get_info();
            let name = format!("burn 0.22.1, wgpu backend on {}, {}", info.name, info.backend);
            Ok(adapter.insert(Computer { device, name }).clone())
        }
    }
}
