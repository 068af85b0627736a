//! The webhook: JSON by POST, tried a few times, its address never shown.

use std::path::Path;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use reqwest::{Client, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::AlertError;
use crate::alerts::state::Message;
use crate::http;
use crate::telemetry::metrics;
use veriregime_core::types::alert::{Alert, FiredAlert};
use veriregime_core::types::diagnostic::quoted;
use veriregime_core::types::time::format_utc;
use veriregime_files::access;

const MAX_ADDRESS_BYTES: u64 = 4096;
/// Most of an answer that is read for what it says.
const MAX_ANSWER_BYTES: usize = 4096;
/// A shorter part of an address is no secret.
const MIN_SECRET_CHARS: usize = 8;
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
    /// Reads the address from a file that nobody else can read.
    ///
    /// # Errors
    /// [`AlertError::File`].
    pub fn from_file(path: &Path, node: String) -> Result<Self, AlertError> {
        let unusable = |reason: String| AlertError::File { path: path.display().to_string(), reason };
        if let Some(exposed) = access::exposed(path).map_err(|fault| unusable(fault.to_string()))? {
            return Err(unusable(format!("others can read it (mode {:o}, group {})", exposed.mode, exposed.group)));
        }
        let text = veriregime_files::read_text(path, MAX_ADDRESS_BYTES).map_err(|fault| unusable(fault.to_string()))?;
        // What is wrong with it is not repeated: that would show it.
        let url = Url::parse(text.trim()).map_err(|_| unusable("it holds no address".into()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(unusable("the address is neither http nor https".into()));
        }
        let client = http::client(&url).timeout(TRY_LIMIT).build();
        let client = client.map_err(|error| unusable(error.to_string()))?;
        Ok(Self { client, address: SecretString::from(url.to_string()), node })
    }

    /// Sends a message, a few times if need be.
    ///
    /// # Errors
    /// [`AlertError::Delivery`].
    pub async fn send(&self, message: &Message) -> Result<(), AlertError> {
        let body = self.body(message);
        let pauses = ExponentialBuilder::default().with_min_delay(FIRST_PAUSE).with_max_times(TRIES - 1).with_jitter();
        let sent = (|| self.post(&body)).retry(pauses).when(|(_, is_worth_it)| *is_worth_it).await;
        metrics::alerted(sent.is_ok());
        sent.map_err(|(reason, _)| AlertError::Delivery(reason))
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
                Err((format!("it answers {status}{}", self.words(answer).await), is_worth_it))
            }
        }
    }

    /// What an answer says, to be put after its status: without the address, which some repeat.
    async fn words(&self, answer: Response) -> String {
        let bytes = http::beginning(answer, MAX_ANSWER_BYTES).await;
        let text = String::from_utf8_lossy(&bytes).split_whitespace().collect::<Vec<_>>().join(" ");
        let address = self.address.expose_secret();
        let secrets = Url::parse(address).ok().into_iter().flat_map(|url| {
            let path = url.path_segments().into_iter().flatten().map(str::to_owned).collect::<Vec<_>>();
            let query = url.query_pairs().map(|(_, value)| value.into_owned()).collect::<Vec<_>>();
            [path, query].concat()
        });
        let text = secrets
            .filter(|secret| secret.len() >= MIN_SECRET_CHARS)
            .fold(text, |text, secret| text.replace(&secret, "…"));
        match quoted(&text) {
            words if words.is_empty() => String::new(),
            words => format!(": {words}"),
        }
    }

    fn body(&self, message: &Message) -> Value {
        match message {
            Message::Holds(alert) => {
                let mut body = json!(alert);
                let Alert { subject, code, text, hint, .. } = alert;
                body["text"] = json!(format!("{}: {code} {subject}: {text}\n{hint}", self.node));
                body["status"] = json!("firing");
                body["node"] = json!(self.node);
                body
            }
            Message::Resolved(told) => {
                let FiredAlert { subject, code, text, .. } = told;
                let since = format_utc(told.since_ms);
                let mut body = json!(subject);
                body["key"] = json!(told.key);
                body["code"] = json!(code);
                body["severity"] = json!("info");
                body["status"] = json!("resolved");
                body["node"] = json!(self.node);
                body["text"] = json!(format!("{}: resolved, since {since}: {code} {subject}: {text}", self.node));
                body
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use wiremock::matchers::method;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use veriregime_core::types::alert::{Severity, Subject};
    use veriregime_core::types::diagnostic::Diagnostic;

    #[tokio::test]
    async fn a_webhook_that_refuses_is_quoted_without_its_address() {
        let server = MockServer::start().await;
        let refusal =
            "{\"message\": \"Cannot send an empty message\",\n \"path\": \"/hooks/T0KEN-secret?key=also-secret\"}";
        let answer = ResponseTemplate::new(400).set_body_string(refusal.to_owned() + &"x".repeat(100_000));
        Mock::given(method("POST")).respond_with(answer).expect(1).mount(&server).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hook");
        veriregime_files::write_private(
            &path,
            format!("{}/hooks/T0KEN-secret?key=also-secret", server.uri()).as_bytes(),
        )
        .unwrap();
        let webhook = Webhook::from_file(&path, "node".into()).unwrap();
        let alert = Alert {
            subject: Subject::Job { job: "btc".into(), chain_id: 1 },
            key: "missed".into(),
            occurrence: String::new(),
            code: "VR-CHAIN-001".into(),
            severity: Severity::Critical,
            text: "a period was missed".into(),
            period: None,
            hint: "look".into(),
        };
        let body = webhook.body(&Message::Holds(alert.clone()));
        assert_eq!((&body["job"], &body["chain_id"]), (&json!("btc"), &json!(1)));
        assert_eq!(body["text"], "node: VR-CHAIN-001 job btc on chain 1: a period was missed\nlook");
        let fault = webhook.send(&Message::Holds(alert)).await.expect_err("it refuses");
        let said = fault.to_string();
        let quoted =
            "it answers 400 Bad Request: {\"message\": \"Cannot send an empty message\", \"path\": \"/hooks/…?key=…\"}";
        assert_eq!(fault.code(), "VR-ALERT-002");
        assert!(said.contains(quoted) && said.len() < 1000, "{said}");
    }

    #[test]
    fn the_address_comes_from_a_private_file_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hook");
        let open = || Webhook::from_file(&path, "node".into());
        assert_eq!(open().expect_err("absent").code(), "VR-ALERT-001");
        for wrong in ["", "not an address", "ftp://x/secret"] {
            veriregime_files::write_private(&path, wrong.as_bytes()).unwrap();
            assert!(!open().expect_err(wrong).to_string().contains("secret"));
        }
        veriregime_files::write_private(&path, b"https://hooks.example/secret\n").unwrap();
        assert!(!format!("{:?}", open().unwrap()).contains("secret"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(open().expect_err("exposed").to_string().contains("644"));
    }
}
