//! Feeds on a chain: registry, verifiers, and of each strategy its model and its feed. Everything follows from the settings and
//! the arguments, so that a deployment that was broken off goes on from what the chain shows.

pub mod render;

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::providers::Provider;
use alloy::sol_types::SolCall;

use super::code::{self, CREATE2_DEPLOYER, Creation};
use super::complete::Plan;
use super::error::DeploymentError;
use super::one_model::ModelStanding;
use super::{Blocked, Constructor, MIN_TIMELOCK_SECONDS, Step};
use crate::actions::one_market::model::OneMarketModel;
use crate::actions::risk_oracle::abi::registry::IModelRegistry::Update as Smoke;
use crate::actions::risk_oracle::abi::registry::ModelRegistry;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use veriregime_core::yields::{Kind, Strategy};

/// A strategy on chain.
#[derive(Debug, Clone)]
pub struct StrategyFeed {
    pub strategy: Strategy,
    pub model: OneMarketModel,
    pub model_id: B256,
    pub verifier: Creation,
    pub feed: Creation,
}

/// The deployment of strategies' feeds, begun or not.
#[derive(Debug, Clone)]
pub struct FeedDeployment {
    pub registry: Creation,
    /// Arguments of the registry.
    pub constructor: Constructor,
    pub feeds: Vec<StrategyFeed>,
    /// The proof that activates the models of each kind, once it is made.
    pub smokes: BTreeMap<Kind, Smoke>,
}

impl FeedDeployment {
    /// Of strategies with their models, each with the code of its verifier.
    ///
    /// # Errors
    /// [`DeploymentError::TimelockTooShort`].
    pub fn new(
        strategies: Vec<(Strategy, OneMarketModel, Bytes)>,
        constructor: Constructor,
        chain_id: u64,
    ) -> Result<Self, DeploymentError> {
        let seconds = constructor.timelock_seconds;
        if seconds < MIN_TIMELOCK_SECONDS && chain_id != super::ANVIL_CHAIN_ID {
            return Err(DeploymentError::TimelockTooShort { seconds, least: MIN_TIMELOCK_SECONDS });
        }
        let registry = code::registry(&constructor);
        let feeds = strategies.into_iter().map(|(strategy, model, verifier_code)| {
            let verifier = code::verifier(&verifier_code, model.verifier_code_hash);
            let feed = code::feed(registry.address, &strategy.name);
            StrategyFeed { model_id: model.model_id(verifier.address), strategy, model, verifier, feed }
        });
        Ok(Self { feeds: feeds.collect(), registry, constructor, smokes: BTreeMap::new() })
    }

    /// What is created, in order, each once: whose it is, and what.
    fn creations(&self) -> Vec<(String, &Creation)> {
        let mut all = vec![("create ModelRegistry".to_owned(), &self.registry)];
        for one in &self.feeds {
            all.push((format!("create the verifier of {}", one.strategy.kind.name()), &one.verifier));
            all.push((format!("create the feed of {}", one.strategy.name), &one.feed));
        }
        let mut seen = BTreeSet::new();
        all.retain(|(_, creation)| seen.insert(creation.address));
        all
    }

    /// The feed of that name's strategy.
    pub fn feed(&self, strategy: &str) -> Option<Address> {
        self.feeds.iter().find(|one| one.strategy.name == strategy).map(|one| one.feed.address)
    }

    async fn steps(&self, read: &Reader, wallet: Address) -> Result<Vec<Step>, DeploymentError> {
        if !read.has_code(CREATE2_DEPLOYER).await? {
            return Err(DeploymentError::NoDeployer(CREATE2_DEPLOYER));
        }
        let mut steps = Vec::new();
        let mut has_registry = false;
        for (name, creation) in self.creations() {
            let code = read.provider.get_code_at(creation.address).await.map_err(ChainError::from)?;
            if code.is_empty() {
                steps.push(step(name, (wallet, wallet), CREATE2_DEPLOYER, creation.call(), false));
                continue;
            }
            creation.verified(&code)?;
            has_registry |= creation.address == self.registry.address;
        }
        let now = read.next_block_seconds().await?;
        let mut owner = self.constructor.owner;
        if has_registry {
            let registry = ModelRegistry::new(self.registry.address, &read.provider);
            owner = registry.owner().call().await.map_err(ChainError::from)?;
        }
        let is_incomplete = !steps.is_empty();
        for one in &self.feeds {
            let standing = if has_registry {
                ModelStanding::read(read, self.registry.address, one.model_id, now).await?
            } else {
                ModelStanding::absent(now)
            };
            if standing.is_active {
                continue;
            }
            let is_proposed = standing.is_proposed();
            if !is_proposed {
                let spec = one.model.spec(one.verifier.address);
                let call = ModelRegistry::proposeModelCall { spec, overlapSeconds: U256::ZERO }.abi_encode();
                let name = format!("propose the model of {}", one.strategy.name);
                steps.push(step(name, (owner, wallet), self.registry.address, call.into(), is_incomplete));
            }
            // Anyone may activate.
            let name = activation(&one.strategy);
            let waits = is_incomplete || !is_proposed;
            let mut last = step(name, (wallet, wallet), self.registry.address, Bytes::new(), waits);
            last.needs_proof = true;
            last.ripe_at = Some(standing.ripe_at(self.constructor.timelock_seconds));
            last.blocked = last.blocked.or(standing.unripe());
            steps.push(last);
        }
        Ok(steps)
    }
}

fn activation(strategy: &Strategy) -> String {
    format!("activate the model of {}", strategy.name)
}

fn step(name: String, (sender, wallet): (Address, Address), to: Address, data: Bytes, waits: bool) -> Step {
    let other = (sender != wallet).then_some(Blocked::Sender);
    let blocked = if waits { Some(Blocked::Earlier) } else { other };
    Step { name, sender, to, data, needs_proof: false, ripe_at: None, blocked }
}

impl Plan for FeedDeployment {
    async fn missing(&self, read: &Reader, wallet: Address) -> Result<Vec<Step>, DeploymentError> {
        self.steps(read, wallet).await
    }

    /// Each strategy's activation has its own proof, of its kind.
    fn calldata(&self, step: &Step, _: Option<&Smoke>) -> Bytes {
        let of = self.feeds.iter().find(|one| step.needs_proof && activation(&one.strategy) == step.name);
        match of {
            Some(one) => super::calldata(one.model_id, step, self.smokes.get(&one.strategy.kind)),
            None => step.data.clone(),
        }
    }
}
