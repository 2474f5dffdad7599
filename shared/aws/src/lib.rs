//! `DynamoDB` and SQS adapters of the pipeline's ports.
//!
//! Invariant: every write is conditional, and an expiry is checked in the condition, never left to TTL. The same code
//! runs in the cloud and on the embedded engines. What is absent: decisions, and any other AWS service.

mod claim;
mod clients;
mod deliveries;
mod incidents;
mod items;
mod monitors;
mod provision;
mod queues;
mod store;
mod view;

pub use clients::{Clients, ClientsError, Endpoints};
pub use provision::{DELIVERY_RECEIVES_MAX, INBOX_RECEIVES_MAX, ProvisionError, provision_queues, provision_table};
pub use queues::{Polled, QueueUrls, Queues};
pub use store::Store;
pub use view::Record;
