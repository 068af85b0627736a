//! What a contract's owner and guardian may do: the calls, whose they are, and how far each one is.

use std::str::FromStr;

use alloy::hex::FromHexError;
use alloy::primitives::aliases::U40;
use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::sol_types::SolCall;
use serde::Serialize;

use super::code::CREATE2_DEPLOYER;
use super::{Blocked, LIFETIME_SECONDS, Step};
use crate::actions::error::ActionError;
use crate::actions::risk_oracle::abi::oracle::RiskOracle;
use crate::actions::risk_oracle::abi::registry::IModelRegistry::ModelSpec;
use crate::actions::risk_oracle::abi::registry::ModelRegistry;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;

/// A trial announces some seconds later than now.
const TRIAL_SECONDS: u64 = 60;

/// A market as it was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketId {
    pub name: String,
    pub id: B256,
}

impl FromStr for MarketId {
    type Err = FromHexError;

    /// From its name, or its id in hex.
    fn from_str(text: &str) -> Result<Self, FromHexError> {
        let id = if text.starts_with("0x") { text.parse()? } else { keccak256(text) };
        Ok(Self { name: text.to_owned(), id })
    }
}

/// A right that somebody uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Withholds a market's parameters until then, in Unix seconds.
    Pause { market: MarketId, until_seconds: u64 },
    /// Refuses an announced call.
    Veto { operation: B256 },
    /// Refuses a proposed model.
    VetoModel { model_id: B256 },
    /// Ends a model at once.
    EndModel { model_id: B256 },
    /// Replaces the attestors.
    SetAttestors { attestors: Vec<Address>, threshold: u8 },
    /// Replaces the guardian.
    SetGuardian { guardian: Address },
    /// Replaces a market's owner.
    SetMarketOwner { market: MarketId, owner: Address },
    /// Replaces the feed that says whether the sequencer is up; zero is none.
    SetSequencerFeed { feed: Address },
    /// Proposes a model, whose verifier is created where it is not there.
    ProposeModel(Box<Proposal>),
    /// Makes another account the owner, which has to ask for it within two days before.
    HandOver { new_owner: Address },
}

/// A model to be proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    pub model_id: B256,
    pub spec: ModelSpec,
    /// Time for which the models that it replaces stay accepted.
    pub overlap_seconds: U256,
    /// What [`CREATE2_DEPLOYER`] makes its verifier of.
    pub verifier: Bytes,
}

/// Who has rights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Roles {
    pub owner: Address,
    pub guardian: Address,
    pub timelock_seconds: u64,
    pub attestor_set_version: u32,
    /// How many attestations an update needs.
    pub threshold: u8,
    /// Unix seconds of the block that a transaction would come into.
    #[serde(skip)]
    pub now_seconds: u64,
}

/// How far the use of a right is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnerState {
    /// The timelock's name for the call.
    pub id: B256,
    /// Unix seconds from which the timelock lets the announced call pass; 0 if it is not announced.
    pub ready_at: u64,
    /// Unix seconds until which the new owner's asking holds; 0 if nobody asks.
    pub asked_until: u64,
    /// Whether something has to be created first.
    pub lacks_verifier: bool,
}

impl Operation {
    /// What it does, as an order.
    pub fn name(&self) -> String {
        match self {
            Self::Pause { market, .. } => format!("pause {}", market.name),
            Self::Veto { operation } => format!("veto operation {operation}"),
            Self::VetoModel { model_id } => format!("veto model {model_id}"),
            Self::EndModel { model_id } => format!("end model {model_id}"),
            Self::SetAttestors { attestors, threshold } => {
                format!("set {} attestors, {threshold} of whom must sign", attestors.len())
            }
            Self::SetGuardian { guardian } => format!("make {guardian} the guardian"),
            Self::SetMarketOwner { market, owner } => format!("make {owner} the owner of {}", market.name),
            Self::SetSequencerFeed { feed } if feed.is_zero() => "ask no sequencer feed".into(),
            Self::SetSequencerFeed { feed } => format!("make {feed} the sequencer feed"),
            Self::ProposeModel(proposal) => format!("propose model {}", proposal.model_id),
            Self::HandOver { new_owner } => format!("make {new_owner} the owner"),
        }
    }

