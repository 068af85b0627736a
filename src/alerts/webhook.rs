//! The webhook: JSON by POST, tried a few times, its address never shown.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::AlertFault;
use super::ledger::Message;
use crate::fs;
use crate::telemetry::metrics;
use crate::types::time::format_utc;

const MAX_ADDRESS_BYTES: u64 = 4096;
/// Time for one try.
const TRY_LIMIT: Duration = Duration::from_secs(10);
const TRIES: usize = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Where messages go, and who sends them.
#[derive(Debug)]
pub struct Webhook {
    client: Client,
    address: SecretString,
    /// Who speaks, for whoever reads messages of several nodes.
    node: String,
}

impl Webhook {
    /// Reads the address from a file that only its owner can read.
    ///
    /// # Errors
    /// [`AlertFault::File`].
    pub fn from_file(path: &Path, node: String) -> Result<Self, AlertFault> {
        let unusable = |reason: String| AlertFault::File { path: path.display().to_string(), reason };
        let mode = fs::mode(path).map_err(|fault| unusable(fault.to_string()))?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(unusable(format!("others can read it (mode {mode:o})")));
        }
        let text = fs::read_text(path, MAX_ADDRESS_BYTES).map_err(|fault| unusable(fault.to_string()))?;
        // What is wrong with it is not repeated: that would show it.
        let url = Url::parse(text.trim()).map_err(|_| unusable("it holds no address".into()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(unusable("the address is neither http nor https".into()));
        }
        let client = Client::builder().timeout(TRY_LIMIT).redirect(Policy::none()).build();
        let client = client.map_err(|error| unusable(error.to_string()))?;
        Ok(Self { client, address: SecretString::from(url.to_string()), node })
    }

    /// Sends a message, a few times if need be.
    ///
    /// # Errors
    /// [`AlertFault::Delivery`].
    pub async fn send(&self, message: &Message) -> Result<(), AlertFault> {
        let body = self.body(message);
        let pauses = ExponentialBuilder::default().with_min_delay(FIRST_PAUSE).with_max_times(TRIES - 1).with_jitter();
        let sent = (|| self.post(&body)).retry(pauses).when(|(_, is_worth_it)| *is_worth_it).await;
        metrics::alerted(sent.is_ok());
        sent.map_err(|(reason, _)| AlertFault::Delivery(reason))
    }

    /// One try; an error says whether another one may do better.
    async fn post(&self, body: &Value) -> Result<(), (String, bool)> {
        let request = self.client.post(self.address.expose_secret()).json(body);
        // Without the address, which is in every error of the client.
        let answer = request.send().await.map_err(|error| (error.without_url().to_string(), true))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => {
                let is_worth_it = status.is_server_error()
                    || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
                Err((format!("it answers {status}"), is_worth_it))
            }
        }
    }

    fn body(&self, message: &Message) -> Value {
        match message {
            Message::Holds(alert) => {
                let mut body = json!(alert);
                body["text"] = json!(format!("{}: {} {}\n{}", self.node, alert.code, alert.text, alert.advice));
                body["status"] = json!("firing");
                body["node"] = json!(self.node);
                body
            }
            Message::Over(told) => {
                let since = format_utc(told.since_ms);
                json!({
                    "key": told.key,
                    "code": told.code,
                    "severity": "info",
                    "status": "resolved",
                    "node": self.node,
                    "text": format!("{}: resolved, since {since}: {} {}", self.node, told.code, told.text),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::fault::Fault;

    #[test]
    fn the_address_comes_from_a_private_file_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hook");
        let open = || Webhook::from_file(&path, "node".into());
        assert_eq!(open().expect_err("absent").code(), "VR-ALERT-001");
        for wrong in ["", "not an address", "ftp://x/secret"] {
            fs::write_private(&path, wrong.as_bytes()).unwrap();
            assert!(!open().expect_err(wrong).to_string().contains("secret"));
        }
        fs::write_private(&path, b"https://hooks.example/secret\n").unwrap();
        assert!(!format!("{:?}", open().unwrap()).contains("secret"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(open().expect_err("exposed").to_string().contains("644"));
    }
}
