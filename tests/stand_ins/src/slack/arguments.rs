//! A method's arguments, however they were sent.
//!
//! Invariant: a JSON object, a form body and a query say the same; nested values of the latter two are JSON texts.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Form, FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use super::Refusal;

#[derive(Debug)]
pub(super) struct Arguments(Map<String, Value>);

impl Arguments {
    pub(super) async fn read(request: Request) -> Result<Self, Refusal> {
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if content_type.is_some_and(|value| value.starts_with("application/json")) {
            return Self::read_json(request).await;
        }
        let form = Form::<BTreeMap<String, String>>::from_request(request, &()).await;
        let Form(fields) = form.map_err(|_| Refusal::Named("invalid_form_data"))?;
        Ok(Self(fields.into_iter().map(|(name, value)| (name, Value::String(value))).collect()))
    }

    async fn read_json(request: Request) -> Result<Self, Refusal> {
        let body = Bytes::from_request(request, &()).await.map_err(|_| Refusal::Named("request_timeout"))?;
        match serde_json::from_slice(&body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(Refusal::Named("json_not_object")),
            Err(_) => Err(Refusal::Named("invalid_json")),
        }
    }

    /// Text, empty where it is absent or no text.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Text that is there and not empty.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// A switch, as JSON or as text.
    pub(super) fn switch(&self, name: &str) -> Option<bool> {
        match self.0.get(name)? {
            Value::Bool(on) => Some(*on),
            Value::String(word) => Some(matches!(word.as_str(), "true" | "1")),
            _ => None,
        }
    }

    /// A count, as JSON or as text.
    pub(super) fn count(&self, name: &str) -> Option<usize> {
        match self.0.get(name)? {
            Value::Number(number) => usize::try_from(number.as_u64()?).ok(),
            Value::String(digits) => digits.parse().ok(),
            _ => None,
        }
    }

    /// A nested value, as JSON or as JSON text; `Err` where the text is no JSON.
    pub(super) fn nested(&self, name: &str) -> Result<Option<Value>, serde_json::Error> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text).map(Some),
            Some(value) => Ok(Some(value.clone())),
        }
    }
}
