//! What an update has left out, made good within its period.

use alloy::primitives::{B256, U256, keccak256};
use alloy::sol_types::SolValue;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use veriregime_agent::chain::envelope::calldata;
use veriregime_agent::node::assemble;
use veriregime_agent::state::Step;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::omission::OmittedMarkets;

use super::{DATABASE, OMITS_ETH, enter, masks, run_late, said, served, world};
use crate::bad_exchange::ExchangeFaultMode;
use crate::world::FIRST;

/// Where the oracle keeps a market: its mapping, and within the market its policy and the two words of its state.
const MARKETS_SLOT: u64 = 3;
const POLICY_AND_STATE: [u64; 3] = [2, 3, 4];

#[tokio::test(flavor = "multi_thread")]
async fn a_market_that_got_its_policy_after_the_update_is_served_in_the_same_period() {
    let (world, _exchange) = world().await;
    let oracle = world.config.chain.oracle.unwrap();
    let eth = assemble::expected(&world.chain.bundle, Way::Ezkl).unwrap().markets[1];
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
    let attempts = agent.store.attempts(agent.job(), FIRST).unwrap();
    assert_eq!((after.stage, after.landed.unwrap().hash), (Stage::Confirmed, attempts[1].hash));
    assert_eq!(calldata(&attempts[0]).unwrap(), calldata(&attempts[1]).unwrap(), "the same update");
    agent.watch_over(FIRST, &stop).await.unwrap();
    assert_eq!(agent.chain.nonce().await.unwrap(), nonce + 1, "once");
    let (code, audit) = said(&world, &["audit", "--period", &FIRST.0.to_string()]);
    assert_eq!(code, 0, "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_whose_candles_come_late_is_served_in_the_same_period_by_the_node_that_omitted_it() {
    let (world, exchange) = world().await;
    let mut agent = world.agent(DATABASE).await;
    exchange.delist_eth();
    let omitting = run_late(&world, (DATABASE, &mut agent), FIRST, 15_000).await;
    assert_eq!((omitting.stage, omitting.omitted_markets()), (Stage::Confirmed, OMITS_ETH));
    let (stop, nonce) = (CancellationToken::new(), agent.chain.nonce().await.unwrap());
    agent.watch_over(FIRST, &stop).await.unwrap();
    let waiting = agent.store.cycle(agent.job(), FIRST).unwrap().unwrap();
    assert_eq!((waiting.stage, waiting.landed), (Stage::Confirmed, omitting.landed), "nothing has come of it yet");
    assert_eq!(agent.chain.nonce().await.unwrap(), nonce);

    let oracle = world.config.chain.oracle.unwrap();
    let btc = assemble::expected(&world.chain.bundle, Way::Ezkl).unwrap().markets[0];
    let before = agent.chain.read.params(oracle, btc).await.unwrap().current;
    exchange.eth.set(ExchangeFaultMode::None);
    agent.watch_over(FIRST, &stop).await.unwrap();
    assert_eq!((masks(&world, FIRST).await, served(&world).await), (vec![2, 0], [FIRST.0; 2]));
    let record = agent.store.cycle(agent.job(), FIRST).unwrap().unwrap();
    assert_eq!((record.stage, record.omitted_markets()), (Stage::Confirmed, OmittedMarkets::NONE));
    assert_ne!(record.landed, omitting.landed, "it is the later one's");
    assert_eq!(record.candles[0], omitting.candles[0], "of the market that was served nothing is asked again");
    let after = agent.chain.read.params(oracle, btc).await.unwrap().current;
    assert_eq!(after.updatedAt, before.updatedAt, "and it is left alone");
    agent.watch_over(FIRST, &stop).await.unwrap();
    assert_eq!(agent.chain.nonce().await.unwrap(), nonce + 1, "once");
    let (code, audit) = said(&world, &["audit", "--period", &FIRST.0.to_string()]);
    assert_eq!((code, audit.as_array().unwrap().len()), (0, 2), "{audit}");
    let file = agent.evidence.file(record.evidence.expect("evidence was left"));
    let (code, report) = said(&world, &["verify-bundle", file.to_str().unwrap()]);
    assert_eq!((code, &report["verdict"]), (0, &json!("match")), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_made_good_in_time_takes_nothing_from_what_has_landed() {
    let (world, exchange) = world().await;
    let mut agent = world.agent(DATABASE).await;
    exchange.delist_eth();
    let omitting = run_late(&world, (DATABASE, &mut agent), FIRST, 15_000).await;
    let origin = omitting.origin.clone().unwrap();
    let candles = agent.store.candles(agent.job(), FIRST).unwrap();
    let series = [Some(agent.regime().unwrap().model.window(&candles[0], FIRST).unwrap()), None];
    // The node ends just after it has begun again, and comes back in the next period.
    let begun = agent.store.advance(agent.job(), FIRST, &Step::Recollected(&series, &origin), 9).unwrap();
    assert_eq!((begun.stage, begun.forecast.is_none(), begun.landed), (Stage::Collected, true, omitting.landed));
    enter(&world, FIRST.next(), 15_000).await;
    agent.settle(&world.config.schedule.cron.clone()).await.unwrap();
    let record = agent.store.cycle(agent.job(), FIRST).unwrap().unwrap();
    assert_eq!((record.stage, record.landed, record.miss), (Stage::Confirmed, omitting.landed, None));
}
