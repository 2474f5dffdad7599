//! The vendors' clock.
//!
//! Invariant: the only place in this crate that reads the time.

use jiff::Timestamp;

/// What a vendor calls now.
#[allow(clippy::disallowed_methods, reason = "a stand-in is the outside world, which has a clock of its own")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
