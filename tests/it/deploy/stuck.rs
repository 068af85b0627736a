//! Transactions that are not mined.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use super::{Bare, STEPS};
use crate::proxy::{Proxy, RpcFaultMode, SEND, tip_wei};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_past_a_transaction_that_is_not_mined_yet() {
    let bare = Bare::new().await;
    bare.anvil.request("evm_setAutomine", json!([false])).await.unwrap();
    let mut child = bare.command(&[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while bare.wallet.is_idle().await.unwrap() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    bare.refused(&[], "VR-DEPLOY-007");
    bare.anvil.request("evm_setAutomine", json!([true])).await.unwrap();
    bare.anvil.request("evm_mine", json!([])).await.unwrap();
    assert_eq!((bare.deploy(&[]).0, bare.nonce().await), (0, STEPS));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_underpriced_transaction_is_replaced_as_the_advice_says() {
    let bare = Bare::new().await;
    let minimum_wei = 3_000_000_000;
    let proxy = Proxy::start(&bare.anvil.rpc_url, RpcFaultMode::MinimumTip(minimum_wei)).await;
    bare.settle(&proxy.url, None);
    let (code, said) = tokio::task::block_in_place(|| bare.deploy(&[]));
    assert_eq!((code, said["sent"].as_array().unwrap().len() as u64, bare.nonce().await), (0, STEPS, STEPS));
    let tips: Vec<u128> = proxy.asked(SEND).iter().map(|params| tip_wei(&params[0])).collect();
    assert_eq!(tips.len() as u64, 2 * STEPS, "refused once, then taken: {tips:?}");
    assert!(tips.chunks(2).all(|pair| pair[0] < minimum_wei && pair[1] == minimum_wei), "{tips:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_nobody_mines_is_replaced() {
    let bare = Bare::new().await;
    let proxy = Proxy::start(&bare.anvil.rpc_url, RpcFaultMode::Fair).await;
    bare.settle(&proxy.url, None);
    bare.anvil.request("evm_setAutomine", json!([false])).await.unwrap();
    let mut command = bare.command(&[]);
    let mut child = command.env("VERIREGIME__CHAIN__REPLACE_AFTER_SECONDS", "1").stdout(Stdio::null()).spawn().unwrap();
    while proxy.asked(SEND).len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let tips: Vec<u128> = proxy.asked(SEND).iter().map(|params| tip_wei(&params[0])).collect();
    assert!(tips[1] > tips[0], "{tips:?}");
    bare.anvil.request("evm_setAutomine", json!([true])).await.unwrap();
    bare.anvil.request("evm_mine", json!([])).await.unwrap();
    let status = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
    assert!(status.success());
    assert_eq!(bare.nonce().await, STEPS);
}
