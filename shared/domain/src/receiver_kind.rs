//! The receiver kinds there are.
//!
//! Invariant: a kind is registered in one line below, and everything else about it stands in the file of its name in
//! `shared/receivers`. Its word stands in stored deliveries and in queues' names: it never changes.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Hands the list of receiver kinds to a macro: the name here, the file in `shared/receivers` whose name is the word in
/// config, queues' names and records, what an opening is there, and what it is.
#[macro_export]
macro_rules! receiver_kinds {
    ($register:ident) => {
        $register! {
            Pagerduty => pagerduty, Page, "`PagerDuty` Events v2.";
            Slack => slack, Message, "Slack's Web API, or its incoming webhooks.";
            Jira => jira, Ticket, "Jira Cloud REST v3.";
            Linear => linear, Ticket, "Linear's GraphQL API.";
            Webhook => webhook, Message, "Any system that takes JSON over HTTPS.";
        }
    };
}

/// What a call for help becomes at a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Medium {
    /// It wakes somebody.
    Page,
    /// People read it when they look.
    Message,
    /// It is worked on.
    Ticket,
}

macro_rules! register {
    ($($kind:ident => $file:ident, $medium:ident, $doc:literal;)+) => {
        /// What kind of vendor a receiver is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "&'static str")]
        pub enum ReceiverKind {
            $(#[doc = $doc] $kind,)+
        }

        impl ReceiverKind {
            /// Every kind. Each has a queue of its own.
            pub const ALL: [Self; [$(stringify!($kind)),+].len()] = [$(Self::$kind),+];

            /// The word used in config, queue names and records.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => stringify!($file),)+
                }
            }

            /// What a call for help becomes there.
            #[must_use]
            pub fn medium(self) -> Medium {
                match self {
                    $(Self::$kind => Medium::$medium,)+
                }
            }
        }
    };
}

receiver_kinds!(register);

/// No receiver kind has that name.
#[derive(Debug, Error)]
#[error("unknown receiver kind {0:?}: use one of {names}", names = ReceiverKind::ALL.map(ReceiverKind::as_str).join(", "))]
pub struct UnknownReceiverKind(String);

impl ReceiverKind {
    /// The kind of that name.
    ///
    /// # Errors
    /// [`UnknownReceiverKind`] names the word and the words there are.
    pub fn parse(word: &str) -> Result<Self, UnknownReceiverKind> {
        Self::ALL.into_iter().find(|k| k.as_str() == word).ok_or_else(|| UnknownReceiverKind(word.to_owned()))
    }

    /// True where a call for help wakes somebody.
    #[must_use]
    pub fn pages(self) -> bool {
        self.medium() == Medium::Page
    }
}

impl TryFrom<String> for ReceiverKind {
    type Error = UnknownReceiverKind;

    fn try_from(word: String) -> Result<Self, UnknownReceiverKind> {
        Self::parse(&word)
    }
}

impl From<ReceiverKind> for &'static str {
    fn from(kind: ReceiverKind) -> Self {
        kind.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_stored_as_its_word() {
        for kind in ReceiverKind::ALL {
            let stored = serde_json::to_string(&kind).expect("it is written");
            assert_eq!(stored, format!("\"{}\"", kind.as_str()));
            assert_eq!(serde_json::from_str::<ReceiverKind>(&stored).expect("it is read"), kind);
        }
        // What tables and queues hold already.
        let words = ["pagerduty", "slack", "jira", "linear", "webhook"];
        assert!(words.iter().all(|word| ReceiverKind::parse(word).is_ok()));
    }

    #[test]
    fn an_unknown_word_is_told_with_the_words_there_are() {
        let said = serde_json::from_str::<ReceiverKind>("\"pigeon\"").expect_err("it is unknown").to_string();
        assert!(said.contains("\"pigeon\"") && said.contains("pagerduty, slack"), "{said}");
    }
}
