use axum::body::to_bytes;

use super::*;

const SCRIPT: &str = "assets/index-1a2b.js";

fn page() -> Page {
    let files = [
        (INDEX, b"<!doctype html><script src=\"./assets/index-1a2b.js\"></script>".to_vec()),
        (SCRIPT, b"plain".to_vec()),
        ("assets/index-1a2b.js.gz", pack(b"let a = 1;").to_vec()),
        (".gitkeep", Vec::new()),
        ("assets/.hidden", b"no".to_vec()),
    ];
    Page::of(files.map(|(path, bytes)| (path.to_owned(), bytes.into())))
}

fn headers(named: &[(&'static str, &str)]) -> HeaderMap {
    named.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

async fn body(response: Response) -> Vec<u8> {
    to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()
}

#[tokio::test]
async fn a_file_is_given_as_the_client_can_take_it() {
    let page = page();
    for (path, kind, cache, text) in [
        ("/", "text/html; charset=utf-8", "no-cache", "<!doctype html>"),
        ("/index.html", "text/html; charset=utf-8", "no-cache", "<!doctype html>"),
        (
            "/assets/index-1a2b.js",
            "text/javascript; charset=utf-8",
            "public, max-age=31536000, immutable",
            "let a = 1;",
        ),
    ] {
        let plain = page.answer(&Method::GET, path, &HeaderMap::new());
        assert_eq!(plain.headers()[CONTENT_TYPE], kind, "{path}");
        assert_eq!(plain.headers()[CACHE_CONTROL], cache, "{path}");
        assert!(!plain.headers().contains_key(CONTENT_ENCODING));
        let packed = page.answer(&Method::GET, path, &headers(&[("accept-encoding", "br, gzip;q=0.8")]));
        assert_eq!(packed.headers()[CONTENT_ENCODING], "gzip");
        assert_eq!(
            (&packed.headers()[ETAG], &packed.headers()[VARY]),
            (&plain.headers()[ETAG], &"accept-encoding".parse().unwrap())
        );
        let plain = body(plain).await;
        assert!(plain.starts_with(text.as_bytes()), "{path}");
        assert_eq!(unpack(&body(packed).await), plain);
    }
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let page = page();
    let tag = page.answer(&Method::GET, "/", &HeaderMap::new()).headers()[ETAG].to_str().unwrap().to_owned();
    for (told, status) in [
        (tag.clone(), StatusCode::NOT_MODIFIED),
        (tag.trim_start_matches("W/").to_owned(), StatusCode::NOT_MODIFIED),
        (format!("\"another\", {tag}"), StatusCode::NOT_MODIFIED),
        ("*".to_owned(), StatusCode::NOT_MODIFIED),
        ("W/\"another\"".to_owned(), StatusCode::OK),
    ] {
        let answer = page.answer(&Method::GET, "/", &headers(&[("if-none-match", &told)]));
        assert_eq!(answer.status(), status, "{told}");
        assert_eq!(answer.headers()[ETAG], tag);
        assert_eq!(body(answer).await.is_empty(), status == StatusCode::NOT_MODIFIED);
    }
}

#[test]
fn there_is_nothing_else() {
    let page = page();
    for path in [
        "",
        "/.gitkeep",
        "/assets/.hidden",
        "/assets",
        "/assets/",
        "/assets/index-1a2b.js.gz",
        "//index.html",
        "/../index.html",
    ] {
        assert!(!page.has(path), "{path}");
        assert_eq!(page.answer(&Method::GET, path, &HeaderMap::new()).status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(page.answer(&Method::POST, "/", &HeaderMap::new()).status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(page.answer(&Method::HEAD, "/", &HeaderMap::new()).status(), StatusCode::OK);
}

#[tokio::test]
async fn a_page_that_is_off_or_not_built_is_told_apart() {
    for (page, code) in [(Page::default(), "VR-API-002"), (Page::of([]), "VR-API-017")] {
        let answer = page.answer(&Method::GET, "/", &HeaderMap::new());
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert!(String::from_utf8(body(answer).await).unwrap().contains(code), "{code}");
    }
}

#[test]
fn gzip_is_sent_to_who_takes_it() {
    for (accepted, takes) in [
        ("gzip", true),
        ("GZIP", true),
        ("br;q=1.0, gzip; q=0.2", true),
        ("*", true),
        ("*, gzip;q=0", false),
        ("br", false),
        ("gzip;q=0.0", false),
        ("gzip;q=much", false),
    ] {
        assert_eq!(takes_gzip(&headers(&[("accept-encoding", accepted)])), takes, "{accepted}");
    }
    assert!(!takes_gzip(&HeaderMap::new()));
}

#[test]
fn the_embedded_page_asks_nobody_else_and_works_below_any_path() {
    let page = Page::embedded(true);
    let Some(index) = page.file("/") else { return };
    let text = String::from_utf8(index.plain().to_vec()).unwrap();
    for link in text.split(['"', '\'']).filter(|part| part.contains('/')) {
        assert!(!link.starts_with('/') && !link.contains("//"), "{link}");
    }
    assert!(!text.contains("<style") && !text.contains("style=") && !text.contains("<base"), "{text}");
}
