//! Who follows a vault audits each sale as it lands, and is told of what does not match.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use veriregime_agent::audit::compare::Verdict;
use veriregime_agent::audit::follow::Notice;
use veriregime_agent::audit::follow_vault;
use veriregime_agent::audit::vault::VaultAuditor;
use veriregime_agent::render::Render;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::period::PeriodId;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{FIRST, Scene, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_follows_a_vault_and_tells_its_webhook_of_a_sale_that_does_not_match() {
    let scene = Scene::new().await;
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let hook = scene.scratch.path().join("hook");
    veriregime_files::write_private(&hook, server.uri().as_bytes()).unwrap();
    let mut config = scene.config.clone();
    config.alerts.webhook_file = Some(hook);
    config.schedule.recheck = Duration::from_millis(20);
    let told = async || -> Vec<Value> {
        server.received_requests().await.unwrap().iter().map(|request| request.body_json().unwrap()).collect()
    };
    let seen: Arc<Mutex<Vec<(Value, String)>>> = Arc::default();
    let (heard, clock, stop) = (seen.clone(), scene.clock.clone(), scene.stop.clone());
    let watcher = tokio::spawn(async move {
        let auditor = VaultAuditor::new(config).await.unwrap();
        let mut say = move |notice: &Notice<'_>| {
            heard.lock().unwrap().push((json!(notice), notice.text()));
            true
        };
        follow_vault::run(&auditor, &clock, &mut say, &stop).await.unwrap()
    });
    let verdicts = || -> Vec<String> {
        let seen = seen.lock().unwrap();
        seen.iter().filter_map(|(told, _)| told["verdict"].as_str().map(str::to_owned)).collect()
    };

    let mut agent = scene.agent("agent.sqlite").await;
    assert_eq!(scene.run(&mut agent, FIRST).await.stage, Stage::Confirmed);
    until("the first sale is seen", async || verdicts() == ["match"]).await;
    assert!(told().await.is_empty());

    // What the second week's forecast was made from is not what publishers say when it lands.
    let second = FIRST.next();
    scene.enter(second).await;
    agent.run_until(Stage::Proved, second, &scene.stop).await.unwrap();
    let published = scene.publisher.answers.lock().unwrap().clone();
    scene.publisher.revise(|price| price * 1.5);
    assert_eq!(scene.run(&mut agent, second).await.stage, Stage::Confirmed);
    until("the second is told", async || told().await.len() == 1).await;
    assert_eq!(verdicts(), ["match", "data_differ"]);
    let message = told().await.remove(0);
    assert_eq!((&message["code"], message["period"].as_u64()), (&"VR-ALERT-005".into(), Some(second.0)), "{message}");
    scene.publisher.answers.lock().unwrap().clone_from(&published);

    // A week without a sale is said; the next one is audited as any other, and nothing twice.
    let fourth = PeriodId(FIRST.0 + 3);
    scene.enter(fourth).await;
    let mut agent = scene.agent("other.sqlite").await;
    assert_eq!(scene.run(&mut agent, fourth).await.stage, Stage::Confirmed);
    until("the fourth is seen", async || verdicts() == ["match", "data_differ", "match"]).await;
    let lines: Vec<String> = seen.lock().unwrap().iter().map(|(_, line)| line.clone()).collect();
    let empty: Vec<&String> = lines.iter().filter(|line| line.contains("no update on chain")).collect();
    assert!(empty.len() == 1 && empty[0].contains("2802 (2023-09-14"), "{lines:?}");
    assert_eq!(told().await.len(), 1);
    scene.stop.cancel();
    assert_eq!(watcher.await.unwrap(), Verdict::DataDiffer, "the worst verdict");
}
