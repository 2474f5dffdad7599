//! Scores rows as they come.
//!
//! Invariant: a row is written before the next one is read, so that it depends on none that comes later; memory does not
//! grow with the input.

use std::io::{Read, Write};

use detectors::{Panel, PanelStream};
use domain::{Point, Timestamp, Verdict};

use super::rows::{Row, Rows};

/// Seconds between two points, where neither option nor config nor a second row says so.
const STEP_SECS: u32 = 60;

/// What the rows are scored with. The step is the one between the first two rows, unless it is known.
struct Scorer<'p> {
    panel: &'p Panel,
    stream: PanelStream,
    first: Option<Point>,
    step_secs: u32,
    step_is_known: bool,
    last: Option<Timestamp>,
}

impl<'p> Scorer<'p> {
    fn new(panel: &'p Panel, step_secs: Option<u32>) -> Self {
        let known = step_secs.unwrap_or(STEP_SECS);
        let stream = panel.stream(known);
        Self { panel, stream, first: None, step_secs: known, step_is_known: step_secs.is_some(), last: None }
    }

    /// A row's score and verdict. Where time stands still or runs backwards (clocks are put back) the rows are taken in
    /// file order, a step apart, until it has caught up.
    fn push(&mut self, row: &Row) -> (f64, Verdict) {
        let next = |last: Timestamp| Timestamp::from_second(last.as_second() + i64::from(self.step_secs)).ok();
        let at = match self.last {
            Some(last) if row.at <= last => next(last).unwrap_or(row.at),
            _ => row.at,
        };
        self.last = Some(at);
        let Some(value) = row.value else { return (0.0, Verdict::Inconclusive) };
        let point = Point { at, value, total: row.total };
        match self.first {
            None => self.first = Some(point),
            Some(first) if !self.step_is_known => {
                self.step_is_known = true;
                self.step_secs = u32::try_from(point.at.as_second() - first.at.as_second()).unwrap_or(STEP_SECS).max(1);
                self.stream = self.panel.stream(self.step_secs);
                self.stream.push(&first);
            }
            Some(_) => {}
        }
        self.stream.push(&point)
    }
}

/// Writes a row with its score and verdict for each row of the input.
pub(super) fn score(
    name: &str,
    input: impl Read,
    output: &mut impl Write,
    panel: &Panel,
    step_secs: Option<u32>,
) -> anyhow::Result<()> {
    let mut rows = Rows::new(name, input)?;
    let mut scorer = Scorer::new(panel, step_secs);
    writeln!(output, "timestamp,value,anomaly_score,verdict")?;
    while let Some(row) = rows.next()? {
        let (score, verdict) = scorer.push(&row);
        writeln!(output, "{},{},{score},{}", row.timestamp_text, row.value_text, verdict.as_str())?;
    }
    output.flush()?;
    Ok(())
}
