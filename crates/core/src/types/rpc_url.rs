//! The address of an RPC, which may hold a secret.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// Schemes that lead to an RPC.
const SCHEMES: [&str; 4] = ["http", "https", "ws", "wss"];

/// An RPC's address. Providers put their customers' keys into path, query or user name, so only scheme, host and port
/// are ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct RpcUrl(Url);

impl RpcUrl {
    /// The whole address, for whoever connects.
    pub fn expose(&self) -> &Url {
        &self.0
    }

    /// Whether requests go over one lasting WebSocket.
    pub fn is_websocket(&self) -> bool {
        self.0.scheme().starts_with("ws")
    }
}

impl FromStr for RpcUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = parse(text)?;
        match url.scheme() {
            scheme if !SCHEMES.contains(&scheme) => Err(format!("scheme {scheme} is not http, https, ws or wss")),
            _ if url.host_str().is_none_or(str::is_empty) => Err("it names no host".into()),
            _ => Ok(Self(url)),
        }
    }
}

/// An address with its scheme.
///
/// # Errors
/// What it lacks; the address is not repeated, since it may hold a secret.
pub fn parse(text: &str) -> Result<Url, String> {
    if !text.contains("://") {
        return Err("http:// missing? An address begins with a scheme".into());
    }
    Url::parse(text.trim()).map_err(|error| error.to_string())
}

impl From<Url> for RpcUrl {
    fn from(url: Url) -> Self {
        Self(url)
    }
}

impl fmt::Display for RpcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or("?"))?;
        self.0.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Debug for RpcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_an_address_is_never_shown() {
        let url: RpcUrl = " wss://user:secret@node.example:8546/v3/secret?key=secret ".parse().unwrap();
        assert_eq!((url.to_string(), format!("{url:?}")), (url.to_string(), "wss://node.example:8546".into()));
        assert!(url.is_websocket());
        assert!("ftp://x".parse::<RpcUrl>().is_err() && "node:8545".parse::<RpcUrl>().is_err());
    }

    #[test]
    fn an_address_without_a_scheme_is_told_so() {
        for text in ["127.0.0.1:8545", "localhost:8545", "node.example", "user:secret@node.example/v3/secret"] {
            let reason = text.parse::<RpcUrl>().expect_err(text);
            assert!(reason.starts_with("http:// missing?") && !reason.contains("secret"), "{text}: {reason}");
        }
    }
}
