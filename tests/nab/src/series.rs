//! Reads labelled series: `timestamp,value,label[,split]`, plain or gzipped.
//!
//! Invariant: rows keep the file's order; a row that cannot be read stops the run with its file and line.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Intervals that the step is taken from: a stream knows no later ones.
const STEP_INTERVALS: usize = 20;

/// One row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row {
    /// Unix time in seconds.
    pub(crate) at_secs: i64,
    /// NaN where the file has no number.
    pub(crate) value: f64,
    /// True where people called it anomalous.
    pub(crate) anomalous: bool,
    /// True where it counts; rows that do not are read as history.
    pub(crate) scored: bool,
}

/// One labelled series.
#[derive(Debug, Clone)]
pub(crate) struct Labelled {
    /// The file's name without its endings.
    pub(crate) name: String,
    /// All of it, history first.
    pub(crate) rows: Vec<Row>,
}

impl Labelled {
    /// Reads every `.csv` and `.csv.gz` of a folder, in order of their names.
    ///
    /// # Errors
    /// When the folder holds none or one cannot be read.
    pub(crate) fn folder(folder: &Path) -> Result<Vec<Self>> {
        let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
        let mut paths: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        paths.retain(|path| path.to_string_lossy().ends_with(".csv") || path.to_string_lossy().ends_with(".csv.gz"));
        paths.sort();
        if paths.is_empty() {
            bail!("{} holds no .csv and no .csv.gz", folder.display());
        }
        paths.iter().map(|path| Self::read(path).with_context(|| path.display().to_string())).collect()
    }

    fn read(path: &Path) -> Result<Self> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let file = File::open(path)?;
        let text: Box<dyn Read> = if path.extension().is_some_and(|end| end == "gz") {
            Box::new(flate2::read::MultiGzDecoder::new(file))
        } else {
            Box::new(file)
        };
        let rows = rows(BufReader::new(text))?;
        let name = name.trim_end_matches(".gz").trim_end_matches(".csv").to_owned();
        Ok(Self { name, rows })
    }

    /// The step as a stream can know it: the median of the first intervals, at least one second.
    #[must_use]
    pub(crate) fn step_secs(&self) -> u32 {
        step_secs(self.rows.iter().map(|row| row.at_secs))
    }
}

/// The median of the first intervals between times, at least one second.
pub(crate) fn step_secs(times: impl Iterator<Item = i64>) -> u32 {
    let times: Vec<i64> = times.take(STEP_INTERVALS + 1).collect();
    let mut steps: Vec<i64> = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    steps.sort_unstable();
    steps.get(steps.len() / 2).and_then(|step| u32::try_from(*step).ok()).unwrap_or(1).max(1)
}

fn rows(text: impl BufRead) -> Result<Vec<Row>> {
    let mut lines = text.lines();
    let header = lines.next().context("it is empty")??;
    let columns: Vec<&str> = header.split(',').map(str::trim).collect();
    let column = |name: &str| columns.iter().position(|column| *column == name);
    let at = column("timestamp").context("no column timestamp")?;
    let value = column("value").context("no column value")?;
    let label = column("label").context("no column label")?;
    let split = column("split");
    let mut rows = Vec::new();
    for (number, line) in lines.enumerate() {
        let line = line?;
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let field = |index: usize| fields.get(index).copied().unwrap_or_default();
        rows.push(Row {
            at_secs: time(field(at)).with_context(|| format!("line {}", number + 2))?,
            value: field(value).parse().unwrap_or(f64::NAN),
            anomalous: matches!(field(label), "1" | "1.0" | "true"),
            scored: split.is_none_or(|split| field(split) == "test"),
        });
    }
    Ok(rows)
}

/// Unix seconds, or a civil time that is taken as UTC.
///
/// # Errors
/// When it is neither.
pub(crate) fn time(text: &str) -> Result<i64> {
    if let Ok(secs) = text.parse::<i64>() {
        return Ok(secs);
    }
    let civil: jiff::civil::DateTime = text.trim_end_matches('Z').parse().with_context(|| format!("time {text:?}"))?;
    Ok(civil.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn train_rows_are_history_and_rows_without_a_split_count() {
        let text = "timestamp,value,label,split\n60,1.5,0,train\n120,,1,test\n";
        let read = rows(text.as_bytes()).expect("it is well formed");
        assert_eq!(read[0], Row { at_secs: 60, value: 1.5, anomalous: false, scored: false });
        assert!(read[1].value.is_nan() && read[1].anomalous && read[1].scored);
        let read = rows("timestamp,value,label\n1970-01-01 00:01:00,1,1\n".as_bytes()).expect("it is well formed");
        assert_eq!(read[0], Row { at_secs: 60, value: 1.0, anomalous: true, scored: true });
    }

    #[test]
    fn a_row_without_a_time_names_its_line() {
        let error = rows("timestamp,value,label\n60,1,0\nnoon,1,0\n".as_bytes()).expect_err("noon is no time");
        assert_eq!(error.to_string(), "line 3");
    }

    #[test]
    fn the_step_is_the_median_of_the_first_intervals() {
        assert_eq!(step_secs([0, 60, 120, 1000, 1060].into_iter()), 60);
        assert_eq!(step_secs([0].into_iter()), 1);
        assert_eq!(step_secs([10, 0].into_iter()), 1);
    }
}
