//! A hedge's deployment for people and for programs.

use alloy::primitives::Address;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::HedgeDeployment;
use crate::deployment::Step;
use crate::deployment::complete::Sent;
use crate::deployment::outlook::Outlook;
use crate::deployment::render::steps;
use crate::render::Render;

/// How a hedge's deployment stands, and what is still to be sent.
#[derive(Debug)]
pub struct HedgeReport {
    pub deployment: HedgeDeployment,
    /// Attestors that were asked for and that the registry does not have.
    pub absent_attestors: Vec<Address>,
    pub sent: Vec<Sent>,
    pub missing: Vec<Step>,
    pub outlook: Outlook,
    pub dry_run: bool,
}

impl HedgeReport {
    /// Who is who.
    fn roles(&self) -> Vec<String> {
        let HedgeDeployment { owner, terms, constructor, .. } = &self.deployment;
        let attestors: Vec<String> = constructor.attestors.iter().map(ToString::to_string).collect();
        let operator = if terms.operator.is_zero() { "nobody".into() } else { terms.operator.to_string() };
        let mut lines = vec![
            format!("{:13} {owner}: gets the dollars, and the WBTC back", "owner"),
            format!("{:13} {operator}", "operator"),
            format!("{:13} {} of {}", "attestors", constructor.threshold, attestors.join(", ")),
        ];
        let same = constructor.attestors.contains(&terms.operator);
        lines.extend(
            same.then(|| "WARNING: the operator attests, too: one key chooses when the budget is sold.".into()),
        );
        let absent = self.absent_attestors.iter();
        lines.extend(absent.map(|account| format!("WARNING: {account} is no attestor of the registry (any more).")));
        lines
    }

    fn addresses(&self) -> Vec<String> {
        let contracts = self.deployment.contracts().into_iter();
        let mut lines: Vec<String> =
            contracts.map(|creation| format!("{:13} {}", creation.name, creation.address)).collect();
        lines.push(format!("{:13} {}", "model", self.deployment.model_id));
        lines.push(format!("{:13} {} pips", "pool's fee", self.deployment.fee_pips));
        lines
    }
}

impl Render for HedgeReport {
    fn text(&self) -> String {
        let mut lines = self.addresses();
        lines.extend(self.roles());
        if self.dry_run {
            let nothing = self.missing.is_empty();
            lines.push(if nothing { "Nothing would be sent." } else { "Would be sent, and would go through:" }.into());
            lines.extend(steps(&self.missing, &self.outlook));
            lines.extend(self.outlook.lines());
        } else if self.missing.is_empty() {
            let HedgeDeployment { vault, terms, .. } = &self.deployment;
            lines.push(format!(
                "\nSend WBTC to the vault, {}: a period sells {} sats at most, all together {}.",
                vault.address, terms.maxPerPeriodSats, terms.maxInAllSats
            ));
        } else {
            lines.push("\nNot finished; run the same command again:".into());
            lines.extend(steps(&self.missing, &self.outlook));
        }
        lines.join("\n")
    }
}

impl Serialize for HedgeReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let deployment = &self.deployment;
        let contracts = deployment.contracts().into_iter();
        let contracts: serde_json::Map<String, Value> =
            contracts.map(|creation| (creation.name.to_owned(), json!(creation.address))).collect();
        json!({
            "vault": deployment.vault.address,
            "owner": deployment.owner,
            "operator": deployment.terms.operator,
            "fee_pips": deployment.fee_pips,
            "model_id": deployment.model_id,
            "contracts": contracts,
            "constructor": deployment.constructor,
            "absent_attestors": self.absent_attestors,
            "sent": self.sent,
            "missing": self.missing,
            "cost": self.outlook.json(),
        })
        .serialize(serializer)
    }
}
