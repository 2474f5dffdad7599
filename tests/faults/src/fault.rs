//! What goes wrong, and where.
//!
//! Invariant: a fault names a point of the wire, how many calls it lets pass and how many it hits; nothing else decides.

use domain::ReceiverKind;

/// A point between two effects: one call over the wire, or a batch that reaches a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Point {
    /// A batch, or a webhook, reaches a function.
    Received,
    /// Alerts or later looks go into the inbox.
    InboxSend,
    /// Deliveries go to a receiver kind's queue.
    DeliverySend,
    /// A delivery goes to the dead letters.
    Bury,
    /// Duplicates are counted.
    Absorb,
    /// An incident is written with its timeline and deliveries.
    Commit,
    /// A lease is taken.
    Claim,
    /// A delivery's state is written under a lease.
    Mark,
    /// Any other write to the table.
    Write,
    /// A read of the table.
    Read,
    /// A message is handed out.
    Receive,
    /// A message that is done is deleted.
    Delete,
    /// A message is hidden until it is due.
    Hide,
    /// A vendor is told something.
    Tell(ReceiverKind),
    /// A vendor is asked something.
    Ask(ReceiverKind),
}

impl Point {
    /// True for calls to the table.
    #[must_use]
    pub fn is_table(self) -> bool {
        matches!(self, Self::Absorb | Self::Commit | Self::Claim | Self::Mark | Self::Write | Self::Read)
    }

    /// True for requests to a vendor.
    #[must_use]
    pub fn is_vendor(self) -> bool {
        matches!(self, Self::Tell(_) | Self::Ask(_))
    }
}

/// Which calls a fault is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// Every call.
    Anywhere,
    /// Calls to the table.
    Table,
    /// Calls that change the table.
    TableWrites,
    /// Every request to one vendor.
    Vendor(ReceiverKind),
    /// One point.
    At(Point),
}

impl Where {
    /// True where the fault is for this call.
    #[must_use]
    pub fn holds(self, point: Point) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Table => point.is_table(),
            Self::TableWrites => point.is_table() && point != Point::Read,
            Self::Vendor(kind) => point == Point::Tell(kind) || point == Point::Ask(kind),
            Self::At(at) => at == point,
        }
    }
}

/// How a call goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Harm {
    /// The process is gone before the call has any effect.
    CrashBefore,
    /// The process is gone after the call has had its effect, before its answer.
    CrashAfter,
    /// Too many requests; for a vendor with seconds to wait.
    Throttle(Option<u64>),
    /// An answer with this status and no effect.
    Status(u16),
    /// 200 and `{"ok":false,"error":…}`: how Slack refuses.
    OkFalse(&'static str),
    /// The call has its effect, its answer never comes: the connection breaks at once.
    LoseAnswer,
    /// The call has its effect, and half of its answer comes.
    HalfAnswer,
    /// The call has its effect, and the caller waits until its own patience ends.
    HangAfter,
    /// The call has no effect, and the caller waits until its own patience ends.
    HangBefore,
    /// The call has its effect so many seconds late.
    Slow(u64),
    /// The call has its effect so many seconds late, when its caller has long hung up.
    Late(u64),
    /// Nothing could be reached.
    Unreachable,
}

/// One fault.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Which calls.
    pub at: Where,
    /// Calls that it lets pass first.
    pub skip: usize,
    /// Calls that it hits.
    pub times: usize,
    /// How.
    pub harm: Harm,
    /// Milliseconds of the world after which it is over.
    pub until_ms: i64,
}

impl Fault {
    /// Hits one call.
    #[must_use]
    pub fn once(at: Where, skip: usize, harm: Harm) -> Self {
        Self { at, skip, times: 1, harm, until_ms: i64::MAX }
    }

    /// Hits so many calls, one after another.
    #[must_use]
    pub fn times(at: Where, times: usize, harm: Harm) -> Self {
        Self { at, skip: 0, times, harm, until_ms: i64::MAX }
    }

    /// Hits every call until so many seconds of the world have passed.
    #[must_use]
    pub fn for_secs(at: Where, secs: i64, harm: Harm) -> Self {
        Self { at, skip: 0, times: usize::MAX, harm, until_ms: secs * 1000 }
    }
}
