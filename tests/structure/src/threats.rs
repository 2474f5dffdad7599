//! The threat model names tests that are there.
//!
//! Invariant: a row without a test, and a test that is gone or renamed, is a broken rule.

use crate::SourceFile;

/// Rows that the table has at least: a threat is not forgotten by deleting its row.
const ROWS_MIN: usize = 15;

/// Rows of the threat model whose tests are not there.
#[must_use]
pub fn unshown(model: &str, files: &[SourceFile]) -> Vec<String> {
    let rows: Vec<Vec<&str>> = model.lines().filter_map(row).collect();
    let mut broken = Vec::new();
    if rows.len() < ROWS_MIN {
        broken.push(format!(".github/SECURITY.md: {} rows of threats, fewer than {ROWS_MIN}", rows.len()));
    }
    for cells in rows {
        let (threat, tests) = (cells.first().copied().unwrap_or_default(), cells.get(2).copied().unwrap_or_default());
        let mut named = tests.split('`').skip(1).step_by(2).peekable();
        if named.peek().is_none() {
            broken.push(format!(".github/SECURITY.md: no test shows the control of \"{threat}\"; name one"));
        }
        let missing = named.filter(|test| !is_there(test, files));
        broken.extend(
            missing.map(|test| format!(".github/SECURITY.md: there is no test {test}; name one that is there")),
        );
    }
    broken
}

/// The cells of a row with three, if it is neither the head nor the line below it.
fn row(line: &str) -> Option<Vec<&str>> {
    let inside = line.strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<&str> = inside.split('|').map(str::trim).collect();
    let is_row = cells.len() == 3 && cells.first() != Some(&"threat") && !inside.starts_with('-');
    is_row.then_some(cells)
}

/// `path::name`, where the file has a test of that name.
fn is_there(test: &str, files: &[SourceFile]) -> bool {
    let Some((path, name)) = test.rsplit_once("::") else { return false };
    let declared = format!("fn {name}(");
    let lines = |file: &SourceFile| {
        let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
        let tested = |at: usize| lines.get(at.saturating_sub(2)..at).is_some_and(|before| before.iter().any(is_test));
        lines.iter().enumerate().any(|(at, line)| line.contains(&declared) && tested(at))
    };
    files.iter().filter(|file| file.path == path).any(lines)
}

fn is_test(line: &&str) -> bool {
    line.starts_with("#[test]") || line.starts_with("#[tokio::test")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(row: &str, expected: usize) {
        let text = "#[test]\nfn it_holds() {}\n\n#[tokio::test]\nasync fn it_waits() {}\n\nfn no_test() {}\n";
        let files = [SourceFile { path: "shared/web/tests/web.rs".to_owned(), text: text.to_owned() }];
        let head = "| threat | control | shown by |\n|---|---|---|\n";
        let good = "| a | b | `shared/web/tests/web.rs::it_holds` |\n".repeat(ROWS_MIN);
        let broken = unshown(&format!("{head}{good}{row}\n"), &files);
        assert_eq!(broken.len(), expected, "{row}: {broken:?}");
    }

    #[test]
    fn a_row_names_a_test_that_is_there() {
        check("| a | b | `shared/web/tests/web.rs::it_waits`, `shared/web/tests/web.rs::it_holds` |", 0);
        check("| a | b | |", 1);
        check("| a | b | it holds |", 1);
        check("| a | b | `shared/web/tests/web.rs::gone`, `shared/web/tests/web.rs::it_holds` |", 1);
        check("| a | b | `shared/web/tests/web.rs::no_test` |", 1);
        check("| a | b | `shared/aws/tests/web.rs::it_holds` |", 1);
        check("| a | b | `it_holds` |", 1);
    }

    #[test]
    fn a_table_that_shrinks_is_found() {
        assert_eq!(unshown("| threat | control | shown by |\n|---|---|---|\n", &[]).len(), 1);
    }
}
