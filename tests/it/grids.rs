//! Regime models whose periods are shorter than four hours, on a chain.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use veriregime_agent::bundle::Bundle;
use veriregime_agent::bundle::set_grid::set_grid;
use veriregime_agent::config::Config;
use veriregime_agent::diagnosis;
use veriregime_agent::node::parts;
use veriregime_agent::state::Store;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::{Grid, PeriodId};
use veriregime_core::types::time::format_utc;

use crate::world::{DELAY_SECONDS, FIRST, World, toml};

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/btc-regime-4h-v1");
const QUARTER: Grid = Grid::of_seconds(900);

/// A world whose model forecasts once in a period of `grid`.
async fn world(way: Way, grid: Grid) -> World {
    World::with(way, |config, scratch| {
        config.bundle = scratch.join("models/btc-regime-quick");
        set_grid(Path::new(SHIPPED), grid.period_seconds, &config.bundle).unwrap();
        config.schedule.grid = grid;
    })
    .await
}

async fn enter(world: &World, grid: Grid, period: PeriodId) {
    let seconds = grid.start_seconds(period) + DELAY_SECONDS;
    world.chain.anvil.set_time(seconds).await.unwrap();
    world.clock.set_ms(seconds * 1000);
}

async fn status(world: &World) -> u8 {
    let agent = world.agent("reader").await;
    let market = agent.regime().unwrap().model.candles.markets[0].id();
    agent.chain.read.params(agent.action.contract(), market).await.unwrap().status
}

