//! The SDK's way to engines in this process.
//!
//! Invariant: adapters and SDK, with its retries and timeouts, are those of the cloud; only the socket is gone, and with it
//! a good part of what a call costs here.

use std::fmt;
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
use axum::http::{HeaderMap, HeaderValue, Response};
use embedded::InProcess;

/// What the engines read of a request beside its body.
const READ: [&str; 2] = ["x-amz-target", "content-type"];

/// Clients of these engines.
pub(super) fn clients(engines: &Arc<InProcess>) -> Clients {
    Clients::in_process(Connector(engines.clone()))
}

#[derive(Clone)]
struct Connector(Arc<InProcess>);

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let engines = self.0.clone();
        HttpConnectorFuture::new(async move {
            let mut headers = HeaderMap::new();
            for name in READ {
                if let Some(value) = request.headers().get(name).and_then(|value| HeaderValue::from_str(value).ok()) {
                    headers.insert(name, value);
                }
            }
            response(engines.answer(&headers, whole(request.body())?).await)
        })
    }
}

/// A body that is not in memory has no bytes here, and must not be taken for an empty one.
fn whole(body: &SdkBody) -> Result<Bytes, ConnectorError> {
    let bytes = body.bytes().ok_or_else(|| ConnectorError::user("the engines take no body that is a stream".into()))?;
    Ok(Bytes::copy_from_slice(bytes))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_memory_is_no_empty_body() {
        assert_eq!(whole(&SdkBody::from("{}")).ok().as_deref(), Some(&b"{}"[..]));
        assert_eq!(whole(&SdkBody::empty()).ok().as_deref(), Some(&b""[..]));
        let error = whole(&SdkBody::taken()).expect_err("its bytes are elsewhere");
        assert!(error.is_user(), "nothing that passes when it is sent again: {error:?}");
    }
}
