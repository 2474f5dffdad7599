//! A query's parameters, and what Prometheus refuses of them.
//!
//! Invariant: a range that passed has a step above zero and at most 11,000 steps.

use std::collections::BTreeMap;

use jiff::Timestamp;
use thiserror::Error;

/// Most steps of a range: 11,000, so that it has at most one point more.
const STEPS_MAX: i64 = 11_000;

/// Units of a duration, longest name first, in milliseconds.
const UNITS_MS: [(&str, i64); 7] = [
    ("ms", 1),
    ("s", 1000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
    ("y", 31_536_000_000),
];

/// Why a query is refused, as Prometheus says it.
#[derive(Debug, PartialEq, Eq, Error)]
pub(super) enum BadData {
    #[error(r#"invalid parameter "query": unknown position: parse error: no expression found in input"#)]
    NoExpression,
    #[error(r#"invalid parameter "query": parse error: unclosed left parenthesis"#)]
    Unclosed,
    #[error(r#"invalid parameter "{name}": cannot parse "{text}" to a valid timestamp"#)]
    Time { name: &'static str, text: String },
    #[error(r#"invalid parameter "step": cannot parse "{0}" to a valid duration"#)]
    Step(String),
    #[error(r#"invalid parameter "end": end timestamp must not be before start time"#)]
    EndBeforeStart,
    #[error(
        r#"invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer"#
    )]
    NoStep,
    #[error(
        "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"
    )]
    TooManyPoints,
}

type Fields = BTreeMap<String, String>;

/// Milliseconds: since 1970, or of a step.
pub(super) type Millis = i64;

/// The slots of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: Millis,
    pub(super) end: Millis,
    pub(super) step: Millis,
}

impl Range {
    pub(super) fn read(fields: &Fields) -> Result<Self, BadData> {
        let (start_ms, end_ms) = (required_time(fields, "start")?, required_time(fields, "end")?);
        if end_ms < start_ms {
            return Err(BadData::EndBeforeStart);
        }
        let text = fields.get("step").map(String::as_str).unwrap_or_default();
        let step_ms = duration_ms(text).ok_or_else(|| BadData::Step(text.to_owned()))?;
        if step_ms <= 0 {
            return Err(BadData::NoStep);
        }
        if end_ms.saturating_sub(start_ms) / step_ms > STEPS_MAX {
            return Err(BadData::TooManyPoints);
        }
        Ok(Self { start: start_ms, end: end_ms, step: step_ms })
    }

    pub(super) fn instant(at_ms: i64) -> Self {
        Self { start: at_ms, end: at_ms, step: 1 }
    }

    pub(super) fn slots(self) -> impl Iterator<Item = i64> {
        let next = move |at: &i64| at.checked_add(self.step);
        std::iter::successors(Some(self.start), next).take_while(move |at| *at <= self.end)
    }
}

/// The expression.
pub(super) fn query(fields: &Fields) -> Result<String, BadData> {
    let query = fields.get("query").map(|text| text.trim()).unwrap_or_default();
    if query.is_empty() {
        return Err(BadData::NoExpression);
    }
    if query.matches('(').count() > query.matches(')').count() {
        return Err(BadData::Unclosed);
    }
    Ok(query.to_owned())
}

/// The time of an instant query: now, where it is not given.
pub(super) fn time(fields: &Fields, now_ms: i64) -> Result<i64, BadData> {
    if fields.contains_key("time") { required_time(fields, "time") } else { Ok(now_ms) }
}

fn required_time(fields: &Fields, name: &'static str) -> Result<i64, BadData> {
    let text = fields.get(name).map(String::as_str).unwrap_or_default();
    let rfc3339 = || text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond);
    decimal_ms(text).or_else(rfc3339).ok_or_else(|| BadData::Time { name, text: text.to_owned() })
}

/// Decimal seconds as milliseconds; further digits are cut.
fn decimal_ms(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (secs, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    if secs.is_empty() || !secs.chars().chain(fraction.chars()).all(|c| c.is_ascii_digit()) {
        return None;
    }
    let ms: String = fraction.chars().chain("000".chars()).take(3).collect();
    let total = secs.parse::<i64>().ok()?.checked_mul(1000)?.checked_add(ms.parse().ok()?)?;
    Some(if negative { -total } else { total })
}

fn duration_ms(text: &str) -> Option<i64> {
    let with_unit = |(unit, ms): &(&str, i64)| {
        let count = text.strip_suffix(unit)?;
        count.parse::<i64>().ok()?.checked_mul(*ms)
    };
    decimal_ms(text).or_else(|| UNITS_MS.iter().find_map(with_unit))
}

#[cfg(test)]
mod tests {
    use super::{BadData, Fields, Range};

    fn read(start: &str, end: &str, step: &str) -> Result<Range, BadData> {
        let pairs = [("start", start), ("end", end), ("step", step)];
        let fields: Fields = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Range::read(&fields)
    }

    #[test]
    fn times_and_steps_are_read_in_every_way_of_writing_them() {
        let expected = Range { start: 1_700_000_000_000, end: 1_700_003_600_000, step: 60_000 };
        assert_eq!(read("1700000000", "1700003600", "60"), Ok(expected));
        assert_eq!(read("1700000000.000", "2023-11-14T23:13:20Z", "1m"), Ok(expected));
        assert_eq!(read("0", "1.5", "500ms").map(|range| range.slots().count()), Ok(4));
    }

    #[test]
    fn a_range_is_refused_beyond_11_000_steps() {
        assert_eq!(read("0", "11000", "1").map(|range| range.slots().count()), Ok(11_001));
        assert_eq!(read("0", "11001", "1"), Err(BadData::TooManyPoints));
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(read("10", "9", "1"), Err(BadData::EndBeforeStart));
        assert_eq!(read("0", "9", "0"), Err(BadData::NoStep));
        assert_eq!(read("0", "9", "-5"), Err(BadData::NoStep));
        assert_eq!(read("0", "9", "soon"), Err(BadData::Step("soon".to_owned())));
        let wrong = BadData::Time { name: "start", text: "yesterday".to_owned() };
        assert_eq!(read("yesterday", "9", "1"), Err(wrong));
    }
}
