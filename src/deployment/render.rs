//! A deployment for people and for programs.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::complete::Sent;
use super::diff::{Outcome, Row};
use super::outlook::Outlook;
use super::roles::RoleHolders;
use super::{Blocked, Deployment, Step};
use crate::render::Render;
use crate::render::layout::{self, Table};
use veriregime_core::types::time::format_utc;

/// How a deployment stands, and what is still to be sent.
#[derive(Debug)]
pub struct Report {
    pub deployment: Deployment,
    /// Whether the chain is a development chain.
    pub is_development: bool,
    /// Who has which rights before anything is sent.
    pub roles: RoleHolders,
    /// The parameters as they were before.
    pub rows: Vec<Row>,
    pub sent: Vec<Sent>,
    pub missing: Vec<Step>,
    pub outlook: Outlook,
    /// Where the record was written; `None` where nothing was to be sent.
    pub record: Option<PathBuf>,
}

impl Report {
    /// That one key rules too much, where it does, on a chain that is no development chain.
    pub fn warning(&self) -> Option<String> {
        let said = self.roles.one_key().filter(|_| !self.is_development)?;
        Some(format!("WARNING: {said}."))
    }

    /// What would be sent, and what it leads to.
    fn plan(&self) -> Vec<String> {
        let mut lines = self.addresses();
        lines.extend(self.warning());
        lines.push(parameters(&self.rows));
        let nothing = self.missing.is_empty();
        lines.push(if nothing { "Nothing would be sent." } else { "Would be sent, and would go through:" }.into());
        lines.extend(steps(&self.missing, &self.outlook));
        lines.extend(self.outlook.lines());
        lines
    }

    /// How far it got.
    fn outcome(&self, record: &Path) -> Vec<String> {
        let mut lines = self.addresses();
        lines.push(format!("The code of each is what was compiled; {} has the details.", record.display()));
        if self.missing.is_empty() {
            let oracle = self.deployment.contracts.oracle.address;
            lines.push(format!("\nPut this into the settings:\n[chain]\noracle = \"{oracle}\""));
            return lines;
        }
        lines.push("\nNot finished:".into());
        lines.extend(steps(&self.missing, &self.outlook));
        lines.extend(again(&self.missing).map(|moment| format!("Run the same command again after {moment}.")));
        lines
    }

    /// Where everything is.
    fn addresses(&self) -> Vec<String> {
        let contracts = self.deployment.contracts.all().into_iter();
        let mut lines: Vec<String> =
            contracts.map(|creation| format!("{:13} {}", creation.name, creation.address)).collect();
        lines.push(format!("{:13} {}", "model", self.deployment.model_id));
        lines
    }
}

impl Render for Report {
    fn text(&self) -> String {
        match &self.record {
            None => self.plan(),
            Some(record) => self.outcome(record),
        }
        .join("\n")
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let deployment = &self.deployment;
        let contracts: serde_json::Map<String, Value> = deployment
            .contracts
            .all()
            .into_iter()
            .map(|creation| (creation.name.to_owned(), json!(creation.address)))
            .collect();
        json!({
            "oracle": deployment.contracts.oracle.address,
            "verifier": deployment.contracts.verifier.address,
            "model_id": deployment.model_id,
            "contracts": contracts,
            "constructor": deployment.wanted.constructor,
            "market_owner": deployment.wanted.market_owner,
            "model_spec": deployment.model_spec(),
            "parameters": self.rows,
            "sent": self.sent,
            "missing": self.missing,
            "cost": self.outlook.json(),
            "warning": self.warning(),
        })
        .serialize(serializer)
    }
}

/// Parameters that are not as wanted.
fn parameters(rows: &[Row]) -> String {
    let different: Vec<&Row> = rows.iter().filter(|row| row.outcome != Outcome::Same).collect();
    if different.is_empty() {
        return "Every parameter is as wanted.".into();
    }
    let mut table = Table::new(&["parameter", "on chain", "wanted", "what happens"]);
    for row in different {
        let what = match row.outcome {
            Outcome::Same => "",
            Outcome::Set => "set",
            Outcome::Changed => "changed, through the timelock",
            Outcome::Kept => "KEPT as it is on chain",
        };
        table.add_row([&row.name, row.on_chain.as_deref().unwrap_or("–"), &row.wanted, what]);
    }
    table.to_string()
}

/// Steps that would be sent, or could not be; of those that are not the wallet's, what somebody else must send.
pub fn steps(steps: &[Step], outlook: &Outlook) -> Vec<String> {
    let wallet = outlook.wallet;
    let mut lines = Vec::new();
    for step in steps {
        let size = if step.needs_proof { "with a proof".into() } else { format!("{} bytes", step.data.len()) };
        let sender = if step.sender == wallet { String::new() } else { format!(", which {} must send", step.sender) };
        let gas = outlook.gas_of(&step.name).map_or_else(String::new, |gas| format!(", {gas} gas"));
        let line = format!("{}{}{sender} (to {}, {size}{gas})", step.name, when(step), step.to);
        lines.push(layout::item("  ", &line));
        if step.sender != wallet {
            lines.push(format!("    {}", step.data));
        }
    }
    lines
}

fn when(step: &Step) -> String {
    match step.blocked {
        Some(Blocked::Earlier) => ", after the above".into(),
        Some(Blocked::Until(seconds)) => format!(", not before {}", moment(seconds)),
        Some(Blocked::Sender) | None => String::new(),
    }
}

/// The earliest time at which running it again gets further, for people.
fn again(steps: &[Step]) -> Option<String> {
    let times = steps.iter().filter_map(|step| match step.blocked {
        Some(Blocked::Until(seconds)) => Some(seconds),
        _ => None,
    });
    times.min().map(moment)
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (reason, ready_at) = match self.blocked {
            None => (None, None),
            Some(Blocked::Earlier) => (Some("earlier_steps"), None),
            Some(Blocked::Until(seconds)) => (Some("timelock"), Some(seconds)),
            Some(Blocked::Sender) => (Some("sender"), None),
        };
        json!({
            "name": self.name,
            "to": self.to,
            "data": (!self.needs_proof).then_some(&self.data),
            "blocked": reason,
            "ready_at": ready_at,
            "sender": self.sender,
        })
        .serialize(serializer)
    }
}

/// A time on chain for people.
pub fn moment(seconds: u64) -> String {
    format_utc(i64::try_from(seconds).unwrap_or(i64::MAX / 1000).saturating_mul(1000))
}
