//! A server that gives tables as their publishers do. For tests, demos and development.

use std::io::{Cursor, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::error::TableError;
use super::folder::Tables;
use super::series::DailySeries;
use super::{difficulty, rates};
use crate::sources::yields::defillama::{to_chart, to_pools};
use crate::sources::yields::folder::Yields;
use crate::sources::yields::funding::{FUNDING_PATH, to_payments};
use veriregime_core::yields::Kind;

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

/// DefiLlama's path of all pools.
pub const POOLS_PATH: &str = "/pools";
/// DefiLlama's path of a pool's days.
pub const CHART_PATH: &str = "/chart/{pool}";

/// What is served: whatever of it is there.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// Electricity, rates, difficulty.
    pub tables: Option<Tables>,
    /// Rates of strategies.
    pub yields: Option<Yields>,
}

/// What is asked of payments of funding; the newest are given.
#[derive(Debug, Deserialize)]
struct OfPerpetual {
    symbol: String,
}

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
pub async fn serve(content: Content, listener: TcpListener, shutdown: CancellationToken) -> Result<(), TableError> {
    let address = listener.local_addr().unwrap_or_else(|_| SocketAddr::from(([0, 0, 0, 0], 0)));
    axum::serve(listener, router(content))
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
        .map_err(|source| TableError::Serve { address, source })
}

fn router(content: Content) -> Router {
    Router::new()
        .route(
            ELECTRICITY_PATH,
            get(|State(content): State<Arc<Content>>| async move {
                of(content.tables.as_ref(), |tables| csv(tables.electricity.to_csv()))
            }),
        )
        .route(
            RATES_ZIP_PATH,
            get(|State(content): State<Arc<Content>>| async move { of(series(&content, |tables| &tables.rates), zipped) }),
        )
        .route(
            RATES_XML_PATH,
            get(|State(content): State<Arc<Content>>| async move { of(series(&content, |tables| &tables.rates), xml) }),
        )
        .route(
            MEMPOOL_PATH,
            get(|State(content): State<Arc<Content>>| async move {
                of(series(&content, |tables| &tables.difficulty), |series| Json(difficulty::to_mempool(series)).into_response())
            }),
        )
        .route(
            BLOCKCHAIN_PATH,
            get(|State(content): State<Arc<Content>>| async move {
                of(series(&content, |tables| &tables.difficulty), |series| Json(difficulty::to_blockchain(series)).into_response())
            }),
        )
        .route(
            POOLS_PATH,
            get(|State(content): State<Arc<Content>>| async move {
                of(content.yields.as_ref(), |yields| Json(to_pools(yields.pools.values())).into_response())
            }),
        )
        .route(
            CHART_PATH,
            get(|State(content): State<Arc<Content>>, Path(id): Path<String>| async move {
                let pool = content.yields.as_ref().and_then(|yields| yields.pools.get(&id));
                of(pool, |pool| Json(to_chart(&pool.series)).into_response())
            }),
        )
        .route(
            FUNDING_PATH,
            get(|State(content): State<Arc<Content>>, Query(of_one): Query<OfPerpetual>| async move {
                let pool = content.yields.as_ref().and_then(|yields| yields.pools.get(&of_one.symbol));
                of(pool.filter(|pool| pool.kind == Kind::Delta), |pool| Json(to_payments(pool)).into_response())
            }),
        )
        .with_state(Arc::new(content))
}

fn series(content: &Content, which: impl Fn(&Tables) -> &Option<DailySeries>) -> Option<&DailySeries> {
    which(content.tables.as_ref()?).as_ref()
}

fn of<T>(part: Option<&T>, answer: impl Fn(&T) -> Response) -> Response {
    part.map_or_else(|| StatusCode::NOT_FOUND.into_response(), answer)
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
