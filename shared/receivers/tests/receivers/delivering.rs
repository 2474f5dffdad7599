//! One delivery on its way, without any HTTP: asks for the next step and takes the answers that a test gives.
//!
//! Progress is kept as the pipeline keeps it: a step is done once its answer meant delivered, uncertain once it meant
//! unknown.

use std::sync::LazyLock;

use domain::{Handle, Notification, Outcome, Progress, Timestamp, Transition};
use secrecy::ExposeSecret;
use serde_json::Value;
use tocsin_receivers::{Context, EarlierHandle, Method, Receiver, Request, Response, Step, Templates};

use crate::fixtures::{delivery_id, notification};

/// Parsed once for all tests.
pub(crate) static BUNDLED: LazyLock<Templates> = LazyLock::new(Templates::bundled);

pub(crate) struct Delivering {
    pub(crate) receiver: Receiver,
    pub(crate) notification: Notification,
    pub(crate) known: Handle,
    pub(crate) earlier: Option<EarlierHandle>,
    pub(crate) progress: Progress,
    pub(crate) templates: Templates,
}

pub(crate) fn response(status: u16, body: &str) -> Response {
    Response { status, retry_after_secs: None, body: body.as_bytes().to_vec() }
}

/// The template's name becomes its text.
pub(crate) fn edited(name: &str, text: &str) -> Templates {
    Templates::from_files([(name.to_owned(), text.to_owned())]).expect("a template without mistakes")
}

impl Delivering {
    /// A delivery at its start, of the incident with every fact.
    pub(crate) fn of(receiver: Receiver, transition: Transition) -> Self {
        Self::telling(receiver, notification(transition))
    }

    pub(crate) fn telling(receiver: Receiver, notification: Notification) -> Self {
        Self {
            receiver,
            notification,
            known: Handle::default(),
            earlier: None,
            progress: Progress::default(),
            templates: BUNDLED.clone(),
        }
    }

    /// Earlier deliveries of the incident left this handle.
    pub(crate) fn knowing(mut self, known: Handle) -> Self {
        self.known = known;
        self
    }

    /// The episode before left this ticket, and ended then.
    pub(crate) fn after_ticket(mut self, key: &str, resolved_at: Timestamp) -> Self {
        self.earlier = Some(EarlierHandle { handle: Handle::with("key", key), resolved_at });
        self
    }

    pub(crate) fn with_templates(mut self, templates: Templates) -> Self {
        self.templates = templates;
        self
    }

    /// The answer to that step was lost.
    pub(crate) fn unsure_of(mut self, step: &str) -> Self {
        self.progress.uncertain = Some(step.to_owned());
        self
    }

    fn ask<T>(&self, about: impl FnOnce(&Context<'_>) -> T) -> T {
        about(&Context {
            notification: &self.notification,
            delivery: &delivery_id(0),
            known: &self.known,
            earlier: self.earlier.as_ref(),
            progress: &self.progress,
            templates: &self.templates,
            now: self.notification.at,
        })
    }

    pub(crate) fn next(&self) -> Step {
        self.ask(|context| self.receiver.next(context))
    }

    /// The next request, which must be of that step.
    pub(crate) fn request(&self, step: &str) -> Request {
        match self.next() {
            Step::Send { name, request } if name == step => request,
            other => panic!("expected {step}, got {other:?}"),
        }
    }

    pub(crate) fn body(&self, step: &str) -> Value {
        self.request(step).body.expect("a body")
    }

    /// The next request, which must ask after that step.
    pub(crate) fn look_up(&self, step: &str) -> Request {
        match self.next() {
            Step::LookUp { of, request } if of == step => {
                let query = request
                    .body
                    .as_ref()
                    .and_then(|body| body["query"].as_str())
                    .is_some_and(|q| q.starts_with("query "));
                let reads = (request.method == Method::Get && request.body.is_none()) || query;
                assert!(reads, "a look-up changes nothing");
                request
            }
            other => panic!("expected a look-up of {step}, got {other:?}"),
        }
    }

    pub(crate) fn check_finished(&self) {
        assert!(matches!(self.next(), Step::Finished), "{:?}", self.next());
    }

    /// The vendor answers the step, which must be the next one.
    pub(crate) fn answered(&mut self, step: &str, status: u16, body: &str) -> Outcome {
        self.request(step);
        let outcome = self.receiver.interpret(step, &response(status, body));
        match &outcome {
            Outcome::Delivered(handle) => self.progress.complete(step, handle),
            Outcome::Unknown { .. } => self.progress.uncertain = Some(step.to_owned()),
            Outcome::Retry { .. } | Outcome::Rejected { .. } => {}
        }
        outcome
    }

    /// The vendor answers the look-up of the step, which must be the next one.
    pub(crate) fn looked_up(&mut self, step: &str, status: u16, body: &str) -> Outcome {
        self.look_up(step);
        let outcome = self.ask(|context| self.receiver.interpret_lookup(step, context, &response(status, body)));
        match &outcome {
            Outcome::Delivered(found) if found.is_empty() => self.progress.uncertain = None,
            Outcome::Delivered(found) => self.progress.complete(step, found),
            _ => {}
        }
        outcome
    }

    /// Where a look-up goes on after such an answer.
    pub(crate) fn looked_further(&self, step: &str, status: u16, body: &str) -> Option<Request> {
        self.ask(|context| self.receiver.look_up_further(step, context, &response(status, body)))
    }
}

/// A header by name, with its secret.
pub(crate) fn header(request: &Request, name: &str) -> Option<String> {
    request.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.expose_secret().to_owned())
}

pub(crate) fn delivered(fields: &[(&str, &str)]) -> Outcome {
    Outcome::Delivered(fields.iter().fold(Handle::default(), |handle, (name, value)| handle.and(name, *value)))
}
