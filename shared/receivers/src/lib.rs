//! Receivers: which request a vendor wants next for a delivery, and what its answer means.
//!
//! Invariant: everything here is pure. The same delivery and progress always give the same step, so that a delivery
//! resumes where it stopped; only a signature over the time differs. A request that may have happened and is not harmless
//! twice is looked up before it is sent again. What is absent: HTTP, clocks, retries, configuration files.
//!
//! Adding a receiver is one file with a `DEFINITION`, named as its kind, and one line in `domain`'s `receiver_kind.rs`.

use domain::ReceiverKind;

mod answer;
mod facts;
mod figures;
mod form;
mod kind;
pub mod readiness;
mod request;
pub mod section;
mod step;
mod templates;
mod text;
mod vendor;

pub use kind::{fields, forms, settings, yes};
pub use request::{Method, Request, Response};
pub use step::{Context, EarlierHandle, Step};
pub use templates::{TemplateError, Templates};
pub use vendor::{Address, Receiver, Vendor};

use kind::Definition;

macro_rules! register {
    ($($kind:ident => $file:ident, $medium:ident, $doc:literal;)+) => {
        $(pub mod $file;)+

        fn definition(kind: ReceiverKind) -> &'static Definition {
            match kind {
                $(ReceiverKind::$kind => &$file::DEFINITION,)+
            }
        }
    };
}

domain::receiver_kinds!(register);
