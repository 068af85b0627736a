//! What `deploy` prints.

use serde_json::{Value, json};

use crate::chain::deploy::diff::{Outcome, Row};
use crate::chain::deploy::{Blocked, Deployment, Progress, Step};
use crate::cmd::report;
use crate::types::time::format_utc;

/// Parameters that are not as wanted.
pub(super) fn parameters(rows: &[Row]) {
    let different: Vec<&Row> = rows.iter().filter(|row| row.outcome != Outcome::Same).collect();
    if different.is_empty() {
        println!("Every parameter is as wanted.");
        return;
    }
    let mut table = report::table(&["parameter", "on chain", "wanted", "what happens"]);
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

/// Steps that would be sent, or could not be.
pub(super) fn steps(steps: &[Step]) {
    for step in steps {
        let size = if step.needs_proof { "with a proof".into() } else { format!("{} bytes", step.data.len()) };
        println!("  {}{} (to {}, {size})", step.name, when(step), step.to);
        if matches!(step.blocked, Some(Blocked::Sender(_))) {
            println!("    {}", step.data);
        }
    }
}

fn when(step: &Step) -> String {
    match step.blocked {
        None => String::new(),
        Some(Blocked::Earlier) => ", after the above".into(),
        Some(Blocked::Until(seconds)) => format!(", not before {}", moment(seconds)),
        Some(Blocked::Sender(sender)) => format!(", which {sender} must send"),
    }
}

/// What was just done.
pub(super) fn progress(progress: &Progress) {
    match progress {
        Progress::Sent { name, hash, gas_used } => println!("  {name}: {hash}, {gas_used} gas"),
        Progress::WantsProof => println!("  proving for the activation"),
        Progress::Waiting(_) | Progress::Done => {}
    }
}

/// Where everything is.
pub(super) fn addresses(deployment: &Deployment) {
    for creation in deployment.contracts.all() {
        println!("{:13} {}", creation.name, creation.address);
    }
    println!("{:13} {}", "model", deployment.model_id);
}

/// The earliest time at which running it again gets further, for people.
pub(super) fn again(steps: &[Step]) -> Option<String> {
    let times = steps.iter().filter_map(|step| match step.blocked {
        Some(Blocked::Until(seconds)) => Some(seconds),
        _ => None,
    });
    times.min().map(moment)
}

/// The object of `--json`.
pub(super) fn json(deployment: &Deployment, rows: &[Row], sent: &[Value], missing: &[Step]) -> Value {
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
    })
}

fn step_json(step: &Step) -> Value {
    let (reason, ready_at, sender) = match step.blocked {
        None => (None, None, None),
        Some(Blocked::Earlier) => (Some("earlier_steps"), None, None),
        Some(Blocked::Until(seconds)) => (Some("timelock"), Some(seconds), None),
        Some(Blocked::Sender(sender)) => (Some("sender"), None, Some(sender)),
    };
    json!({
        "name": step.name,
        "to": step.to,
        "data": (!step.needs_proof).then_some(&step.data),
        "blocked": reason,
        "ready_at": ready_at,
        "sender": sender,
    })
}

fn moment(seconds: u64) -> String {
    format_utc(i64::try_from(seconds).unwrap_or(i64::MAX / 1000).saturating_mul(1000))
}
