//! The page at `/`: files of `web/dist`, embedded in the program. What a browser may do with them, and with every other answer,
//! is said in their headers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::OnceLock;

use axum::body::{Body, Bytes};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rust_embed::Embed;
use sha2::{Digest as _, Sha256};

use crate::api::error::ApiError;

/// Nothing but the page's own files, from the page's own host: no inline script or style, no frame around it.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// What `/` is.
const INDEX: &str = "index.html";
/// Files below it carry a digest in their name.
const ASSETS: &str = "assets/";
/// Ending of a file that is embedded packed, and known by its name without it.
const PACKED: &str = ".gz";
/// Largest file, unpacked.
const MAX_FILE_BYTES: u64 = 16 << 20;
/// Bytes of a digest that tell one state of a file from another.
const TAG_BYTES: usize = 8;

#[derive(Embed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Dist;

/// The page's files, or none.
#[derive(Debug, Default)]
pub struct Page {
    is_on: bool,
    /// By their path.
    files: BTreeMap<String, File>,
}

#[derive(Debug)]
struct File {
    kind: HeaderValue,
    tag: HeaderValue,
    cache: HeaderValue,
    stored: Stored,
    /// The form that is not embedded, made for the first who asks for it.
    other: OnceLock<Bytes>,
}

#[derive(Debug)]
enum Stored {
    Plain(Bytes),
    Packed(Bytes),
}

impl Page {
    /// What is embedded, if it `is_on`.
    pub fn embedded(is_on: bool) -> Self {
        if !is_on {
            return Self::default();
        }
        Self::of(Dist::iter().filter_map(|path| Some((path.to_string(), bytes(Dist::get(&path)?.data)))))
    }

    fn of(files: impl IntoIterator<Item = (String, Bytes)>) -> Self {
        let mut known = BTreeMap::new();
        for (path, bytes) in files {
            let packed = path.strip_suffix(PACKED).map(str::to_owned);
            let (path, is_packed) = packed.map_or((path, false), |path| (path, true));
            let hidden = path.split('/').any(|part| part.starts_with('.'));
            // Where there are both forms, the packed one is kept.
            if !hidden && (is_packed || !known.contains_key(&path)) {
                let file = File::new(&path, if is_packed { Stored::Packed(bytes) } else { Stored::Plain(bytes) });
                known.insert(path, file);
            }
        }
        Self { is_on: true, files: known }
    }

    /// Whether there is a file at the path. Those cost nothing of a client's budget: many viewers may have one proxy's address.
    pub(super) fn has(&self, path: &str) -> bool {
        self.file(path).is_some()
    }

    fn file(&self, path: &str) -> Option<&File> {
        let path = path.strip_prefix('/')?;
        self.files.get(if path.is_empty() { INDEX } else { path })
    }

    /// The file at a path, as the client can take it.
    pub(super) fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Response {
        let Some(file) = self.file(path) else {
            let fault = if self.is_on && path == "/" { ApiError::NoPage } else { ApiError::NoRoute };
            return fault.into_response();
        };
        if !matches!(*method, Method::GET | Method::HEAD) {
            return ApiError::Method.into_response();
        }
        file.answer(headers)
    }
}

impl File {
    fn new(path: &str, stored: Stored) -> Self {
        let (Stored::Plain(bytes) | Stored::Packed(bytes)) = &stored;
        let digest = hex::encode(&Sha256::digest(bytes)[..TAG_BYTES]);
        // Weak: both forms have it.
        let tag =
            HeaderValue::try_from(format!("W/\"{digest}\"")).unwrap_or_else(|_| HeaderValue::from_static("W/\"\""));
        let cache = if path.starts_with(ASSETS) { "public, max-age=31536000, immutable" } else { "no-cache" };
        let kind = HeaderValue::from_static(kind(path));
        Self { kind, tag, cache: HeaderValue::from_static(cache), stored, other: OnceLock::new() }
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let is_known = headers.get_all(IF_NONE_MATCH).iter().any(|tags| self.is_among(tags));
        let packed = takes_gzip(headers);
        let mut response = if is_known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            Body::from(if packed { self.packed() } else { self.plain() }).into_response()
        };
        let told = response.headers_mut();
        told.insert(ETAG, self.tag.clone());
        told.insert(CACHE_CONTROL, self.cache.clone());
        told.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if !is_known {
            told.insert(CONTENT_TYPE, self.kind.clone());
            if packed {
                told.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
        }
        response
    }

    /// Whether a client's list of tags has this file's.
    fn is_among(&self, tags: &HeaderValue) -> bool {
        let own = self.tag.to_str().unwrap_or_default().trim_start_matches("W/");
        let tags = tags.to_str().unwrap_or_default();
        tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == own)
    }

    fn packed(&self) -> Bytes {
        match &self.stored {
            Stored::Packed(bytes) => bytes.clone(),
            Stored::Plain(bytes) => self.other.get_or_init(|| pack(bytes)).clone(),
        }
    }

    fn plain(&self) -> Bytes {
        match &self.stored {
            Stored::Plain(bytes) => bytes.clone(),
            Stored::Packed(bytes) => self.other.get_or_init(|| unpack(bytes)).clone(),
        }
    }
}

fn bytes(data: Cow<'static, [u8]>) -> Bytes {
    match data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    }
}

/// In memory nothing fails.
fn pack(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    packed.unwrap_or_default().into()
}

fn unpack(bytes: &[u8]) -> Bytes {
    let mut plain = Vec::new();
    let _length = GzDecoder::new(bytes).take(MAX_FILE_BYTES).read_to_end(&mut plain);
    plain.into()
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Whether the client names gzip, or anything, with a weight that is not zero.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let weight = |wanted: &str| {
        let named = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        named.flat_map(|value| value.split(',')).find_map(|coding| {
            let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
            let weight =
                || parameters.trim().strip_prefix("q=").map_or(Some(1.0), |weight| weight.trim().parse::<f64>().ok());
            name.trim().eq_ignore_ascii_case(wanted).then(weight).flatten()
        })
    };
    weight("gzip").or_else(|| weight("*")).is_some_and(|weight| weight > 0.0)
}

/// Says in an answer, whatever it is, what a browser may do with it.
pub(super) fn guard(headers: &mut HeaderMap) {
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
