//! Reads a node as what it should be, and writes down what it is not.
//!
//! Invariant: a read that gives `None` has reported a mistake, so that no field is dropped in silence; reading goes on
//! after a mistake, so that one run finds them all.

use std::cell::RefCell;

use saphyr::{Scalar, YamlData};

use crate::duration::{Bounds, format_secs, parse_secs};
use crate::environment::reference;
use crate::fields::Fields;
use crate::yaml::{Node, repeated};
use crate::{Environment, Mistake};

/// Characters of a value that a mistake quotes, at most.
const QUOTED_CHARS_MAX: usize = 40;

/// Entries of one mapping or list, at most.
pub(crate) const ENTRIES_MAX: usize = 1000;

/// The mistakes so far, and where variables come from.
pub(crate) struct Report<'e> {
    environment: &'e dyn Environment,
    mistakes: RefCell<Vec<Mistake>>,
}

impl<'e> Report<'e> {
    pub(crate) fn new(environment: &'e dyn Environment) -> Self {
        Self { environment, mistakes: RefCell::new(Vec::new()) }
    }

    pub(crate) fn add(&self, mistake: Mistake) {
        self.mistakes.borrow_mut().push(mistake);
    }

    /// A variable that is set and not empty.
    fn variable(&self, name: &str) -> Option<String> {
        self.environment.var(name).filter(|value| !value.trim().is_empty())
    }

    /// Every mistake, in the file's order, each once.
    pub(crate) fn into_mistakes(self) -> Vec<Mistake> {
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort();
        mistakes.dedup();
        mistakes
    }
}

/// A value of the file and its place in it.
#[derive(Clone)]
pub(crate) struct Value<'r> {
    report: &'r Report<'r>,
    node: &'r Node,
    path: String,
    line: usize,
}

impl<'r> Value<'r> {
    pub(crate) fn root(report: &'r Report<'r>, node: &'r Node) -> Self {
        Self { report, node, path: String::new(), line: node.span.start.line() }
    }

    /// The same value under another path.
    pub(crate) fn renamed(mut self, path: String) -> Self {
        self.path = path;
        self
    }

    pub(crate) fn line(&self) -> usize {
        self.line
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Reports a mistake here.
    pub(crate) fn fail<T>(&self, what: impl Into<String>, mend: impl Into<String>) -> Option<T> {
        self.report.add(Mistake::new(&self.path, self.line, what, mend));
        None
    }

    /// Reports a mistake in a field of this value that is not there.
    pub(crate) fn fail_at<T>(&self, field: &str, what: impl Into<String>, mend: impl Into<String>) -> Option<T> {
        self.report.add(Mistake::new(&join(&self.path, field), self.line, what, mend));
        None
    }

    /// Reports a mistake in a variable.
    pub(crate) fn fail_in<T>(&self, variable: &str, what: impl Into<String>, mend: impl Into<String>) -> Option<T> {
        self.report.add(Mistake::new(variable, 0, what, mend));
        None
    }

    /// A variable that is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        self.report.variable(name)
    }

    /// A mapping whose keys the user chooses.
    pub(crate) fn entries(&self) -> Option<Vec<(String, Value<'r>)>> {
        let YamlData::Mapping(mapping) = &self.node.data else {
            return self.unfit("a mapping", "write `name: value` lines, indented");
        };
        self.bounded(mapping.len())?;
        Some(mapping.iter().filter_map(|(key, node)| self.entry(key, node)).collect())
    }

    fn entry(&self, key: &Node, node: &'r Node) -> Option<(String, Value<'r>)> {
        let line = key.span.start.line();
        let YamlData::Value(Scalar::String(name)) = &key.data else {
            self.report.add(Mistake::new(&self.path, line, "a field's name is not text", "put it in quotes"));
            return None;
        };
        let place = |name| Self { report: self.report, node, path: join(&self.path, name), line };
        match repeated(name) {
            Some(name) => place(name).fail("it is given twice", "keep one of the two"),
            None => Some((name.to_string(), place(name))),
        }
    }

