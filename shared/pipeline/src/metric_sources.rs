//! Several metric sources behind the one port.
//!
//! Invariant: a query goes to the source whose form it has, and to no other; where that source is not there, it is an
//! error and never another source's answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use config::MetricSource;
use domain::Series;

use crate::ports::{MetricQuery, MetricReader, ReadError};

/// The metric sources that the config names.
#[derive(Clone, Default)]
pub struct MetricSources {
    readers: BTreeMap<MetricSource, Arc<dyn MetricReader>>,
}

impl MetricSources {
    /// Adds a source, in the place of the one that was there.
    pub fn add(&mut self, source: MetricSource, reader: Arc<dyn MetricReader>) {
        self.readers.insert(source, reader);
    }

    /// All of them as one; `None` where there is none.
    #[must_use]
    pub fn into_reader(self) -> Option<Arc<dyn MetricReader>> {
        if self.readers.is_empty() { None } else { Some(Arc::new(self)) }
    }
}

#[async_trait]
impl MetricReader for MetricSources {
    async fn read(&self, query: &MetricQuery) -> Result<Series, ReadError> {
        let source = query.query.source();
        match self.readers.get(&source) {
            Some(reader) => reader.read(query).await,
            None => Err(ReadError { why: format!("no metric source `{}` is configured", source.as_str()) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use config::{ArizeQuery, CloudwatchQuery, Query};
    use domain::Timestamp;

    use super::*;

    /// Takes the queries of its own source alone.
    struct Named(MetricSource);

    #[async_trait]
    impl MetricReader for Named {
        async fn read(&self, query: &MetricQuery) -> Result<Series, ReadError> {
            assert_eq!(query.query.source(), self.0);
            Ok(query.series([(query.start, 1.0)].into(), None))
        }
    }

    fn query(query: Query) -> MetricQuery {
        let at = Timestamp::UNIX_EPOCH;
        MetricQuery { query, total_query: None, start: at, end: at, step_secs: 60 }
    }

    #[tokio::test]
    async fn a_query_goes_to_its_own_source() {
        assert!(MetricSources::default().into_reader().is_none());
        let mut sources = MetricSources::default();
        for source in [MetricSource::Prometheus, MetricSource::Cloudwatch, MetricSource::Arize] {
            sources.add(source, Arc::new(Named(source)));
        }
        let reader = sources.into_reader().unwrap();
        let text = || "x".to_owned();
        let metric =
            CloudwatchQuery { namespace: text(), metric: text(), stat: text(), dimensions: BTreeMap::default() };
        let monitor = ArizeQuery { space: text(), model: text(), monitor: text() };
        for known in [Query::Prometheus(text()), Query::Cloudwatch(metric), Query::Arize(monitor)] {
            assert_eq!(reader.read(&query(known)).await.unwrap().points().len(), 1);
        }
        let error = reader.read(&query(Query::Datadog(text()))).await.unwrap_err();
        assert_eq!(error.why, "no metric source `datadog` is configured");
    }
}
