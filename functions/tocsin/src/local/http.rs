//! What `tocsin local` serves: the function `receive` as a Function URL would serve it, and the console's pages.
//!
//! Invariant: pages are served on loopback alone. A body is never buffered beyond its limit, pages hold nothing that was not
//! escaped, and no connection is read on after a request whose end a proxy could have seen elsewhere.

use std::sync::Arc;

use aws::Store;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use domain::IncidentId;
use futures::StreamExt;
use pipeline::ports::StoreError;
use pipeline::{Receive, Redrive};
use serde::Deserialize;
use serde_json::Value;
use sources::BODY_BYTES_MAX;
use stand_ins::StandIns;

use super::{api, page, silences};
use crate::redrive::{read_id, redriven};

/// Bytes of a body that is too large which are still read, so that its sender sees the answer.
const DROPPED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What the pages and the function need.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) receive: Arc<Receive>,
    pub(crate) store: Arc<Store>,
    pub(crate) stand_ins: StandIns,
    pub(crate) redrive: Arc<Redrive>,
}

/// The function, and the pages where `pages` says so: who may read them is not checked.
pub(crate) fn router(served: Served, pages: bool) -> Router {
    let router = Router::new().fallback(function);
    let router = if pages {
        router
            .route("/", get(list_page))
            .route("/incidents/{id}", get(incident_page))
            .route("/api/incidents", get(list_json))
            .route("/api/incidents/{id}", get(incident_json))
            .route("/api/incidents/{id}/children", get(children_json))
            .route("/api/deliveries", get(deliveries_json))
            .route("/api/redrive", post(redrive_json))
            .route("/api/silences", get(silences::listed).post(silences::written))
            .route("/api/silences/{id}/end", post(silences::ended))
    } else {
        router
    };
    router.layer(from_fn(close_after_chunks)).with_state(served)
}

/// A request that has a length beside its chunks ends by its chunks, and what follows is not read: RFC 9112, 6.1. The
/// length is gone by here where it stood second, so that every request in chunks is the last of its connection.
async fn close_after_chunks(request: Request<Body>, next: Next) -> Response {
    let in_chunks = request.headers().contains_key(header::TRANSFER_ENCODING);
    let mut response = next.run(request).await;
    if in_chunks {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Everything else goes to the function, whatever its method and path.
async fn function(State(served): State<Served>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let Some(bytes) = read(body).await else {
        return answer(receive::problem(StatusCode::BAD_REQUEST, "the body did not arrive whole: send it again"));
    };
    let request = Request::from_parts(parts, lambda_http::Body::Binary(bytes));
    answer(receive::handle(&served.receive, request).await)
}

/// The body, cut one byte beyond the limit, so that the function sees it as too large. What follows is read and dropped:
/// a sender that is answered while it still sends mostly sees a broken connection and not the answer.
async fn read(body: Body) -> Option<Vec<u8>> {
    let mut kept = Vec::new();
    let mut seen: usize = 0;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.ok()?;
        seen = seen.saturating_add(chunk.len());
        let room = (BODY_BYTES_MAX + 1).saturating_sub(kept.len());
        kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if seen > DROPPED_BYTES_MAX {
            break;
        }
    }
    Some(kept)
}

pub(crate) fn answer(response: axum::http::Response<lambda_http::Body>) -> Response {
    response.map(|body| Body::from(body.as_ref().to_vec())).into_response()
}

async fn list_json(State(served): State<Served>) -> Response {
    match served.store.incidents().await {
        Ok(incidents) => json(&api::incidents(&incidents)),
        Err(error) => unavailable(&error),
    }
}

async fn incident_json(State(served): State<Served>, Path(id): Path<String>) -> Response {
    let Ok(id) = IncidentId::try_from(id) else { return missing() };
    match served.store.record(&id).await {
        Ok(Some(record)) => json(&api::record(&record)),
        Ok(None) => missing(),
        Err(error) => unavailable(&error),
    }
}

async fn children_json(State(served): State<Served>, Path(id): Path<String>) -> Response {
    let Ok(id) = IncidentId::try_from(id) else { return missing() };
    match served.store.children_of(&id).await {
        Ok(children) => json(&api::children(&children)),
        Err(error) => unavailable(&error),
    }
}

/// `dead=true` leaves out what arrived or is on its way.
#[derive(Deserialize)]
struct Which {
    #[serde(default)]
    dead: bool,
}

async fn deliveries_json(State(served): State<Served>, Query(which): Query<Which>) -> Response {
    match served.store.all_deliveries().await {
        Ok(deliveries) => json(&api::deliveries(deliveries, which.dead)),
        Err(error) => unavailable(&error),
    }
}

/// Which deliveries are tried again; all that are dead where none is named.
#[derive(Deserialize)]
struct Redriving {
    deliveries: Option<Vec<String>>,
}

/// It takes JSON alone, which no page of another site may send without asking first.
async fn redrive_json(State(served): State<Served>, Json(asked): Json<Redriving>) -> Response {
    let named = asked.deliveries.map(|ids| ids.iter().map(|id| read_id(id)).collect::<anyhow::Result<Vec<_>>>());
    let named = match named.transpose() {
        Ok(named) => named,
        Err(error) => return answer(receive::problem(StatusCode::BAD_REQUEST, &format!("{error:#}"))),
    };
    match redriven(&served.redrive, named.as_deref()).await {
        Ok(done) => json(&done),
        Err(error) => answer(receive::problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())),
    }
}

