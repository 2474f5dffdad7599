//! One line of the small Markdown as text nodes.
//!
//! Invariant: a sign after `\` is only a sign; a link leads to a web address or is no link; `code` and `strong` never
//! meet on one node, which Jira refuses.

use serde_json::{Value, json};

use crate::templates::is_markdown_sign;
use crate::text::{cut, is_unprintable, is_web_address};

/// Longest line, in UTF-16 units.
const LINE_UNITS_MAX: usize = 4000;

/// A character, and whether it may be markup.
#[derive(Clone, Copy, PartialEq)]
struct Sign {
    c: char,
    marks: bool,
}

/// The line as text nodes; empty for an empty line.
pub(super) fn inline(line: &str) -> Vec<Value> {
    let mut nodes = Nodes::default();
    read(&signs(&cut(line, LINE_UNITS_MAX)), false, &mut nodes);
    nodes.close(false);
    nodes.done
}

fn signs(line: &str) -> Vec<Sign> {
    let mut signs = Vec::new();
    let mut chars = line.chars().filter(|c| !is_unprintable(*c)).peekable();
    while let Some(c) = chars.next() {
        let meant = (c == '\\').then(|| chars.next_if(|next| is_markdown_sign(*next))).flatten();
        signs.push(meant.map_or(Sign { c, marks: true }, |c| Sign { c, marks: false }));
    }
    signs
}

#[derive(Default)]
struct Nodes {
    done: Vec<Value>,
    text: String,
}

impl Nodes {
    /// Ends the running text.
    fn close(&mut self, strong: bool) {
        let text = std::mem::take(&mut self.text);
        let marks = if strong { vec![json!({ "type": "strong" })] } else { Vec::new() };
        self.push(&text, &marks);
    }

    fn push(&mut self, text: &str, marks: &[Value]) {
        match (text.is_empty(), marks.is_empty()) {
            (true, _) => {}
            (false, true) => self.done.push(json!({ "type": "text", "text": text })),
            (false, false) => self.done.push(json!({ "type": "text", "text": text, "marks": marks })),
        }
    }
}

/// What looks like markup and is none is text.
fn read(mut signs: &[Sign], strong: bool, nodes: &mut Nodes) {
    while let [first, after @ ..] = signs {
        let rest = match (first.marks.then_some(first.c), after) {
            (Some('*'), [next, inner @ ..]) if is('*', *next) && !strong => bold(inner, nodes),
            (Some('`'), _) => code(after, strong, nodes),
            (Some('['), _) => link(after, strong, nodes),
            _ => None,
        };
        signs = rest.unwrap_or_else(|| {
            nodes.text.push(first.c);
            after
        });
    }
}

fn is(c: char, sign: Sign) -> bool {
    sign.marks && sign.c == c
}

fn text_of(signs: &[Sign]) -> String {
    signs.iter().map(|s| s.c).collect()
}

/// Divides at the first run of `end` that is markup, if there is one.
fn until<'a>(signs: &'a [Sign], end: &str) -> Option<(&'a [Sign], &'a [Sign])> {
    let end: Vec<Sign> = end.chars().map(|c| Sign { c, marks: true }).collect();
    let at = signs.windows(end.len()).position(|window| window == end)?;
    Some((signs.get(..at)?, signs.get(at + end.len()..)?))
}

fn bold<'a>(signs: &'a [Sign], nodes: &mut Nodes) -> Option<&'a [Sign]> {
    let (inner, rest) = until(signs, "**").filter(|(inner, _)| !inner.is_empty())?;
    nodes.close(false);
    read(inner, true, nodes);
    nodes.close(true);
    Some(rest)
}

fn code<'a>(signs: &'a [Sign], strong: bool, nodes: &mut Nodes) -> Option<&'a [Sign]> {
    let (inner, rest) = until(signs, "`").filter(|(inner, _)| !inner.is_empty())?;
    nodes.close(strong);
    nodes.push(&text_of(inner), &[json!({ "type": "code" })]);
    Some(rest)
}

fn link<'a>(signs: &'a [Sign], strong: bool, nodes: &mut Nodes) -> Option<&'a [Sign]> {
    let (text, rest) = until(signs, "](")?;
    let (href, rest) = until(rest, ")")?;
    let (text, href) = (text_of(text), text_of(href));
    if text.is_empty() {
        return None;
    }
    nodes.close(strong);
    let link = json!({ "type": "link", "attrs": { "href": href } });
    nodes.push(&text, if is_web_address(&href) { std::slice::from_ref(&link) } else { &[] });
    Some(rest)
}
