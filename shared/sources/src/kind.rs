//! The sources there are.
//!
//! Invariant: a source is registered in one line below; everything else about it stands in its own file.

use serde_json::Value;

use crate::{DecodeError, Mapping, alertmanager, arize, cloudwatch, datadog, generic, grafana};

/// What a source's file says of it.
pub(crate) struct Definition {
    /// The word in config.
    pub(crate) name: &'static str,
    /// The authentication it uses when config names none.
    pub(crate) auth: &'static str,
    /// Where its payload holds what.
    pub(crate) mapping: fn() -> Mapping,
    /// Brings a body into the shape that the mapping points into.
    pub(crate) reshape: fn(Value) -> Result<Value, DecodeError>,
}

/// For payloads that JSON pointers reach as they are.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `reshape`")]
pub(crate) fn as_sent(body: Value) -> Result<Value, DecodeError> {
    Ok(body)
}

macro_rules! register {
    ($($kind:ident => $file:ident, $doc:literal;)+) => {
        /// Whose payload it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $(#[doc = $doc] $kind,)+
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            fn definition(self) -> &'static Definition {
                match self {
                    $(Self::$kind => &$file::DEFINITION,)+
                }
            }
        }
    };
}

register! {
    Arize => arize, "Arize AX monitors.";
    Alertmanager => alertmanager, "Prometheus Alertmanager, version 4 of its webhook.";
    Grafana => grafana, "Grafana Alerting's webhook.";
    Datadog => datadog, "Datadog monitors, over its webhook integration.";
    Cloudwatch => cloudwatch, "`CloudWatch` alarms, over SNS or `EventBridge`.";
    Generic => generic, "Anything that posts flat JSON, or JSON that a mapping of its own describes.";
}

impl Kind {
    /// The word used in config.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.definition().name
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }

    /// Where such a payload holds what.
    #[must_use]
    pub fn default_mapping(self) -> Mapping {
        (self.definition().mapping)()
    }

    /// The body in the shape that the mapping points into.
    pub(crate) fn reshape(self, body: Value) -> Result<Value, DecodeError> {
        (self.definition().reshape)(body)
    }

    /// The authentication used when config names none; one of [`crate::Auth::KINDS`].
    #[must_use]
    pub fn default_auth(self) -> &'static str {
        self.definition().auth
    }
}
