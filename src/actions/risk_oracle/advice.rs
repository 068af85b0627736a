//! What to do about each of the contracts' errors.

use super::abi::oracle::RiskOracle::RiskOracleErrors;
use super::abi::registry::ModelRegistry::ModelRegistryErrors;
use crate::attestation::error::NOT_ATTESTOR_HINT;

const REPORT: &str = "report it with the error: this program makes no call that meets it";
const TO_THE_BUNDLE: &str = "point model.bundle at the model that the contract runs: the update is not of its form";
const ROLE: &str = "`admin show` names who has the right: send it with their key, or hand them what `--dry-run` prints";

/// What to do about the error that revert data holds; `None` for what is no error of oracle and registry.
pub(crate) fn about(data: &[u8]) -> Option<&'static str> {
    let selector = *data.first_chunk::<4>()?;
    let name = RiskOracleErrors::name_by_selector(selector).or(ModelRegistryErrors::name_by_selector(selector))?;
    of(name)
}

fn of(error: &str) -> Option<&'static str> {
    Some(match error {
        // Rights and the timelock.
        "AlreadyScheduled" => "nothing: it is announced; `admin show` says from when on it can be made",
        "NotScheduled" => {
            "announce this very call first, or announce it anew: it was refused, used up, or never announced"
        }
        "NotReady" => "wait until `readyAt`; two weeks after that it has lapsed and is announced anew",
        "NotGuardian" | "Unauthorized" => ROLE,
        "NotMarketOwner" => "send it with the market owner's key; `admin set-market-owner` replaces one that is lost",
        "NoHandoverRequest" => {
            "let the new owner ask first, within two days before: `admin hand-over` prints its transaction"
        }
        "NewOwnerIsZeroAddress" => "name an owner",
        "TimelockTooShort" => "give --timelock at least a day",
        // Markets and policies.
        "InvalidBounds" => "correct that field in the policy file's [bounds]",
        "InvalidPolicy" => {
            "correct that field in the policy file: it contradicts the bounds, or the rest of the policy"
        }
        "MarketAlreadyRegistered" => "nothing: the market is there, and its bounds never change",
        "UnknownMarket" => "check the market's name; `deploy` registers the markets of its model",
        "PauseTooLong" => {
            "pause until `latest` at most: a week in all, of which each hour without a pause gives back an hour"
        }
        "ParamsUnset" => "wait for the market's first update",
        "ParamsWithheld" => "wait until the pause is over, or the sequencer has been up for five minutes",
        "StaleParams" => "find out why updates have stopped: `status`",
        // Models and attestors.
        "ForeignModel" => {
            "use a model that this contract takes: a regime's with a period of a day at most, or that of the vault's terms"
        }
        "InvalidAttestors" => "name each attestor once, and a threshold of one to their number",
        "InvalidModelSpec" => "build the bundle anew: the registry cannot use that field",
        "ModelAlreadyRegistered" => {
            "nothing: it is proposed, active or in its overlap; `admin show` names what is announced"
        }
        "ModelNotActive" => "`deploy` the bundle's model, or point model.bundle at the one that serves the market",
        "ModelNotProposed" => "propose it first: it was withdrawn, activated, or never proposed",
        "ModelNotReady" => "wait until `readyAt`; two weeks after that it has lapsed and is proposed anew",
        "SmokeTestFailed" => {
            "do not use this verifier: it takes a forged proof, or refuses a true one; build the bundle anew"
        }
        "UnknownModel" => "`deploy` the bundle's model first",
        "VerifierCodeChanged" => "use nothing of this verifier: its code is not what was compiled",
        // Updates.
        "NothingApplied" => {
            "nothing where all markets have their update; else give the model's markets a policy (`deploy`)"
        }
        "StalePeriod" => "nothing: the period is over, and the next one begins anew",
        "FuturePeriod" => "check this machine's clock and whether the node is in sync",
        "NotAttestor" => NOT_ATTESTOR_HINT,
        "InvalidAttestation" => {
            "compare chain id, registry and program version with that attestor's: it signed something else"
        }
        "InvalidProof" => "`doctor` compares keys and verifier with the bundle; if they are right, prove again",
        "NotEnoughGas" => "send it with more gas: the verifier must get its share",
        "AlreadyInitialized" | "MalformedAttestations" | "SignersNotAscending" => REPORT,
        "FeaturesLengthMismatch"
        | "OutputsLengthMismatch"
        | "ProofLengthMismatch"
        | "FeatureOutOfRange"
        | "OutputOutOfRange"
        | "InvalidOmittedMarkets"
        | "OmittedMarketNotNeutral" => TO_THE_BUNDLE,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use alloy::sol_types::SolInterface;

    use super::*;

    #[test]
    fn every_error_of_the_contracts_has_advice() {
        let errors = RiskOracleErrors::selectors().chain(ModelRegistryErrors::selectors());
        let without: Vec<_> = errors.filter(|selector| about(selector).is_none()).collect();
        assert!(without.is_empty(), "{without:?}");
        assert_eq!((about(&[]), about(&[1, 2, 3, 4])), (None, None));
    }
}
