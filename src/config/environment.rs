//! Environment variables that look like settings and would be passed over in silence.

use config::Value;

use super::named::GROUPS;
use super::written::leaves;
use super::{ConfigError, defaults};

const PREFIX: &str = "VERIREGIME__";

/// Refuses a variable that is a setting's but for its underscores: one of every node's, or of a table that the file names.
///
/// # Errors
/// [`ConfigError::Misspelled`].
pub(super) fn check(names: impl Iterator<Item = String>, file: &Value) -> Result<(), ConfigError> {
    let variable = |key: &str| format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', "__").replace('-', "_"));
    let every = leaves(defaults())?;
    let named = GROUPS.iter().flat_map(|group| group.keys(file));
    let known: Vec<String> =
        every.iter().map(|(key, _)| variable(key)).chain(named.map(|key| variable(&key))).collect();
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
    use super::super::written::{built, toml_layer};
    use super::*;
    use veriregime_core::types::diagnostic::Diagnostic;

    #[test]
    fn a_variable_with_single_underscores_is_pointed_out() {
        let text = "[chains.base-main]\nrpc_url = \"http://base\"\nchain_id = 8453\n";
        let file = built(toml_layer(defaults(), text, None)).unwrap();
        let refused = |name: &str| check([name.to_owned()].into_iter(), &file).expect_err(name);
        for name in ["VERIREGIME_CHAIN_RPC_URL", "VERIREGIME__CHAIN_RPC_URL", "VERIREGIME_CHAIN__RPC_URL"] {
            let fault = refused(name);
            assert_eq!(fault.code(), "VR-CONFIG-010");
            assert!(fault.to_string().ends_with("VERIREGIME__CHAIN__RPC_URL is one"), "{fault}");
        }
        assert!(refused("VERIREGIME_CANDLES_CROSS_CHECK_REQUIRED").to_string().contains("__CROSS_CHECK__REQUIRED is"));
        let named = refused("VERIREGIME_CHAINS_BASE_MAIN_RPC_URL").to_string();
        assert!(named.ends_with("VERIREGIME__CHAINS__BASE_MAIN__RPC_URL is one"), "{named}");
        let fine = ["VERIREGIME_CONFIG", "VERIREGIME__CHAIN__RPC_URL", "veriregime__chain__rpc_url", "CHAIN_RPC_URL"];
        check(fine.into_iter().map(str::to_owned), &file).unwrap();
    }
}
