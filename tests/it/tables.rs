//! Tables of daily numbers: read, checked, served and fetched.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use url::Url;
use veriregime_agent::sources::tables::electricity::Electricity;
use veriregime_agent::sources::tables::fetch::{Addresses, fetch};
use veriregime_agent::sources::tables::folder::{self, ELECTRICITY, Tables};
use veriregime_agent::sources::tables::serve;
use veriregime_agent::sources::tables::vintages::VINTAGES_FILE;
use veriregime_core::types::diagnostic::Diagnostic;

use super::given::reference;

const PRICES: &str = "Country,ISO3 Code,Date,Price (EUR/MWhe)
Austria,AUT,2024-04-28,-3.25
Austria,AUT,2024-04-30,61.5
France,FRA,2024-04-29,20
";
const RATES: &str = "Date,USD,JPY,\n2024-04-30,1.0718,168,\n2024-04-29,1.072,N/A,\n";
const DIFFICULTY: &str = r#"{"hashrates":[],"difficulty":[{"time":1713955200,"height":840672,"difficulty":88104191118793.16,"adjustment":1.02}]}"#;

fn tables(prices: &str) -> Tables {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("electricity_daily_eur_mwh.csv"), prices).unwrap();
    std::fs::write(folder.path().join("eurusd_daily.csv"), RATES).unwrap();
    std::fs::write(folder.path().join("btc_difficulty_daily.json"), DIFFICULTY).unwrap();
    Tables::read(folder.path()).unwrap()
}

/// A server of these tables, which stops when the token is cancelled.
async fn served(tables: Tables) -> (Url, CancellationToken) {
    let listener = serve::listen(([127, 0, 0, 1], 0).into()).await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let stop = CancellationToken::new();
    let content = serve::Content { tables: Some(tables), yields: None };
    tokio::spawn(serve::serve(content, listener, stop.clone()));
    (url, stop)
}

fn addresses(url: &Url, [rates, difficulty]: [&str; 2]) -> Addresses {
    let at = |path: &str| url.join(path).unwrap();
    Addresses { electricity: at(serve::ELECTRICITY_PATH), rates: at(rates), difficulty: at(difficulty) }
}

#[tokio::test]
async fn what_publishers_serve_is_fetched_merged_and_noted() {
    let folder = TempDir::new().unwrap();
    let first = tables(PRICES);
    let (url, stop) = served(first.clone()).await;
    for paths in [[serve::RATES_ZIP_PATH, serve::MEMPOOL_PATH], [serve::RATES_XML_PATH, serve::BLOCKCHAIN_PATH]] {
        let fetched = fetch(folder.path(), &addresses(&url, paths), 1_714_500_000_000).await.unwrap();
        assert_eq!(fetched.vintages.len(), 3);
        assert_eq!(Tables::read(folder.path()).unwrap(), first);
    }
    stop.cancel();
    // Another vintage: a day is revised, one is new, one is not there any more, and stays.
    let revised = PRICES.replace("61.5", "62").replace("Austria,AUT,2024-04-28,-3.25", "Austria,AUT,2024-05-01,55");
    let (url, stop) = served(tables(&revised)).await;
    let paths = [serve::RATES_ZIP_PATH, serve::MEMPOOL_PATH];
    let fetched = fetch(folder.path(), &addresses(&url, paths), 1_714_600_000_000).await.unwrap();
    stop.cancel();
    let prices = &fetched.vintages[0];
    assert_eq!((prices.rows, prices.added, prices.revised), (4, 1, 1));
    let merged = folder::electricity(folder.path()).unwrap();
    assert_eq!(merged.countries["AUT"].iter().map(|(_, price)| price).collect::<Vec<_>>(), [-3.25, 62.0, 55.0]);
    let lines = std::fs::read_to_string(folder.path().join(VINTAGES_FILE)).unwrap();
    let noted: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Each edition once: three, two of them in another dialect, and the revision.
    assert_eq!(noted.len(), 6);
    assert_eq!((&noted[5]["table"], &noted[5]["revised"]), (&Value::from(ELECTRICITY), &Value::from(1)));
    // A publisher that is gone changes nothing.
    let error = fetch(folder.path(), &addresses(&url, ["/nowhere", "/nowhere"]), 0).await.unwrap_err();
    assert_eq!(error.code(), "VR-TABLE-008");
    assert_eq!(folder::electricity(folder.path()).unwrap(), merged);
}

fn check(folder: &Path) -> (bool, Value, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
    let output = command.args(["tables", "check", "--json", "--data"]).arg(folder).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.success(), serde_json::from_slice(&output.stdout).unwrap_or_default(), said)
}

#[test]
fn a_folder_without_prices_is_told_so() {
    let folder = TempDir::new().unwrap();
    let (is_good, _, said) = check(folder.path());
    assert!(!is_good && said.contains("VR-TABLE-007") && said.contains(ELECTRICITY), "{said}");
}

#[test]
fn missing_days_of_real_tables_are_told_and_prices_below_zero_kept() {
    let Some(real) = reference("data/daily") else { return };
    let (is_good, report, said) = check(&real);
    assert!(is_good, "{said}");
    let series = report["series"].as_array().unwrap();
    let of = |name: &str| series.iter().find(|one| one["name"] == name).unwrap();
    assert_eq!(series.len(), 31 + 3);
    assert_eq!((of("AUT")["from"].as_str(), of("AUT")["to"].as_str()), (Some("2015-01-01"), Some("2024-04-30")));
    assert!(of("DEU")["negative"].as_u64().unwrap() > 20);
    let missing = |name: &str| {
        let years = of(name)["missing_by_year"].as_object().unwrap();
        years.values().map(|days| days.as_u64().unwrap()).sum::<u64>()
    };
    // The bank's holidays; electricity has every day of these years.
    assert_eq!((missing("AUT"), &of("eurusd_daily")["missing_by_year"]["2015"]), (0, &Value::from(4)));
    assert_eq!(of("btc_daily_usd")["days"], 3408);
}

/// What Ember's own CSV holds is what the same as parquet does, up to what Ember revised.
#[test]
fn ember_s_csv_is_read() {
    let Some(csv) = reference("seeds/aidala/electricity_costs.csv") else { return };
    let prices = Electricity::read(&csv).unwrap();
    assert!(prices.rows() > 90_000 && prices.countries.len() >= 29, "{}", prices.rows());
    assert_eq!(prices.countries["AUT"].iter().next().unwrap(), (16_436, 35.86));
}
