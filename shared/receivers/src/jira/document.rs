//! From a template's small Markdown to a document.
//!
//! Blocks: `#` to `######` headings, `- ` bullets, `1. ` steps, `---` a rule, and paragraphs that end at an empty line.
//! Inside them `**bold**`, `` `code` ``, `[text](address)`, and `\` before any sign to mean the sign itself.
//!
//! Invariant: no block nests in another but items in their list; no text node is empty.

use serde_json::{Value, json};

use super::adf::{paragraph, plain};
use super::inline::inline;
use crate::text::{CUT, length};

/// Units that the document itself, its punctuation and the mark of a cut may take.
const FRAME_UNITS: usize = 200;

/// One block before it is JSON.
enum Block {
    Heading(usize, String),
    Rule,
    Bullets(Vec<String>),
    Steps(Vec<String>),
    Paragraph(Vec<String>),
}

/// The text as a document of at most `units_max` units as JSON, with `last` at its end.
pub(super) fn document(text: &str, last: Vec<Value>, units_max: usize) -> Value {
    let reserved = FRAME_UNITS + last.iter().map(units).sum::<usize>();
    let mut room = Room { left: units_max.saturating_sub(reserved), cut: false };
    let mut content: Vec<Value> = Vec::new();
    for block in blocks(text) {
        content.extend(room.fit(block));
        if room.cut {
            content.push(paragraph(&[plain(CUT)]));
            break;
        }
    }
    content.extend(last);
    json!({ "version": 1, "type": "doc", "content": content })
}

/// Units that a node takes as JSON, with the comma after it.
fn units(node: &Value) -> usize {
    length(&node.to_string()) + 1
}

/// What is left of the document's limit.
struct Room {
    left: usize,
    cut: bool,
}

impl Room {
    fn take(&mut self, node: Value) -> Option<Value> {
        match self.left.checked_sub(units(&node)) {
            Some(left) if !self.cut => {
                self.left = left;
                Some(node)
            }
            _ => {
                self.cut = true;
                None
            }
        }
    }

    fn fit(&mut self, block: Block) -> Option<Value> {
        match block {
            Block::Rule => self.take(json!({ "type": "rule" })),
            Block::Heading(level, text) => {
                let content = Some(inline(&text)).filter(|c| !c.is_empty())?;
                self.take(json!({ "type": "heading", "attrs": { "level": level }, "content": content }))
            }
            Block::Paragraph(lines) => {
                let content = Some(lines_of(&lines)).filter(|c| !c.is_empty())?;
                self.take(paragraph(&content))
            }
            Block::Bullets(items) => self.list("bulletList", &items),
            Block::Steps(items) => self.list("orderedList", &items),
        }
    }

    /// A list is cut between its items.
    fn list(&mut self, kind: &str, items: &[String]) -> Option<Value> {
        let frame = json!({ "type": kind, "content": [] });
        self.take(frame)?;
        let contents = items.iter().map(|item| inline(item)).filter(|content| !content.is_empty());
        let nodes: Vec<Value> = contents
            .map_while(|content| self.take(json!({ "type": "listItem", "content": [paragraph(&content)] })))
            .collect();
        (!nodes.is_empty()).then(|| json!({ "type": kind, "content": nodes }))
    }
}

/// A paragraph's lines stay lines.
fn lines_of(lines: &[String]) -> Vec<Value> {
    let mut content: Vec<Value> = Vec::new();
    for nodes in lines.iter().map(|line| inline(line)).filter(|nodes| !nodes.is_empty()) {
        if !content.is_empty() {
            content.push(json!({ "type": "hardBreak" }));
        }
        content.extend(nodes);
    }
    content
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut ended = true;
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            ended = true;
            continue;
        }
        match (block(line), blocks.last_mut()) {
            (Block::Bullets(item), Some(Block::Bullets(items))) if !ended => items.extend(item),
            (Block::Steps(item), Some(Block::Steps(items))) if !ended => items.extend(item),
            (Block::Paragraph(line), Some(Block::Paragraph(lines))) if !ended => lines.extend(line),
            (block, _) => blocks.push(block),
        }
        ended = false;
    }
    blocks
}

fn block(line: &str) -> Block {
    if line == "---" {
        return Block::Rule;
    }
    if let Some(item) = line.strip_prefix("- ") {
        return Block::Bullets(vec![item.to_owned()]);
    }
    if let Some(item) = step(line) {
        return Block::Steps(vec![item.to_owned()]);
    }
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    match text.strip_prefix(' ') {
        Some(title) if (1..=6).contains(&level) => Block::Heading(level, title.to_owned()),
        _ => Block::Paragraph(vec![line.to_owned()]),
    }
}

/// What follows `1. `.
fn step(line: &str) -> Option<&str> {
    let (number, item) = line.split_once(". ")?;
    let is_number = (1..=3).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some(item)
}
