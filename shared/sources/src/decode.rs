//! From a body to alerts.
//!
//! Invariant: all or nothing. Every alert of a body comes out, or the body is refused with the place and the mend.

use domain::{Alert, AlertId, Timestamp};
use serde_json::Value;
use thiserror::Error;

use crate::reading::Reading;
use crate::{Auth, BODY_BYTES_MAX, Field, Inbound, Kind, Mapping, json};

/// Alerts in one body.
pub const ALERTS_MAX: usize = 5000;

/// A configured source.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name in config; every alert carries it.
    pub name: String,
    /// Whose payload it sends.
    pub kind: Kind,
    /// How it proves who it is.
    pub auth: Auth,
    /// Where its payload holds what.
    pub mapping: Mapping,
}

/// Why a body is not alerts, with the place and the mend. It never carries the body; what it quotes is cut and cleaned.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The body is too large.
    #[error("the body has {bytes} bytes: send at most {max}", max = BODY_BYTES_MAX)]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The body is not UTF-8.
    #[error("the body is not UTF-8 after byte {at}: send UTF-8")]
    NotUtf8 {
        /// Bytes before the first wrong one.
        at: usize,
    },
    /// The body begins with a byte order mark.
    #[error("the body begins with a byte order mark: send it without")]
    ByteOrderMark,
    /// The body is not JSON.
    #[error("the body is not JSON at line {line}, column {column}: {why}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1; 0 before the first.
        column: usize,
        /// In what way.
        why: &'static str,
    },
    /// A key stands twice in one object.
    #[error("the key at {pointer} is given twice: send it once")]
    DuplicateKey {
        /// The key's pointer.
        pointer: String,
    },
    /// The body is nested too deeply.
    #[error("the body is nested deeper than {max} levels: send it flatter", max = crate::DEPTH_MAX)]
    TooDeep {
        /// The pointer of the value that is too deep.
        pointer: String,
    },
    /// There is no array of alerts where the mapping says.
    #[error("there is no array at {pointer:?}: send the alerts there, or change mapping.alerts")]
    NoAlerts {
        /// Where it should be.
        pointer: String,
    },
    /// There are too many alerts.
    #[error("the body has {found} alerts: send at most {max} at once", max = ALERTS_MAX)]
    TooManyAlerts {
        /// How many there are.
        found: usize,
    },
    /// An alert is no JSON object.
    #[error("there is no object at {pointer:?}: send an object an alert, and name their array in mapping.alerts")]
    NotAnObject {
        /// Where it should be.
        pointer: String,
    },
    /// Nothing tells what the alert is about.
    #[error("no {} at {}: send one, or map its place under mapping.fields.{}", .field.as_str(), .tried.join(", "), .field.as_str())]
    Missing {
        /// What is missing.
        field: Field,
        /// The pointers looked at.
        tried: Vec<String>,
    },
    /// The status is no word that the mapping knows.
    #[error("the status {word:?} at {pointer} is none of {}: add it to mapping.firing or mapping.cleared", .known.join(", "))]
    BadStatus {
        /// Where it stands.
        pointer: String,
        /// The word.
        word: String,
        /// The words there are.
        known: Vec<String>,
    },
}

impl DecodeError {
    /// A stable name for logs, which hold nothing of a body.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::NotUtf8 { .. } => "not_utf8",
            Self::ByteOrderMark => "byte_order_mark",
            Self::Json { .. } => "not_json",
            Self::DuplicateKey { .. } => "duplicate_key",
            Self::TooDeep { .. } => "too_deep",
            Self::NoAlerts { .. } => "no_alerts",
            Self::TooManyAlerts { .. } => "too_many_alerts",
            Self::NotAnObject { .. } => "not_an_object",
            Self::Missing { .. } => "missing_field",
            Self::BadStatus { .. } => "bad_status",
        }
    }

    /// Line and column in the body, where the reason has them; both from 1, the column 0 before the first.
    #[must_use]
    pub fn line_and_column(&self) -> Option<(usize, usize)> {
        match self {
            Self::Json { line, column, .. } => Some((*line, *column)),
            _ => None,
        }
    }
}

impl Source {
    /// The alerts in a body, in its order, with ids from `next_id`. Only for a body that [`Auth::verify`] let pass.
    ///
    /// # Errors
    /// [`DecodeError`] names the place and the mend; then no alert of the body is taken.
    pub fn decode(&self, inbound: &Inbound, next_id: &mut dyn FnMut() -> AlertId) -> Result<Vec<Alert>, DecodeError> {
        if inbound.body.len() > BODY_BYTES_MAX {
            return Err(DecodeError::TooLarge { bytes: inbound.body.len() });
        }
        let body = self.kind.reshape(json::parse(inbound.body)?)?;
        self.alerts(&body, inbound.received_at, next_id)
    }

    /// The alerts in a body that is in the shape that the mapping points into.
    pub(crate) fn alerts(
        &self,
        body: &Value,
        received_at: Timestamp,
        next_id: &mut dyn FnMut() -> AlertId,
    ) -> Result<Vec<Alert>, DecodeError> {
        let decode = |(place, alert): (String, &Value)| {
            if !alert.is_object() {
                return Err(DecodeError::NotAnObject { pointer: place });
            }
            let reading = Reading { source: &self.name, mapping: &self.mapping, alert, place: &place };
            reading.alert(received_at, next_id)
        };
        self.split(body)?.into_iter().map(decode).collect()
    }

    /// Each alert's JSON with its pointer.
    pub(crate) fn split<'a>(&self, body: &'a Value) -> Result<Vec<(String, &'a Value)>, DecodeError> {
        let Some(pointer) = &self.mapping.alerts else {
            return Ok(vec![(String::new(), body)]);
        };
        let items = body.pointer(pointer).and_then(Value::as_array);
        let items = items.ok_or_else(|| DecodeError::NoAlerts { pointer: pointer.clone() })?;
        if items.len() > ALERTS_MAX {
            return Err(DecodeError::TooManyAlerts { found: items.len() });
        }
        Ok(items.iter().enumerate().map(|(index, item)| (format!("{pointer}/{index}"), item)).collect())
    }
}
