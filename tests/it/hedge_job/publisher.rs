//! Publishers of tables that say what a test wants.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;
use url::Url;
use veriregime_agent::sources::tables::folder::Tables;
use veriregime_agent::sources::tables::rates;

/// What is answered; `None` for an outage.
#[derive(Debug, Clone)]
pub struct Answers {
    pub electricity: Option<String>,
    pub rates: Option<String>,
}

type Shared = State<Arc<Mutex<Answers>>>;

/// Ember and the bank at one address.
pub struct Publisher {
    pub url: Url,
    pub answers: Arc<Mutex<Answers>>,
}

impl Publisher {
    /// With the demo's tables.
    pub async fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/hedge-demo");
        let tables = Tables::read(&folder).unwrap();
        let answers =
            Answers { electricity: Some(tables.electricity.to_csv()), rates: tables.rates.as_ref().map(rates::to_csv) };
        let answers = Arc::new(Mutex::new(answers));
        let prices = get(|State(known): Shared| async move { told(known.lock().unwrap().electricity.clone()) });
        let rates = get(|State(known): Shared| async move { told(known.lock().unwrap().rates.clone()) });
        let router = Router::new().route("/prices", prices).route("/rates", rates).with_state(answers.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, answers }
    }

    /// Changes every price.
    pub fn revise(&self, change: impl Fn(f64) -> f64) {
        self.rows(|cells| {
            let price: f64 = cells[3].parse().unwrap();
            Some(vec![cells[0].clone(), cells[1].clone(), cells[2].clone(), format!("{:.4}", change(price))])
        });
    }

    /// Changes rows of prices, or takes them out: country, code, day, price.
    pub fn rows(&self, change: impl Fn(&[String]) -> Option<Vec<String>>) {
        let mut answers = self.answers.lock().unwrap();
        let text = answers.electricity.clone().unwrap();
        let (header, rows) = text.split_once('\n').unwrap();
        let rows = rows.lines().filter_map(|line| {
            let cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            change(&cells).map(|cells| cells.join(",") + "\n")
        });
        answers.electricity = Some(format!("{header}\n{}", rows.collect::<String>()));
    }
}

fn told(text: Option<String>) -> (StatusCode, String) {
    text.map_or((StatusCode::SERVICE_UNAVAILABLE, String::new()), |text| (StatusCode::OK, text))
}
