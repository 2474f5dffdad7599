//! Runs the benchmark's own scorer.
//!
//! Invariant: the scorer is the checkout's `run.py`, unchanged.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Runs `run.py --optimize --score --normalize` on the detector's result files and hands back its final lines.
///
/// # Errors
/// When Python or its packages are missing or the scorer fails, with the end of what it said.
pub(crate) fn run(nab: &Path, python: &str, detector: &str) -> Result<Vec<String>> {
    let told = Command::new(python)
        .current_dir(nab)
        .args(["run.py", "-d", detector, "--optimize", "--score", "--normalize", "--skipConfirmation"])
        .output()
        .with_context(|| format!("{python} could not be started"))?;
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    if !told.status.success() {
        bail!("the official scorer failed: {}", String::from_utf8_lossy(&told.stderr));
    }
    Ok(text.lines().filter(|line| line.starts_with("Final score for")).map(str::to_owned).collect())
}
