//! What a label must be, for a rule, a silence or an inhibition to concern an alert.
//!
//! Invariant: a test takes time linear in the value, whatever the pattern. A label that is not there passes no test, and
//! every negated one.

use std::fmt;

use regex_lite::Regex;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Severity;

/// Characters of a pattern, at most.
const PATTERN_CHARS_MAX: usize = 512;

/// One condition on one label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matcher {
    /// The label's name, as `Alert::label` knows it.
    pub label: String,
    /// What its value must be.
    pub test: Test,
    /// True where it must not be that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub negated: bool,
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// One of these.
    OneOf(Vec<String>),
    /// A glob over the whole value: `*` is any text, `?` any one character.
    Glob(Glob),
    /// A regular expression over the whole value.
    Regex(Pattern),
    /// A severity of at least this.
    AtLeast(Severity),
}

/// A regular expression over a whole value, compiled once.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    regex: Regex,
}

/// A glob over a whole value, compiled once.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Glob {
    text: String,
    regex: Regex,
}

/// Why a text is no matcher.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidMatcher {
    /// It has no operator.
    #[error("`{0}` is no matcher: write label=value, label!=value, label=~regex or label!~regex")]
    NoOperator(String),
    /// The pattern is too long.
    #[error("the pattern has more than {PATTERN_CHARS_MAX} characters")]
    TooLong,
    /// The pattern is no regular expression.
    #[error("`{pattern}` is no regular expression: {why}")]
    NotARegex {
        /// Which.
        pattern: String,
        /// Why.
        why: String,
    },
}

impl Matcher {
    /// A label that must be one of some values.
    #[must_use]
    pub fn one_of(label: impl Into<String>, values: Vec<String>) -> Self {
        Self { label: label.into(), test: Test::OneOf(values), negated: false }
    }

    /// Reads `label=value`, `label!=value`, `label=~regex` or `label!~regex`, as Alertmanager writes them; quotes around
    /// the value are let be.
    ///
    /// # Errors
    /// [`InvalidMatcher`] says what is wrong with it.
    pub fn parse(matcher: &str) -> Result<Self, InvalidMatcher> {
        let no_operator = || InvalidMatcher::NoOperator(matcher.to_owned());
        let at = matcher.find(['=', '!']).filter(|at| *at > 0).ok_or_else(no_operator)?;
        let (label, rest) = matcher.split_at(at);
        let operators = [("=~", false, true), ("!~", true, true), ("!=", true, false), ("=", false, false)];
        let found = operators.into_iter().find_map(|(word, negated, is_regex)| {
            rest.strip_prefix(word).map(|value| (value.trim(), negated, is_regex))
        });
        let (value, negated, is_regex) = found.ok_or_else(no_operator)?;
        let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
        let test = if is_regex { Test::Regex(Pattern::new(value)?) } else { Test::OneOf(vec![value.to_owned()]) };
        Ok(Self { label: label.trim().to_owned(), test, negated })
    }

    /// True where the label's value, if it has one, is as it must be.
    #[must_use]
    pub fn takes(&self, value: Option<&str>) -> bool {
        value.is_some_and(|value| self.test.holds(value)) != self.negated
    }

    /// True where whatever `narrower` takes, this takes too, as far as can be told.
    #[must_use]
    pub fn covers(&self, narrower: &Self) -> bool {
        if self.label != narrower.label {
            return false;
        }
        match &narrower.test {
            Test::OneOf(values) if !narrower.negated => values.iter().all(|value| self.takes(Some(value))),
            _ => self == narrower,
        }
    }
}

impl Test {
    /// True where a value passes.
    #[must_use]
    pub fn holds(&self, value: &str) -> bool {
        match self {
            Self::OneOf(values) => values.iter().any(|one| one == value),
            Self::Glob(glob) => glob.regex.is_match(value),
            Self::Regex(pattern) => pattern.regex.is_match(value),
            Self::AtLeast(severity) => Severity::parse(value).is_some_and(|own| own >= *severity),
        }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = if self.negated { "not " } else { "" };
        match &self.test {
            Test::OneOf(values) => write!(f, "{}: {not}{}", self.label, values.join(" or ")),
            Test::Glob(glob) => write!(f, "{}: {not}glob {}", self.label, glob.text),
            Test::Regex(pattern) => write!(f, "{}: {not}regex {}", self.label, pattern.text),
            Test::AtLeast(severity) => write!(f, "{}: {not}at least {severity}", self.label),
        }
    }
}

impl Pattern {
    /// Compiles a regular expression that has to match from the value's first character to its last.
    ///
    /// # Errors
    /// When it is none, or too long.
    pub fn new(text: &str) -> Result<Self, InvalidMatcher> {
        Ok(Self { text: text.to_owned(), regex: compile(text, &format!("^(?s:{text})$"))? })
    }
}

