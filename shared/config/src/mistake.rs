//! What is wrong with a config, where, and how to mend it.
//!
//! Invariant: a mistake never shows a value that may be a secret.

use std::fmt;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// Its line in the file, from 1; 0 where it is in the environment.
    pub line: usize,
    /// The field: `receivers.ai-ops.channel`, `rules.latency.receivers[1]`; empty for the file as a whole; the variable's
    /// name where it is in the environment.
    pub path: String,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

impl Mistake {
    pub(crate) fn new(path: &str, line: usize, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { line, path: path.to_owned(), what: what.into(), mend: mend.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "{}: ", self.line)?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}; {}", self.what, self.mend)
    }
}

/// The known name closest to `word`, where it is close enough to be what was meant.
pub fn nearest<'n>(word: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let limit = word.chars().count().div_ceil(3).clamp(1, 3);
    known
        .into_iter()
        .map(|name| (distance(word, name), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein's distance, after letters' case and `-` for `_` are levelled.
fn distance(left: &str, right: &str) -> usize {
    let level =
        |text: &str| text.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect::<Vec<_>>();
    let (left, right) = (level(left), level(right));
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.iter().enumerate() {
        let mut next = vec![i + 1];
        for ((r, diagonal), above) in right.iter().zip(&row).zip(row.iter().skip(1)) {
            let beside = next.last().copied().unwrap_or(usize::MAX);
            next.push((diagonal + usize::from(l != r)).min(above + 1).min(beside.saturating_add(1)));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

/// `; did you mean x?` for a mend, or what there is to choose from.
pub(crate) fn choose(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None if known.is_empty() => "there is none to choose from".to_owned(),
        None => format!("use one of {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_close_enough_to_be_meant() {
        let known = ["cooldown", "receivers", "group_by", "routing_key"];
        for (word, expected) in [
            ("coldown", Some("cooldown")),
            ("Cooldown", Some("cooldown")),
            ("group-by", Some("group_by")),
            ("groupby", Some("group_by")),
            ("reciever", Some("receivers")),
            ("xyz", None),
            ("", None),
            ("channel", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }
}
