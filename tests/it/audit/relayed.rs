//! Updates that a contract relayed, whoever meant what by that.

use alloy::network::TransactionBuilder;
use alloy::primitives::Address;
use alloy::rpc::types::TransactionRequest;
use alloy::sol_types::SolCall;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use veriregime_agent::actions::risk_oracle::abi::oracle::RiskOracle;
use veriregime_agent::job::Agent;
use veriregime_agent::node::assemble;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::period::PeriodId;

use super::audit;
use crate::proxy::{Proxy, RpcFaultMode};
use crate::world::{FIRST, World};

/// Runtime code that calls the contract in the first word of its calldata with the rest of it.
const RELAY: &str = "0x60203603806020600037600060009160006000600035 5af115601d57005b60006000fd";
/// The same, but what it passes on stands inverted in its calldata, bit by bit.
const HIDING_RELAY: &str = "0x602036036000 5b81811015601d57806020013519815260200160065600 5b50 6000600091 60006000600035 5af115603257005b60006000fd";

/// Lands the update of `call` through a contract of that code; `tail` stands behind it.
async fn relay(world: &World, code: &str, call: &[u8], tail: &[u8]) -> Address {
    let relay = Address::repeat_byte(0x77);
    let code = code.replace(' ', "");
    world.chain.anvil.request("anvil_setCode", json!([relay, code])).await.unwrap();
    let padded = [call, &vec![0; call.len().next_multiple_of(32) - call.len()]].concat();
    let oracle = world.config.chain.oracle.unwrap().into_word();
    let input = [oracle.as_slice(), &padded, tail].concat();
    world.chain.owner.send(TransactionRequest::default().with_to(relay).with_input(input)).await.unwrap();
    relay
}

/// The call of an operator that has not sent it yet.
async fn call_of(agent: &mut Agent, period: PeriodId) -> Vec<u8> {
    let record = agent.run_until(Stage::Proved, period, &CancellationToken::new()).await.unwrap();
    let (forecast, proof) = (record.forecast.unwrap(), record.proof.unwrap());
    let model_id = agent.action.model_id(&agent.chain.read).await.unwrap();
    let attestations = agent.attestations(model_id, period, &forecast).await.unwrap();
    agent.action.call(model_id, period, &forecast, &proof, [&attestations, &[]]).data.to_vec()
}

/// The call with signatures that are another's, no key's, and as long as only a contract's is.
fn decoys_of(call: &[u8]) -> Vec<u8> {
    let call = RiskOracle::submitCall::abi_decode(call).unwrap();
    let (head, signature) = call.update.attestations.split_at(22);
    assert_eq!(signature.len(), 65);
    let another_s = [&signature[..40], &[signature[40] ^ 1], &signature[41..]].concat();
    let (no_key_s, a_contract_s) = ([vec![0xff; 64], vec![27]].concat(), [signature, &[0]].concat());
    let decoys = [another_s, no_key_s, a_contract_s].map(|signature| {
        let length = (signature.len() as u16).to_be_bytes();
        let mut decoy = call.clone();
        decoy.update.attestations = [&head[..20], &length, &signature].concat().into();
        decoy.abi_encode()
    });
    decoys.concat()
}

fn inverted(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| !byte).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_a_front_runner_wraps_is_audited_to_the_last_signature() {
    let mut world = World::new().await;
    let mut agent = world.agent("operator").await;
    world.enter(FIRST).await;
    let call = call_of(&mut agent, FIRST).await;
    let relayer = relay(&world, RELAY, &call, &[]).await;
    let record = agent.run(FIRST, &CancellationToken::new()).await.unwrap();
    assert_eq!(record.stage, Stage::AlreadyByOther);
    let proven = |reports: &Value| {
        let checked = reports[0]["checked"].to_string();
        assert!(checked.contains("the proof under the bundle") && checked.contains("1 of 1 signatures"), "{reports}");
        assert_eq!(reports[0]["not_checked"], json!([]), "{reports}");
    };
    let (code, reports) = audit(&world, FIRST);
    assert_eq!((code, &reports[0]["verdict"]), (0, &Value::from("match")), "{reports}");
    proven(&reports);
    let (oracle, model_id) = (world.config.chain.oracle.unwrap(), world.chain.deployment.model_id);
    let update = assemble::reader(&world.config)
        .unwrap()
        .published(oracle, model_id, world.config.grid(), FIRST)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((update.relayer, update.arguments.is_some()), (relayer, true));

    // Hidden from whoever reads the transaction, beside some that look like it and are signed by nobody: the trace shows it.
    let second = FIRST.next();
    world.enter(second).await;
    let call = call_of(&mut agent, second).await;
    relay(&world, HIDING_RELAY, &inverted(&call), &decoys_of(&call)).await;
    let (code, reports) = audit(&world, second);
    assert_eq!((code, &reports[0]["verdict"]), (0, &Value::from("match")), "{reports}");
    proven(&reports);

    // A node that does not trace leaves proof and signatures open, and says so; the rest is checked by the event.
    let third = second.next();
    world.enter(third).await;
    let call = call_of(&mut agent, third).await;
    relay(&world, HIDING_RELAY, &inverted(&call), &[]).await;
    let proxy = Proxy::start(world.config.chain.rpc_url(), RpcFaultMode::Fair).await;
    proxy.set(RpcFaultMode::Says("the method debug_traceTransaction does not exist"), Some("debug_traceTransaction"));
    world.config.chain.use_rpc(proxy.url.clone());
    let (code, reports) = audit(&world, third);
    assert_eq!((code, &reports[0]["verdict"]), (0, &Value::from("match")), "{reports}");
    assert!(reports[0]["not_checked"].to_string().contains("the proof: a contract relayed"), "{reports}");
    assert_eq!(reports[0]["attestors"][0]["in_set"], true, "{reports}");
    agent.prover.stop().await;
}
