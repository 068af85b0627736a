//! A server that gives tables as their publishers do. For tests, demos and development.

use std::io::{Cursor, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::error::TableError;
use super::folder::Tables;
use super::series::DailySeries;
use super::{difficulty, rates};

/// Ember's path.
pub const ELECTRICITY_PATH: &str =
    "/public-downloads/price/outputs/european_wholesale_electricity_price_data_daily.csv";
/// The European Central Bank's paths.
pub const RATES_ZIP_PATH: &str = "/stats/eurofxref/eurofxref-hist.zip";
/// The same as XML.
pub const RATES_XML_PATH: &str = "/stats/eurofxref/eurofxref-hist.xml";
/// mempool.space's path.
pub const MEMPOOL_PATH: &str = "/api/v1/mining/hashrate/3y";
/// blockchain.com's path.
pub const BLOCKCHAIN_PATH: &str = "/charts/difficulty";

/// Listens on `address`; port 0 takes any free one.
///
/// # Errors
/// [`TableError::Serve`].
pub async fn listen(address: SocketAddr) -> Result<TcpListener, TableError> {
    TcpListener::bind(address).await.map_err(|source| TableError::Serve { address, source })
}

/// Serves tables until `shutdown`.
///
/// # Errors
/// [`TableError::Serve`].
pub async fn serve(tables: Tables, listener: TcpListener, shutdown: CancellationToken) -> Result<(), TableError> {
    let address = listener.local_addr().unwrap_or_else(|_| SocketAddr::from(([0, 0, 0, 0], 0)));
    axum::serve(listener, router(tables))
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
        .map_err(|source| TableError::Serve { address, source })
}

fn router(tables: Tables) -> Router {
    Router::new()
        .route(
            ELECTRICITY_PATH,
            get(|State(tables): State<Arc<Tables>>| async move { csv(tables.electricity.to_csv()) }),
        )
        .route(
            RATES_ZIP_PATH,
            get(|State(tables): State<Arc<Tables>>| async move { of(tables.rates.as_ref(), zipped) }),
        )
        .route(RATES_XML_PATH, get(|State(tables): State<Arc<Tables>>| async move { of(tables.rates.as_ref(), xml) }))
        .route(
            MEMPOOL_PATH,
            get(|State(tables): State<Arc<Tables>>| async move {
                of(tables.difficulty.as_ref(), |series| Json(difficulty::to_mempool(series)).into_response())
            }),
        )
        .route(
            BLOCKCHAIN_PATH,
            get(|State(tables): State<Arc<Tables>>| async move {
                of(tables.difficulty.as_ref(), |series| Json(difficulty::to_blockchain(series)).into_response())
            }),
        )
        .with_state(Arc::new(tables))
}

fn of(series: Option<&DailySeries>, answer: impl Fn(&DailySeries) -> Response) -> Response {
    series.map_or_else(|| StatusCode::NOT_FOUND.into_response(), answer)
}

fn csv(text: String) -> Response {
    ([(CONTENT_TYPE, "text/csv")], text).into_response()
}

fn xml(series: &DailySeries) -> Response {
    ([(CONTENT_TYPE, "application/xml")], rates::to_xml(series)).into_response()
}

fn zipped(series: &DailySeries) -> Response {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let written = archive.start_file("eurofxref-hist.csv", SimpleFileOptions::default()).and_then(|()| {
        archive.write_all(rates::to_csv(series).as_bytes())?;
        archive.finish()
    });
    match written {
        Ok(bytes) => ([(CONTENT_TYPE, "application/zip")], bytes.into_inner()).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
