//! Everything that triage asks the outside, as the config says.
//!
//! Invariant: what the config does not name is absent here and a gap in the message; nothing is asked by default.

use std::sync::Arc;

use config::{Config, MetricSource};
use pipeline::MetricSources;
use pipeline::ports::{ChangeHistory, MonitorReader};
use thiserror::Error;

use crate::{Arize, ArizeHistory, Client, ClientError, Datadog, EndpointError, GitHub, Prometheus};

/// The outside cannot be asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadersError {
    /// The HTTP client cannot be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// An address or a token cannot be used.
    #[error("{section}: {why}")]
    Endpoint {
        /// The config's section.
        section: &'static str,
        /// Why.
        #[source]
        why: EndpointError,
    },
}

/// The readers that the config names.
#[derive(Clone, Default)]
pub struct Readers {
    /// Where metrics are read, but for what is read over an SDK.
    pub metrics: MetricSources,
    /// Where deployments are read.
    pub changes: Option<Arc<dyn ChangeHistory>>,
    /// Where monitors are read.
    pub monitors: Option<Arc<dyn MonitorReader>>,
}

impl Readers {
    /// Over one HTTP client.
    ///
    /// # Errors
    /// [`ReadersError`] names the section of the config.
    pub fn new(config: &Config) -> Result<Self, ReadersError> {
        let client = Client::new()?;
        let mut readers = Self::default();
        let in_section = |section| move |why| ReadersError::Endpoint { section, why };
        if let Some(own) = &config.prometheus {
            let reader = Prometheus::new(&client, &own.url, own.token.as_ref()).map_err(in_section("prometheus"))?;
            readers.metrics.add(MetricSource::Prometheus, Arc::new(reader));
        }
        if let Some(own) = &config.datadog {
            let reader = Datadog::new(&client, &own.base_url, &own.api_key, &own.app_key);
            let reader = reader.map_err(in_section("datadog"))?;
            readers.metrics.add(MetricSource::Datadog, Arc::new(reader));
        }
        if let Some(own) = &config.github {
            let reader = GitHub::new(&client, &own.base_url, own.token.as_ref()).map_err(in_section("github"))?;
            readers.changes = Some(Arc::new(reader));
        }
        if let Some(own) = &config.arize_api {
            let reader = Arize::new(&client, &own.base_url, &own.key).map_err(in_section("arize_api"))?;
            readers.monitors = Some(Arc::new(reader));
            let key = own.graphql_key.as_ref().unwrap_or(&own.key);
            let history = ArizeHistory::new(&client, &own.graphql_url, key).map_err(in_section("arize_api"))?;
            readers.metrics.add(MetricSource::Arize, Arc::new(history));
        }
        Ok(readers)
    }
}