    /// The call.
    pub fn data(&self) -> Bytes {
        match self {
            Self::Pause { market, until_seconds } => {
                let until = U40::saturating_from(*until_seconds);
                RiskOracle::pauseMarketCall { market: market.id, untilTimestamp: until }.abi_encode()
            }
            Self::Veto { operation } => RiskOracle::vetoCall { operation: *operation }.abi_encode(),
            Self::VetoModel { model_id } => ModelRegistry::cancelModelCall { modelId: *model_id }.abi_encode(),
            Self::EndModel { model_id } => ModelRegistry::deprecateModelCall { modelId: *model_id }.abi_encode(),
            Self::SetAttestors { attestors, threshold } => {
                ModelRegistry::setAttestorsCall { attestors: attestors.clone(), threshold: *threshold }.abi_encode()
            }
            Self::SetGuardian { guardian } => RiskOracle::setGuardianCall { newGuardian: *guardian }.abi_encode(),
            Self::SetMarketOwner { market, owner } => {
                RiskOracle::setMarketOwnerCall { market: market.id, marketOwner_: *owner }.abi_encode()
            }
            Self::SetSequencerFeed { feed } => RiskOracle::setSequencerFeedCall { feed: *feed }.abi_encode(),
            Self::ProposeModel(proposal) => {
                let spec = proposal.spec.clone();
                ModelRegistry::proposeModelCall { spec, overlapSeconds: proposal.overlap_seconds }.abi_encode()
            }
            Self::HandOver { new_owner } => {
                RiskOracle::completeOwnershipHandoverCall { newOwner: *new_owner }.abi_encode()
            }
        }
        .into()
    }

    /// Whether it is a right at the registry of models and attestors; the others are at the contract that is asked, which
    /// may be either.
    pub fn is_of_the_registry(&self) -> bool {
        matches!(
            self,
            Self::VetoModel { .. } | Self::EndModel { .. } | Self::SetAttestors { .. } | Self::ProposeModel(_)
        )
    }

    /// Whether it is a right at the oracle and nowhere else.
    pub fn is_of_the_oracle(&self) -> bool {
        matches!(self, Self::Pause { .. } | Self::SetMarketOwner { .. } | Self::SetSequencerFeed { .. })
    }

    /// Whether it has to be announced.
    pub fn is_timelocked(&self) -> bool {
        matches!(
            self,
            Self::SetAttestors { .. }
                | Self::SetGuardian { .. }
                | Self::SetMarketOwner { .. }
                | Self::SetSequencerFeed { .. }
                | Self::HandOver { .. }
        )
    }

    /// Whose right it is. A model is the owner's to end or to withdraw as well as the guardian's.
    pub fn sender(&self, roles: &Roles, wallet: Option<Address>) -> Address {
        match self {
            Self::EndModel { .. } | Self::VetoModel { .. } if wallet == Some(roles.owner) => roles.owner,
            Self::ProposeModel(_) => roles.owner,
            _ if self.is_timelocked() => roles.owner,
            _ => roles.guardian,
        }
    }

    /// What is missing, in order, for a wallet.
    pub fn steps(&self, contract: Address, roles: &Roles, standing: &OwnerState, wallet: Option<Address>) -> Vec<Step> {
        let sender = self.sender(roles, wallet);
        let mut steps: Vec<Step> = Vec::new();
        let mut step = |name: String, sender: Address, to: Address, data: Bytes, ripe_at: Option<u64>| {
            let blocked = match ripe_at {
                _ if !steps.is_empty() => Some(Blocked::Earlier),
                Some(ripe_at) if ripe_at > roles.now_seconds => Some(Blocked::Until(ripe_at)),
                _ => (Some(sender) != wallet).then_some(Blocked::Sender),
            };
            steps.push(Step { name, sender, to, data, needs_proof: false, ripe_at, blocked });
        };
        let mut ripe_at = None;
        if let Self::ProposeModel(proposal) = self
            && standing.lacks_verifier
        {
            let anybody = wallet.unwrap_or(sender);
            step("create the model's verifier".into(), anybody, CREATE2_DEPLOYER, proposal.verifier.clone(), None);
        }
        if self.is_timelocked() {
            let ready_at = standing.ready_at;
            let is_announced = ready_at != 0 && roles.now_seconds <= ready_at.saturating_add(LIFETIME_SECONDS);
            if !is_announced {
                let announce = RiskOracle::scheduleCall { data: self.data() }.abi_encode();
                step(format!("announce: {}", self.name()), sender, contract, announce.into(), None);
            }
            let if_announced_now =
                roles.now_seconds.saturating_add(roles.timelock_seconds).saturating_add(TRIAL_SECONDS);
            let ripe = if is_announced { ready_at } else { if_announced_now };
            ripe_at = Some(ripe);
            if let Self::HandOver { new_owner } = self
                && standing.asked_until <= ripe.max(roles.now_seconds)
            {
                let ask = RiskOracle::requestOwnershipHandoverCall {}.abi_encode();
                step("ask for the ownership".into(), *new_owner, contract, ask.into(), ripe_at);
            }
        }
        step(self.name(), sender, contract, self.data(), ripe_at);
        steps
    }
}

impl Reader {
    /// Who has rights at a contract: an oracle, or its registry, which has the attestors.
    ///
    /// # Errors
    /// [`ActionError::NoContract`], else [`ActionError`].
    pub async fn roles(&self, contract: Address, registry: Address) -> Result<Roles, ActionError> {
        if !self.has_code(contract).await? {
            return Err(ActionError::NoContract(contract));
        }
        let contract = RiskOracle::new(contract, &self.provider);
        let set = ModelRegistry::new(registry, &self.provider).attestorSet().call().await?;
        Ok(Roles {
            owner: contract.owner().call().await?,
            guardian: contract.guardian().call().await?,
            timelock_seconds: contract.timelockSeconds().call().await?.saturating_to(),
            attestor_set_version: set.version,
            threshold: set.threshold,
            now_seconds: self.next_block_seconds().await?,
        })
    }

