//! One file for each kind of mistake, and beside it what `tocsin check` says of it.
//!
//! Invariant: no kind of mistake is without a file. To add one: write `bad/<mistake>.yaml`, run this test with
//! `TOCSIN_UPDATE=1`, and read `bad/<mistake>.txt`. A receiver's file may show its own in its tests instead.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tocsin_config::{load, secret_names};

/// A value that serves as any secret.
const SECRET: &str = "dG9jc2luIGxvY2FsIHNlY3JldCBvbmx5";

/// What no file of a reasonable size can show, and what cannot happen.
const WITHOUT_FILE: [&str; 3] = ["the file gives no config, for a reason unknown", " entries", " bytes, more than "];

fn folder(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("it is read").path();
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
    found.sort();
}

/// A variable's name says what is wrong with its value.
fn value(name: &str) -> Option<String> {
    match name.split('_').next() {
        Some("UNSET") => None,
        Some("SPACED") => Some(format!("{SECRET}\n")),
        Some("WIDE") => Some(format!("ä{SECRET}")),
        Some("SHORT") => Some("short".to_owned()),
        _ if name.ends_with("_URL") => Some(format!("https://hooks.example/{SECRET}")),
        _ => Some(SECRET.to_owned()),
    }
}

#[test]
fn each_bad_file_is_told_with_place_and_mend() {
    let mut bad = Vec::new();
    files(&folder("tests/bad"), "yaml", &mut bad);
    assert!(bad.len() > 150, "{}", bad.len());
    let mut wrong = Vec::new();
    for path in &bad {
        let text = fs::read_to_string(path).expect("UTF-8");
        let environment: BTreeMap<String, String> =
            secret_names(&text).into_iter().filter_map(|name| Some((name.clone(), value(&name)?))).collect();
        let name = path.file_name().expect("a file").to_string_lossy();
        let Err(mistakes) = load(&text, &environment) else {
            wrong.push(format!("{name}: it is taken"));
            continue;
        };
        let told: Vec<String> = mistakes.iter().map(|mistake| format!("{name}:{mistake}\n")).collect();
        let told = told.concat();
        assert!(!told.contains(SECRET), "{told}");
        assert!(mistakes.iter().all(|m| m.line > 0 && m.line <= text.lines().count() && !m.mend.is_empty()), "{told}");
        let beside = path.with_extension("txt");
        if std::env::var_os("TOCSIN_UPDATE").is_some() {
            fs::write(&beside, &told).expect("it is written");
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        if told != expected {
            wrong.push(format!("{name}: said\n{told}expected\n{expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_kind_of_mistake_has_its_file() {
    let mut said = String::new();
    let mut told = Vec::new();
    files(&folder("tests/bad"), "txt", &mut told);
    for path in told {
        said.push_str(&fs::read_to_string(path).expect("UTF-8"));
    }
    let mut sources = Vec::new();
    files(&folder("src"), "rs", &mut sources);
    files(&folder("../receivers/src"), "rs", &mut sources);
    // Cases stand in files of their own, and have their tests with `tocsin route`.
    sources.retain(|path| !path.ends_with("cases.rs"));
    let mut found = 0;
    let mut missing = Vec::new();
    for path in sources {
        let text = fs::read_to_string(&path).expect("UTF-8");
        // A receiver's own tests can show its mistakes as well.
        let (code, tests) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
        for what in whats(code) {
            found += 1;
            if !said.contains(&what) && !tests.contains(&what) && !WITHOUT_FILE.contains(&what.as_str()) {
                missing.push(format!("{}: {what}", path.display()));
            }
        }
    }
    assert!(found > 90, "only {found} are found in the sources");
    assert!(missing.is_empty(), "no bad file shows\n{}", missing.join("\n"));
}

/// What is wrong, in the words of the sources: of each text its longest part between two placeholders.
fn whats(code: &str) -> Vec<String> {
    // The marker, and the arguments that stand before the text.
    let markers = [
        (".fail(", 0),
        (".fail::<()>(", 0),
        (".fail_at(", 1),
        (".fail_in(", 1),
        (".checked(", 0),
        ("Err((", 0),
        ("Mistake::new(", 2),
        ("let what =", 0),
    ];
    let mut found = Vec::new();
    for (marker, before) in markers {
        for after in code.split(marker).skip(1) {
            let mut rest = after;
            for _ in 0..before {
                rest = rest.split_once(',').map_or("", |(_, rest)| rest);
            }
            let rest = rest.trim_start().trim_start_matches("format!(").trim_start();
            found.extend(rest.strip_prefix('"').map(literal).and_then(|text| fixed(&text)));
        }
    }
    found
}

/// A literal's text, after its first quote.
fn literal(code: &str) -> String {
    let mut text = String::new();
    let mut chars = code.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => text.extend(chars.next()),
            c => text.push(c),
        }
    }
    text
}

/// The longest part without a brace, where it is long enough to be known by.
fn fixed(text: &str) -> Option<String> {
    let longest = text.split(['{', '}']).step_by(2).max_by_key(|part| part.len())?;
    (longest.len() >= 6).then(|| longest.to_owned())
}