async fn list_page(State(served): State<Served>) -> Response {
    match served.store.incidents().await {
        Ok(incidents) => html(page::list(&api::incidents(&incidents), &served.stand_ins)),
        Err(error) => unavailable(&error),
    }
}

async fn incident_page(State(served): State<Served>, Path(id): Path<String>) -> Response {
    let Ok(id) = IncidentId::try_from(id) else { return missing() };
    match served.store.record(&id).await {
        Ok(Some(record)) => html(page::incident(&api::record(&record))),
        Ok(None) => missing(),
        Err(error) => unavailable(&error),
    }
}

pub(crate) fn json(body: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn html(page: Result<String, handlebars::RenderError>) -> Response {
    match page {
        Ok(page) => {
            let policy = "default-src 'none'; style-src 'unsafe-inline'";
            ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response()
        }
        Err(error) => answer(receive::problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())),
    }
}

fn missing() -> Response {
    answer(receive::problem(StatusCode::NOT_FOUND, "no incident has this id"))
}

pub(crate) fn unavailable(error: &StoreError) -> Response {
    answer(receive::problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use aws::{Clients, Endpoints, QueueUrls, Queues};
    use pipeline::SystemClock;
    use tokio::net::TcpListener;

    use super::*;
    use crate::local::LocalEnvironment;

    /// The status of a GET; web's client has installed what TLS needs.
    async fn status(address: SocketAddr, path: &str) -> anyhow::Result<u16> {
        let _installed = web::Client::new()?;
        Ok(reqwest::get(format!("http://{address}{path}")).await?.status().as_u16())
    }

    async fn serve(pages: bool) -> anyhow::Result<SocketAddr> {
        let text = crate::example::config_text(None)?.1;
        let intake = config::load_intake(&text, &LocalEnvironment::new(&text)).map_err(|m| anyhow::anyhow!("{m:?}"))?;
        let clients = Clients::local(&Endpoints::at("http://127.0.0.1:9", "http://127.0.0.1:9"));
        let queues = Arc::new(Queues::new(clients.sqs, QueueUrls::default()));
        let store = Arc::new(Store::new(clients.dynamodb, "tocsin"));
        let redrive = Redrive::new(store.clone(), queues.clone(), queues.clone(), Arc::new(SystemClock));
        let served = Served {
            receive: Arc::new(Receive::new(intake, queues, Arc::new(SystemClock))),
            store,
            stand_ins: StandIns::start().await?,
            redrive: Arc::new(redrive),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, router(served, pages)).await });
        Ok(address)
    }

    #[tokio::test]
    async fn pages_are_served_only_where_they_are_asked_for() -> anyhow::Result<()> {
        for pages in [true, false] {
            let address = serve(pages).await?;
            for path in ["/", "/incidents/1", "/api/incidents", "/api/incidents/1", "/api/deliveries", "/api/silences"]
            {
                // The store is out of reach: whoever asks it answers 503.
                assert_eq!(status(address, path).await?, if pages { 503 } else { 404 }, "{path}");
            }
            assert_eq!(status(address, "/healthz").await?, 200);
        }
        Ok(())
    }
}
