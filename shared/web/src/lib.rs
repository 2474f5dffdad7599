//! Outbound HTTP: the vendors' APIs, GitHub, Prometheus, Datadog, Arize.
//!
//! Invariant: only hosts from config are asked. No redirect is followed, every body and every wait is bounded, and no
//! error carries a body, a query string or a secret. Nothing here retries: that is the caller's decision.

mod arize;
mod arize_history;
mod client;
mod datadog;
mod endpoint;
mod excerpt;
mod github;
mod prometheus;
mod readers;
mod sender;
mod sns;

pub use arize::Arize;
pub use arize_history::ArizeHistory;
pub use client::{Client, ClientError, Timeouts, install_crypto};
pub use datadog::Datadog;
pub use endpoint::EndpointError;
pub use github::GitHub;
pub use prometheus::Prometheus;
pub use readers::{Readers, ReadersError};
pub use sender::Sender;
pub use sns::Sns;
