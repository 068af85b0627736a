//! The call of `submit` behind an update that another contract relayed: wherever it stands in the transaction, or, where the
//! relaying contract made it itself, in the RPC's trace of it.

use alloy::hex;
use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::providers::Provider;
use alloy::sol_types::SolCall;
use serde_json::json;
use serde_json::value::RawValue;

use super::abi::oracle::IModelRegistry;
use super::abi::oracle::RiskOracle;
use super::abi::registry::ModelRegistry;
use super::packed::{pack_features, pack_outputs};
use super::published::signatures;
use super::update::submitted;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use veriregime_core::types::update::{Arguments, PublishedUpdate};

/// Most places that are looked at: nobody has a reason to repeat a call in one transaction more often.
const MAX_PLACES: usize = 256;
/// Most calls of a trace that are looked at.
const MAX_CALLS: usize = 10_000;

impl Reader {
    /// The arguments with which an update was relayed; `None` where transaction and RPC do not show them. Whoever relays may
    /// put calls beside the true one that look like it: one whose signatures hold comes before all others, and one with
    /// signatures that only a contract can judge before those that do not.
    pub(super) async fn relayed(
        &self,
        oracle: Address,
        update: &PublishedUpdate,
        calldata: &[u8],
    ) -> Result<Option<Arguments>, ChainError> {
        let mut found = Vec::new();
        search(calldata, update, &mut found);
        let written = self.best_signed(oracle, update, &found).await?;
        if let Some((arguments, true)) = written {
            return Ok(Some(arguments));
        }
        for input in inputs(&self.trace(update.transaction).await?).take(MAX_CALLS) {
            search(&input, update, &mut found);
        }
        let traced = self.best_signed(oracle, update, &found).await?;
        Ok(traced.map(|(arguments, _)| arguments).or(found.into_iter().next()))
    }

    /// A transaction's calls as the RPC tells them; nothing where it does not tell.
    async fn trace(&self, transaction: B256) -> Result<String, ChainError> {
        let wanted = (transaction, json!({"tracer": "callTracer"}));
        let asked: Result<Box<RawValue>, _> = self.provider.raw_request("debug_traceTransaction".into(), wanted).await;
        match asked.map_err(ChainError::from) {
            Ok(trace) => Ok(trace.get().to_owned()),
            Err(fault @ ChainError::Unreachable(_)) => Err(fault),
            // Most public nodes do not trace, and say so in many ways.
            Err(_) => Ok(String::new()),
        }
    }

    /// The arguments whose signatures say most for them, and whether each is known to be its signer's; `None` where one of
    /// each does not hold.
    async fn best_signed(
        &self,
        oracle: Address,
        update: &PublishedUpdate,
        found: &[Arguments],
    ) -> Result<Option<(Arguments, bool)>, ChainError> {
        if found.is_empty() {
            return Ok(None);
        }
        let registry = self.registry_of(oracle).await?;
        let contract = ModelRegistry::new(registry, &self.provider);
        let (features, outputs) = (pack_features(&update.candle_features), pack_outputs(&update.outputs));
        let instances: Vec<U256> =
            contract.instancesOf(update.model_id, update.period.0, features, outputs).call().await?;
        let signed = |arguments: &Arguments| {
            let checks = signatures(self.chain_id(), registry, update, arguments, &instances).ok()?;
            let hold = checks.iter().all(|check| check.signed != Some(false))
                && checks.iter().map(|check| check.attestor).eq(update.signers.iter().copied());
            hold.then(|| (arguments.clone(), checks.iter().all(|check| check.signed == Some(true))))
        };
        Ok(found.iter().filter_map(signed).max_by_key(|(_, known)| *known))
    }
}

/// Adds the arguments of each call in these bytes that brings just what the event tells.
fn search(bytes: &[u8], update: &PublishedUpdate, found: &mut Vec<Arguments>) {
    let selector = RiskOracle::submitCall::SELECTOR;
    let places = bytes.windows(selector.len()).enumerate().filter(|(_, window)| *window == selector);
    for (at, _) in places.take(MAX_PLACES) {
        let Some(call) = submitted(&bytes[at..]).filter(|call| is_told(call, update)) else { continue };
        let arguments = Arguments { proof: call.proof, attestations: call.attestations };
        if found.len() < MAX_PLACES && !found.contains(&arguments) {
            found.push(arguments);
        }
    }
}

fn is_told(call: &IModelRegistry::Update, update: &PublishedUpdate) -> bool {
    call.modelId == update.model_id
        && call.period == update.period.0
        && call.omittedMarkets == U256::from(update.omitted_markets.bits())
        && call.features == pack_features(&update.candle_features)
        && call.outputs == pack_outputs(&update.outputs)
        && keccak256(&call.proof) == update.proof_hash
}

/// What the calls of a trace were given. Taken from the text: calls may be nested deeper than a parser likes to go.
fn inputs(trace: &str) -> impl Iterator<Item = Vec<u8>> {
    trace.split(r#""input""#).skip(1).filter_map(|rest| {
        let value = rest.trim_start_matches([':', ' ', '\t', '\n', '\r']).strip_prefix('"')?;
        hex::decode(value.split('"').next()?).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::risk_oracle::update::Update;
    use veriregime_core::types::omission::OmittedMarkets;
    use veriregime_core::types::period::PeriodId;

    const ORACLE: Address = Address::repeat_byte(1);

    fn told() -> PublishedUpdate {
        PublishedUpdate {
            model_id: B256::repeat_byte(7),
            period: PeriodId(5),
            relayer: Address::repeat_byte(2),
            omitted_markets: OmittedMarkets::NONE,
            candle_features: Vec::new(),
            outputs: Vec::new(),
            proof_hash: keccak256([3; 40]),
            attestor_set_version: 1,
            transaction: B256::ZERO,
            block: 1,
            arguments: None,
            signers: Vec::new(),
        }
    }

    fn call(proof: [u8; 40]) -> Vec<u8> {
        let update = Update {
            model_id: B256::repeat_byte(7),
            period: PeriodId(5),
            omitted: OmittedMarkets::NONE,
            features: &[],
            outputs: &[],
            proof: &proof.to_vec().into(),
            attestations: &[],
        };
        update.call(ORACLE).data.to_vec()
    }

    #[test]
    fn a_call_is_found_wherever_it_stands_and_no_other_is_taken_for_it() {
        let (true_one, other) = (call([3; 40]), call([4; 40]));
        for (before, after) in [(vec![], vec![]), (vec![9; 5], vec![]), (other.clone(), vec![1; 3]), (vec![], other)] {
            let mut found = Vec::new();
            search(&[before, true_one.clone(), after].concat(), &told(), &mut found);
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].proof, vec![3; 40]);
        }
        let mut found = Vec::new();
        search(&true_one[..true_one.len() - 64], &told(), &mut found);
        search(&RiskOracle::submitCall::SELECTOR.repeat(MAX_PLACES * 4), &told(), &mut found);
        assert!(found.is_empty());
    }

    #[test]
    fn inputs_are_read_however_deep_and_whatever_is_beside_them() {
        let deep = format!("{}{}", r#"{"calls":[{"input" : "0x0102","#.repeat(2_000), r#""input":"0xzz"}"#);
        assert_eq!(inputs(&deep).count(), 2_000);
        assert!(inputs(&deep).all(|input| input == [1, 2]));
        assert_eq!(inputs(r#"{"output":"0x01"}"#).count() + inputs(r#""input""#).count() + inputs("").count(), 0);
    }
}
