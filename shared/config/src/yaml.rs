//! YAML text to one tree of nodes that know their lines.
//!
//! Invariant: time, memory and depth are bounded by the size of the text. Anchors are refused before the text is parsed,
//! since an alias copies the tree that it names; lines indented too deep are, since the parser calls itself once a level.

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, ScanError, YamlData};

use crate::Mistake;

/// Bytes in a config file, at most: 1 MiB.
pub const CONFIG_BYTES_MAX: usize = 1024 * 1024;

/// Columns that a line may be indented, counting the dashes of nested lists: a tree's depth is at most twice this, plus
/// the parser's own limit of 255 on nested brackets.
const INDENT_COLUMNS_MAX: usize = 100;

/// Keys given twice that are reported, at most; the text is parsed once more for each.
const REPEATED_KEYS_MAX: usize = 20;

/// What the loader says of such a key.
const REPEATED_KEY: &str = "duplicated key in mapping";

/// Put before a key given twice, so that the rest of the file can be read: a private-use character, a number, the character.
const REPEATED: char = '\u{e000}';

/// A value of the file, with its place.
pub(crate) type Node = MarkedYaml<'static>;

/// The one document in `text`. A key given twice stands in it under a name for which [`repeated`] is true.
///
/// # Errors
/// The first place where it is no YAML, too large, too deep, anchored, empty or more than one document.
pub(crate) fn parse(text: &str) -> Result<Node, Mistake> {
    check_bounds(text)?;
    let documents = load(text)?;
    match <[Node; 1]>::try_from(documents) {
        Ok([document]) if !is_null(&document) => Ok(document),
        Err(documents) if documents.len() > 1 => {
            let line = documents.get(1).map_or(1, |second| second.span.start.line());
            Err(Mistake::new("", line, "a second document begins here", "keep one document, without `---`"))
        }
        _ => Err(Mistake::new("", 1, "the file is empty", "begin with sources, rules, default and receivers")),
    }
}

/// The key as it is written, where it was given a second time.
pub(crate) fn repeated(key: &str) -> Option<&str> {
    key.strip_prefix(REPEATED).and_then(|rest| rest.split_once(REPEATED)).map(|(_, key)| key)
}

fn is_null(node: &Node) -> bool {
    matches!(node.data, YamlData::Value(Scalar::Null) | YamlData::BadValue)
}

fn check_bounds(text: &str) -> Result<(), Mistake> {
    if text.len() > CONFIG_BYTES_MAX {
        let what = format!("the file has {} bytes, more than {CONFIG_BYTES_MAX}", text.len());
        return Err(Mistake::new("", 1, what, "keep only the config in it"));
    }
    for (index, line) in text.lines().enumerate() {
        if indent_columns(line) > INDENT_COLUMNS_MAX {
            let what = format!("the line is indented more than {INDENT_COLUMNS_MAX} columns");
            return Err(Mistake::new("", index + 1, what, "indent it less"));
        }
        if has_anchor(line) {
            let mend = "write the value out where it is needed; in text put a space after `&`";
            return Err(Mistake::new("", index + 1, "anchors (`&name`) are not read here", mend));
        }
        if line.contains(REPEATED) {
            return Err(Mistake::new("", index + 1, "the line holds the private character U+E000", "remove it"));
        }
    }
    Ok(())
}

/// Columns of what may stand before a node that is nested on its own line.
fn indent_columns(line: &str) -> usize {
    line.chars().take_while(|c| matches!(c, ' ' | '\t' | '-' | '?' | ':')).count()
}

/// True wherever YAML could see an anchor, and at a few places where it would not.
fn has_anchor(line: &str) -> bool {
    let before = std::iter::once(' ').chain(line.chars());
    let after = line.chars().skip(1).chain(std::iter::once(' '));
    before.zip(line.chars()).zip(after).any(|((before, c), after)| {
        let begins =
            before.is_whitespace() || before.is_control() || matches!(before, '[' | '{' | ',' | ':' | '\u{feff}');
        c == '&' && begins && !after.is_whitespace() && after != '&'
    })
}

/// Parses; a key given twice is renamed and the text parsed again, so that the reader can tell of it with all the rest.
fn load(text: &str) -> Result<Vec<Node>, Mistake> {
    let mut text = text.to_owned();
    for number in 0..REPEATED_KEYS_MAX {
        let error = match Node::load_from_str(&text) {
            Ok(documents) => return Ok(documents),
            Err(error) => error,
        };
        let key = text.char_indices().nth(error.marker().index());
        let (Some((at, first)), REPEATED_KEY) = (key, error.info()) else {
            return Err(no_yaml(&text, &error));
        };
        let at = if matches!(first, '"' | '\'') { at + first.len_utf8() } else { at };
        text.insert_str(at, &format!("{REPEATED}{number}{REPEATED}"));
    }
    Node::load_from_str(&text).map_err(|error| no_yaml(&text, &error))
}

fn no_yaml(text: &str, error: &ScanError) -> Mistake {
    let line = error.marker().line();
    let mend = match text.lines().nth(line.saturating_sub(1)) {
        Some(line) if line.contains("${") && line.contains(['[', '{']) => {
            "inside [ ] and { } write \"${NAME}\" in quotes"
        }
        Some(line) if line.starts_with('\t') => "indent with spaces",
        _ => "look at the indentation, quotes and brackets on this line and the one before",
    };
    Mistake::new("", line, format!("this is no YAML: {}", error.info()), mend)
}
