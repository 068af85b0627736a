//! Which settings, and which of their jobs, a command is about.

use std::path::Path;

use crate::config::jobs::NodeConfig;
use crate::config::{self, Config, ConfigError};
use crate::node::assemble;

/// What the command line says of settings.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'a> {
    /// The settings' file.
    pub file: Option<&'a Path>,
    /// Name of a job.
    pub job: Option<&'a str>,
}

impl Selection<'_> {
    /// The settings of the named job, or of the only one. Starts logging by them.
    ///
    /// # Errors
    /// [`ConfigError`], [`ConfigError::WhichJob`] where there are several and none is named.
    pub fn one(&self) -> Result<Config, ConfigError> {
        assemble::checked_node(config::read(self.file)?)?.job(self.job).cloned()
    }

    /// All jobs' settings.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn node(&self) -> Result<NodeConfig, ConfigError> {
        assemble::checked_node(config::read(self.file)?)
    }

    /// The settings of the named job, or of every job.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn several(&self) -> Result<Vec<Config>, ConfigError> {
        Ok(self.node()?.chosen(self.job)?.to_vec())
    }
}
