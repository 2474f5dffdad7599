//! The story: receive, fold, suppress, confirm, enrich, route, record, deliver. One file a step, in travel order.
//!
//! Invariant: a step answers "done" only for what is written down. What failed comes again from its queue, and coming
//! again is harmless: alerts are known by id, state changes by version, deliveries by lease. What is absent: AWS and
//! vendors (both stand behind [`ports`]), and any decision, which `domain` makes.

mod clock;
mod confirm;
mod deliver;
mod dispatch;
mod enrich;
mod fallback;
mod grouping;
mod heard;
mod inbox;
mod known;
mod known_children;
mod messages;
mod metric;
mod metric_query;
mod metric_sources;
mod mute;
mod notify;
mod patience;
pub mod ports;
mod pull;
mod receive;
mod reconcile;
mod record;
mod redrive;
mod replay;
mod retry;
mod settle;
mod sweep;
mod triage;

pub use clock::SystemClock;
pub use deliver::{ATTEMPTS_MAX, Deliver, LEASE_SECS};
pub use inbox::item;
pub use messages::{DeliveryMessage, InboxMessage, Item, QueuedMessage, Unfinished};
pub use metric_sources::MetricSources;
pub use notify::notification;
pub use pull::{Pull, PullError, Pulled};
pub use receive::{Accepted, Receive, Refusal};
pub use redrive::{Redrive, Redriven, RedrivenLetters};
pub use replay::{Recorded, Replay, ReplayError, Replayed, Told};
pub use sweep::{Sweep, SweepError, Swept};
pub use triage::{Triage, TriageError};
