//! Environment variables that look like settings and would be passed over in silence.

use super::written::leaves;
use super::{ConfigError, defaults};

const PREFIX: &str = "VERIREGIME__";

/// Refuses a variable that is a setting's but for its underscores.
///
/// # Errors
/// [`ConfigError::Misspelled`].
pub(super) fn check(names: impl Iterator<Item = String>) -> Result<(), ConfigError> {
    let variable = |key: &str| format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', "__"));
    let known: Vec<String> = leaves(defaults())?.iter().map(|(key, _)| variable(key)).collect();
    for found in names.filter(|name| name.to_ascii_uppercase().starts_with("VERIREGIME_")) {
        let is_other = |meant: &&String| !found.eq_ignore_ascii_case(meant) && flat(&found) == flat(meant);
        if let Some(meant) = known.iter().find(is_other) {
            return Err(ConfigError::Misspelled { meant: meant.clone(), found });
        }
    }
    Ok(())
}

/// The words of a name, however they are joined.
fn flat(name: &str) -> Vec<String> {
    name.split('_').filter(|word| !word.is_empty()).map(str::to_ascii_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::types::diagnostic::Diagnostic;

    #[test]
    fn a_variable_with_single_underscores_is_pointed_out() {
        let refused = |name: &str| check([name.to_owned()].into_iter()).expect_err(name);
        for name in ["VERIREGIME_CHAIN_RPC_URL", "VERIREGIME__CHAIN_RPC_URL", "VERIREGIME_CHAIN__RPC_URL"] {
            let fault = refused(name);
            assert_eq!(fault.code(), "VR-CONFIG-010");
            assert!(fault.to_string().ends_with("VERIREGIME__CHAIN__RPC_URL is one"), "{fault}");
        }
        assert!(refused("VERIREGIME_CANDLES_CROSS_CHECK_REQUIRED").to_string().contains("__CROSS_CHECK__REQUIRED is"));
        let fine = ["VERIREGIME_CONFIG", "VERIREGIME__CHAIN__RPC_URL", "veriregime__chain__rpc_url", "CHAIN_RPC_URL"];
        check(fine.into_iter().map(str::to_owned)).unwrap();
    }
}
