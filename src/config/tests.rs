use config::ValueKind;

use super::*;

fn with(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    check(read_with(None, Some(pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()))?)
}

fn parse(text: &str) -> Result<Config, ConfigError> {
    super::parse(text)?.job(None).cloned()
}

fn of_file(path: &Path) -> Result<Config, ConfigError> {
    check(read_with(Some(path), Some(Map::new()))?)
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
    let config = of_file(&path).unwrap();
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
fn candles_are_kept_for_two_months_where_nobody_says_for_how_long() {
    let kept = |days: &str| with(&[("VERIREGIME__CANDLES__KEEP_DAYS", days)]).map(|config| config.candles.keep_ms);
    assert_eq!(parse("").unwrap().candles.keep_ms, 60 * DAY_MS);
    assert_eq!((kept("0").unwrap(), kept("366").unwrap()), (0, 366 * DAY_MS));
    assert!(kept("367").unwrap_err().to_string().contains("candles.keep_days"));
}

#[test]
fn a_policy_names_its_sources_and_their_symbols() {
    let policy = "[candles]\nprimary = \"binance\"\nfallbacks = [\"coinbase\"]\nforeign_volumes = true\n\
                  [candles.cross_check]\nwith = [\"coinbase\"]\nrequired = true\nband_bps = 40\n";
    let candles = parse(&format!("{policy}{COINBASE}")).unwrap().candles;
    assert_eq!(candles.order, ["binance", "coinbase"]);
    let coinbase = &candles.sources["coinbase"];
    assert_eq!((coinbase.venue, &coinbase.base_url), (veriregime_core::types::venue::Venue::Coinbase, &None));
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
    veriregime_files::write_atomic(&path, b"[chain]\nrpc_url = [\"https://a/key\", \"wss://b\"]").unwrap();
    let config = of_file(&path).unwrap();
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

/// The keys of all settings whose defaults are of that kind.
fn keys_of(is_wanted: fn(&ValueKind) -> bool) -> Vec<String> {
    let all = written::leaves(defaults()).unwrap();
    all.into_iter().filter(|(_, kind)| is_wanted(kind)).map(|(key, _)| key).collect()
}

/// What a file and the environment say of a setting that has this value.
fn both(key: &str, text: &str) -> [Result<Config, ConfigError>; 2] {
    let (section, name) = key.rsplit_once('.').unwrap();
    let variable = format!("VERIREGIME__{}", key.to_uppercase().replace('.', "__"));
    [parse(&format!("[{section}]\n{name} = {text}\n")), with(&[(&variable, text)])]
}

fn refused_once_by_name(key: &str, text: &str) {
    for outcome in both(key, text) {
        let Err(fault) = outcome else { panic!("{key} = {text} is taken") };
        let message = fault.to_string();
        assert_eq!((fault.code(), message.matches(key).count()), ("VR-CONFIG-001", 1), "{message}");
    }
}

#[test]
fn no_whole_number_takes_a_fraction_a_boolean_or_an_infinity() {
    let keys = keys_of(|kind| matches!(kind, ValueKind::I128(_)));
    assert!(keys.len() > 30, "{keys:?}");
    for key in keys.iter().filter(|key| !key.ends_with("_gwei")) {
        for text in ["2.5", "2.0", "true", "inf", "nan", "1e3", "-1", "99999999999999999999", "9".repeat(60).as_str()] {
            refused_once_by_name(key, text);
        }
    }
}

#[test]
fn a_switch_takes_true_and_false_and_nothing_else() {
    let keys = keys_of(|kind| matches!(kind, ValueKind::Boolean(_)));
    assert!(keys.len() >= 3, "{keys:?}");
    for key in keys {
        for text in ["1", "0", "1.0", "inf"] {
            refused_once_by_name(&key, text);
        }
    }
}

#[test]
fn a_text_is_no_number() {
    let keys = keys_of(|kind| matches!(kind, ValueKind::String(_)));
    for key in keys.iter().filter(|key| *key != "chain.rpc_url") {
        let [file, _] = both(key, "12");
        let message = file.expect_err(key).to_string();
        assert!(message.contains(key.as_str()), "{message}");
    }
    // Digits in the environment are one where a text is wanted, with all of their zeros.
    assert_eq!(with(&[("VERIREGIME__MODEL__BUNDLE", "000123")]).unwrap().bundle, Path::new("000123"));
}

#[test]
fn fees_are_exact_down_to_a_wei() {
    let fees = |chain: &Chain| [chain.priority_fee_wei, chain.max_fee_per_gas_wei, chain.max_cancel_fee_per_gas_wei];
    let text = "[chain]\npriority_fee_gwei = 0.001\nmax_fee_per_gas_gwei = 0.4\n\
                max_cancel_fee_per_gas_gwei = \"123456789.123456789\"\n";
    let wanted = [1_000_000, 400_000_000, 123_456_789_123_456_789];
    assert_eq!(fees(&parse(text).unwrap().chain), wanted);
    let config = with(&[
        ("VERIREGIME__CHAIN__PRIORITY_FEE_GWEI", "0.001"),
        ("VERIREGIME__CHAIN__MAX_FEE_PER_GAS_GWEI", "0.4"),
        ("VERIREGIME__CHAIN__MAX_CANCEL_FEE_PER_GAS_GWEI", "123456789.123456789"),
    ]);
    assert_eq!(fees(&config.unwrap().chain), wanted);
    // What a binary number would round is refused, and what it holds is taken with all its digits.
    let of_file = |digits: &str| parse(&format!("[chain]\nmax_cancel_fee_per_gas_gwei = {digits}\n"));
    assert_eq!(fees(&of_file("123456.123456789").unwrap().chain)[2], 123_456_123_456_789);
    assert_eq!(fees(&of_file("4.0e2").unwrap().chain)[2], 400_000_000_000);
    let message = of_file("123456789.123456789").expect_err("rounded").to_string();
    assert!(message.contains("max_cancel_fee_per_gas_gwei") && message.contains("in quotes"), "{message}");
    for key in ["chain.priority_fee_gwei", "chain.max_fee_per_gas_gwei", "chain.max_cancel_fee_per_gas_gwei"] {
        for text in ["0.0000000001", "-1", "true", "inf", "nan", "1000000001", "99999999999999999999"] {
            refused_once_by_name(key, text);
        }
    }
}

#[test]
fn a_mis_cased_address_is_refused() {
    const MIS_CASED: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed";
    for key in ["chain.oracle", "signer.address", "attestor.address"] {
        let section = key.split_once('.').unwrap().0;
        let kind = if section == "attestor" { "kind = \"file\"\nfile = \"a\"\n" } else { "" };
        let name = key.rsplit_once('.').unwrap().1;
        let text = |address: &str| format!("[{section}]\n{kind}{name} = \"{address}\"\n");
        let message = parse(&text(MIS_CASED)).expect_err(key).to_string();
        assert!(message.contains(key) && message.contains("EIP-55"), "{message}");
        assert!(parse(&text(&MIS_CASED.to_lowercase())).is_ok());
    }
}

#[test]
fn a_schedule_of_which_no_cycle_can_come_is_refused() {
    const CRON: &str = "VERIREGIME__SCHEDULE__CRON";
    for never in ["0 0 0 31 2 *", "0 0 0 * * * 2020", "50 59 3,7,11,15,19,23 * * *", "45 58 3 * * *"] {
        let fault = with(&[(CRON, never)]).expect_err(never);
        assert!(fault.code() == "VR-CONFIG-002" && fault.to_string().contains("schedule.cron"), "{fault}");
    }
    for good in ["0 0 0 29 2 *", "50 58 3,7,11,15,19,23 * * *", "0 0,59 3 * * *"] {
        let delay = ("VERIREGIME__SCHEDULE__DELAY_SECONDS", "5");
        assert!(with(&[(CRON, good), delay]).is_ok(), "{good}");
    }
    let replay = ("VERIREGIME__SCHEDULE__CLOCK", "exchange");
    assert!(with(&[(CRON, "0 0 0 * * * 2020"), replay]).is_ok(), "a replay may be of any time");
    assert!(with(&[(CRON, "0 0 0 31 2 *"), replay]).is_err());
}

#[test]
fn a_node_s_name_is_a_line() {
    const NAME: &str = "VERIREGIME__ALERTS__NODE_NAME";
    assert_eq!(with(&[(NAME, " north 1 ")]).unwrap().alerts.node_name.as_deref(), Some("north 1"));
    assert_eq!(with(&[]).unwrap().alerts.node_name, None);
    for wrong in ["a\nb".into(), "x".repeat(101)] {
        assert!(with(&[(NAME, &wrong)]).expect_err("no name").to_string().contains("alerts.node_name"));
    }
}

const BASE: &str = "[chains.base]\nrpc_url = \"https://base\"\nchain_id = 8453\n";
const CONTRACT: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

fn job(name: &str, keys: &str) -> String {
    format!("[[jobs]]\nname = \"{name}\"\ncontract = \"{CONTRACT}\"\n{keys}\n")
}

#[test]
fn without_jobs_the_sections_are_the_only_one() {
    let node = super::parse("[model]\nbundle = \"models/some-model\"\n").unwrap();
    let [only] = node.jobs() else { panic!("one job") };
    assert_eq!((only.names.job.as_str(), only.names.chain.as_str()), ("some-model", "default"));
    assert_eq!(super::parse("[model]\nbundle = \"Some Model\"\n").unwrap().jobs()[0].names.job, "default");
}

#[test]
fn a_job_takes_over_what_it_does_not_say() {
    let text = format!(
        "[chain]\nconfirmations = 3\noracle = \"{CONTRACT}\"\n[schedule]\ndelay_seconds = 20\nrecheck_seconds = 7\n\
         [signer]\nkind = \"keystore\"\npassphrase_file = \"p\"\nfile = \"first\"\naddress = \"{CONTRACT}\"\n\
         {BASE}[wallets.second]\nfile = \"second\"\n[attestors.third]\nfile = \"third\"\n\
         {}[[jobs]]\nname = \"b\"\nbundle = \"models/b\"\n",
        job("a", "chain = \"base\"\nwallet = \"second\"\nattestor = \"third\"\nschedule = { delay_seconds = 30 }")
    );
    let node = super::parse(&text).unwrap();
    let [a, b] = node.jobs() else { panic!("two jobs") };
    assert_eq!((a.chain.chain_id, a.chain.confirmations, a.chain.oracle.is_some()), (8453, 3, true));
    assert_eq!((a.schedule.delay_ms, a.schedule.recheck.as_secs()), (30_000, 7));
    let keystore = |file: &str| signer::Holder::Keystore { file: file.into(), passphrase_file: "p".into() };
    assert_eq!((&a.signer.holder, a.signer.address), (&keystore("second"), None), "another wallet has another address");
    assert_eq!(a.attestor.as_ref().unwrap().holder, signer::Holder::File("third".into()));
    assert_eq!((b.bundle.as_path(), b.chain.chain_id, b.schedule.delay_ms), (Path::new("models/b"), 31_337, 20_000));
    assert_eq!((b.chain.oracle, b.attestor.is_none()), (a.chain.oracle, true), "the sections' own contract");
    assert_eq!(&b.signer.holder, &keystore("first"));
    assert_eq!(node.job(Some("b")).unwrap().names.job, "b");
    assert_eq!(node.job(None).expect_err("which").code(), "VR-CONFIG-007");
    assert!(node.job(Some("c")).expect_err("none").to_string().contains("known are: a, b"));
}

#[test]
fn named_tables_have_variables_and_dashes_are_underscores_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.toml");
    let text = format!(
        "[chains.base-main]\nchain_id = 8453\nrpc_url = \"https://base\"\n{}",
        job("a", "chain = \"base-main\"")
    );
    veriregime_files::write_atomic(&path, text.as_bytes()).unwrap();
    let of = |pairs: &[(&str, &str)]| {
        let variables = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        check(read_with(Some(&path), Some(variables))?)
    };
    let config = of(&[("VERIREGIME__CHAINS__BASE_MAIN__RPC_URL", "http://mine:1")]).unwrap();
    assert_eq!((config.chain.rpc_url().as_str(), config.chain.chain_id), ("http://mine:1/", 8453));
    let config = of(&[("VERIREGIME__CHAINS__BASE-MAIN__CONFIRMATIONS", "5")]).unwrap();
    assert_eq!((config.chain.rpc_url().as_str(), config.chain.confirmations), ("https://base/", 5));
    let fault = of(&[("VERIREGIME__CHAINS__BSAE__RPC_URL", "http://mine:1")]).expect_err("no id").to_string();
    assert!(fault.contains("chains.bsae.chain_id"), "{fault}");
    let fault = of(&[("VERIREGIME__JOBS__0__NAME", "b")]).expect_err("no list").to_string();
    assert!(fault.contains("setting jobs: ") && fault.contains("only a file"), "{fault}");
}

#[test]
fn jobs_that_mean_nothing_are_refused_by_name() {
    let op = "[chains.op]\nrpc_url = \"https://op\"\nchain_id = 10\n";
    let on = |chain: &str| format!("chain = \"{chain}\"");
    let cases = [
        (
            job("a", &on("bsae")),
            "VR-CONFIG-004",
            "jobs.a.chain = \"bsae\": there is none of that name; known are: base, default, op; is base meant?",
        ),
        (job("a", "wallet = \"x\""), "VR-CONFIG-004", "known are: default"),
        (job("a", "attestor = \"x\""), "VR-CONFIG-004", "jobs.a.attestor"),
        (job("a", "") + &job("a", &on("base")), "VR-CONFIG-005", "a and a have one name"),
        (job("a", &on("base")) + &job("b", &on("base")), "VR-CONFIG-005", "a and b run one model"),
        (job("A", ""), "VR-CONFIG-002", "jobs.name"),
        (job(&"a".repeat(41), ""), "VR-CONFIG-002", "jobs.name"),
        ("[chains.a_b]\nrpc_url = \"https://x\"\nchain_id = 1\n".into(), "VR-CONFIG-002", "chains = \"a_b\""),
        ("[wallets.default]\nfile = \"x\"\n".into(), "VR-CONFIG-002", "wallets"),
        ("[wallets.x]\n".to_owned() + &job("a", "wallet = \"x\""), "VR-CONFIG-002", "wallets.x.file"),
        ("[chains.x]\nchain_id = 1\n".into(), "VR-CONFIG-001", "chains.x.rpc_url"),
        ("[chains.x]\nrpc_url = \"https://x\"\n".into(), "VR-CONFIG-001", "chains.x.chain_id"),
        ("[chains.x]\nrpc_ulr = \"https://x\"\n".into(), "VR-CONFIG-001", "chains.x.rpc_ulr"),
        (
            "[chains.x]\nrpc_url = \"https://base\"\nchain_id = 1\n".into(),
            "VR-CONFIG-006",
            "chains.base says 8453, chains.x says 1",
        ),
        // Two jobs with one wallet on two chain ids of one RPC.
        (
            "[chains.x]\nrpc_url = \"https://BASE:443/\"\nchain_id = 1\n".to_owned()
                + &job("a", &on("base"))
                + &job("b", &on("x")),
            "VR-CONFIG-006",
            "chains.base says 8453, chains.x says 1",
        ),
        (
            "[chains.x]\nrpc_url = \"https://x\"\nchain_id = 1\nconfirmations = 0\n".into(),
            "VR-CONFIG-002",
            "chains.x.confirmations",
        ),
        (
            format!(
                "[chains.x]\nrpc_url = \"https://x\"\nchain_id = 1\noracle = \"{CONTRACT}\"\n{}",
                job("a", &on("x"))
            ),
            "VR-CONFIG-002",
            "chains.x.oracle",
        ),
        (job("a", "contrat = \"x\""), "VR-CONFIG-001", "jobs.0.contrat"),
        (job("a", "action = \"hedge\""), "VR-CONFIG-001", "jobs.0.action"),
        (job("a", "schedule = { cron = \"0 0 0 31 2 *\" }"), "VR-CONFIG-002", "jobs.a.schedule.cron"),
        (job("a", "schedule = { crno = \"0 0 0 31 2 *\" }"), "VR-CONFIG-001", "jobs.0.schedule.crno"),
        (job("a", "replica = { count = 0 }"), "VR-CONFIG-002", "jobs.a.replica.count"),
        (job("a", &(on("base") + "\nverification = \"mock\"")), "VR-CONFIG-002", "jobs.a.verification"),
        (job("a", &(on("base") + "\nschedule = { clock = \"exchange\" }")), "VR-CONFIG-002", "jobs.a.schedule.clock"),
        ((0..1001).map(|index| job(&format!("a{index}"), "")).collect(), "VR-CONFIG-002", "more than 1000"),
        ("jobs = 3\n".into(), "VR-CONFIG-001", "jobs"),
    ];
    for (text, code, named) in cases {
        let text = if text.starts_with("jobs") { text } else { format!("{BASE}{op}{text}") };
        let fault = super::parse(&text).expect_err(named);
        assert!(
            fault.code() == code && fault.to_string().contains(named),
            "{} {fault}, not {code} {named}",
            fault.code()
        );
    }
    let text = format!("[chain]\nchain_id = 8453\nrpc_url = \"https://base\"\n{BASE}{}", job("a", ""));
    assert!(super::parse(&text).is_ok(), "one chain may have two names");
    let text = format!("[chain]\nrpc_url = \"https://base\"\n{BASE}{}", job("a", &on("base")));
    assert!(super::parse(&text).is_ok(), "nobody uses the other one");
    let mock = job("a", "verification = \"mock\"") + &job("b", &on("base"));
    assert!(super::parse(&format!("{BASE}{mock}")).is_ok(), "a development chain beside a real one");
}
