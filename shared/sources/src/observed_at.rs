//! When the source saw it.
//!
//! Invariant: what cannot be read, and what lies ahead of our clock, is answered with the time of reception.

use domain::Timestamp;
use jiff::{SignedDuration, Unit};
use serde_json::Value;

/// Seconds that a source's clock may be ahead of ours.
pub const AHEAD_SECS_MAX: i64 = 300;

/// Numbers from here on are milliseconds: as seconds they would lie after the year 5000.
const MILLISECONDS_FROM: i64 = 100_000_000_000;
/// [`MILLISECONDS_FROM`], for numbers with a fraction.
const MILLISECONDS_FROM_F64: f64 = 1e11;

/// The time that a value tells: RFC 3339, unix seconds or milliseconds as a number or digits; `None` for anything else.
pub(crate) fn read(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(whole) => from_whole(whole),
            None => from_fraction(number.as_f64()?),
        },
        Value::String(text) => from_text(text.trim()),
        _ => None,
    }
}

/// The first time that is not ahead of our clock, else the time of reception.
pub(crate) fn bounded(mut read: impl Iterator<Item = Timestamp>, received_at: Timestamp) -> Timestamp {
    let latest = received_at.checked_add(SignedDuration::from_secs(AHEAD_SECS_MAX)).unwrap_or(Timestamp::MAX);
    read.find(|at| *at <= latest).unwrap_or(received_at)
}

fn from_text(text: &str) -> Option<Timestamp> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return from_whole(text.parse().ok()?);
    }
    text.parse().ok().filter(|at: &Timestamp| at.as_second() > 0)
}

/// Zero and less stand for "no time" where they appear.
fn from_whole(number: i64) -> Option<Timestamp> {
    match number {
        ..=0 => None,
        1..MILLISECONDS_FROM => Timestamp::from_second(number).ok(),
        _ => Timestamp::from_millisecond(number).ok(),
    }
}

/// Python's `time.time()` has a fraction; it is kept to the millisecond.
fn from_fraction(number: f64) -> Option<Timestamp> {
    let secs = if number < MILLISECONDS_FROM_F64 { number } else { number / 1000.0 };
    let since_epoch = SignedDuration::try_from_secs_f64(secs).ok().filter(SignedDuration::is_positive)?;
    Timestamp::from_duration(since_epoch).ok()?.round(Unit::Millisecond).ok()
}
