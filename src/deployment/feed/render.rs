//! A deployment of feeds for people and for programs.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::FeedDeployment;
use crate::deployment::Step;
use crate::deployment::complete::Sent;
use crate::deployment::outlook::Outlook;
use crate::deployment::render::steps;
use crate::render::Render;

/// How a deployment of feeds stands, and what is still to be sent.
#[derive(Debug)]
pub struct FeedReport {
    pub deployment: FeedDeployment,
    pub sent: Vec<Sent>,
    pub missing: Vec<Step>,
    pub outlook: Outlook,
    pub dry_run: bool,
}

impl Render for FeedReport {
    fn text(&self) -> String {
        let FeedDeployment { registry, constructor, feeds, .. } = &self.deployment;
        let attestors: Vec<String> = constructor.attestors.iter().map(ToString::to_string).collect();
        let mut lines = vec![
            format!("{:13} {}", registry.name, registry.address),
            format!("{:13} {} of {}", "attestors", constructor.threshold, attestors.join(", ")),
        ];
        for one in feeds {
            let (name, kind) = (&one.strategy.name, one.strategy.kind.name());
            lines.push(format!("{:13} {} for {name} ({kind}), model {}", "Feed", one.feed.address, one.model_id));
        }
        if self.dry_run {
            let nothing = self.missing.is_empty();
            lines.push(if nothing { "Nothing would be sent." } else { "Would be sent, and would go through:" }.into());
            lines.extend(steps(&self.missing, &self.outlook));
            lines.extend(self.outlook.lines());
        } else if self.missing.is_empty() {
            lines.push("\nAll is there. Of each strategy, a job:".into());
            for one in feeds {
                let (name, feed) = (&one.strategy.name, one.feed.address);
                lines.push(format!(
                    "\n[[jobs]]\nname = \"{name}-yield\"\nkind = \"yield\"\nstrategy = \"{name}\"\ncontract = \"{feed}\""
                ));
            }
        } else {
            lines.push("\nNot finished; run the same command again:".into());
            lines.extend(steps(&self.missing, &self.outlook));
        }
        lines.join("\n")
    }
}

impl Serialize for FeedReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let deployment = &self.deployment;
        let feeds = deployment.feeds.iter().map(|one| {
            let said = json!({
                "kind": one.strategy.kind,
                "pool": one.strategy.pool,
                "feed": one.feed.address,
                "verifier": one.verifier.address,
                "model_id": one.model_id,
            });
            (one.strategy.name.clone(), said)
        });
        json!({
            "registry": deployment.registry.address,
            "feeds": feeds.collect::<serde_json::Map<String, Value>>(),
            "constructor": deployment.constructor,
            "sent": self.sent,
            "missing": self.missing,
            "cost": self.outlook.json(),
        })
        .serialize(serializer)
    }
}
