//! Rows of a CSV file with a header: `timestamp,value` and, where the metric is a rate, `total`.
//!
//! Invariant: a row that cannot be read is an error with its line and the mend, never a point; an empty value, or one that
//! is no finite number (`NaN`), is a gap.

use std::io::Read;

use anyhow::{Context, anyhow, bail};
use csv::{Reader, ReaderBuilder, StringRecord, Trim};
use domain::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Unix times from here on are milliseconds: as seconds it is the year 5138.
const MILLISECONDS_FROM: f64 = 1e11;

/// One row.
pub(super) struct Row {
    pub(super) at: Timestamp,
    /// As it was written.
    pub(super) timestamp_text: String,
    /// `None` is a gap.
    pub(super) value: Option<f64>,
    /// As it was written.
    pub(super) value_text: String,
    pub(super) total: Option<f64>,
}

/// Reads one row after the other.
pub(super) struct Rows<R> {
    name: String,
    reader: Reader<R>,
    record: StringRecord,
    timestamp: usize,
    value: usize,
    total: Option<usize>,
}

impl<R: Read> Rows<R> {
    /// Reads the header. Columns beside those three are passed over.
    pub(super) fn new(name: &str, input: R) -> anyhow::Result<Self> {
        let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(input);
        let header = reader.headers().with_context(|| format!("{name}, line 1: the header cannot be read"))?;
        let header = header.iter().map(|column| column.trim_start_matches('\u{feff}').to_ascii_lowercase());
        let columns: Vec<String> = header.collect();
        let column = |wanted: &str| columns.iter().position(|column| column == wanted);
        let (Some(timestamp), Some(value)) = (column("timestamp"), column("value")) else {
            bail!(
                "{name}, line 1: the header must name `timestamp` and `value`: write timestamp,value or timestamp,value,total"
            );
        };
        let total = column("total");
        Ok(Self { name: name.to_owned(), reader, record: StringRecord::new(), timestamp, value, total })
    }

    /// The next row; `None` after the last.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Row>> {
        let read = self.reader.read_record(&mut self.record);
        let at_line = |line: u64| format!("{}, line {line}", self.name);
        let is_row = read.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            anyhow!("{}: {}", at_line(line), unreadable(&error))
        })?;
        if !is_row {
            return Ok(None);
        }
        let place = at_line(self.record.position().map_or(0, csv::Position::line));
        let field = |column: usize| self.record.get(column).unwrap_or_default();
        let at = time(field(self.timestamp)).with_context(|| place.clone())?;
        let number = |column: usize, name: &str| {
            let text = field(column);
            number(text).with_context(|| format!("{place}: {name} `{}` is no number: leave a gap empty", cut(text)))
        };
        let value = number(self.value, "value")?;
        let total = self.total.map(|column| number(column, "total")).transpose()?;
        // Without its total a rate's value says nothing.
        let is_gap = total.is_some_and(|total| total.is_none());
        Ok(Some(Row {
            at,
            timestamp_text: quoted(field(self.timestamp)),
            value: value.filter(|_| !is_gap),
            value_text: quoted(field(self.value)),
            total: total.flatten(),
        }))
    }
}

/// A finite number; `None` where there is none.
fn number(text: &str) -> anyhow::Result<Option<f64>> {
    if text.is_empty() || ["null", "none", "na"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Ok(None);
    }
    let number: f64 = text.parse()?;
    Ok(number.is_finite().then_some(number))
}

/// ISO 8601 with or without a zone (then UTC), or unix time in seconds or milliseconds.
fn time(text: &str) -> anyhow::Result<Timestamp> {
    if let Ok(unix) = text.parse::<f64>() {
        let seconds = if unix.abs() >= MILLISECONDS_FROM { unix / 1000.0 } else { unix };
        let since = jiff::SignedDuration::try_from_secs_f64(seconds)?;
        return Timestamp::from_duration(since)
            .with_context(|| format!("the timestamp `{}` is out of range", cut(text)));
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let civil = text.parse::<DateTime>().ok().and_then(|civil| civil.to_zoned(TimeZone::UTC).ok());
    let civil = civil.map(|zoned| zoned.timestamp());
    civil.with_context(|| {
        format!("the timestamp `{}` cannot be read: write 2026-11-20T10:00:00Z or unix seconds", cut(text))
    })
}

fn unreadable(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the row has {len} fields and the header {expected_len}: give each row as many")
        }
        csv::ErrorKind::Utf8 { .. } => "the row is not UTF-8: write the file in UTF-8".to_owned(),
        _ => error.to_string(),
    }
}

/// For a message.
fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

/// As a CSV field.
fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