impl Glob {
    /// Compiles a glob.
    ///
    /// # Errors
    /// When it is too long.
    pub fn new(text: &str) -> Result<Self, InvalidMatcher> {
        let mut pattern = String::from("(?s)^");
        for character in text.chars() {
            match character {
                '*' => pattern.push_str(".*"),
                '?' => pattern.push('.'),
                other => pattern.push_str(&regex_lite::escape(other.encode_utf8(&mut [0; 4]))),
            }
        }
        pattern.push('$');
        Ok(Self { text: text.to_owned(), regex: compile(text, &pattern)? })
    }
}

fn compile(text: &str, pattern: &str) -> Result<Regex, InvalidMatcher> {
    if text.chars().count() > PATTERN_CHARS_MAX {
        return Err(InvalidMatcher::TooLong);
    }
    Regex::new(pattern).map_err(|error| InvalidMatcher::NotARegex { pattern: text.to_owned(), why: error.to_string() })
}

/// The same text is the same pattern, as a type, for JSON and for people.
macro_rules! is_its_text {
    ($name:ident) => {
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.text == other.text
            }
        }

        impl Eq for $name {}

        impl TryFrom<String> for $name {
            type Error = InvalidMatcher;

            fn try_from(text: String) -> Result<Self, InvalidMatcher> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(pattern: $name) -> Self {
                pattern.text
            }
        }
    };
}

is_its_text!(Pattern);
is_its_text!(Glob);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(matcher: &Matcher, value: Option<&str>, takes: bool) {
        assert_eq!(matcher.takes(value), takes, "{matcher} on {value:?}");
    }

    #[test]
    fn each_operator_reads_as_alertmanager_writes_it() {
        for (text, value, takes) in [
            ("model=gpt-4o", Some("gpt-4o"), true),
            ("model=gpt-4o", Some("gpt-4o-mini"), false),
            ("model=\"gpt-4o\"", Some("gpt-4o"), true),
            ("model = gpt-4o", Some("gpt-4o"), true),
            ("model!=gpt-4o", Some("gpt-4o"), false),
            ("model!=gpt-4o", None, true),
            ("model=~gpt-4o.*", Some("gpt-4o-mini"), true),
            ("model=~gpt", Some("gpt-4o"), false),
            ("model=~a|b", Some("ab"), false),
            ("model!~gpt-.*", Some("claude"), true),
            ("model!~gpt-.*", Some("gpt-4o"), false),
            ("model=~.*", None, false),
            ("url=a=b", Some("a=b"), true),
        ] {
            check(&Matcher::parse(text).expect(text), value, takes);
        }
        for text in ["model", "=x", "!x", "model!", "", "model=~("] {
            assert!(Matcher::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_glob_is_no_regular_expression() {
        let glob =
            |text: &str| Matcher { label: "m".into(), test: Test::Glob(Glob::new(text).unwrap()), negated: false };
        check(&glob("gpt-4*"), Some("gpt-4o-mini"), true);
        check(&glob("gpt-4?"), Some("gpt-4o"), true);
        check(&glob("gpt-4?"), Some("gpt-4"), false);
        check(&glob("a.c"), Some("abc"), false);
        check(&glob("[a]"), Some("[a]"), true);
        check(&glob("*"), Some("two\nlines"), true);
        check(&glob("über*"), Some("übergang"), true);
    }

    #[test]
    fn a_pattern_takes_no_time_that_grows_faster_than_the_value() {
        // Backtracking would take 2^40 steps.
        let matcher = Matcher::parse("m=~(a+)+b").unwrap();
        check(&matcher, Some(&"a".repeat(4000)), false);
        assert_eq!(Pattern::new(&"a".repeat(PATTERN_CHARS_MAX + 1)), Err(InvalidMatcher::TooLong));
    }

    #[test]
    fn a_set_is_covered_by_whatever_takes_each_of_its_values() {
        let set = |values: &[&str]| Matcher::one_of("m", values.iter().map(|v| (*v).to_owned()).collect());
        assert!(set(&["a", "b"]).covers(&set(&["a"])));
        assert!(!set(&["a"]).covers(&set(&["a", "b"])));
        assert!(Matcher::parse("m=~a.*").unwrap().covers(&set(&["a1", "a2"])));
        assert!(Matcher::parse("m!=x").unwrap().covers(&set(&["a"])));
        assert!(!set(&["a"]).covers(&Matcher::parse("m!=x").unwrap()));
        assert!(!set(&["a"]).covers(&Matcher::one_of("other", vec!["a".to_owned()])));
    }

    #[test]
    fn a_matcher_survives_being_written() {
        for text in ["a=b", "a!=b", "a=~b.*", "a!~b.*"] {
            let matcher = Matcher::parse(text).unwrap();
            let json = serde_json::to_string(&matcher).unwrap();
            assert_eq!(serde_json::from_str::<Matcher>(&json).unwrap(), matcher);
        }
        assert!(serde_json::from_str::<Matcher>(r#"{"label":"a","test":{"regex":"("}}"#).is_err());
    }
}