    /// How far the use of a right is.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn standing(
        &self,
        contract: Address,
        operation: &Operation,
        sender: Address,
    ) -> Result<OwnerState, ChainError> {
        let contract = RiskOracle::new(contract, &self.provider);
        let id = contract.operationOf(sender, operation.data()).call().await?;
        let asked_until = match operation {
            Operation::HandOver { new_owner } => contract.ownershipHandoverExpiresAt(*new_owner).call().await?,
            _ => U256::ZERO,
        };
        Ok(OwnerState {
            id,
            ready_at: contract.readyAt(id).call().await?.saturating_to(),
            asked_until: asked_until.saturating_to(),
            lacks_verifier: match operation {
                Operation::ProposeModel(proposal) => !self.has_code(proposal.spec.verifier).await?,
                _ => false,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORACLE: Address = Address::repeat_byte(1);
    const OWNER: Address = Address::repeat_byte(2);
    const GUARDIAN: Address = Address::repeat_byte(3);
    const NOW: u64 = 1_767_571_200;
    const TIMELOCK: u64 = 172_800;

    fn roles() -> Roles {
        Roles {
            owner: OWNER,
            guardian: GUARDIAN,
            timelock_seconds: TIMELOCK,
            attestor_set_version: 1,
            threshold: 1,
            now_seconds: NOW,
        }
    }

    fn steps(
        operation: &Operation,
        ready_at: u64,
        asked_until: u64,
        wallet: Address,
    ) -> Vec<(Address, Option<Blocked>)> {
        let standing = OwnerState { id: B256::ZERO, ready_at, asked_until, lacks_verifier: false };
        let steps = operation.steps(ORACLE, &roles(), &standing, Some(wallet));
        steps.into_iter().map(|step| (step.sender, step.blocked)).collect()
    }

    #[test]
    fn a_market_is_named_or_identified() {
        let id = keccak256("BTC-USD");
        assert_eq!("BTC-USD".parse::<MarketId>().unwrap().id, id);
        assert_eq!(id.to_string().parse::<MarketId>().unwrap().id, id);
        assert!("0x12".parse::<MarketId>().is_err());
    }

    #[test]
    fn a_right_of_the_guardian_is_used_at_once() {
        let veto = Operation::Veto { operation: B256::ZERO };
        assert_eq!(steps(&veto, 0, 0, GUARDIAN), [(GUARDIAN, None)]);
        assert_eq!(steps(&veto, 0, 0, OWNER), [(GUARDIAN, Some(Blocked::Sender))]);
        let end = Operation::EndModel { model_id: B256::ZERO };
        assert_eq!(steps(&end, 0, 0, OWNER), [(OWNER, None)]);
        assert_eq!(steps(&end, 0, 0, GUARDIAN), [(GUARDIAN, None)]);
    }

    #[test]
    fn a_right_of_the_owner_is_announced_and_used_when_it_is_ripe_and_not_lapsed() {
        let set = Operation::SetGuardian { guardian: ORACLE };
        assert_eq!(steps(&set, 0, 0, OWNER), [(OWNER, None), (OWNER, Some(Blocked::Earlier))]);
        assert_eq!(steps(&set, NOW + 1, 0, OWNER), [(OWNER, Some(Blocked::Until(NOW + 1)))]);
        assert_eq!(steps(&set, NOW, 0, OWNER), [(OWNER, None)]);
        assert_eq!(steps(&set, NOW, 0, GUARDIAN), [(OWNER, Some(Blocked::Sender))]);
        assert_eq!(steps(&set, NOW - LIFETIME_SECONDS, 0, OWNER), [(OWNER, None)]);
        assert_eq!(steps(&set, NOW - LIFETIME_SECONDS - 1, 0, OWNER).len(), 2, "it has lapsed");
    }

    #[test]
    fn a_new_owner_asks_before_they_are_made_one() {
        let hand_over = Operation::HandOver { new_owner: ORACLE };
        let senders = |ready_at, asked_until| {
            steps(&hand_over, ready_at, asked_until, OWNER).into_iter().map(|(sender, _)| sender).collect::<Vec<_>>()
        };
        assert_eq!(senders(0, 0), [OWNER, ORACLE, OWNER]);
        assert_eq!(senders(NOW, 0), [ORACLE, OWNER]);
        assert_eq!(senders(NOW, NOW + 1), [OWNER]);
        assert_eq!(senders(NOW + TIMELOCK, NOW + 1), [ORACLE, OWNER], "what was asked lapses before");
    }
}