    /// A mapping with known fields; every other is a mistake.
    pub(crate) fn fields(&self, known: &[&str]) -> Option<Fields<'r>> {
        Some(Fields::new(self.clone(), self.entries()?, known))
    }

    /// The items of a list.
    pub(crate) fn items(&self) -> Option<Vec<Value<'r>>> {
        let YamlData::Sequence(items) = &self.node.data else {
            return self.unfit("a list", "write `- item` lines, or [a, b]");
        };
        self.bounded(items.len())?;
        let place = |(index, node): (usize, &'r Node)| Self {
            report: self.report,
            node,
            path: format!("{}[{index}]", self.path),
            line: node.span.start.line(),
        };
        Some(items.iter().enumerate().map(place).collect())
    }

    /// The items of a list, or the value itself where it is none; at least one.
    pub(crate) fn one_or_more(&self) -> Option<Vec<Value<'r>>> {
        match &self.node.data {
            YamlData::Sequence(items) if items.is_empty() => self.fail("the list is empty", "name at least one"),
            YamlData::Sequence(_) => self.items(),
            _ => Some(vec![self.clone()]),
        }
    }

    /// One text or a list of texts, at least one.
    pub(crate) fn texts(&self) -> Option<Vec<String>> {
        all(self.one_or_more()?.iter().map(Value::text))
    }

    /// The value below a path of field names, reporting nothing.
    pub(crate) fn find(&self, path: &str) -> Option<Value<'r>> {
        path.split('.').try_fold(self.clone(), |value, field| {
            let YamlData::Mapping(mapping) = &value.node.data else { return None };
            let named = |key: &Node| matches!(&key.data, YamlData::Value(Scalar::String(name)) if name == field);
            let (key, node) = mapping.iter().find(|(key, _)| named(key))?;
            let path = join(&value.path, field);
            Some(Self { report: value.report, node, path, line: key.span.start.line() })
        })
    }

    /// The text as it is written, reporting nothing.
    pub(crate) fn scalar_text(&self) -> Option<&'r str> {
        match &self.node.data {
            YamlData::Value(Scalar::String(text)) => Some(text),
            _ => None,
        }
    }

    /// A text that is not empty. Only secrets are read from the environment.
    pub(crate) fn text(&self) -> Option<String> {
        match self.scalar_text() {
            Some(text) if text.trim().is_empty() => self.fail("it is empty", "write a value or remove the line"),
            Some(text) if reference(text).is_some() => {
                self.fail("only secrets are read from the environment", "write the value itself")
            }
            Some(text) => Some(text.to_owned()),
            None => self.unfit("text", "put it in quotes"),
        }
    }

    /// As [`Value::text`], for what people write without quotes though it is a number.
    pub(crate) fn text_or_number(&self) -> Option<String> {
        match &self.node.data {
            YamlData::Value(Scalar::Integer(whole)) => Some(whole.to_string()),
            _ => self.text(),
        }
    }

    /// A number in bounds, whole or not.
    pub(crate) fn number(&self, min: f64, max: f64) -> Option<f64> {
        let number = match &self.node.data {
            #[expect(clippy::cast_precision_loss, reason = "settings are far below 2^53, and bounds are checked after")]
            YamlData::Value(Scalar::Integer(whole)) => *whole as f64,
            YamlData::Value(Scalar::FloatingPoint(number)) => number.into_inner(),
            _ => return self.unfit("a number", "write digits, without quotes and unit"),
        };
        if (min..=max).contains(&number) {
            return Some(number);
        }
        let mend = if max < f64::MAX { format!("give {min} to {max}") } else { format!("give {min} or more") };
        self.fail(format!("{number} is out of bounds"), mend)
    }

    /// A whole number in bounds.
    pub(crate) fn whole(&self, min: u64, max: u64) -> Option<u64> {
        let YamlData::Value(Scalar::Integer(whole)) = &self.node.data else {
            return self.unfit("a whole number", "write digits, without quotes and unit");
        };
        match u64::try_from(*whole) {
            Ok(number) if (min..=max).contains(&number) => Some(number),
            _ => self.fail(format!("{whole} is out of bounds"), format!("give {min} to {max}")),
        }
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self) -> Option<bool> {
        match &self.node.data {
            YamlData::Value(Scalar::Boolean(value)) => Some(*value),
            _ => self.unfit("true or false", "write true or false, without quotes"),
        }
    }

    /// A duration in bounds, in seconds.
    pub(crate) fn duration(&self, bounds: Bounds) -> Option<u64> {
        let Some(secs) = self.scalar_text().and_then(parse_secs) else {
            let mend = "write for instance 30s, 5m, 1h30m or 2d";
            return match self.quoted() {
                Some(text) => self.fail(format!("`{text}` is no duration"), mend),
                None => self.unfit("a duration", mend),
            };
        };
        if (bounds.secs_min..=bounds.secs_max).contains(&secs) {
            return Some(secs);
        }
        let mend = format!("give {} to {}", format_secs(bounds.secs_min), format_secs(bounds.secs_max));
        self.fail(format!("{} is out of bounds", format_secs(secs)), mend)
    }

    /// A text or a whole number as it is written, short and on one line; `None` for what names a variable.
    fn quoted(&self) -> Option<String> {
        if let YamlData::Value(Scalar::Integer(whole)) = &self.node.data {
            return Some(whole.to_string());
        }
        let text = self.scalar_text().filter(|text| !text.trim().is_empty() && !text.contains("${"))?;
        Some(text.chars().filter(|c| !c.is_control()).take(QUOTED_CHARS_MAX).collect())
    }

    /// True for nothing at all: `name:`.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.node.data, YamlData::Value(Scalar::Null))
    }

    pub(crate) fn is_mapping(&self) -> bool {
        matches!(self.node.data, YamlData::Mapping(_))
    }

    pub(crate) fn node(&self) -> &'r Node {
        self.node
    }

    fn bounded(&self, entries: usize) -> Option<()> {
        if entries <= ENTRIES_MAX {
            return Some(());
        }
        self.fail(format!("it has {entries} entries"), format!("give at most {ENTRIES_MAX}"))
    }

    fn unfit<T>(&self, wanted: &str, mend: &str) -> Option<T> {
        match &self.node.data {
            YamlData::Value(Scalar::Null) => self.fail("it has no value", "give it one or remove the line"),
            YamlData::Tagged(..) | YamlData::BadValue | YamlData::Alias(_) => {
                self.fail("a YAML tag stands before the value", "remove the tag")
            }
            data => self.fail(format!("it is {}, not {wanted}", name_of(data)), mend),
        }
    }
}

/// Every value, or `None` after all of them have been read.
pub(crate) fn all<T>(values: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    values.collect::<Vec<_>>().into_iter().collect()
}

pub(crate) fn join(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

fn name_of(data: &YamlData<'static, Node>) -> &'static str {
    match data {
        YamlData::Value(Scalar::Boolean(_)) => "true or false",
        YamlData::Value(Scalar::Integer(_) | Scalar::FloatingPoint(_)) => "a number",
        YamlData::Sequence(_) => "a list",
        YamlData::Mapping(_) => "a mapping",
        _ => "text",
    }
}
