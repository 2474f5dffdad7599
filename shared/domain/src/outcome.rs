//! What a vendor's answer means for a delivery.
//!
//! Invariant: four cases and no fifth. What may have happened is `Unknown`, and is looked up before it is sent again.

use crate::Handle;

/// The meaning of one answer, or of its absence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The vendor took it. Carries what must be remembered of the answer.
    Delivered(Handle),
    /// The vendor did not take it and may later.
    Retry {
        /// Seconds the vendor asked us to wait, if it did.
        after_secs: Option<u64>,
        /// Why, for people.
        why: String,
    },
    /// The vendor will never take it.
    Rejected {
        /// Why, for people.
        why: String,
    },
    /// It may or may not have been taken.
    Unknown {
        /// Why, for people.
        why: String,
    },
}
