//! Markets that an update has passed by, and that it would serve now.

use alloy::primitives::{B256, U256, keccak256};
use alloy::sol_types::SolValue;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use veriregime_agent::chain::envelope::calldata;
use veriregime_agent::node::assemble;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::omission::OmittedMarkets;

use super::{DATABASE, enter, masks, said, served, world};
use crate::world::FIRST;

/// Where the oracle keeps a market: its mapping, and within the market its policy and the two words of its state.
const MARKETS_SLOT: u64 = 3;
const POLICY_AND_STATE: [u64; 3] = [2, 3, 4];

#[tokio::test(flavor = "multi_thread")]
async fn a_market_that_got_its_policy_after_the_update_is_served_in_the_same_period() {
    let (world, _exchange) = world().await;
    let oracle = world.config.chain.oracle.unwrap();
    let eth = assemble::expected(&world.chain.bundle).unwrap().markets[1];
    // ETH's policy is taken away, and given back once the update has landed.
    let first = U256::from_be_bytes(keccak256((eth, U256::from(MARKETS_SLOT)).abi_encode()).0);
    let slots = POLICY_AND_STATE.map(|offset| B256::from(first + U256::from(offset)));
    let mut kept = Vec::new();
    for slot in slots {
        kept.push(world.chain.anvil.request("eth_getStorageAt", json!([oracle, slot, "latest"])).await.unwrap());
        world.chain.anvil.request("anvil_setStorageAt", json!([oracle, slot, B256::ZERO])).await.unwrap();
    }
    let mut agent = world.agent(DATABASE).await;
    enter(&world, FIRST, 15_000).await;
    let stop = CancellationToken::new();
    let record = agent.run(FIRST, &stop).await.unwrap();
    assert_eq!((record.stage, record.omitted_markets()), (Stage::Confirmed, OmittedMarkets::NONE));
    assert_eq!(masks(&world, FIRST).await, [0]);
    let nonce = agent.chain.nonce().await.unwrap();
    agent.watch_over(FIRST, &stop).await.unwrap();
    assert_eq!(agent.chain.nonce().await.unwrap(), nonce, "nothing waits, and nothing is sent");

    for (slot, word) in slots.iter().zip(&kept) {
        world.chain.anvil.request("anvil_setStorageAt", json!([oracle, slot, word])).await.unwrap();
    }
    assert_eq!(served(&world).await, [FIRST.0, 0]);
    // A node that ends between signing and sending goes on from there.
    drop(agent);
    let mut agent = world.agent(DATABASE).await;
    agent.watch_over(FIRST, &stop).await.unwrap();
    assert_eq!((masks(&world, FIRST).await, served(&world).await), (vec![0, 0], [FIRST.0; 2]));
    let after = agent.store.cycle(agent.job(), FIRST).unwrap().unwrap();
    assert_eq!((after.stage, after.landed), (Stage::Confirmed, record.landed), "the same forecast, and the first update");
    let attempts = agent.store.attempts(agent.job(), FIRST).unwrap();
    assert_eq!(calldata(&attempts[0]).unwrap(), calldata(&attempts[1]).unwrap(), "the same update");
    agent.watch_over(FIRST, &stop).await.unwrap();
    assert_eq!(agent.chain.nonce().await.unwrap(), nonce + 1, "once");
    let (code, audit) = said(&world, &["audit", "--period", &FIRST.0.to_string()]);
    assert_eq!(code, 0, "{audit}");
}
