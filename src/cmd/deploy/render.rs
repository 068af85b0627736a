//! What `deploy` prints.

use std::path::Path;

use serde_json::{Value, json};

use crate::cmd::rehearsal::Outlook;
use crate::deployment::diff::{Outcome, Row};
use crate::deployment::{Blocked, Deployment, Step};
use crate::render::layout::{self, Table};
use veriregime_core::types::time::format_utc;

/// What would be sent, and what it leads to.
pub(super) fn plan(deployment: &Deployment, rows: &[Row], missing: &[Step], outlook: &Outlook) {
    addresses(deployment);
    parameters(rows);
    println!("{}", if missing.is_empty() { "Nothing would be sent." } else { "Would be sent, and would go through:" });
    steps(missing, outlook);
    if let Some(lines) = outlook.lines() {
        println!("{lines}");
    }
}

/// How far it got.
pub(super) fn outcome(deployment: &Deployment, missing: &[Step], outlook: &Outlook, record: &Path) {
    addresses(deployment);
    println!("The code of each is what was compiled; {} has the details.", record.display());
    if missing.is_empty() {
        println!("\nPut this into the settings:\n[chain]\noracle = \"{}\"", deployment.contracts.oracle.address);
        return;
    }
    println!("\nNot finished:");
    steps(missing, outlook);
    if let Some(moment) = again(missing) {
        println!("Run the same command again after {moment}.");
    }
}

/// Parameters that are not as wanted.
fn parameters(rows: &[Row]) {
    let different: Vec<&Row> = rows.iter().filter(|row| row.outcome != Outcome::Same).collect();
    if different.is_empty() {
        println!("Every parameter is as wanted.");
        return;
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
    println!("{table}");
}

/// Steps that would be sent, or could not be; of those that are not the wallet's, what somebody else must send.
pub fn steps(steps: &[Step], outlook: &Outlook) {
    let wallet = outlook.wallet;
    for step in steps {
        let size = if step.needs_proof { "with a proof".into() } else { format!("{} bytes", step.data.len()) };
        let sender = if step.sender == wallet { String::new() } else { format!(", which {} must send", step.sender) };
        let gas = outlook.gas_of(&step.name).map_or_else(String::new, |gas| format!(", {gas} gas"));
        let line = format!("{}{}{sender} (to {}, {size}{gas})", step.name, when(step), step.to);
        println!("{}", layout::item("  ", &line));
        if step.sender != wallet {
            println!("    {}", step.data);
        }
    }
}

fn when(step: &Step) -> String {
    match step.blocked {
        Some(Blocked::Earlier) => ", after the above".into(),
        Some(Blocked::Until(seconds)) => format!(", not before {}", moment(seconds)),
        Some(Blocked::Sender) | None => String::new(),
    }
}

/// Where everything is.
fn addresses(deployment: &Deployment) {
    for creation in deployment.contracts.all() {
        println!("{:13} {}", creation.name, creation.address);
    }
    println!("{:13} {}", "model", deployment.model_id);
}

/// The earliest time at which running it again gets further, for people.
fn again(steps: &[Step]) -> Option<String> {
    let times = steps.iter().filter_map(|step| match step.blocked {
        Some(Blocked::Until(seconds)) => Some(seconds),
        _ => None,
    });
    times.min().map(moment)
}

/// The object of `--json`.
pub(super) fn json(
    deployment: &Deployment,
    rows: &[Row],
    sent: &[Value],
    missing: &[Step],
    outlook: &Outlook,
) -> Value {
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
        "model_spec": deployment.model_spec(),
        "parameters": rows,
        "sent": sent,
        "missing": missing.iter().map(step_json).collect::<Vec<_>>(),
        "cost": outlook.json(),
    })
}

/// A step for programs.
pub fn step_json(step: &Step) -> Value {
    let (reason, ready_at) = match step.blocked {
        None => (None, None),
        Some(Blocked::Earlier) => (Some("earlier_steps"), None),
        Some(Blocked::Until(seconds)) => (Some("timelock"), Some(seconds)),
        Some(Blocked::Sender) => (Some("sender"), None),
    };
    json!({
        "name": step.name,
        "to": step.to,
        "data": (!step.needs_proof).then_some(&step.data),
        "blocked": reason,
        "ready_at": ready_at,
        "sender": step.sender,
    })
}

/// A time on chain for people.
pub fn moment(seconds: u64) -> String {
    format_utc(i64::try_from(seconds).unwrap_or(i64::MAX / 1000).saturating_mul(1000))
}
