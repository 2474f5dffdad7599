//! The reconciliation: what the vendors, the table and the queues hold when a world has come to rest, against A to G.
//!
//! Invariant: it reads and judges; a violation names the invariant, the thing, and what was found. What Tocsin says of
//! itself is believed only where a vendor or a queue says the same.

mod bounds;
mod children;
mod durable;
mod once;
mod paged;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use domain::{AlertId, Child, Delivery, Fingerprint, Incident, ReceiverKind, Status, Timestamp};
use pipeline::{DeliveryMessage, InboxMessage};
use stand_ins::jira::Issue;
use stand_ins::pagerduty::Event;
use stand_ins::slack::Message;

use crate::wire::Record;
use crate::world::World;

/// One of the design's invariants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// A 2xx means durable.
    A,
    /// Each confirmed episode reached each receiver, or is a dead letter and a fallback went out.
    B,
    /// At most one `PagerDuty` key per episode.
    C,
    /// Accepted = delivered + suppressed with a reason + dead letters.
    D,
    /// Nothing reopens after its resolve.
    E,
    /// One ticket after reconciliation; one message, and one more only for an ambiguous failure that was looked up.
    F,
    /// Calls, time and memory are bounded.
    G,
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Of which invariant.
    pub invariant: Invariant,
    /// What was found.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.invariant, self.what)
    }
}

/// An alert that the inbox took.
#[derive(Debug, Clone)]
struct Heard {
    fingerprint: Fingerprint,
    status: Status,
    received_at: Timestamp,
    model: Option<String>,
}

/// One incident with what the table holds of it.
#[derive(Debug)]
struct Known {
    incident: Incident,
    deliveries: Vec<Delivery>,
    children: Vec<Child>,
    timeline_holds: bool,
}

/// Everything that is looked at.
struct Found<'a> {
    world: &'a World,
    heard: BTreeMap<AlertId, Heard>,
    dead_alerts: BTreeSet<AlertId>,
    /// Messages among the inbox's dead letters.
    dead_messages: usize,
    dead_deliveries: BTreeSet<(ReceiverKind, String)>,
    known: Vec<Known>,
    events: Vec<Event>,
    messages: Vec<Message>,
    issues: Vec<Issue>,
    /// Issues of Linear, by their UUIDs.
    linear: Vec<String>,
    /// What the webhook took: the id of each delivery.
    hooks: Vec<String>,
    log: Vec<Record>,
}

/// Everything that is wrong with a world at rest.
///
/// # Errors
/// When the table or a queue does not answer.
pub async fn audit(world: &World) -> anyhow::Result<Vec<Violation>> {
    let found = find(world).await?;
    let mut violations = world.wrong.borrow().clone();
    durable::check(&found, &mut violations);
    paged::check(&found, &mut violations);
    once::check(&found, &mut violations);
    bounds::check(&found, &mut violations);
    children::check(&found, &mut violations);
    Ok(violations)
}

async fn find(world: &World) -> anyhow::Result<Found<'_>> {
    let mut heard = BTreeMap::new();
    for body in world.wire.inbox_bodies() {
        heard.extend(alerts(&body));
    }
    let mut dead_alerts = BTreeSet::new();
    let mut dead_messages = 0;
    if let Some(url) = &world.urls().inbox_dead_letters {
        for handed in world.receive(url).await? {
            dead_messages += 1;
            dead_alerts.extend(alerts(&handed.body).into_iter().map(|(id, _)| id));
        }
    }
    let mut dead_deliveries = BTreeSet::new();
    for (kind, url) in &world.urls().dead_letters {
        for handed in world.receive(url).await? {
            if let Ok(DeliveryMessage { delivery, .. }) = serde_json::from_str(&handed.body) {
                dead_deliveries.insert((*kind, delivery.to_string()));
            }
        }
    }
    let mut known = Vec::new();
    for incident in world.store.incidents().await? {
        let record = world.store.record(&incident.id).await?;
        let (timeline, deliveries) = record.map(|r| (r.timeline, r.deliveries)).unwrap_or_default();
        let children = world.store.children_of(&incident.id).await?;
        known.push(Known { incident, deliveries, children, timeline_holds: domain::verify(&timeline).is_ok() });
    }
    Ok(Found {
        world,
        heard,
        dead_alerts,
        dead_messages,
        dead_deliveries,
        known,
        events: world.vendors.pagerduty.events(),
        messages: world.vendors.slack.messages(),
        issues: world.vendors.jira.issues(),
        linear: world.vendors.linear.issues().into_iter().map(|issue| issue.id).collect(),
        hooks: world.vendors.webhook.taken().into_iter().map(|taken| taken.id).collect(),
        log: world.wire.log(),
    })
}

/// The alerts of an inbox message; none where it cannot be read.
fn alerts(body: &str) -> Vec<(AlertId, Heard)> {
    let Ok(InboxMessage::Alerts { items }) = serde_json::from_str(body) else { return Vec::new() };
    let heard = items.into_iter().map(|item| {
        let (status, received_at) = (item.alert.status, item.alert.received_at);
        let model = item.alert.labels.get("model").cloned();
        (item.alert.id, Heard { fingerprint: item.fingerprint, status, received_at, model })
    });
    heard.collect()
}

impl Found<'_> {
    /// Incidents of which people were to be told.
    fn opened(&self) -> impl Iterator<Item = &Known> {
        self.known.iter().filter(|known| known.incident.opened_at.is_some())
    }

    /// The alerts of each fingerprint.
    fn by_fingerprint(&self) -> BTreeMap<&Fingerprint, Vec<(&AlertId, &Heard)>> {
        let mut by_fingerprint: BTreeMap<&Fingerprint, Vec<(&AlertId, &Heard)>> = BTreeMap::new();
        for (id, heard) in &self.heard {
            by_fingerprint.entry(&heard.fingerprint).or_default().push((id, heard));
        }
        by_fingerprint
    }
}
