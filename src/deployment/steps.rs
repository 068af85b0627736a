//! From what is wanted and what the chain shows to the transactions that are missing.

use alloy::primitives::{Address, Bytes};
use alloy::sol_types::SolCall;

use super::code::CREATE2_DEPLOYER;
use super::standing::{MarketStanding, OnChainState};
use super::{Blocked, Deployment, Step, WantedMarket, overlap_seconds};
use crate::actions::risk_oracle::abi::oracle::RiskOracle;
use crate::actions::risk_oracle::abi::registry::ModelRegistry;

/// In order. Steps that wait for the timelock come last, so that nothing else waits for them.
pub(crate) fn missing(deployment: &Deployment, standing: &OnChainState, wallet: Address) -> Vec<Step> {
    let contracts = deployment.contracts.all().into_iter().zip(&standing.code_hashes);
    let mut steps: Vec<Step> = contracts
        .filter(|(_, code)| code.is_none())
        .map(|(creation, _)| Step {
            name: format!("create {}", creation.name),
            sender: wallet,
            to: CREATE2_DEPLOYER,
            data: creation.call(),
            needs_proof: false,
            ripe_at: None,
            blocked: None,
        })
        .collect();
    let list = List { deployment, standing, wallet, incomplete: !steps.is_empty() };
    let mut last = Vec::new();
    for (market, found) in deployment.wanted.markets.iter().zip(&standing.markets) {
        list.register(market, found, &mut steps);
        list.policy(market, found, &mut steps, &mut last);
    }
    list.model(&mut steps, &mut last);
    steps.append(&mut last);
    steps
}

struct List<'a> {
    deployment: &'a Deployment,
    standing: &'a OnChainState,
    wallet: Address,
    /// Whether a contract is missing.
    incomplete: bool,
}

impl List<'_> {
    /// A call of the oracle by `sender`, which others must precede where `after_others`.
    fn step(&self, name: String, sender: Address, data: impl Into<Bytes>, after_others: bool) -> Step {
        let blocked = if self.incomplete || after_others {
            Some(Blocked::Earlier)
        } else {
            (sender != self.wallet).then_some(Blocked::Sender)
        };
        let to = self.deployment.contracts.oracle.address;
        Step { name, sender, to, data: data.into(), needs_proof: false, ripe_at: None, blocked }
    }

    /// When the timelock lets pass what is announced with `ready_at`, or next.
    fn ripe_at(&self, announced: bool, ready_at: u64) -> u64 {
        if announced { ready_at } else { self.standing.ripe_if_announced_now(self.deployment) }
    }

    fn register(&self, market: &WantedMarket, found: &MarketStanding, steps: &mut Vec<Step>) {
        if !found.owner.is_zero() {
            return;
        }
        let wanted = &self.deployment.wanted;
        let call = RiskOracle::registerMarketCall {
            market: market.id,
            marketOwner_: wanted.market_owner,
            bounds_: wanted.bounds.clone(),
        };
        let name = format!("register {}", market.name);
        steps.push(self.step(name, self.standing.owner, call.abi_encode(), false));
    }

    /// The first policy holds at once. A change is announced, ripens, and is made by the same call.
    fn policy(&self, market: &WantedMarket, found: &MarketStanding, steps: &mut Vec<Step>, last: &mut Vec<Step>) {
        let wanted = &self.deployment.wanted;
        let unregistered = found.owner.is_zero();
        let owner = if unregistered { wanted.market_owner } else { found.owner };
        let set = wanted.set_policy(market);
        let name = format!("set the policy of {}", market.name);
        match &found.policy {
            None => steps.push(self.step(name, owner, set, unregistered)),
            Some(policy) if wanted.change_policy && *policy != wanted.policy => {
                let ready_at = found.policy_ready_at;
                let announced = ready_at != 0 && !self.standing.is_expired(ready_at);
                if !announced {
                    let call = RiskOracle::scheduleCall { data: set.clone() }.abi_encode();
                    steps.push(self.step(format!("announce the policy of {}", market.name), owner, call, false));
                }
                let mut step = self.step(name, owner, set, !announced);
                step.ripe_at = Some(self.ripe_at(announced, ready_at));
                step.blocked = step.blocked.or(self.standing.unripe(ready_at));
                last.push(step);
            }
            Some(_) => {}
        }
    }

    fn model(&self, steps: &mut Vec<Step>, last: &mut Vec<Step>) {
        if self.standing.model_active {
            return;
        }
        let ready_at = self.standing.model_ready_at;
        let proposed = ready_at != 0 && !self.standing.is_expired(ready_at);
        let wanted = &self.deployment.wanted;
        if !proposed {
            let call = ModelRegistry::proposeModelCall {
                spec: wanted.expected.spec(self.deployment.contracts.verifier.address),
                overlapSeconds: overlap_seconds(wanted.overlap_periods, wanted.expected.grid),
            };
            let unready = self.standing.markets.iter().any(|found| found.policy.is_none());
            let owner = self.standing.registry_owner;
            let mut step = self.step("propose the model".into(), owner, call.abi_encode(), unready);
            step.to = self.deployment.contracts.registry.address;
            steps.push(step);
        }
        // Anyone may activate.
        let mut step = self.step("activate the model".into(), self.wallet, Bytes::new(), !proposed);
        step.to = self.deployment.contracts.registry.address;
        step.needs_proof = true;
        step.ripe_at = Some(self.ripe_at(proposed, ready_at));
        step.blocked = step.blocked.or(self.standing.unripe(ready_at));
        last.push(step);
    }
}
