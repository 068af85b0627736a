use std::collections::HashMap;

use super::*;

fn with(pairs: &[(&str, &str)]) -> Result<Config, ConfigFault> {
    let pairs: HashMap<String, String> = pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    check(load_raw(None, Environment::default().source(Some(pairs)))?)
}

#[test]
fn the_defaults_are_valid_and_the_environment_overrides_them() {
    let config = with(&[("VERIREGIME__CHAIN__RPC_URL", "http://node:1")]).unwrap();
    assert_eq!(config.chain.rpc_url().as_str(), "http://node:1/");
    assert_eq!(config.schedule.delay_ms, 15_000);
}

#[test]
fn what_is_deployed_with_is_valid() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/agent.toml");
    let config = check(load_raw(Some(&path), Environment::default().source(Some(HashMap::new()))).unwrap()).unwrap();
    assert!(config.api.listen.is_some() && !is_development(config.chain.chain_id));
}

#[test]
fn what_means_nothing_is_refused_by_name() {
    let cases = [
        (("VERIREGIME__CHAIN__RPC_ULR", "http://x"), "rpc_ulr"),
        (("VERIREGIME__CHAIN__RPC_URL", "ftp://x"), "chain.rpc_url"),
        (("VERIREGIME__CHAIN__RPC_URL", "http://x,http://x"), "chain.rpc_url"),
        (("VERIREGIME__CHAIN__ORACLE", "0x12"), "chain.oracle"),
        (("VERIREGIME__CHAIN__CONFIRMATIONS", "0"), "chain.confirmations"),
        (("VERIREGIME__CHAIN__MAX_CANCEL_FEE_PER_GAS_GWEI", "1"), "chain.max_cancel_fee_per_gas_gwei"),
        (("VERIREGIME__SCHEDULE__CRON", "0 */4 * * *"), "schedule.cron"),
        (("VERIREGIME__SCHEDULE__CRON", "0 0 0 * * 1"), "schedule.cron"),
        (("VERIREGIME__SCHEDULE__DELAY_SECONDS", "14400"), "schedule.delay_seconds"),
        (("VERIREGIME__PROVER__TIMEOUT_SECONDS", "0"), "prover.timeout_seconds"),
    ];
    for (pair, named) in cases {
        let message = with(&[pair]).expect_err(named).to_string();
        assert!(message.contains(named), "{message}");
    }
}

const COINBASE: &str = "[candles.sources.coinbase]\nexchange = \"coinbase\"\nsymbols = { \"BTC-USD\" = \"BTC-USD\" }\n";

#[test]
fn without_a_policy_there_is_one_source() {
    let candles = with(&[("VERIREGIME__CANDLES__BASE_URL", "http://mirror:1")]).unwrap().candles;
    assert_eq!(candles.order, ["binance"]);
    assert_eq!(candles.sources["binance"].base_url.as_ref().unwrap().as_str(), "http://mirror:1/");
    assert!(candles.cross_check.is_none() && candles.sources["binance"].symbols.is_none());
}

#[test]
fn a_policy_names_its_sources_and_their_symbols() {
    let policy = "[candles]\nprimary = \"binance\"\nfallbacks = [\"coinbase\"]\nforeign_volumes = true\n\
                  [candles.cross_check]\nwith = [\"coinbase\"]\nrequired = true\nband_bps = 40\n";
    let candles = parse(&format!("{policy}{COINBASE}")).unwrap().candles;
    assert_eq!(candles.order, ["binance", "coinbase"]);
    let coinbase = &candles.sources["coinbase"];
    assert_eq!((coinbase.venue, &coinbase.base_url), (crate::types::venue::Venue::Coinbase, &None));
    assert_eq!(coinbase.symbols.as_ref().unwrap()["BTC-USD"], "BTC-USD");
    let cross_check = candles.cross_check.unwrap();
    assert_eq!((cross_check.band_bps, cross_check.minutes, cross_check.required), (40, 1440, true));
}

#[test]
fn a_policy_that_means_nothing_is_refused_by_name() {
    let cases = [
        ("[candles]\nprimary = \"kraken\"\n", "candles.primary"),
        ("[candles]\nfallbacks = [\"coinbase\", \"coinbase\"]\n", "candles.fallbacks"),
        ("[candles]\nfallbacks = [\"binance\"]\n", "candles.fallbacks"),
        ("[candles.cross_check]\nwith = [\"okx\"]\n", "candles.cross_check.with"),
        ("[candles.cross_check]\nrequired = true\n", "candles.cross_check.required"),
        ("[candles.cross_check]\nwith = [\"coinbase\"]\nminutes = 1\n", "candles.cross_check.minutes"),
        ("[candles.cross_check]\nband = 1\n", "band"),
        ("[candles]\nweight_per_minute = 0\n", "candles.weight_per_minute"),
        ("[candles.sources.binance]\nexchange = \"binance\"\nsymbols = {}\n", "candles.sources"),
        ("[candles.sources.\"a b\"]\nexchange = \"okx\"\nsymbols = {}\n", "candles.sources"),
        ("[candles.sources.kraken]\nexchange = \"kraken\"\nsymbols = {}\n", "kraken"),
        ("[candles.sources.bybit]\nexchange = \"bybit\"\n", "symbols"),
    ];
    for (text, named) in cases {
        let message = parse(&format!("{text}{COINBASE}")).expect_err(text).to_string();
        assert!(message.contains(named), "{message}");
    }
}

#[test]
fn several_rpcs_are_a_list_in_a_file_and_go_with_commas_in_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.toml");
    fs::write_atomic(&path, b"[chain]\nrpc_url = [\"https://a/key\", \"wss://b\"]").unwrap();
    let empty = Environment::default().source(Some(HashMap::new()));
    let config = check(load_raw(Some(&path), empty).unwrap()).unwrap();
    assert_eq!(format!("{:?}", config.chain.rpc_urls), "[https://a, wss://b]");
    let config = with(&[("VERIREGIME__CHAIN__RPC_URL", "https://a/key, wss://b")]).unwrap();
    assert_eq!(format!("{:?}", config.chain.rpc_urls), "[https://a, wss://b]");
}

#[test]
fn shortcuts_are_refused_on_a_real_chain() {
    for pair in [("VERIREGIME__PROVER__KIND", "mock"), ("VERIREGIME__SCHEDULE__CLOCK", "exchange")] {
        assert!(with(&[pair]).is_ok());
        let fault = with(&[pair, ("VERIREGIME__CHAIN__CHAIN_ID", "1")]).expect_err("real chain");
        assert_eq!(fault.code(), "VR-CONFIG-002");
    }
}
