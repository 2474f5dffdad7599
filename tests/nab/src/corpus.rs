//! A checkout of numenta/NAB: its data files and its labelled windows.
//!
//! Invariant: files and windows are the checkout's own; a file without an entry in `combined_windows.json` stops the run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::series::time;

/// The file that holds the windows of all data files.
const WINDOWS: &str = "labels/combined_windows.json";

/// One data file.
#[derive(Debug, Clone)]
pub(crate) struct DataFile {
    /// `realTweets/Twitter_volume_AAPL.csv`.
    pub(crate) path: String,
    /// Timestamps as the file writes them.
    pub(crate) stamps: Vec<String>,
    /// The same in unix seconds, civil time taken as UTC.
    pub(crate) times: Vec<i64>,
    /// Values, as long as the timestamps.
    pub(crate) values: Vec<f64>,
    /// First and last time of each labelled window, in order.
    pub(crate) windows: Vec<(i64, i64)>,
}

/// Reads all data files of a checkout, in order of their paths.
///
/// # Errors
/// When the checkout is not one, with the file.
pub(crate) fn read(nab: &Path) -> Result<Vec<DataFile>> {
    let path = nab.join(WINDOWS);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let windows: BTreeMap<String, Vec<(String, String)>> = serde_json::from_str(&text).context(WINDOWS)?;
    windows.into_iter().map(|(path, windows)| file(nab, &path, &windows).context(path)).collect()
}

fn file(nab: &Path, path: &str, windows: &[(String, String)]) -> Result<DataFile> {
    let text = fs::read_to_string(nab.join("data").join(path))?;
    let mut read = DataFile {
        path: path.to_owned(),
        stamps: Vec::new(),
        times: Vec::new(),
        values: Vec::new(),
        windows: windows.iter().map(|(from, to)| Ok((time(from)?, time(to)?))).collect::<Result<_>>()?,
    };
    for line in text.lines().skip(1).filter(|line| !line.is_empty()) {
        let (stamp, value) = line.split_once(',').with_context(|| format!("no value in {line:?}"))?;
        read.stamps.push(stamp.to_owned());
        read.times.push(time(stamp)?);
        read.values.push(value.trim().parse().with_context(|| format!("value {value:?}"))?);
    }
    Ok(read)
}

/// Reads a result file's `anomaly_score` column.
///
/// # Errors
/// When there is none or it is no number.
pub(crate) fn scores(nab: &Path, detector: &str, path: &str) -> Result<Vec<f64>> {
    let path = nab.join("results").join(detector).join(result_path(detector, path));
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let mut lines = text.lines();
    let header = lines.next().context("it is empty")?;
    let column = header.split(',').position(|name| name == "anomaly_score").context("no column anomaly_score")?;
    lines.map(|line| Ok(line.split(',').nth(column).unwrap_or_default().parse()?)).collect()
}

/// Writes a result file in the benchmark's format.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn write(nab: &Path, detector: &str, file: &DataFile, scores: &[f64]) -> Result<()> {
    let path = nab.join("results").join(detector).join(result_path(detector, &file.path));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut text = String::from("timestamp,value,anomaly_score,label\n");
    for (row, score) in scores.iter().enumerate() {
        let inside = |(from, to): &(i64, i64)| (*from..=*to).contains(&file.times[row]);
        let label = u8::from(file.windows.iter().any(inside));
        writeln!(text, "{},{},{score},{label}", file.stamps[row], file.values[row])?;
    }
    fs::write(&path, text).with_context(|| path.display().to_string())
}

/// `realTweets/auto_Twitter_volume_AAPL.csv`.
fn result_path(detector: &str, path: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/{detector}_{name}"),
        None => format!("{detector}_{path}"),
    }
}
