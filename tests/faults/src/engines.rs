//! The way to the embedded engines: a connector that hands each request of the AWS SDK over in this process, and the
//! services' own JSON for what no code of Tocsin's asks.
//!
//! Invariant: the adapters, the SDK with its retries and timeouts, and the engines are those of production and of
//! `tocsin local`; only the socket between them is gone.

use std::io;
use std::sync::Arc;

use aws::Clients;
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
use serde_json::{Value, json};

use crate::fault::Point;
use crate::point::{bodies, classify, queue_name};
use crate::wire::{Answer, Call, HARNESS, Seam, Wire};

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
    Clients::in_process(Connector(seam.clone()))
}

/// Asks an engine in its service's own JSON, past every fault.
pub(crate) async fn ask(wire: &Wire, operation: &'static str, asked: &Value) -> Response<Bytes> {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-target", HeaderValue::from_static(operation));
    headers.insert("content-type", HeaderValue::from_static("application/x-amz-json-1.0"));
    wire.engines.answer(&headers, Bytes::from(asked.to_string())).await
}

/// Deletes messages of one batch that a process is done with, as an event source mapping does.
pub(crate) async fn delete(seam: &Seam, url: &str, receipts: &[&str]) -> Answer<Response<Bytes>> {
    let entry = |(id, receipt): (usize, &&str)| json!({ "Id": id.to_string(), "ReceiptHandle": receipt });
    let entries: Vec<Value> = receipts.iter().enumerate().map(entry).collect();
    let asked = json!({ "QueueUrl": url, "Entries": entries });
    let call = Call { point: Point::Delete, subject: queue_name(url).to_owned(), bytes: asked.to_string().len() };
    let wire = seam.wire.clone();
    let effect = async move { ask(&wire, "AmazonSQS.DeleteMessageBatch", &asked).await };
    seam.call(call, effect, |answer| answer.status().as_u16()).await
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
    let text = std::str::from_utf8(bytes).map_err(|error| ConnectorError::user(error.into()))?;
    let (point, subject) = classify(&target, text);
    let call = Call { point, subject, bytes: body.len() };
    let sent = if point == Point::InboxSend && seam.process != HARNESS { bodies(text) } else { Vec::new() };
    let wire = seam.wire.clone();
    let effect = async move {
        let answer = wire.engines.answer(&headers, body).await;
        if answer.status().is_success() {
            wire.keep(sent);
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
    let (parts, body) = answer.map(SdkBody::from).into_parts();
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
    let body = json!({ "__type": kind, "message": "injected" }).to_string();
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/x-amz-json-1.0"));
    response
}
