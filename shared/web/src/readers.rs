//! Everything that triage asks the outside, as the config says.
//!
//! Invariant: what the config does not name is absent here and a gap in the message; nothing is asked by default.

use std::sync::Arc;

use config::Config;
use pipeline::ports::{ChangeHistory, MetricReader, MonitorReader};
use thiserror::Error;

use crate::{Arize, Client, ClientError, EndpointError, GitHub, Prometheus};

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
    /// Where metrics are read.
    pub metrics: Option<Arc<dyn MetricReader>>,
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
            readers.metrics = Some(Arc::new(reader));
        }
        if let Some(own) = &config.github {
            let reader = GitHub::new(&client, &own.base_url, own.token.as_ref()).map_err(in_section("github"))?;
            readers.changes = Some(Arc::new(reader));
        }
        if let Some(own) = &config.arize_api {
            let reader = Arize::new(&client, &own.base_url, &own.key).map_err(in_section("arize_api"))?;
            readers.monitors = Some(Arc::new(reader));
        }
        Ok(readers)
    }
}
