//! An RPC that misbehaves: a proxy in front of anvil.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy::consensus::{Transaction, TxEnvelope};
use alloy::eips::eip2718::Decodable2718;
use alloy::primitives::Bytes;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;
use veriregime_core::types::rpc_url::RpcUrl;

/// The method that sends signed bytes.
pub const SEND: &str = "eth_sendRawTransaction";
/// Far more than any answer may have.
const HUGE_BYTES: usize = 16 << 20;

/// What the proxy does to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RpcFaultMode {
    /// Nothing.
    Fair,
    /// It hangs up.
    Drop,
    /// It passes the request on, and hangs up instead of answering.
    LoseAnswer,
    /// It answers so much later.
    Delay(Duration),
    /// It passes the request on twice.
    Duplicate,
    /// It answers with that HTTP status.
    Status(u16),
    /// It answers with something that is no JSON.
    Garbage,
    /// It stops in the middle of the answer.
    Truncate,
    /// Its answer does not end for a long time.
    Huge,
    /// It knows no block after that one.
    Stale(u64),
    /// It has the newest state and no other.
    Pruned,
    /// It says that it is on that chain.
    Chain(u64),
    /// It answers with the largest numbers that there are, but for its chain.
    Absurd,
    /// It knows nothing of the block that is still made.
    NoPending,
    /// It answers with that error.
    Says(&'static str),
    /// It answers with that error whoever asks about that.
    SaysOf(&'static str, &'static str),
    /// It says of blocks, receipts and transactions what the agent uses and no more, and names an error that is null.
    Terse,
    /// It takes no transaction that offers the builder less, in wei, and says so as geth does.
    MinimumTip(u128),
}

/// A running proxy.
pub struct Proxy {
    pub url: Url,
    state: Arc<State>,
    task: tokio::task::JoinHandle<()>,
}

struct State {
    upstream: Url,
    client: reqwest::Client,
    mood: Mutex<(RpcFaultMode, Option<&'static str>)>,
    requests: Mutex<Vec<(String, Value)>>,
    lie: Mutex<Option<(String, String)>>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// A proxy in front of `upstream` in that mood.
    pub async fn start(upstream: &Url, mood: RpcFaultMode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let state = Arc::new(State {
            upstream: upstream.clone(),
            client: reqwest::Client::new(),
            mood: Mutex::new((mood, None)),
            requests: Mutex::default(),
            lie: Mutex::default(),
        });
        let shared = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = shared.clone();
                // A client that hangs up is no failure of the proxy.
                tokio::spawn(async move { state.serve(stream).await.ok() });
            }
        });
        Self { url, state, task }
    }

    /// Its address for the settings.
    pub fn rpc(&self) -> RpcUrl {
        self.url.clone().into()
    }

    /// Puts it into another mood, for all methods or for one.
    pub fn set(&self, mood: RpcFaultMode, method: Option<&'static str>) {
        *self.state.mood.lock().unwrap() = (mood, method);
    }

    /// Makes it say `said` where `truth` would be to say, whatever it is asked.
    pub fn lie(&self, truth: &str, said: &str) {
        *self.state.lie.lock().unwrap() = Some((truth.to_owned(), said.to_owned()));
    }

    /// Parameters of the requests for `method` that came in, in order.
    pub fn asked(&self, method: &str) -> Vec<Value> {
        let requests = self.state.requests.lock().unwrap();
        requests.iter().filter(|(name, _)| name == method).map(|(_, params)| params.clone()).collect()
    }
}

