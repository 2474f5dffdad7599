//! Keeps what came in, in a directory of its own: a file a day, a line a webhook.
//!
//! Invariant: a line holds what the source's mapping reads and nothing else of a request; a file has a largest size, and
//! what cannot be written is logged and lost, never waited for.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use pipeline::Recorded;
use pipeline::ports::Recorder;

/// The variable that names the directory.
const VARIABLE: &str = "TOCSIN_RECORD_DIR";

/// Bytes of one day's file, at most: 64 MiB.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A directory of recordings.
#[derive(Debug)]
pub struct RecordDirectory {
    directory: PathBuf,
    writing: Mutex<()>,
}

impl RecordDirectory {
    /// In this directory, which is made with its first webhook.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), writing: Mutex::default() }
    }

    /// In the directory that `TOCSIN_RECORD_DIR` names; `None` where it is not set.
    #[must_use]
    pub fn from_env() -> Option<Arc<dyn Recorder>> {
        let directory = std::env::var_os(VARIABLE).filter(|directory| !directory.is_empty())?;
        Some(Arc::new(Self::new(Path::new(&directory))))
    }

    fn write(&self, webhook: &Recorded) -> io::Result<()> {
        let mut line = serde_json::to_vec(webhook)?;
        line.push(b'\n');
        let day: String = webhook.received_at.to_string().chars().take(10).collect();
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        fs::create_dir_all(&self.directory)?;
        let path = self.directory.join(format!("webhooks-{day}.jsonl"));
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        if file.metadata()?.len() + line.len() as u64 > FILE_BYTES_MAX {
            return Err(io::Error::other(format!("the day's file would have more than {FILE_BYTES_MAX} bytes")));
        }
        file.write_all(&line)
    }
}

impl Recorder for RecordDirectory {
    fn record(&self, webhook: &Recorded) {
        if let Err(error) = self.write(webhook) {
            tracing::warn!(directory = %self.directory.display(), %error, "a webhook is not recorded");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn webhook(at: &str) -> Recorded {
        Recorded { source: "arize".to_owned(), received_at: at.parse().unwrap(), body: json!({ "name": "p95" }) }
    }

    #[test]
    fn a_day_is_a_file_and_a_full_one_takes_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let directory = RecordDirectory::new(&folder.path().join("made"));
        for at in ["2026-11-25T23:59:59Z", "2026-11-26T00:00:00Z", "2026-11-26T00:00:01.5Z"] {
            directory.record(&webhook(at));
        }
        let path = |day: &str| folder.path().join(format!("made/webhooks-{day}.jsonl"));
        let kept = fs::read_to_string(path("2026-11-26")).unwrap();
        let read: Vec<Recorded> = kept.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read, [webhook("2026-11-26T00:00:00Z"), webhook("2026-11-26T00:00:01.5Z")]);
        assert_eq!(fs::read_to_string(path("2026-11-25")).unwrap().lines().count(), 1);

        let full = OpenOptions::new().write(true).open(path("2026-11-26")).unwrap();
        full.set_len(FILE_BYTES_MAX).unwrap();
        directory.record(&webhook("2026-11-26T00:00:02Z"));
        assert_eq!(full.metadata().unwrap().len(), FILE_BYTES_MAX);
    }

    #[test]
    fn a_directory_that_cannot_be_made_costs_nothing_but_the_recording() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("file");
        fs::write(&taken, "").unwrap();
        RecordDirectory::new(&taken).record(&webhook("2026-11-26T00:00:00Z"));
        assert_eq!(fs::read_to_string(&taken).unwrap(), "");
    }
}
