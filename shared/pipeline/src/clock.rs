//! The one place where the time is read.

use domain::Timestamp;

use crate::ports::Clock;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the clock that everything else must use")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
