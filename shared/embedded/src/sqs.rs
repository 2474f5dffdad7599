//! SQS: the engine behind the wire protocol.
//!
//! Invariant: what the engine answers goes out as it is. Queues and messages live in memory and end with the engine.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::response::Response;
use rustack_sqs_core::config::SqsConfig;
use rustack_sqs_core::handler::RustackSqsHandler;
use rustack_sqs_core::provider::RustackSqs;
use rustack_sqs_http::dispatch::dispatch_operation;
use rustack_sqs_http::response::error_to_response;
use rustack_sqs_http::router::resolve_operation;

use crate::front::Engine;

/// The embedded SQS.
pub(crate) struct Sqs(RustackSqsHandler);

impl Sqs {
    /// Begins with no queue. Queue addresses are built from where the front listens.
    pub(crate) fn new(address: SocketAddr) -> Self {
        let config = SqsConfig { host: address.ip().to_string(), port: address.port(), ..SqsConfig::default() };
        Self(RustackSqsHandler::new(Arc::new(RustackSqs::new(config))))
    }
}

impl Engine for Sqs {
    fn operation(headers: &HeaderMap) -> Option<&'static str> {
        resolve_operation(headers).ok().map(|operation| operation.as_str())
    }

    async fn answer(&self, headers: &HeaderMap, body: Bytes) -> Response {
        let answer = match resolve_operation(headers) {
            Ok(operation) => dispatch_operation(&self.0, operation, body).await,
            Err(error) => Err(error),
        };
        answer.unwrap_or_else(|error| error_to_response(&error, "")).map(Body::new)
    }
}
