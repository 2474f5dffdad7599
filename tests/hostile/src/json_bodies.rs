//! Files of JSON, good and bad, as bodies of webhooks at every source.
//!
//! Invariant: a file's name says what must become of it, as in `JSONTestSuite`: `y_` is JSON, `n_` is none, `i_` is left to
//! the reader. A file that is not an alert is refused with 400 in any case; put into an alert, it decides over it. One that
//! happens to be an alert, at one source, is taken there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::Value;
use sources::{Auth, BODY_BYTES_MAX, Kind};
use tocsin::LOCAL_SECRET;

use crate::carrier::decoded;
use crate::target::{Reply, Target, check_refused, scheme};

/// What Python's `json` writes and JSON does not have: taken as absent numbers, since an alert is not lost over one.
const NOT_FINITE: [&str; 3] = ["n_number_NaN.json", "n_number_infinity.json", "n_number_minus_infinity.json"];

/// Files that are an alert at a source: an object whose one field is the title of a Datadog monitor.
const ALERTS: [(&str, Kind); 1] = [("y_object_string_unicode.json", Kind::Datadog)];

/// One file.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name, which says what it is.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What a run has seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// Requests without authentication.
    pub unauthenticated: usize,
    /// Files sent alone, signed, and refused.
    pub alone: usize,
    /// Files sent inside an alert, by the status of the answer.
    pub inside: BTreeMap<u16, usize>,
}

/// The files of a folder, by name.
///
/// # Errors
/// When it cannot be read, or holds no file with one of the suite's prefixes.
pub fn read(folder: &Path) -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if ["y_", "n_", "i_"].iter().any(|prefix| name.starts_with(prefix)) {
            cases.push(Case { name, bytes: std::fs::read(&path)? });
        }
    }
    ensure!(!cases.is_empty(), "{} holds no y_*, n_* or i_* file", folder.display());
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(cases)
}

/// Sends every file to every source: unauthenticated, alone, and inside an alert.
///
/// # Errors
/// The first answer that is not as it must be.
pub async fn run(target: &Target, cases: &[Case]) -> anyhow::Result<Seen> {
    let mut seen = Seen::default();
    let before = target.writes();
    for kind in Kind::ALL {
        for case in cases {
            unauthenticated(target, *kind, case).await?;
            seen.unauthenticated += 2;
            if !is_alert(case, *kind) {
                alone(target, *kind, case).await?;
                seen.alone += 1;
            }
        }
    }
    ensure!(target.writes() == before, "a refused request called AWS: {before:?}, then {:?}", target.writes());
    for kind in Kind::ALL {
        let alert = event(*kind)?;
        for case in cases.iter().filter(|case| is_alert(case, *kind)) {
            let reply = target.post_signed(*kind, &case.bytes).await?;
            ensure!(reply.status == 202, "{} is an alert of {}: {}", case.name, kind.as_str(), reply.body);
        }
        for case in cases {
            *seen.inside.entry(inside(target, *kind, &alert, case).await?).or_default() += 1;
        }
    }
    target.quiet().await?;
    Ok(seen)
}

fn is_alert(case: &Case, kind: Kind) -> bool {
    ALERTS.iter().any(|(name, of)| case.name == *name && *of == kind)
}

/// Without a header of the scheme, and signed with another secret.
async fn unauthenticated(target: &Target, kind: Kind, case: &Case) -> anyhow::Result<()> {
    let what = |how: &str| format!("{} at {}, {how}", case.name, kind.as_str());
    check_refused(&what("unsigned"), 401, &target.post(kind.as_str(), &[], &case.bytes).await?)?;
    let other = Auth::new(scheme(kind), vec![LOCAL_SECRET.chars().rev().collect::<String>().into()])?;
    let headers = other.sign("msg_1", pipeline::ports::Clock::now(&pipeline::SystemClock), &case.bytes);
    check_refused(&what("signed by another"), 401, &target.post(kind.as_str(), &headers, &case.bytes).await?)
}

async fn alone(target: &Target, kind: Kind, case: &Case) -> anyhow::Result<()> {
    let what = format!("{} at {}", case.name, kind.as_str());
    let reply = target.post_signed(kind, &case.bytes).await?;
    check_refused(&what, 400, &reply)?;
    let said = detail(&reply);
    let unread = ["is not JSON", "is not UTF-8", "byte order mark", "nested deeper"].iter().any(|w| said.contains(w));
    match case.name.split('_').next() {
        Some("y") => ensure!(!unread, "{what}: JSON is refused as none: {said}"),
        Some("n") if !NOT_FINITE.contains(&case.name.as_str()) => ensure!(unread, "{what}: no JSON is read: {said}"),
        _ => {}
    }
    Ok(())
}

/// The file as the value of a field that no mapping names.
async fn inside(target: &Target, kind: Kind, alert: &str, case: &Case) -> anyhow::Result<u16> {
    let open = alert.trim_end().strip_suffix('}').context("an event is an object")?;
    let body = [open.as_bytes(), b",\"hostile\":", &case.bytes, b"}"].concat();
    let what = format!("{} inside an alert at {}", case.name, kind.as_str());
    let reply = target.post_signed(kind, &body).await?;
    let strict = serde_json::from_slice::<Value>(&body);
    let expected: &[u16] = match case.name.split('_').next() {
        _ if body.len() > BODY_BYTES_MAX => &[413],
        Some("y") if detail(&reply).contains("is given twice") => &[400],
        Some("y") => &[202],
        Some("n") if NOT_FINITE.contains(&case.name.as_str()) => &[202],
        Some("n") => &[400],
        _ if strict.is_err() => &[202, 400],
        _ => &[202],
    };
    ensure!(expected.contains(&reply.status), "{what}: {} instead of {expected:?}: {}", reply.status, reply.body);
    if reply.status != 202 {
        check_refused(&what, reply.status, &reply)?;
    }
    Ok(reply.status)
}

fn detail(reply: &Reply) -> &str {
    reply.body["detail"].as_str().unwrap_or_default()
}

/// An alert of that kind, as it stands in `events/`.
///
/// # Errors
/// When there is none.
pub fn event(kind: Kind) -> anyhow::Result<String> {
    let is_alert = |text: &String| decoded(kind, text.as_bytes()).is_some_and(|alerts| !alerts.is_empty());
    events(kind)?.into_iter().find(is_alert).with_context(|| format!("events/ holds no alert of {}", kind.as_str()))
}

/// Everything that stands in `events/` for that kind, by name.
///
/// # Errors
/// When it cannot be read.
pub fn events(kind: Kind) -> anyhow::Result<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(kind.as_str());
    let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.sort();
    Ok(files.into_iter().map(std::fs::read_to_string).collect::<std::io::Result<_>>()?)
}
