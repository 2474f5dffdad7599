//! The users' templates on disk, read again when they change, so that an edit shows in the next message.
//!
//! Invariant: there are always templates to render with. What cannot be read or parsed is reported beside the last good
//! text of that template, or the bundled one where there never was any; the others are taken.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use receivers::{TemplateError, Templates};
use thiserror::Error;

/// Files in the directory that are looked at, at most.
const FILES_MAX: usize = 200;

/// Bytes of a file that is read, at most: more than any template may have.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// Why a template on disk is not used as it is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TemplateMistake {
    /// The directory, or a file in it, cannot be read.
    #[error("{}: it cannot be read: {why}; the last good templates are used", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// A template cannot be used.
    #[error("{0}; its last good version is used")]
    Template(#[from] TemplateError),
}

/// The templates to render with now.
#[derive(Debug, Clone)]
pub struct CurrentTemplates {
    /// Always usable.
    pub templates: Arc<Templates>,
    /// What of the directory is not in them; empty when all is.
    pub mistakes: Arc<[TemplateMistake]>,
}

/// `<directory>/<receiver>/<name>.hbs`, in place of the bundled templates of the same name.
#[derive(Debug)]
pub struct TemplateDirectory {
    directory: Option<PathBuf>,
    state: Mutex<State>,
}

/// Whether a file is the one read before: its time of change and its bytes.
type Stamp = (Option<SystemTime>, u64);

#[derive(Debug)]
struct State {
    /// What was there when the directory was last read; `None` before the first time and after a failure.
    stamps: Option<BTreeMap<String, Stamp>>,
    /// Texts that parsed, by name.
    good: BTreeMap<String, String>,
    current: CurrentTemplates,
}

impl TemplateDirectory {
    /// A directory, read when first asked for; `None`: the bundled templates.
    #[must_use]
    pub fn new(directory: Option<PathBuf>) -> Self {
        let current = CurrentTemplates { templates: Arc::new(Templates::bundled()), mistakes: Arc::default() };
        Self { directory, state: Mutex::new(State { stamps: None, good: BTreeMap::new(), current }) }
    }

    /// The templates as the directory has them now. Reads the directory's listing each time, the files when a time, a
    /// length or the set of files changed.
    #[must_use]
    pub fn current(&self) -> CurrentTemplates {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(directory) = &self.directory {
            match list(directory) {
                Ok(stamps) if state.stamps.as_ref() == Some(&stamps) => {}
                Ok(stamps) => state.take(directory, stamps),
                Err(mistake) => {
                    state.stamps = None;
                    state.current.mistakes = Arc::new([mistake]);
                }
            }
        }
        state.current.clone()
    }
}

impl State {
    fn take(&mut self, directory: &Path, stamps: BTreeMap<String, Stamp>) {
        let mut mistakes = Vec::new();
        let mut files = BTreeMap::new();
        for (name, (_, bytes)) in &stamps {
            match read(&directory.join(name), *bytes) {
                Ok(text) => drop(files.insert(name.clone(), text)),
                Err(mistake) => {
                    mistakes.push(mistake);
                    files.extend(self.good.remove_entry(name));
                }
            }
        }
        let unread = !mistakes.is_empty();
        let templates = self.parse(&mut files, &mut mistakes);
        self.good = files;
        // A file that could not be read is tried again although its stamp stays.
        self.stamps = (!unread).then_some(stamps);
        self.current = CurrentTemplates { templates: Arc::new(templates), mistakes: mistakes.into() };
    }

    /// Puts the last good text in place of each that does not parse, and leaves out what never did.
    fn parse(&self, files: &mut BTreeMap<String, String>, mistakes: &mut Vec<TemplateMistake>) -> Templates {
        let errors = match Templates::from_files(files.clone()) {
            Ok(templates) => return templates,
            Err(errors) => errors,
        };
        for error in &errors {
            match self.good.get(&error.name) {
                Some(good) => drop(files.insert(error.name.clone(), good.clone())),
                None => drop(files.remove(&error.name)),
            }
        }
        mistakes.extend(errors.into_iter().map(TemplateMistake::from));
        Templates::from_files(files.clone()).unwrap_or_else(|_| Templates::bundled())
    }
}

/// The `*.hbs` files of the directory and of the directories in it, by their name below it, with `/` between.
fn list(directory: &Path) -> Result<BTreeMap<String, Stamp>, TemplateMistake> {
    let mut stamps = BTreeMap::new();
    for entry in entries(directory)? {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !entry.path().is_dir() {
            add(&mut stamps, &entry, name)?;
            continue;
        }
        for file in entries(&entry.path())? {
            let below = format!("{name}/{}", file.file_name().to_string_lossy());
            add(&mut stamps, &file, below)?;
        }
    }
    Ok(stamps)
}

fn entries(directory: &Path) -> Result<Vec<fs::DirEntry>, TemplateMistake> {
    let listed =
        fs::read_dir(directory).and_then(|entries| entries.take(FILES_MAX + 1).collect::<io::Result<Vec<_>>>());
    let listed = listed.map_err(|error| unreadable(directory, &error))?;
    if listed.len() > FILES_MAX {
        let error = io::Error::other(format!("it holds more than {FILES_MAX} files"));
        return Err(unreadable(directory, &error));
    }
    Ok(listed)
}

fn add(stamps: &mut BTreeMap<String, Stamp>, entry: &fs::DirEntry, name: String) -> Result<(), TemplateMistake> {
    let path = entry.path();
    if path.extension().is_some_and(|extension| extension == "hbs") {
        let metadata = fs::metadata(&path).map_err(|error| unreadable(&path, &error))?;
        stamps.insert(name, (metadata.modified().ok(), metadata.len()));
    }
    Ok(())
}

fn read(path: &Path, bytes: u64) -> Result<String, TemplateMistake> {
    if bytes > FILE_BYTES_MAX {
        let error = io::Error::other(format!("it has {bytes} bytes, more than {FILE_BYTES_MAX}"));
        return Err(unreadable(path, &error));
    }
    fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> TemplateMistake {
    TemplateMistake::Unreadable { path: path.to_owned(), why: error.to_string() }
}
