//! How far a rule's rollout is: whom its incidents reach.
//!
//! Invariant: a rule that says nothing pages.

use serde::{Deserialize, Serialize};

use crate::ReceiverKind;

/// How far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Incidents are on record, and nobody is told.
    Observe,
    /// Everyone is told but those who are paged.
    Notify,
    /// Everyone is told.
    #[default]
    Page,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 3] = [Self::Observe, Self::Notify, Self::Page];

    /// The word used in config and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Notify => "notify",
            Self::Page => "page",
        }
    }

    /// Whether a receiver of this kind is told.
    #[must_use]
    pub fn tells(self, kind: ReceiverKind) -> bool {
        match self {
            Self::Observe => false,
            Self::Notify => !kind.pages(),
            Self::Page => true,
        }
    }
}
