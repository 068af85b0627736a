//! A running daemon with its HTTP API.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use ::veriregime_files;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::world::{World, toml};

/// Largest log that is read.
const MAX_LOG_BYTES: u64 = 16 << 20;

/// The program's `daemon`, killed when dropped.
pub struct Node {
    pub process: Child,
    pub url: Url,
    pub log: PathBuf,
    pub settings: PathBuf,
    http: Client,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _dead = self.process.kill();
        let _waited = self.process.wait();
    }
}

impl Node {
    /// Starts a daemon in `world` with `api` and further sections added to the settings, and waits until its API listens.
    pub async fn start(world: &World, sections: Value) -> Self {
        Self::start_with(world, sections, "").await
    }

    /// As [`Node::start`], with more settings behind them.
    pub async fn start_with(world: &World, sections: Value, more: &str) -> Self {
        let mut settings = world.settings();
        settings["api"] = json!({"listen": "127.0.0.1:0", "requests_per_second": 1_000_000, "burst": 1_000_000});
        for (section, values) in sections.as_object().unwrap() {
            for (key, value) in values.as_object().unwrap() {
                settings[section][key] = value.clone();
            }
        }
        let path = world.scratch.path().join("node.toml");
        veriregime_files::write_atomic(&path, (toml(&settings) + more).as_bytes()).unwrap();
        let log = world.scratch.path().join("node.log");
        let process = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"))
            .arg("--config")
            .arg(&path)
            .arg("daemon")
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let http = Client::builder().build().unwrap();
        let mut node = Self { process, url: Url::parse("http://127.0.0.1").unwrap(), log, settings: path, http };
        world.until("the API listens", async || node.said("api listening").is_some()).await;
        let said = node.said("api listening").unwrap();
        node.url = Url::parse(&format!("http://{}", said["address"].as_str().unwrap())).unwrap();
        node
    }

    /// The first line of the log with that message.
    pub fn said(&self, message: &str) -> Option<Value> {
        let text = veriregime_files::read_text(&self.log, MAX_LOG_BYTES).unwrap();
        text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find(|line| line["message"] == message)
    }

    /// The bytes at `path`, with whatever status.
    pub async fn bytes(&self, path: &str) -> (StatusCode, Vec<u8>) {
        let answer = self.http.get(self.url.join(path).unwrap()).send().await.unwrap();
        (answer.status(), answer.bytes().await.unwrap().to_vec())
    }

    /// What the API answers at `path`, with whatever status.
    pub async fn text(&self, path: &str) -> (StatusCode, String) {
        let answer = self.http.get(self.url.join(path).unwrap()).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// As [`Node::text`], parsed.
    pub async fn json(&self, path: &str) -> (StatusCode, Value) {
        let (status, text) = self.text(path).await;
        (status, serde_json::from_str(&text).unwrap())
    }

    /// What the API answers to a body at `path`, with whatever status.
    pub async fn ask(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let answer = self.http.post(self.url.join(path).unwrap()).json(body).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    /// The stage of the newest cycle, as the API tells it.
    pub async fn newest_stage(&self) -> String {
        let (_, periods) = self.json("/v1/periods?limit=1").await;
        periods["periods"][0]["stage"].as_str().unwrap_or_default().to_owned()
    }

    /// Sends the daemon a signal by its name.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.process.id().to_string()).status().unwrap();
        assert!(status.success());
    }
}
