//! What a source's file says of it.
//!
//! Invariant: a source is registered in one line of `lib.rs`; everything else about it stands in its own file.

use serde_json::Value;

use crate::{DecodeError, Kind, Mapping};

/// What a source's file says of it.
pub(crate) struct Definition {
    /// The word in config.
    pub(crate) name: &'static str,
    /// The authentication it uses when config names none.
    pub(crate) auth: &'static str,
    /// How it is registered at its vendor, in lines for people: `{url}` is the address, `${secret}` the variable that holds
    /// the secret.
    pub(crate) registration: &'static [&'static str],
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

/// Takes a list of `Kind => file, "what it is";`: declares each file, and makes [`Kind`] of them.
macro_rules! register {
    ($($kind:ident => $file:ident, $doc:literal;)+) => {
        $(mod $file;)+

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

pub(crate) use register;

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

    /// How it is registered at its vendor, in lines for people: `{url}` stands for the address, `${secret}` for the variable
    /// that holds the secret.
    #[must_use]
    pub fn registration(self) -> &'static [&'static str] {
        self.definition().registration
    }

    /// The authentication used when config names none; one of [`crate::Auth::KINDS`].
    #[must_use]
    pub fn default_auth(self) -> &'static str {
        self.definition().auth
    }
}