fn settings(world: &World, grid: Grid, cron: &str) -> Value {
    let mut settings = world.settings();
    settings["schedule"]["period_seconds"] = json!(grid.period_seconds);
    settings["schedule"]["cron"] = json!(cron);
    settings
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quarter_of_an_hour_lands_each_period_goes_stale_in_its_own_time_and_is_audited() {
    let world = world(Way::Direct, QUARTER).await;
    let first = QUARTER.period_at(FIRST.start_ms());
    for number in 0..4 {
        let period = PeriodId(first.0 + number);
        enter(&world, QUARTER, period).await;
        let record = world.agent("one").await.run(period, &CancellationToken::new()).await.unwrap();
        assert_eq!(record.stage, Stage::Confirmed, "{period}: {:?}", record.miss);
        assert_eq!(record.start_ms, QUARTER.start_ms(period));
        let mut other = world.agent("other").await;
        let lost = other.run(period, &CancellationToken::new()).await.unwrap();
        assert_eq!(lost.stage, Stage::AlreadyByOther);
    }
    let agent = world.agent("one").await;
    let market = agent.regime().unwrap().model.candles.markets[0].id();
    let read = agent.chain.read.params(agent.action.contract(), market).await.unwrap();
    let last = PeriodId(first.0 + 3);
    assert_eq!(read.current.periodStart.to::<i64>(), QUARTER.start_seconds(last));
    assert_eq!(
        agent
            .action
            .last_period(&agent.chain.read, OmittedMarkets::NONE, alloy::eips::BlockId::latest())
            .await
            .unwrap(),
        Some(last)
    );

    // One and a half periods after its start it is in grace, three periods after it is stale.
    let begun = QUARTER.start_seconds(last);
    for (seconds, expected) in [(1_300, 1), (1_400, 2), (2_600, 2), (2_800, 3)] {
        world.chain.anvil.set_time(begun + seconds).await.unwrap();
        assert_eq!(status(&world).await, expected, "{seconds} s");
    }

    let settings = settings(&world, QUARTER, "0 0,15,30,45 * * * *");
    for number in 0..4 {
        let period = (first.0 + number).to_string();
        let output = world.program_with(&settings, &["audit", "--period", &period, "--json"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
        let found: Value = serde_json::from_str(said.trim()).unwrap();
        assert_eq!(
            (found[0]["period"].as_u64(), found[0]["verdict"].as_str()),
            (Some(first.0 + number), Some("match"))
        );
    }
    let output = world.program_with(&settings, &["status", "--json"]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(said.to_string().contains(&format!("\"period\":{}", last.0)), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_is_proven_by_the_same_keys_and_leaves_evidence_that_verifies() {
    let grid = Grid::of_seconds(3_600);
    let world = world(Way::Ezkl, grid).await;
    let period = PeriodId(grid.period_at(FIRST.start_ms()).0 + 1);
    enter(&world, grid, period).await;
    let mut agent = world.agent("one").await;
    let record = agent.run(period, &CancellationToken::new()).await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    agent.leave_evidence().await.unwrap();
    let record = agent.store.cycle(agent.job(), period).unwrap().unwrap();
    let file = world.config.evidence_dir.join(format!("{}.json.gz", record.evidence.unwrap()));
    let settings = settings(&world, grid, "0 0 * * * *");
    let output = world.program_with(&settings, &["verify-bundle", file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn another_grid_changes_nothing_but_the_manifest() {
    let scratch = TempDir::new().unwrap();
    let (shipped, quick) = (Bundle::open(Path::new(SHIPPED)).unwrap(), scratch.path().join("btc-regime-15m"));
    set_grid(Path::new(SHIPPED), 900, &quick).unwrap();
    let quick = Bundle::open(&quick).unwrap();
    assert_eq!(quick.manifest.model_id, "btc-regime-15m");
    assert_eq!((quick.manifest.grid.period_seconds, quick.manifest.grid.horizon_seconds), (900, 14_400));
    assert_eq!(quick.manifest.files, shipped.manifest.files);
    assert_eq!(quick.manifest.verification, shipped.manifest.verification);
    assert_ne!(quick.manifest_digest, shipped.manifest_digest);
    for seconds in [0, 90, 11 * 60, 90_000] {
        let to = scratch.path().join(format!("every-{seconds}"));
        assert!(set_grid(Path::new(SHIPPED), seconds, &to).is_err(), "{seconds}");
        assert!(!to.exists(), "nothing is left of a refusal");
    }
    set_grid(Path::new(SHIPPED), 900, &quick.folder).expect_err("there is a bundle already");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_another_pace_than_its_model_is_refused() {
    let mut world = world(Way::Direct, QUARTER).await;
    world.config.schedule.grid = Grid::FOUR_HOURS;
    let store = Store::open(&world.scratch.path().join("refused")).unwrap();
    let refused = parts::agent(&world.config, world.clock.clone(), store).await.unwrap_err();
    assert_eq!(diagnosis::code(&refused), "VR-CONFIG-002", "{refused:#}");
    assert!(format!("{refused:#}").contains("schedule.period_seconds"));
}

/// A contract that went from one pace to another: each update is audited by the periods of its own model, once.
#[tokio::test(flavor = "multi_thread")]
async fn models_of_two_paces_on_one_contract_are_each_audited_by_their_own_periods() {
    let world = world(Way::Direct, QUARTER).await;
    let quick = QUARTER.period_at(FIRST.start_ms());
    enter(&world, QUARTER, quick).await;
    let record = world.agent("quick").await.run(quick, &CancellationToken::new()).await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);

    let slow = world.scratch.path().join("models/btc-regime-slow");
    set_grid(Path::new(SHIPPED), 14_400, &slow).unwrap();
    world.rotate(&slow).await;
    let mut config = Config { bundle: slow.clone(), ..world.config.clone() };
    config.schedule.grid = Grid::FOUR_HOURS;
    world.enter(FIRST.next()).await;
    // The same wallet, so the same database.
    let store = Store::open(&world.scratch.path().join("quick")).unwrap();
    let mut agent = parts::agent(&config, world.clock.clone(), store).await.unwrap();
    let record = agent.run(FIRST.next(), &CancellationToken::new()).await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);

    let mut settings = settings(&world, QUARTER, "0 0,15,30,45 * * * *");
    settings["state"]["path"] = json!(world.scratch.path().join("nobody.sqlite"));
    let jobs = format!(
        "{}[[jobs]]\nname = \"quick\"\n[[jobs]]\nname = \"slow\"\nbundle = {}\nschedule = {}\n",
        toml(&settings),
        json!(slow),
        "{ period_seconds = 14400, cron = \"0 0 */4 * * *\" }",
    );
    let path = world.scratch.path().join("jobs.toml");
    veriregime_files::write_atomic(&path, jobs.as_bytes()).unwrap();
    let audit = |arguments: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
        program.args(["--json", "--config"]).arg(&path).arg("audit").args(arguments);
        program.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).output().unwrap()
    };
    let (from, to) = (format_utc(FIRST.start_ms()), format_utc(FIRST.next().end_ms()));
    let output = audit(&["--from", &from, "--to", &to]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
    let found: Vec<Value> = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    let found: Vec<_> = found.iter().map(|one| (one["job"].clone(), one["period"].clone())).collect();
    assert_eq!(found, [(json!("quick"), json!(quick.0)), (json!("slow"), json!(FIRST.next().0))], "{said}");
    // The quick model's update is no finding of the other's job alone.
    let output = audit(&["--job", "slow", "--from", &from, "--to", &to]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
