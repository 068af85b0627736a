//! From what is wanted and what the chain shows to the transactions that are missing.

use alloy::primitives::{Address, Bytes};
use alloy::sol_types::SolCall;

use super::code::CREATE2_DEPLOYER;
use super::standing::{MarketStanding, Standing};
use super::{Blocked, Deployment, Step, Wanted, WantedMarket};
use crate::chain::abi::IRegimeRiskOracle::PriceCheck;
use crate::chain::abi::RiskOracle;

/// In order. Steps that wait for the timelock come last, so that nothing else waits for them.
pub(super) fn missing(deployment: &Deployment, standing: &Standing, wallet: Address) -> Vec<Step> {
    let contracts = deployment.contracts.all().into_iter().zip(&standing.code_hashes);
    let mut steps: Vec<Step> = contracts
        .filter(|(_, code)| code.is_none())
        .map(|(creation, _)| Step {
            name: format!("create {}", creation.name),
            to: CREATE2_DEPLOYER,
            data: creation.call(),
            needs_proof: false,
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

/// The call that sets a market's wanted policy. The timelock knows it by its bytes.
pub(super) fn set_policy(wanted: &Wanted, market: &WantedMarket) -> Bytes {
    RiskOracle::setPolicyCall { market: market.id, policy: wanted.policy.clone() }.abi_encode().into()
}

struct List<'a> {
    deployment: &'a Deployment,
    standing: &'a Standing,
    wallet: Address,
    /// Whether a contract is missing.
    incomplete: bool,
}

impl List<'_> {
    fn step(&self, name: String, data: impl Into<Bytes>, blocked: Option<Blocked>) -> Step {
        Step { name, to: self.deployment.contracts.oracle.address, data: data.into(), needs_proof: false, blocked }
    }

    fn by(&self, sender: Address, after_others: bool) -> Option<Blocked> {
        if self.incomplete || after_others {
            return Some(Blocked::Earlier);
        }
        (sender != self.wallet).then_some(Blocked::Sender(sender))
    }

    fn register(&self, market: &WantedMarket, found: &MarketStanding, steps: &mut Vec<Step>) {
        if !found.owner.is_zero() {
            return;
        }
        let wanted = &self.deployment.wanted;
        let call = RiskOracle::registerMarketCall {
            market: market.id,
            marketOwner: wanted.market_owner,
            bounds: wanted.bounds.clone(),
            priceCheck: PriceCheck { feed: Address::ZERO, toleranceBps: 0, maxAgeSeconds: 0 },
        };
        let by = self.by(self.standing.owner, false);
        steps.push(self.step(format!("register {}", market.name), call.abi_encode(), by));
    }

    /// The first policy holds at once. A change is announced, ripens, and is made by the same call.
    fn policy(&self, market: &WantedMarket, found: &MarketStanding, steps: &mut Vec<Step>, last: &mut Vec<Step>) {
        let wanted = &self.deployment.wanted;
        let unregistered = found.owner.is_zero();
        let owner = if unregistered { wanted.market_owner } else { found.owner };
        let set = set_policy(wanted, market);
        let name = format!("set the policy of {}", market.name);
        match &found.policy {
            None => steps.push(self.step(name, set, self.by(owner, unregistered))),
            Some(policy) if wanted.change_policy && *policy != wanted.policy => {
                let ready_at = found.policy_ready_at;
                let announced = ready_at != 0 && !self.standing.is_expired(ready_at);
                if !announced {
                    let call = RiskOracle::scheduleCall { data: set.clone() }.abi_encode();
                    steps.push(self.step(
                        format!("announce the policy of {}", market.name),
                        call,
                        self.by(owner, false),
                    ));
                }
                let blocked = self.by(owner, !announced).or(self.standing.unripe(ready_at));
                last.push(self.step(name, set, blocked));
            }
            Some(_) => {}
        }
    }

    fn model(&self, steps: &mut Vec<Step>, last: &mut Vec<Step>) {
        if self.standing.model_active {
            return;
        }
        let ready_at = self.standing.model_ready_at;
        let wanted = &self.deployment.wanted;
        if ready_at == 0 {
            let call = RiskOracle::proposeModelCall {
                spec: wanted.expected.spec(self.deployment.contracts.verifier.address),
                overlapPeriods: wanted.overlap_periods,
            };
            let unready = self.standing.markets.iter().any(|found| found.policy.is_none());
            steps.push(self.step("propose the model".into(), call.abi_encode(), self.by(self.standing.owner, unready)));
        }
        // Anyone may activate.
        let blocked = match ready_at {
            0 => Some(Blocked::Earlier),
            _ if self.standing.is_expired(ready_at) => Some(Blocked::Veto),
            _ => self.standing.unripe(ready_at),
        };
        last.push(Step { needs_proof: true, ..self.step("activate the model".into(), Bytes::new(), blocked) });
    }
}
