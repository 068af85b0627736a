//! What publishers do wrong, and what becomes of the week.

use std::path::Path;

use veriregime_agent::sources::tables::vintages::{MAX_KEPT_BYTES, VINTAGES_FILE};
use veriregime_core::hedge::GRID;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::period::PeriodId;

use super::publisher::Answers;
use super::{FIRST, Scene};

/// An hour and a half, after which the last edition counts.
const LATE_MS: i64 = 5_400_000;

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_cannot_be_right_are_refused_by_name_until_they_are_mended() {
    let scene = Scene::new().await;
    let good = scene.publisher.answers.lock().unwrap().clone();
    // The cycle is not late yet.
    let start_ms = GRID.start_ms(FIRST);
    scene.clock.set_ms(start_ms + 60_000);
    let mut agent = scene.agent("agent.sqlite").await;
    let upside_down = |text: &str| {
        let rows = text.lines().map(|line| {
            let mut cells = line.split(',');
            match (cells.next(), cells.next().and_then(|rate| rate.parse::<f64>().ok())) {
                (Some(day), Some(rate)) => format!("{day},{:.4},\n", 1.0 / rate),
                _ => format!("{line}\n"),
            }
        });
        rows.collect::<String>()
    };
    let rates = upside_down(good.rates.as_ref().unwrap());
    let without_last_months = |cells: &[String]| {
        let is_gone = cells[1] == "DEU" && cells[2].as_str() > "2023-07-15" && cells[2].as_str() < "2023-08-29";
        (!is_gone).then(|| cells.to_vec())
    };
    let without_last_week = |cells: &[String]| {
        let is_gone = cells[1] == "DEU" && cells[2].as_str() > "2023-08-20";
        (!is_gone).then(|| cells.to_vec())
    };
    for (name, fault, code) in [
        ("kilowatt hours", 0, "VR-TABLE-004"),
        ("euros for a dollar", 1, "VR-TABLE-004"),
        ("a month without prices", 2, "VR-TABLE-010"),
        ("no price for more than a week", 3, "VR-TABLE-010"),
        ("a price of another planet", 4, "VR-TABLE-003"),
        ("no answer", 5, "VR-TABLE-008"),
        ("no rates", 6, "VR-TABLE-008"),
        ("a page of something else", 7, "VR-TABLE-001"),
    ] {
        scene.publisher.answers.lock().unwrap().clone_from(&good);
        // What was fetched before is not to fill the gaps.
        let _gone = std::fs::remove_dir_all(scene.scratch.path().join("tables"));
        let set = |change: &dyn Fn(&mut Answers)| change(&mut scene.publisher.answers.lock().unwrap());
        match fault {
            0 => scene.publisher.revise(|price| price / 1000.0),
            1 => set(&|answers| answers.rates = Some(rates.clone())),
            2 => scene.publisher.rows(without_last_months),
            3 => scene.publisher.rows(without_last_week),
            4 => scene.publisher.revise(|price| price * 1000.0),
            5 => set(&|answers| answers.electricity = None),
            6 => set(&|answers| answers.rates = None),
            _ => set(&|answers| answers.electricity = Some("<html>".into())),
        }
        assert_eq!(scene.kept_by(&mut agent, FIRST).await, code, "{name}");
    }
    scene.publisher.answers.lock().unwrap().clone_from(&good);
    assert_eq!(scene.run(&mut agent, FIRST).await.stage, Stage::Confirmed);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_hour_without_a_publisher_the_last_edition_counts_and_what_it_revises_is_told() {
    let scene = Scene::new().await;
    // Published up to the first week's first day.
    scene.publisher.rows(|cells| (cells[2].as_str() <= "2023-08-31").then(|| cells.to_vec()));
    let mut agent = scene.agent("agent.sqlite").await;
    assert_eq!(scene.run(&mut agent, FIRST).await.stage, Stage::Confirmed);

    let second = FIRST.next();
    scene.enter(second).await;
    let good = scene.publisher.answers.lock().unwrap().clone();
    *scene.publisher.answers.lock().unwrap() = Answers { electricity: None, rates: None };
    assert_eq!(scene.kept_by(&mut agent, second).await, "VR-TABLE-008");
    scene.clock.set_ms(scene.clock.now_ms() + LATE_MS);
    let record = scene.run(&mut agent, second).await;
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    let tables = record.tables.unwrap();
    assert_eq!(tables.failed.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), ["VR-TABLE-008"; 2]);
    assert!(tables.vintages.is_empty());

    // Another edition has other prices for days that were known.
    let third = PeriodId(FIRST.0 + 2);
    *scene.publisher.answers.lock().unwrap() = good;
    scene.publisher.rows(|cells| {
        let mut cells = cells.to_vec();
        if cells[1] == "DEU" && cells[2].starts_with("2023-08") {
            cells[3] = "99.5".into();
        }
        Some(cells)
    });
    scene.enter(third).await;
    // The last price is two weeks old by now: nothing is said by such tables.
    assert_eq!(scene.kept_by(&mut agent, third).await, "VR-TABLE-010");
    let path = scene.scratch.path().join("tables/vintages.jsonl");
    let noted = std::fs::read_to_string(path).unwrap();
    let revised = noted.lines().filter(|line| line.contains("\"revised\":31")).count();
    assert!(revised >= 1, "{noted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tries_with_unusable_tables_fill_no_record_and_editions_that_sold_stay_in_it() {
    let scene = Scene::new().await;
    let tables = scene.scratch.path().join("tables");
    let record = tables.join(VINTAGES_FILE);
    let good = scene.publisher.answers.lock().unwrap().clone();
    scene.publisher.rows(|cells| (cells[2].as_str() <= "2023-08-20").then(|| cells.to_vec()));
    let mut agent = scene.agent("agent.sqlite").await;
    let modified = |path: &Path| std::fs::metadata(path).unwrap().modified().unwrap();
    assert_eq!(scene.kept_by(&mut agent, FIRST).await, "VR-TABLE-010");
    let files = ["electricity_daily_eur_mwh.csv", "eurusd_daily.csv", VINTAGES_FILE].map(|name| tables.join(name));
    let written = files.each_ref().map(|path| modified(path));
    for _ in 0..3 {
        assert_eq!(scene.kept_by(&mut agent, FIRST).await, "VR-TABLE-010");
    }
    assert_eq!(files.each_ref().map(|path| modified(path)), written, "a try that brings nothing writes nothing");
    let noted = |path: &Path| std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(noted(&record).len(), 2);

    scene.publisher.answers.lock().unwrap().clone_from(&good);
    let sold = scene.run(&mut agent, FIRST).await;
    assert_eq!(sold.stage, Stage::Confirmed, "{:?}", sold.miss);
    // Years of editions later.
    let line = noted(&record).pop().unwrap();
    let of = |number: usize| line.replace(&line[line.find("sha256").unwrap()..][9..73], &format!("{number:064x}"));
    let many: String = (0..2 * MAX_KEPT_BYTES / line.len()).map(|number| of(number) + "\n").collect();
    std::fs::write(&record, noted(&record).join("\n") + "\n" + &many).unwrap();
    scene.enter(FIRST.next()).await;
    assert_eq!(scene.run(&mut agent, FIRST.next()).await.stage, Stage::Confirmed);
    scene.publisher.revise(|price| price + 1.0);
    scene.enter(PeriodId(FIRST.0 + 2)).await;
    assert_eq!(scene.run(&mut agent, PeriodId(FIRST.0 + 2)).await.stage, Stage::Confirmed);
    assert!(std::fs::metadata(&record).unwrap().len() as usize <= MAX_KEPT_BYTES);
    let kept = noted(&record).join("\n");
    for vintage in sold.tables.unwrap().vintages {
        assert!(kept.contains(&vintage.sha256.to_string()), "{vintage:?}");
    }
}
