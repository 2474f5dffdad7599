//! How a source file is named, opened, how long it is, and what it may not hold.
//!
//! Invariant: a rule looks at code, not at comments: a line that begins with `//` may name what code may not use.

use crate::SourceFile;

/// Lines of any file. A typical one has 60 to 200; above 300 it needs a reason.
const FILE_LINES_MAX: usize = 400;

/// Lines of a function's `main.rs`: it wires.
const MAIN_LINES_MAX: usize = 40;

/// Lines of a function's `lib.rs`: it turns the event into a call.
const LIB_LINES_MAX: usize = 150;

/// Names that say nothing of what is inside.
const BANNED_NAMES: [&str; 7] = ["common", "handler", "helpers", "manager", "misc", "processor", "utils"];

/// Where the time is read: the clock that everything else is handed, and the clock of the outside world in tests.
const CLOCKS: [&str; 2] = ["shared/pipeline/src/clock.rs", "tests/stand_ins/src/clock.rs"];

/// Written in two halves, so that this file does not hold them.
const CLOCK_READS: [&str; 4] =
    [concat!("Timestamp::", "now"), concat!("Zoned::", "now"), concat!("SystemTime::", "now"), concat!("Utc::", "now")];
const UNFINISHED: [&str; 3] = [concat!("#[", "ignore"), concat!("todo", "!("), concat!("unimplemented", "!(")];

/// Files that do not say at once what they are for.
#[must_use]
pub fn unopened(files: &[SourceFile]) -> Vec<String> {
    each(files, |file| !file.text.starts_with("//! "), "open it with `//!`: its purpose, then its invariant")
}

/// Files and folders whose name says nothing.
#[must_use]
pub fn banned_names(files: &[SourceFile]) -> Vec<String> {
    let banned = |file: &SourceFile| {
        let mut parts = file.path.split('/').map(|part| part.strip_suffix(".rs").unwrap_or(part));
        parts.any(|part| BANNED_NAMES.contains(&part))
    };
    each(files, banned, "name it after what it does, with a word of the design")
}

/// Files of more than 400 lines.
#[must_use]
pub fn long_files(files: &[SourceFile]) -> Vec<String> {
    let long = |file: &SourceFile| file.text.lines().count() > FILE_LINES_MAX;
    each(files, long, &format!("split it: more than {FILE_LINES_MAX} lines hide more than one idea"))
}

/// Functions whose `main.rs` has more than 40 lines or whose `lib.rs` has more than 150. The command's `lib.rs` is
/// free: it is no event's way in.
#[must_use]
pub fn long_roofs(files: &[SourceFile]) -> Vec<String> {
    let long = |file: &SourceFile| match file.path.split('/').collect::<Vec<_>>()[..] {
        ["functions", _, "src", "main.rs"] => file.text.lines().count() > MAIN_LINES_MAX,
        ["functions", "tocsin", "src", "lib.rs"] => false,
        ["functions", _, "src", "lib.rs"] => file.text.lines().count() > LIB_LINES_MAX,
        _ => false,
    };
    let mend = format!(
        "move decisions down into pipeline: main.rs wires ({MAIN_LINES_MAX} lines), lib.rs turns the event into a call \
         ({LIB_LINES_MAX})"
    );
    each(files, long, &mend)
}

/// Tests that are skipped and code that is not written.
#[must_use]
pub fn unfinished(files: &[SourceFile]) -> Vec<String> {
    lines_with(files, &UNFINISHED, "finish it or take it out")
}

/// Clock reads outside the clock.
#[must_use]
pub fn clock_reads(files: &[SourceFile]) -> Vec<String> {
    let others: Vec<_> = files.iter().filter(|file| !CLOCKS.contains(&file.path.as_str())).cloned().collect();
    lines_with(&others, &CLOCK_READS, "take `now` as a parameter, or ask the `Clock`")
}

