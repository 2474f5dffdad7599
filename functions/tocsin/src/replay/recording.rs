//! Reads a directory of recorded webhooks.
//!
//! Invariant: a line that is no webhook is an error with its place; none is left out in silence.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use pipeline::Recorded;

/// Webhooks of one recording, at most.
const WEBHOOKS_MAX: usize = 1_000_000;

/// The webhooks of every `*.jsonl` file, by the files' names.
pub(super) fn read(directory: &Path) -> anyhow::Result<Vec<Recorded>> {
    let shown = directory.display();
    let missing = || {
        format!(
            "{shown}: cannot be read; give the directory of `tocsin local --record`, or that TOCSIN_RECORD_DIR named"
        )
    };
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(directory).with_context(missing)? {
        let path = entry.with_context(missing)?.path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            files.push(path);
        }
    }
    files.sort();
    let mut webhooks = Vec::new();
    for file in &files {
        read_file(file, &mut webhooks)?;
    }
    if webhooks.is_empty() {
        bail!("{shown}: holds no webhook; record some with `tocsin local --record {shown}`");
    }
    Ok(webhooks)
}

fn read_file(path: &Path, webhooks: &mut Vec<Recorded>) -> anyhow::Result<()> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("{shown}: cannot be read"))?;
    for (index, line) in BufReader::new(file).lines().enumerate() {
        let place = || format!("{shown}:{}", index + 1);
        let line = line.with_context(|| format!("{}: is not UTF-8; record it anew", place()))?;
        if line.trim().is_empty() {
            continue;
        }
        let mend = || format!("{}: is no recorded webhook; remove the line, or record it anew", place());
        webhooks.push(serde_json::from_str(&line).with_context(mend)?);
        if webhooks.len() > WEBHOOKS_MAX {
            bail!("{shown}: there are more than {WEBHOOKS_MAX} webhooks; take fewer files at once");
        }
    }
    Ok(())
}
