//! Who has which rights at the contracts, against the record of their deployment.

use std::path::Path;

use thiserror::Error;

use super::failed;
use crate::config::Config;
use crate::deployment::record::Record;
use crate::health::Check;
use crate::node::assemble;
use veriregime_core::types::diagnostic::Diagnostic;

const NAME: &str = "roles";

/// Somebody else has a right than the record says.
#[derive(Debug, Error)]
#[error("not as recorded: {0}")]
struct OtherRoles(String);

impl Diagnostic for OtherRoles {
    fn code(&self) -> &'static str {
        "VR-DOCTOR-005"
    }

    fn hint(&self) -> &'static str {
        "find out who changed it (`admin show`, and the contract's events); if it was meant, `deploy` records it anew"
    }
}

/// That the roles are those of the chain's record in that folder; `None` where there is none of the configured oracle.
pub(super) async fn check(config: &Config, folder: &Path) -> Option<Check> {
    let path = Record::path(folder, config.chain.chain_id);
    let compared = async {
        let Some(record) = Record::read(&path)? else { return anyhow::Ok(None) };
        let oracle = assemble::oracle(config)?;
        if record.oracle(&path)?.address != oracle {
            return Ok(None);
        }
        let recorded = record.roles;
        let markets: Vec<_> = recorded.market_owners.keys().copied().collect();
        let now = assemble::reader(config)?.role_holders(oracle, markets, &recorded.attestors).await?;
        Ok(Some((recorded.differences(&now), now)))
    };
    match compared.await {
        Ok(None) => None,
        Ok(Some((differences, now))) if differences.is_empty() => {
            let warning = now.one_key().map_or_else(String::new, |said| format!("; {said}"));
            Some(Check::ok(NAME, format!("as {} has them{warning}", path.display())))
        }
        Ok(Some((differences, _))) => Some(Check::fail(NAME, &OtherRoles(differences.join("; ")))),
        Err(error) => Some(failed(NAME, &error)),
    }
}