impl State {
    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let Some(mut request) = read(&mut stream).await? else { return Ok(()) };
        let method = request["method"].as_str().unwrap_or_default().to_owned();
        self.requests.lock().unwrap().push((method.clone(), request["params"].clone()));
        let (mood, only) = *self.mood.lock().unwrap();
        let mood = if only.is_some_and(|only| only != method) { RpcFaultMode::Fair } else { mood };
        match mood {
            RpcFaultMode::Drop => return Ok(()),
            RpcFaultMode::Delay(pause) => tokio::time::sleep(pause).await,
            RpcFaultMode::Duplicate => {
                self.ask(&request).await;
            }
            RpcFaultMode::Status(status) => {
                return stream.write_all(format!("HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n").as_bytes()).await;
            }
            RpcFaultMode::Garbage => return answer(&mut stream, b"<html>404 &c.</html>", 20).await,
            RpcFaultMode::Huge => return answer(&mut stream, &vec![b' '; HUGE_BYTES], HUGE_BYTES).await,
            RpcFaultMode::Stale(block) => freeze(&mut request, block),
            _ => {}
        }
        if let Some(error) = refusal(mood, &method, &request) {
            let body = format!(r#"{{"jsonrpc": "2.0", "id": {}, "error": {error}}}"#, request["id"]);
            return answer(&mut stream, body.as_bytes(), body.len()).await;
        }
        let mut said = self.ask(&request).await;
        match mood {
            RpcFaultMode::LoseAnswer => return Ok(()),
            RpcFaultMode::Pruned if asks_for_old_state(&method, &request) => {
                said = json!({"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32000, "message": "missing trie node"}});
            }
            RpcFaultMode::Absurd if method != "eth_chainId" => exaggerate(&mut said["result"]),
            RpcFaultMode::Terse => {
                cut(&mut said["result"]);
                said["error"] = said["error"].take();
            }
            RpcFaultMode::Chain(id) if method == "eth_chainId" => said["result"] = json!(format!("{id:#x}")),
            RpcFaultMode::Stale(block) if method == "eth_getTransactionReceipt" => {
                let mined = said["result"]["blockNumber"].as_str().unwrap_or("0x0");
                if u64::from_str_radix(&mined[2..], 16).unwrap() > block {
                    said["result"] = Value::Null;
                }
            }
            _ => {}
        }
        let mut body = said.to_string();
        if let Some((truth, said)) = &*self.lie.lock().unwrap() {
            body = body.replace(truth, said);
        }
        let sent = if mood == RpcFaultMode::Truncate { body.len() / 2 } else { body.len() };
        answer(&mut stream, &body.as_bytes()[..sent], body.len()).await
    }

    async fn ask(&self, request: &Value) -> Value {
        match self.client.post(self.upstream.clone()).json(request).send().await {
            Ok(answer) => answer.json().await.unwrap(),
            Err(error) => {
                json!({"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32000, "message": error.to_string()}})
            }
        }
    }
}

/// One request; `None` if the client hangs up first.
async fn read(stream: &mut TcpStream) -> std::io::Result<Option<Value>> {
    let mut bytes = Vec::new();
    loop {
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = head {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return Ok(serde_json::from_slice(&bytes[end + 4..]).ok());
            }
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
}

async fn answer(stream: &mut TcpStream, body: &[u8], length: usize) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    stream.flush().await
}

/// Whether a request is for the state at a numbered block.
fn asks_for_old_state(method: &str, request: &Value) -> bool {
    let is_state = matches!(
        method,
        "eth_call" | "eth_getBalance" | "eth_getCode" | "eth_getStorageAt" | "eth_getTransactionCount" | "eth_getProof"
    );
    is_state
        && request["params"]
            .as_array()
            .and_then(|params| params.last())
            .is_some_and(|block| block != "latest" && block != "pending")
}

/// The error that a node in that mood answers with, if any.
fn refusal(mood: RpcFaultMode, method: &str, request: &Value) -> Option<String> {
    match mood {
        RpcFaultMode::Says(error) => Some(error.into()),
        RpcFaultMode::SaysOf(about, error) => {
            request["params"].to_string().to_lowercase().contains(about).then(|| error.to_owned())
        }
        RpcFaultMode::NoPending
            if request["params"].as_array().is_some_and(|params| params.contains(&json!("pending"))) =>
        {
            Some(r#"{"code": -32000, "message": "header for hash not found"}"#.into())
        }
        RpcFaultMode::MinimumTip(minimum) if method == SEND => {
            let tip = tip_wei(&request["params"][0]);
            let words = format!("transaction gas price below minimum: gas tip cap {tip}, minimum needed {minimum}");
            (tip < minimum).then(|| json!({"code": -32000, "message": words}).to_string())
        }
        _ => None,
    }
}

/// What signed bytes offer the builder for a unit of gas.
pub fn tip_wei(raw: &Value) -> u128 {
    let raw: Bytes = serde_json::from_value(raw.clone()).unwrap();
    TxEnvelope::decode_2718(&mut raw.as_ref()).unwrap().max_priority_fee_per_gas().unwrap()
}

/// Makes every number of an answer the largest of its kind.
fn exaggerate(result: &mut Value) {
    match result {
        Value::String(text) if text.len() <= 18 && text.len() > 2 => *text = format!("{:#x}", u64::MAX),
        Value::Object(fields) => fields.values_mut().for_each(exaggerate),
        _ => {}
    }
}

/// Takes away what the agent does not use.
fn cut(result: &mut Value) {
    const USED: [&str; 11] = [
        "number",
        "timestamp",
        "baseFeePerGas",
        "transactionHash",
        "status",
        "blockNumber",
        "gasUsed",
        "effectiveGasPrice",
        "logs",
        "to",
        "input",
    ];
    if let Value::Object(fields) = result {
        fields.retain(|key, _| USED.contains(&key.as_str()));
    }
}

/// Makes a request about the newest block one about `block`.
fn freeze(request: &mut Value, block: u64) {
    for param in request["params"].as_array_mut().into_iter().flatten() {
        if *param == "latest" || *param == "pending" {
            *param = json!(format!("{block:#x}"));
        }
    }
}
