//! The AWS SDK's way to the embedded engines: a connector that hands each request over in this process.
//!
//! Invariant: the adapters, the SDK with its retries and timeouts, and the engines are those of production and of
//! `tocsin local`; only the socket between them is gone.

use std::io;
use std::sync::Arc;

use aws::Clients;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use axum::body::Bytes;
use http::{HeaderMap, HeaderValue, Response};

use crate::fault::Point;
use crate::point::{bodies, classify};
use crate::wire::{Answer, Call, HARNESS, Seam};

/// A connector with one process's end of the wire.
#[derive(Clone)]
struct Connector(Arc<Seam>);

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Connector").field(&self.0.process).finish()
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let seam = self.0.clone();
        HttpConnectorFuture::new(async move { carry(&seam, request).await })
    }
}

/// The clients of one process, with the production's timeouts and retries.
pub(crate) fn clients(seam: &Arc<Seam>) -> Clients {
    let connector = Connector(seam.clone());
    let local = Clients::in_process(connector);
    // Retries are counted by process as in Lambda, not over all worlds of this one.
    let dynamodb = local.dynamodb.config().to_builder();
    let dynamodb = dynamodb.retry_partition(RetryPartition::custom("dynamodb").build()).build();
    let sqs = local.sqs.config().to_builder();
    let sqs = sqs.retry_partition(RetryPartition::custom("sqs").build()).build();
    Clients { dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb), sqs: aws_sdk_sqs::Client::from_conf(sqs) }
}

async fn carry(seam: &Arc<Seam>, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let mut headers = HeaderMap::new();
    for name in ["x-amz-target", "content-type"] {
        if let Some(value) = request.headers().get(name).and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(name, value);
        }
    }
    let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
    let bytes = request.body().bytes();
    let bytes = bytes.ok_or_else(|| ConnectorError::user("the engines take no body that is a stream".into()))?;
    let body = Bytes::copy_from_slice(bytes);
    let text = String::from_utf8_lossy(&body).into_owned();
    let (point, subject) = classify(&target, &text);
    let call = Call { point, subject, bytes: body.len() };
    let (wire, process) = (seam.wire.clone(), seam.process);
    let effect = async move {
        let answer = wire.engines.answer(&headers, body).await;
        if point == Point::InboxSend && process != HARNESS && answer.status().is_success() {
            wire.keep(bodies(&text));
        }
        answer
    };
    let broken = |kind: io::ErrorKind| ConnectorError::io(io::Error::from(kind).into());
    match seam.call(call, effect, |answer| answer.status().as_u16()).await {
        Answer::Came(answer) => response(answer),
        Answer::Half(answer) => {
            let (parts, body) = answer.into_parts();
            response(Response::from_parts(parts, body.slice(..body.len() / 2)))
        }
        Answer::Refused { status: 429, .. } => response(throttled(&target)),
        Answer::Refused { status, .. } => response(failed(status)),
        Answer::OkFalse(_) | Answer::Lost => Err(broken(io::ErrorKind::ConnectionReset)),
        Answer::Unreachable => Err(broken(io::ErrorKind::ConnectionRefused)),
    }
}

fn response(answer: Response<Bytes>) -> Result<HttpResponse, ConnectorError> {
    let (parts, body) = answer.map(|body| SdkBody::from(body.to_vec())).into_parts();
    let status = StatusCode::try_from(parts.status.as_u16());
    let mut response = HttpResponse::new(status.map_err(|error| ConnectorError::user(error.into()))?, body);
    for (name, value) in &parts.headers {
        if let Ok(value) = value.to_str() {
            response.headers_mut().insert(name.as_str().to_owned(), value.to_owned());
        }
    }
    Ok(response)
}

/// How both services say that too much was asked of them.
fn throttled(target: &str) -> Response<Bytes> {
    let kind = if target.starts_with("DynamoDB") {
        "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
    } else {
        "com.amazonaws.sqs#RequestThrottled"
    };
    error(400, kind)
}

fn failed(status: u16) -> Response<Bytes> {
    error(status, "com.amazonaws#InternalServerError")
}

fn error(status: u16, kind: &str) -> Response<Bytes> {
    let body = serde_json::json!({ "__type": kind, "message": "injected" }).to_string();
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/x-amz-json-1.0"));
    response
}
