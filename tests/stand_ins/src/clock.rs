//! The vendors' clock.
//!
//! Invariant: the only place in this crate that reads the time. It is the machine's, unless a thread has set its own.

use std::cell::Cell;

use jiff::Timestamp;

thread_local! {
    static SET: Cell<Option<Timestamp>> = const { Cell::new(None) };
}

/// Sets the time that vendors who are asked on this thread take for now; `None` gives them the machine's clock again.
pub fn set_time(at: Option<Timestamp>) {
    SET.set(at);
}

/// What a vendor calls now.
#[allow(clippy::disallowed_methods, reason = "a stand-in is the outside world, which has a clock of its own")]
pub(crate) fn now() -> Timestamp {
    SET.get().unwrap_or_else(Timestamp::now)
}
