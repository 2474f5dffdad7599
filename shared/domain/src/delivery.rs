//! One transition on its way to one receiver.
//!
//! Invariant: a delivery is `Delivered` only after the vendor said yes, and each delivery is marked by itself. What a
//! crash or a silent vendor leaves uncertain is written down as uncertain, so that the next attempt looks first.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::after_secs;
use crate::{Gap, IncidentId, Notification, ReceiverKind, Transition};

/// The lease token of a delivery that only its own first queue message may bring.
pub const MESSAGE_LEASE: &str = "message";

/// Seconds for which a delivery is leased to that message. What comes after it waits as long: whoever holds a copy of the
/// message has ended by then.
pub const MESSAGE_LEASE_SECS: u64 = 10;

/// What a vendor gave us to come back with: a `PagerDuty` dedup key, a Slack channel and `ts`, a Jira key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Handle(BTreeMap<String, String>);

impl Handle {
    /// A handle with one field.
    #[must_use]
    pub fn with(name: &str, value: impl Into<String>) -> Self {
        Self::default().and(name, value)
    }

    /// The same with one more field.
    #[must_use]
    pub fn and(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// A field by name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Takes over every field of `newer`.
    pub fn absorb(&mut self, newer: &Self) {
        self.0.extend(newer.0.iter().map(|(k, v)| (k.clone(), v.clone())));
    }

    /// True without any field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields, by name.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }
}

/// How far a delivery has come, where it takes several requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What the vendor gave us so far.
    #[serde(default)]
    pub handle: Handle,
    /// Steps that the vendor has taken.
    #[serde(default)]
    pub done: Vec<String>,
    /// The step whose answer we do not have: to be looked up before it is sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertain: Option<String>,
}

impl Progress {
    /// True when the vendor has taken that step.
    #[must_use]
    pub fn has_done(&self, step: &str) -> bool {
        self.done.iter().any(|done| done == step)
    }

    /// Records a step that the vendor took.
    pub fn complete(&mut self, step: &str, handle: &Handle) {
        self.handle.absorb(handle);
        self.uncertain = None;
        if !self.has_done(step) {
            self.done.push(step.to_owned());
        }
    }
}

/// Names one delivery; the same transition to the same receiver always has the same id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeliveryId {
    /// The incident.
    pub incident: IncidentId,
    /// The receiver's name in config.
    pub receiver: String,
    /// The transition's number in the incident, from 0.
    pub seq: u32,
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.incident, self.receiver, self.seq)
    }
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// To be sent.
    Pending,
    /// A worker is sending it.
    Leased,
    /// The vendor said yes.
    Delivered,
    /// The vendor will never take it.
    Rejected,
    /// Given up after too many attempts.
    Dead,
}

impl DeliveryState {
    /// The word used in records and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Leased => "leased",
            Self::Delivered => "delivered",
            Self::Rejected => "rejected",
            Self::Dead => "dead",
        }
    }

    /// True when nothing more will be sent.
    #[must_use]
    pub fn is_finished(self) -> bool {
        match self {
            Self::Delivered | Self::Rejected | Self::Dead => true,
            Self::Pending | Self::Leased => false,
        }
    }
}

/// A worker's claim on a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Names the attempt; a worker whose token is no longer here may not write.
    pub token: String,
    /// After this the claim is void.
    pub until: Timestamp,
}

/// One transition to one receiver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// Which.
    pub id: DeliveryId,
    /// The receiver's kind, and so its queue.
    pub kind: ReceiverKind,
    /// What it tells of. The words stand beside, once for all receivers: a [`Notification`].
    pub transition: Transition,
    /// Where it stands.
    pub state: DeliveryState,
    /// Sends begun so far.
    pub attempts: u32,
    /// When it is to be sent, next.
    pub due: Timestamp,
    /// Who is sending it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// Until when a copy of its first message may be at work without a claim; later deliveries wait for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_until: Option<Timestamp>,
    /// How far it has come.
    #[serde(default)]
    pub progress: Progress,
    /// The newest answer in words, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// When the vendor said yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// Which other receiver could not be told, and why, where this one is told in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_place_of: Option<Gap>,
}

impl Delivery {
    /// A delivery not yet sent, of a transition that happened at `at`.
    #[must_use]
    pub fn pending(id: DeliveryId, kind: ReceiverKind, transition: Transition, at: Timestamp) -> Self {
        Self {
            id,
            kind,
            transition,
            state: DeliveryState::Pending,
            attempts: 0,
            due: at,
            lease: None,
            message_until: None,
            progress: Progress::default(),
            answer: None,
            delivered_at: None,
            in_place_of: None,
        }
    }

    /// The same, leased to its own first queue message from the start, so that whoever is handed that message sends it
    /// without asking the table. Only for a receiver whose own key makes a second send harmless: SQS can hand out one
    /// message twice.
    #[must_use]
    pub fn leased_to_its_message(id: DeliveryId, kind: ReceiverKind, transition: Transition, at: Timestamp) -> Self {
        let lease = Lease { token: MESSAGE_LEASE.to_owned(), until: after_secs(at, MESSAGE_LEASE_SECS) };
        let pending = Self::pending(id, kind, transition, at);
        Self {
            state: DeliveryState::Leased,
            attempts: 1,
            message_until: Some(lease.until),
            lease: Some(lease),
            ..pending
        }
    }

    /// True when it will not be sent unless a person says so.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        matches!(self.state, DeliveryState::Rejected | DeliveryState::Dead)
    }

    /// The words, with what another receiver was not told where this one is told in its place.
    #[must_use]
    pub fn worded(&self, mut notification: Notification) -> Notification {
        notification.enrichment.gaps.extend(self.in_place_of.clone());
        notification
    }
}

/// Whether people know of an episode.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Told {
    /// Nobody was told, and nobody will be.
    #[default]
    Nobody,
    /// A message is still on its way.
    UnderWay,
    /// Last at this time.
    At(Timestamp),
}

/// Whether people were told of an episode: by a page where the episode pages, else by any receiver. An end alone
/// tells nobody: a receiver that was not reached before has nothing that could end. Cooldown counts from here, so that
/// an episode that reached nobody silences nothing.
#[must_use]
pub fn told(deliveries: &[Delivery]) -> Told {
    // What is only shown anew tells nobody.
    let telling = || deliveries.iter().filter(|d| d.transition != Transition::Updated);
    let pages = telling().any(|d| d.kind.pages());
    let counted: Vec<&Delivery> = telling().filter(|d| !pages || d.kind.pages()).collect();
    let calls = || counted.iter().filter(|d| d.transition != Transition::Resolved);
    if calls().any(|d| d.state == DeliveryState::Delivered) {
        let newest = counted.iter().filter_map(|d| d.delivered_at).max();
        return newest.map_or(Told::Nobody, Told::At);
    }
    if calls().any(|d| !d.state.is_finished()) { Told::UnderWay } else { Told::Nobody }
}
