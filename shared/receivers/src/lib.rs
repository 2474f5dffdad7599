//! Receivers: which request a vendor wants next for a delivery, and what its answer means.
//!
//! Invariant: everything here is pure. The same delivery and progress always give the same step, so that a delivery
//! resumes where it stopped; only a signature over the time differs. A request that may have happened and is not harmless
//! twice is looked up before it is sent again. What is absent: HTTP, clocks, retries, configuration files.
//!
//! To add a receiver, write its file, implement `Vendor` for its settings, and name it in [`Settings`].

use domain::{DeliveryId, Handle, Notification, Outcome, Progress, ReceiverKind, Timestamp};

mod answer;
mod facts;
mod figures;
pub mod jira;
pub mod linear;
pub mod pagerduty;
mod request;
pub mod slack;
mod templates;
mod text;
pub mod webhook;

pub use request::{Method, Request, Response};
pub use templates::{TemplateError, Templates};

/// What a delivery does next.
#[derive(Debug)]
pub enum Step {
    /// Send this, and read the answer with [`Receiver::interpret`] under the same name.
    Send {
        /// Names the step in the delivery's progress.
        name: &'static str,
        /// What to send.
        request: Request,
    },
    /// Ask whether an uncertain step happened, and read the answer with [`Receiver::interpret_lookup`].
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
    fn done(&self, step: &str) -> bool {
        self.progress.has_done(step)
    }

    /// True when that step's answer was lost.
    fn uncertain(&self, step: &str) -> bool {
        self.progress.uncertain.as_deref() == Some(step)
    }

    /// What the vendor gave for this delivery, else for the ones before it.
    fn handle(&self, field: &str) -> Option<&'a str> {
        self.progress.handle.get(field).or_else(|| self.known.get(field))
    }
}

/// Where a receiver is and what it needs. Base addresses stand without a trailing path of ours.
#[derive(Debug, Clone)]
pub enum Settings {
    /// `PagerDuty` Events v2.
    Pagerduty(pagerduty::Settings),
    /// Slack Web API.
    Slack(slack::Settings),
    /// Slack's incoming webhooks.
    SlackIncoming(slack::incoming::Settings),
    /// Jira Cloud REST v3.
    Jira(Box<jira::Settings>),
    /// Linear's GraphQL API.
    Linear(Box<linear::Settings>),
    /// Any system that takes JSON over HTTPS.
    Webhook(Box<webhook::Settings>),
}

/// One receiver of the config.
#[derive(Debug, Clone)]
pub struct Receiver {
    /// Its name in config.
    pub name: String,
    /// Its kind and settings.
    pub settings: Settings,
}

/// What each vendor's settings answer. One implementation per file.
trait Vendor {
    fn kind(&self) -> ReceiverKind;
    fn next(&self, context: &Context<'_>) -> Step;
    fn interpret(&self, step: &str, response: &Response) -> Outcome;
    fn interpret_lookup(&self, of: &str, context: &Context<'_>, response: &Response) -> Outcome;
    fn lookup_delay_secs(&self) -> u64;
    /// The next page of a look-up that did not find it on this one.
    fn look_up_further(&self, _of: &str, _context: &Context<'_>, _response: &Response) -> Option<Request> {
        None
    }
    /// Whether it can change what it was told in place, so that nobody is told anew.
    fn shows_updates(&self) -> bool {
        false
    }
}

impl Settings {
    fn vendor(&self) -> &dyn Vendor {
        match self {
            Self::Pagerduty(settings) => settings,
            Self::Slack(settings) => settings,
            Self::SlackIncoming(settings) => settings,
            Self::Jira(settings) => settings.as_ref(),
            Self::Linear(settings) => settings.as_ref(),
            Self::Webhook(settings) => settings.as_ref(),
        }
    }
}

impl Receiver {
    /// The kind, and so the queue.
    #[must_use]
    pub fn kind(&self) -> ReceiverKind {
        self.settings.vendor().kind()
    }

    /// The next step of a delivery, given how far it has come.
    #[must_use]
    pub fn next(&self, context: &Context<'_>) -> Step {
        self.settings.vendor().next(context)
    }

    /// What an answer to a sent step means. `Delivered` carries what must be remembered; it may be empty.
    #[must_use]
    pub fn interpret(&self, step: &str, response: &Response) -> Outcome {
        self.settings.vendor().interpret(step, response)
    }

    /// What an answer to a look-up means. `Delivered` with fields: the step happened. `Delivered` without: it surely did
    /// not, send it. `Rejected`: the vendor will not tell, so that sending again is the only way not to stay silent.
    #[must_use]
    pub fn interpret_lookup(&self, of: &str, context: &Context<'_>, response: &Response) -> Outcome {
        self.settings.vendor().interpret_lookup(of, context, response)
    }

    /// Where a look-up goes on that did not find the step on a page of its answer; `None` after the last page.
    #[must_use]
    pub fn look_up_further(&self, of: &str, context: &Context<'_>, response: &Response) -> Option<Request> {
        self.settings.vendor().look_up_further(of, context, response)
    }

    /// Whether an update is shown in place of what was told before. Others hear of it with the next transition.
    #[must_use]
    pub fn shows_updates(&self) -> bool {
        self.settings.vendor().shows_updates()
    }

    /// Seconds after a lost answer before a look-up can be believed.
    #[must_use]
    pub fn lookup_delay_secs(&self) -> u64 {
        self.settings.vendor().lookup_delay_secs()
    }
}
