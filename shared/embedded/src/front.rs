//! The HTTP front of one engine: takes a request off the wire, counts it, hands it to the engine in this process.
//!
//! Invariant: a request is counted before its engine sees it, and once the engines are dropped no request is served:
//! the front holds them weakly, ends what waits and closes its connections.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::StartError;
use crate::calls::Calls;
use crate::dynamodb::DynamoDb;
use crate::sqs::Sqs;

/// Largest request body, in bytes: 16 MiB, what DynamoDB takes in one `BatchWriteItem`. SQS takes less.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// An engine that speaks AWS JSON 1.0: one path, the operation in the `X-Amz-Target` header.
pub(crate) trait Engine: Send + Sync + 'static {
    /// The operation that the headers name, if this engine has it.
    fn operation(headers: &HeaderMap) -> Option<&'static str>;

    /// Runs the operation that the headers name.
    fn answer(&self, headers: &HeaderMap, body: Bytes) -> impl Future<Output = Response> + Send;
}

/// Both engines behind one address: the header names one's operation or the other's, and none has the name of another's.
pub(crate) struct Both {
    pub(crate) dynamodb: Arc<DynamoDb>,
    pub(crate) sqs: Arc<Sqs>,
}

impl Engine for Both {
    fn operation(headers: &HeaderMap) -> Option<&'static str> {
        DynamoDb::operation(headers).or_else(|| Sqs::operation(headers))
    }

    async fn answer(&self, headers: &HeaderMap, body: Bytes) -> Response {
        if DynamoDb::operation(headers).is_some() {
            self.dynamodb.answer(headers, body).await
        } else {
            self.sqs.answer(headers, body).await
        }
    }
}

struct Front<E> {
    engine: Weak<E>,
    calls: Arc<Calls>,
    alive: watch::Receiver<()>,
}

impl<E> Clone for Front<E> {
    fn clone(&self) -> Self {
        Self { engine: Weak::clone(&self.engine), calls: Arc::clone(&self.calls), alive: self.alive.clone() }
    }
}

/// Opens a listener that only this machine can reach, and tells where it listens.
pub(crate) async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    if !address.ip().is_loopback() {
        return Err(StartError::NotLoopback { address });
    }
    let refused = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    Ok((listener, bound))
}

/// Serves the engine until the sender of `alive` is dropped.
pub(crate) fn serve<E: Engine>(
    listener: TcpListener,
    engine: &Arc<E>,
    calls: &Arc<Calls>,
    alive: &watch::Receiver<()>,
) {
    let front = Front { engine: Arc::downgrade(engine), calls: Arc::clone(calls), alive: alive.clone() };
    let stopped = stopped(alive.clone());
    let service = Router::new().fallback(take::<E>).with_state(front);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stopped).await {
            tracing::error!(%error, "an embedded engine stopped listening");
        }
    });
}

async fn stopped(mut alive: watch::Receiver<()>) {
    while alive.changed().await.is_ok() {}
}

async fn take<E: Engine>(State(front): State<Front<E>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let Some(operation) = E::operation(&parts.headers) else {
        return unknown_operation();
    };
    let call = front.calls.count(operation);
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let Some(engine) = front.engine.upgrade() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let mut response = tokio::select! {
        response = engine.answer(&parts.headers, body) => response,
        () = stopped(front.alive) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    response.headers_mut().insert("x-amzn-requestid", HeaderValue::from(call));
    response
}

pub(crate) fn unknown_operation() -> Response {
    let body = r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#;
    (StatusCode::BAD_REQUEST, [("content-type", "application/x-amz-json-1.0")], body).into_response()
}
