//! What a receiver's settings answer for their vendor.
//!
//! Invariant: who asks knows no vendor: whatever differs between two is a question of [`Vendor`].

use std::any::Any;
use std::fmt;

use domain::{Outcome, ReceiverKind};
use secrecy::SecretString;

use crate::readiness::{Check, NotReady};
use crate::{Context, Request, Response, Step};

/// The settings of one receiver. One implementation per file.
pub trait Vendor: Any + fmt::Debug + Copied + Send + Sync {
    /// The kind, and so the queue.
    fn kind(&self) -> ReceiverKind;

    /// The next step of a delivery, given how far it has come.
    fn next(&self, context: &Context<'_>) -> Step;

    /// What an answer to a sent step means. `Delivered` carries what must be remembered; it may be empty.
    fn interpret(&self, step: &str, response: &Response) -> Outcome;

    /// What an answer to a look-up means. `Delivered` with fields: the step happened. `Delivered` without: it surely did
    /// not, send it. `Rejected`: the vendor will not tell, so that sending again is the only way not to stay silent.
    /// Left out where no step is ever looked up.
    fn interpret_lookup(&self, of: &str, context: &Context<'_>, response: &Response) -> Outcome {
        let _ = (of, context, response);
        Outcome::Delivered(domain::Handle::default())
    }

    /// Where a look-up goes on that did not find the step on a page of its answer; `None` after the last page.
    fn look_up_further(&self, of: &str, context: &Context<'_>, response: &Response) -> Option<Request> {
        let _ = (of, context, response);
        None
    }

    /// Seconds after a lost answer before a look-up can be believed, or the request is sent again.
    fn lookup_delay_secs(&self) -> u64 {
        2
    }

    /// Whether a first call for help may be sent twice: the vendor knows it by a key of ours. It is then sent without
    /// asking the table first.
    fn is_harmless_twice(&self) -> bool {
        false
    }

    /// Whether it can change what it was told in place, so that nobody is told anew.
    fn shows_updates(&self) -> bool {
        false
    }

    /// Whether it wants what the vendor gave for the episode before.
    fn takes_up_earlier(&self) -> bool {
        false
    }

    /// What `tocsin doctor` asks next, given the answers so far, or what they come to. No question changes anything.
    ///
    /// # Errors
    /// [`NotReady`] says what is wrong and how to mend it.
    fn check(&self, answers: &[Response]) -> Result<Check, NotReady>;

    /// What proves who we are.
    fn credentials(&self) -> Vec<&SecretString>;

    /// Where it is.
    fn address(&mut self) -> Address<'_>;
}

/// Where a receiver's vendor is, to be put elsewhere.
#[derive(Debug)]
pub enum Address<'a> {
    /// A base address, which the variable `TOCSIN_<KIND>_API_URL` replaces, and what of its path is the vendor's own.
    Base(&'a mut String, &'static str),
    /// A whole address, as a webhook has, and the path that it has at another host.
    Whole(&'a mut SecretString, &'static str),
}

/// What a boxed [`Vendor`] is cloned by. Every type that can be cloned has it.
pub trait Copied {
    /// A clone.
    fn copied(&self) -> Box<dyn Vendor>;
}

impl<V: Vendor + Clone> Copied for V {
    fn copied(&self) -> Box<dyn Vendor> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Vendor> {
    fn clone(&self) -> Self {
        (**self).copied()
    }
}

/// One receiver of the config.
#[derive(Debug, Clone)]
pub struct Receiver {
    /// Its name in config.
    pub name: String,
    vendor: Box<dyn Vendor>,
}

impl Receiver {
    /// A receiver with the settings of its kind.
    #[must_use]
    pub fn new(name: impl Into<String>, settings: impl Vendor) -> Self {
        Self { name: name.into(), vendor: Box::new(settings) }
    }

    /// The same from [`crate::settings`].
    #[must_use]
    pub fn with(name: impl Into<String>, vendor: Box<dyn Vendor>) -> Self {
        Self { name: name.into(), vendor }
    }

    /// Its settings, where they are of that type.
    #[must_use]
    pub fn settings<S: Vendor>(&self) -> Option<&S> {
        let any: &dyn Any = &*self.vendor;
        any.downcast_ref()
    }

    /// The same to be changed.
    pub fn settings_mut<S: Vendor>(&mut self) -> Option<&mut S> {
        let any: &mut dyn Any = &mut *self.vendor;
        any.downcast_mut()
    }

    /// Has it talk to another host in its vendor's place: `http://127.0.0.1:9000`.
    pub fn move_to(&mut self, origin: &str) {
        match self.vendor.address() {
            Address::Base(base_url, path) => *base_url = format!("{origin}{path}"),
            Address::Whole(url, path) => *url = format!("{origin}{path}").into(),
        }
    }

    /// The variable that holds another base address for its kind, where it heeds one.
    #[must_use]
    pub fn address_variable(&mut self) -> Option<String> {
        matches!(self.vendor.address(), Address::Base(..)).then(|| address_variable(self.kind()))
    }
}

/// The variable that puts another base address in place of a kind's.
pub(crate) fn address_variable(kind: ReceiverKind) -> String {
    format!("TOCSIN_{}_API_URL", kind.as_str().to_ascii_uppercase())
}

impl std::ops::Deref for Receiver {
    type Target = dyn Vendor;

    fn deref(&self) -> &Self::Target {
        &*self.vendor
    }
}
