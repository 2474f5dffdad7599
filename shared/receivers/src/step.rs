//! A delivery's steps, and what decides the next one.
//!
//! Invariant: a step is named, so that a delivery resumes where it stopped.

use domain::{DeliveryId, Handle, Notification, Progress, Timestamp};

use crate::{Request, Templates};

/// What a delivery does next.
#[derive(Debug)]
pub enum Step {
    /// Send this, and read the answer with [`Receiver::interpret`](crate::Vendor::interpret) under the same name.
    Send {
        /// Names the step in the delivery's progress.
        name: &'static str,
        /// What to send.
        request: Request,
    },
    /// Ask whether an uncertain step happened, and read the answer with [`Receiver::interpret_lookup`](crate::Vendor::interpret_lookup).
    LookUp {
        /// The uncertain step.
        of: &'static str,
        /// What to send. It changes nothing at the vendor.
        request: Request,
    },
    /// The delivery is complete.
    Finished,
}

/// What the vendor gave us for the episode before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierHandle {
    /// The merged handles of that episode's deliveries to this receiver.
    pub handle: Handle,
    /// When that episode ended.
    pub resolved_at: Timestamp,
}

/// Everything that decides a delivery's next step.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// What is told.
    pub notification: &'a Notification,
    /// Which delivery tells it.
    pub delivery: &'a DeliveryId,
    /// The merged handles of earlier deliveries of this incident to this receiver.
    pub known: &'a Handle,
    /// The episode before, where there was one.
    pub earlier: Option<&'a EarlierHandle>,
    /// How far the delivery has come.
    pub progress: &'a Progress,
    /// How the message reads.
    pub templates: &'a Templates,
    /// When the step is taken: what is signed is signed with it.
    pub now: Timestamp,
}

impl<'a> Context<'a> {
    /// True when the vendor took that step.
    pub(crate) fn done(&self, step: &str) -> bool {
        self.progress.has_done(step)
    }

    /// True when that step's answer was lost.
    pub(crate) fn uncertain(&self, step: &str) -> bool {
        self.progress.uncertain.as_deref() == Some(step)
    }

    /// What the vendor gave for this delivery, else for the ones before it.
    pub(crate) fn handle(&self, field: &str) -> Option<&'a str> {
        self.progress.handle.get(field).or_else(|| self.known.get(field))
    }
}
