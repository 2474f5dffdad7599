//! `DynamoDB`, SQS and `CloudWatch` adapters of the pipeline's ports.
//!
//! Invariant: every write is conditional, and an expiry is checked in the condition, never left to TTL. The same code
//! runs in the cloud and on the embedded engines. What is absent: decisions, and any other AWS service.
//!
//! What a function logs is counted in [`metrics()`], and goes out by [`log_and_count`].
//!
//! `CloudWatch` is a feature, so that functions that read no metrics are built without its SDK.

mod children;
mod claim;
mod clients;
#[cfg(feature = "cloudwatch")]
mod cloudwatch;
mod deliveries;
mod gather;
mod incidents;
mod items;
mod metrics;
mod monitors;
mod mutes;
mod outgoing;
mod packed;
mod provision;
mod queues;
mod store;
mod unfinished;
mod view;
mod written;

pub use clients::{Clients, ClientsError, Endpoints, sqs_from_env};
#[cfg(feature = "cloudwatch")]
pub use cloudwatch::CloudWatch;
pub use metrics::{log_and_count, metrics};
pub use provision::{DELIVERY_RECEIVES_MAX, INBOX_RECEIVES_MAX, ProvisionError, provision_queues, provision_table};
pub use queues::{Polled, QueueUrls, Queues};
pub use store::Store;
pub use view::Record;
