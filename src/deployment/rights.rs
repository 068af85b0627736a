//! The rights of a contract's owner and guardian, used with the wallet's key or handed to whoever has them.

use alloy::primitives::Address;
use serde::{Serialize, Serializer};
use serde_json::json;

use super::complete::Sent;
use super::error::DeploymentError;
use super::outbox::Outbox;
use super::outlook::Outlook;
use super::render::{moment, steps};
use super::{EFFECT_LOOKS, EFFECT_PAUSE, Step};
use crate::chain::Chain;
use crate::chain::read::Reader;
use crate::deployment::admin::{Operation, Roles};
use crate::deployment::announced::Announced;
use crate::render::Render;
use crate::render::layout::Table;

const HOUR_SECONDS: u64 = 3_600;

/// One use of a right.
#[derive(Debug)]
pub struct Use<'a> {
    pub read: &'a Reader,
    /// The oracle, or its registry.
    pub contract: Address,
    pub registry: Address,
    pub operation: &'a Operation,
}

impl Use<'_> {
    /// What is missing, for a wallet or for nobody's.
    ///
    /// # Errors
    /// What the contract would refuse, or what the chain says.
    pub async fn missing(&self, wallet: Option<Address>) -> Result<Vec<Step>, DeploymentError> {
        let roles = self.read.roles(self.contract, self.registry).await?;
        let sender = self.operation.sender(&roles, wallet);
        let standing = self.read.standing(self.contract, self.operation, sender).await?;
        Ok(self.operation.steps(self.contract, &roles, &standing, wallet))
    }

    /// Sends what the wallet may send now, and gives back what was sent and what is still missing.
    ///
    /// # Errors
    /// What keeps it from being sent.
    pub async fn act(
        &self,
        outbox: &Outbox<'_>,
        mut missing: Vec<Step>,
    ) -> Result<(Vec<Sent>, Vec<Step>), DeploymentError> {
        let mut sent = Vec::new();
        while let Some(step) = missing.first().filter(|step| step.blocked.is_none()) {
            let receipt = outbox.send(step.to, step.data.clone()).await?;
            let (name, hash) = (step.name.clone(), receipt.transaction_hash);
            sent.push(Sent { name, hash, gas_used: receipt.gas_used });
            missing =
                if missing.len() == 1 { Vec::new() } else { self.missing_after(&missing[0], outbox.chain).await? };
        }
        Ok((sent, missing))
    }

    /// What is missing once the chain shows the announcement that was just mined.
    async fn missing_after(&self, announcement: &Step, chain: &Chain) -> Result<Vec<Step>, DeploymentError> {
        for _ in 0..EFFECT_LOOKS {
            let missing = self.missing(Some(chain.address())).await?;
            if missing.first().is_none_or(|first| first.name != announcement.name) {
                return Ok(missing);
            }
            tokio::time::sleep(EFFECT_PAUSE).await;
        }
        Err(DeploymentError::WithoutEffect(announcement.name.clone()))
    }
}

/// How far a use of a right got.
#[derive(Debug)]
pub struct Outcome {
    pub oracle: Address,
    /// Name of the operation.
    pub operation: String,
    pub sent: Vec<Sent>,
    pub missing: Vec<Step>,
    pub outlook: Outlook,
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cost = (!self.outlook.wallet.is_zero()).then(|| self.outlook.json());
        json!({
            "oracle": self.oracle,
            "operation": self.operation,
            "sent": self.sent,
            "missing": self.missing,
            "cost": cost,
        })
        .serialize(serializer)
    }
}

impl Render for Outcome {
    fn text(&self) -> String {
        let mut lines: Vec<String> = self.sent.iter().map(Sent::text).collect();
        if self.missing.is_empty() {
            lines.push(format!("Done: {}.", self.operation));
            return lines.join("\n");
        }
        lines.push("Still to be sent:".into());
        lines.extend(steps(&self.missing, &self.outlook));
        let ready_at = self.missing.first().and_then(|step| step.ripe_at).filter(|_| !self.sent.is_empty());
        lines.extend(ready_at.map(|ready_at| format!("Run the same command again after {}.", moment(ready_at))));
        lines.join("\n")
    }
}

/// Who has which rights, and what is announced.
#[derive(Debug, Serialize)]
pub struct Rights {
    pub oracle: Address,
    pub roles: Roles,
    pub announced: Vec<Announced>,
}

impl Render for Rights {
    fn text(&self) -> String {
        let Self { oracle, roles, announced } = self;
        let mut lines = vec![
            format!("oracle    {oracle}"),
            format!("owner     {}", roles.owner),
            format!("guardian  {}", roles.guardian),
            format!("timelock  {} h", roles.timelock_seconds / HOUR_SECONDS),
            format!("attestors set {}, {} must sign", roles.attestor_set_version, roles.threshold),
        ];
        if announced.is_empty() {
            lines.push("Nothing is announced.".into());
            return lines.join("\n");
        }
        let mut table = Table::new(&["announced", "by", "from", "id"]);
        for Announced { what, caller, id, ready_at, .. } in announced {
            let caller = caller.map_or_else(String::new, |caller| caller.to_string());
            table.add_row([what.clone(), caller, moment(*ready_at), id.to_string()]);
        }
        lines.push(format!("{table}\n`admin veto ID` refuses a call, `admin veto-model ID` a model."));
        lines.join("\n")
    }
}
