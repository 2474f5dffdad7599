//! The world's time: Tokio's paused clock, which only the harness moves, and jumps of the wall clock beside it.
//!
//! Invariant: without a jump every part of the world sees the same time, so that leases, visibility and deadlines pass
//! together and no run waits for anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::Timestamp;
use pipeline::ports::Clock;
use tokio::time::Instant;

/// When every world begins, in milliseconds since 1970: 2026-03-01T00:00:00Z.
const BEGIN_MS: i64 = 1_772_323_200_000;

/// The time that everything agrees on.
#[derive(Debug)]
pub struct WorldClock {
    begun: Instant,
    jumped_ms: AtomicI64,
}

impl WorldClock {
    /// Starts now. Needs the world's runtime.
    #[must_use]
    pub fn begin() -> Arc<Self> {
        Arc::new(Self { begun: Instant::now(), jumped_ms: AtomicI64::new(0) })
    }

    /// Milliseconds that have really passed.
    #[must_use]
    pub fn passed_ms(&self) -> i64 {
        i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// Moves every wall clock by so many seconds, back where it is negative; nothing else passes.
    pub fn jump(&self, secs: i64) {
        self.jumped_ms.fetch_add(secs * 1000, Ordering::SeqCst);
    }

    fn at(&self, skew_ms: i64) -> Timestamp {
        let millis = BEGIN_MS + self.passed_ms() + self.jumped_ms.load(Ordering::SeqCst) + skew_ms;
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        self.at(0)
    }
}

/// One machine's clock, which is wrong by so much.
#[derive(Debug)]
pub(crate) struct SkewedClock {
    pub(crate) world: Arc<WorldClock>,
    pub(crate) skew_ms: i64,
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        self.world.at(self.skew_ms)
    }
}