fn each(files: &[SourceFile], breaks: impl Fn(&SourceFile) -> bool, mend: &str) -> Vec<String> {
    files.iter().filter(|file| breaks(file)).map(|file| format!("{}: {mend}", file.path)).collect()
}

fn lines_with(files: &[SourceFile], needles: &[&str], mend: &str) -> Vec<String> {
    let mut broken = Vec::new();
    for file in files {
        for (at, line) in file.text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            if let Some(needle) = needles.iter().find(|needle| line.contains(**needle)) {
                broken.push(format!("{}:{}: `{needle}`; {mend}", file.path, at + 1));
            }
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: fn(&[SourceFile]) -> Vec<String>, path: &str, text: &str, expected: Option<&str>) {
        let broken = rule(&[SourceFile { path: path.to_owned(), text: text.to_owned() }]);
        assert_eq!(broken.len(), usize::from(expected.is_some()), "{path}: {broken:#?}");
        for (found, start) in broken.iter().zip(expected) {
            assert!(found.starts_with(start), "{found}");
        }
    }

    #[test]
    fn a_file_opens_with_its_purpose() {
        check(unopened, "shared/web/src/lib.rs", "//! Purpose.\n", None);
        check(
            unopened,
            "shared/web/src/lib.rs",
            "use std::fmt;\n//! Purpose.\n",
            Some("shared/web/src/lib.rs: open it"),
        );
        check(unopened, "shared/web/src/lib.rs", "// Purpose.\n", Some("shared/web/src/lib.rs: "));
        check(unopened, "shared/web/src/lib.rs", "", Some("shared/web/src/lib.rs: "));
    }

    #[test]
    fn a_name_that_says_nothing_is_refused_for_a_file_and_for_a_folder() {
        for name in BANNED_NAMES {
            check(banned_names, &format!("shared/web/src/{name}.rs"), "", Some("shared/web/src/"));
            check(banned_names, &format!("tests/acceptance/tests/{name}/mod.rs"), "", Some("tests/acceptance/"));
        }
        check(banned_names, "shared/web/src/slack_handler_url.rs", "", None);
    }

    #[test]
    fn a_file_has_four_hundred_lines_and_not_one_more() {
        check(long_files, "shared/web/src/lib.rs", &"x\n".repeat(400), None);
        check(long_files, "shared/web/src/lib.rs", &"x\n".repeat(401), Some("shared/web/src/lib.rs: split it"));
    }

    #[test]
    fn a_roof_only_wires() {
        for (path, lines_max) in [("functions/triage/src/main.rs", 40), ("functions/triage/src/lib.rs", 150)] {
            check(long_roofs, path, &"x\n".repeat(lines_max), None);
            check(long_roofs, path, &"x\n".repeat(lines_max + 1), Some(path));
        }
        check(long_roofs, "functions/tocsin/src/main.rs", &"x\n".repeat(41), Some("functions/tocsin/src/main.rs"));
        check(long_roofs, "functions/tocsin/src/lib.rs", &"x\n".repeat(399), None);
        check(long_roofs, "shared/web/src/lib.rs", &"x\n".repeat(399), None);
    }

    #[test]
    fn what_is_not_finished_is_found_at_its_line() {
        let path = "shared/web/src/lib.rs";
        for needle in UNFINISHED {
            let text = format!("fn x() {{\n    {needle}\n}}\n");
            check(unfinished, path, &text, Some(&format!("{path}:2: `{needle}`")));
            check(unfinished, path, &format!("    /// Never {needle}\n"), None);
        }
    }

    #[test]
    fn the_clock_is_read_in_the_clock_alone() {
        for needle in CLOCK_READS {
            let text = format!("let at = jiff::{needle}();\n");
            check(clock_reads, "shared/web/src/lib.rs", &text, Some("shared/web/src/lib.rs:1: "));
            check(clock_reads, "shared/pipeline/src/clock.rs", &text, None);
        }
        check(clock_reads, "shared/web/src/lib.rs", "let at = clock.now();\n", None);
    }
}
