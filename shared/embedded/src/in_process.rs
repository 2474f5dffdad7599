//! The engines without a wire: a caller in this process hands over what it would have sent.
//!
//! Invariant: what is handed over is counted and answered as if it had come over loopback; no socket is opened.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

use axum::body::{Bytes, to_bytes};
use axum::http::{HeaderMap, Response};

use crate::calls::Calls;
use crate::dynamodb::DynamoDb;
use crate::front::{Engine, unknown_operation};
use crate::sqs::Sqs;
use crate::{StartError, Storage};

/// The port in queue addresses; nothing listens there.
const NO_PORT: u16 = 80;

/// DynamoDB and SQS for callers of this process alone. SQS reads Tokio's clock, so that under a paused one a message's
/// visibility ends when the caller says.
pub struct InProcess {
    dynamodb: DynamoDb,
    sqs: Sqs,
    calls: Calls,
}

impl InProcess {
    /// Opens both engines. Their queues need a running Tokio runtime with time.
    ///
    /// # Errors
    /// When the storage cannot be opened.
    pub fn open(storage: &Storage) -> Result<Self, StartError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, NO_PORT));
        Ok(Self { dynamodb: DynamoDb::open(storage)?, sqs: Sqs::new(address), calls: Calls::default() })
    }

    /// Answers one request; its `X-Amz-Target` says which engine it is for.
    pub async fn answer(&self, headers: &HeaderMap, body: Bytes) -> Response<Bytes> {
        let response = if let Some(operation) = DynamoDb::operation(headers) {
            self.calls.count(operation);
            self.dynamodb.answer(headers, body).await
        } else if let Some(operation) = Sqs::operation(headers) {
            self.calls.count(operation);
            self.sqs.answer(headers, body).await
        } else {
            unknown_operation()
        };
        let (parts, body) = response.into_parts();
        Response::from_parts(parts, to_bytes(body, usize::MAX).await.unwrap_or_default())
    }

    /// Calls so far by operation.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.calls.so_far()
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").finish_non_exhaustive()
    }
}
