//! What triage asks of the outside, where the outside does not do its part.
//!
//! Invariant: an answer is bounded before it is read, as the HTTP client bounds it: one that is longer is an error.

use std::future::pending;
use std::sync::Arc;

use async_trait::async_trait;
use domain::{Change, CommitRange, Series};
use pipeline::ports::{ChangeHistory, MetricQuery, MetricReader, ReadError};

use crate::setup::Outside;

struct Hangs;
struct Huge;

#[async_trait]
impl MetricReader for Hangs {
    async fn read(&self, _: &MetricQuery) -> Result<Series, ReadError> {
        pending().await
    }
}

#[async_trait]
impl ChangeHistory for Hangs {
    async fn deployments(&self, _: &str, _: &str, _: Option<&str>) -> Result<Vec<Change>, ReadError> {
        pending().await
    }

    async fn commits(&self, _: &str, _: &str, _: &str, _: &str) -> Result<CommitRange, ReadError> {
        pending().await
    }
}

/// What `web` says of an answer of 10 MB.
fn too_large() -> ReadError {
    ReadError { why: "api.github.com answered 200, but its body is larger than 1048576 bytes".to_owned() }
}

#[async_trait]
impl MetricReader for Huge {
    async fn read(&self, _: &MetricQuery) -> Result<Series, ReadError> {
        Err(too_large())
    }
}

#[async_trait]
impl ChangeHistory for Huge {
    async fn deployments(&self, _: &str, _: &str, _: Option<&str>) -> Result<Vec<Change>, ReadError> {
        Err(too_large())
    }

    async fn commits(&self, _: &str, _: &str, _: &str, _: &str) -> Result<CommitRange, ReadError> {
        Err(too_large())
    }
}

type Readers = (Option<Arc<dyn MetricReader>>, Option<Arc<dyn ChangeHistory>>);

/// The readers that a triage process is given.
pub(crate) fn readers(outside: Outside) -> Readers {
    match outside {
        Outside::Absent => (None, None),
        Outside::Hangs => (Some(Arc::new(Hangs)), Some(Arc::new(Hangs))),
        Outside::Huge => (Some(Arc::new(Huge)), Some(Arc::new(Huge))),
    }
}
