//! From a template's text to Block Kit.
//!
//! A line `# …` is a header, `---` a divider, `~ …` a context line; an empty line ends a section.
//!
//! Invariant: whatever the text is, the blocks are within every limit that Slack has, and what was left out is said.
//! Limits: <https://docs.slack.dev/reference/block-kit/blocks>; the total is undocumented (`msg_blocks_too_long`).

use serde_json::{Value, json};

use super::mrkdwn;
use crate::templates::GUARD;
use crate::text::{CUT, length};

/// Blocks of one message.
const BLOCKS_MAX: usize = 50;
/// Units of a section's text.
const SECTION_UNITS_MAX: usize = 3000;
/// Units of a header.
const HEADER_UNITS_MAX: usize = 150;
/// Elements of a context block.
const CONTEXT_ELEMENTS_MAX: usize = 10;
/// Units of a context element; no limit is documented.
const CONTEXT_UNITS_MAX: usize = 2000;
/// Units of all texts of one message. Slack refuses from about 13,200 on.
pub(super) const TOTAL_UNITS_MAX: usize = 11_000;
/// A section with less room than this is left out rather than cut.
const SECTION_UNITS_MIN: usize = 100;

/// One block before it is JSON.
#[derive(Debug, PartialEq)]
enum Part {
    Header(String),
    Divider,
    Context(Vec<String>),
    Section(String),
}

/// The text as blocks, their texts together at most `room` units long.
pub(super) fn blocks(text: &str, room: usize) -> Vec<Value> {
    let parts = parts(text);
    let mut room = room.saturating_sub(length(CUT));
    let mut blocks = Vec::new();
    let count = parts.len();
    for (i, part) in parts.into_iter().enumerate() {
        let last_place = blocks.len() + 1 == BLOCKS_MAX && i + 1 < count;
        let Some(part) = fit(part, room).filter(|_| !last_place) else {
            blocks.push(Part::Context(vec![CUT.to_owned()]).json());
            break;
        };
        room = room.saturating_sub(part.units());
        blocks.push(part.json());
    }
    blocks
}

/// The part if there is room for it; a section is cut to the room.
fn fit(part: Part, room: usize) -> Option<Part> {
    match part {
        whole if whole.units() <= room => Some(whole),
        Part::Section(text) if room >= SECTION_UNITS_MIN => Some(Part::Section(mrkdwn::cut(&text, room))),
        _ => None,
    }
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut section = String::new();
    for line in text.lines() {
        let part = structure(line);
        if part.is_none() && !line.trim().is_empty() {
            section.push_str(&line.replace(GUARD, ""));
            section.push('\n');
            continue;
        }
        close(&mut section, &mut parts);
        match (part, parts.last_mut()) {
            (Some(Part::Context(more)), Some(Part::Context(lines))) if lines.len() < CONTEXT_ELEMENTS_MAX => {
                lines.extend(more);
            }
            (Some(part), _) => parts.push(part),
            (None, _) => {}
        }
    }
    close(&mut section, &mut parts);
    parts
}

/// What a line is by its mark; `None` for a line of a section.
fn structure(line: &str) -> Option<Part> {
    let of = |rest: &str| rest.replace(GUARD, "").trim().to_owned();
    if let Some(title) = line.strip_prefix("# ").map(of) {
        return (!title.is_empty())
            .then(|| Part::Header(mrkdwn::cut(&mrkdwn::without_links(&title), HEADER_UNITS_MAX)));
    }
    if let Some(note) = line.strip_prefix("~ ").map(of) {
        return (!note.is_empty()).then(|| Part::Context(vec![mrkdwn::cut(&note, CONTEXT_UNITS_MAX)]));
    }
    (line.trim_end() == "---").then_some(Part::Divider)
}

fn close(section: &mut String, parts: &mut Vec<Part>) {
    let text = std::mem::take(section);
    parts.extend(mrkdwn::split(&text, SECTION_UNITS_MAX).into_iter().map(Part::Section));
}

impl Part {
    fn units(&self) -> usize {
        match self {
            Self::Header(text) | Self::Section(text) => length(text),
            Self::Context(lines) => lines.iter().map(|l| length(l)).sum(),
            Self::Divider => 0,
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Header(text) => {
                json!({ "type": "header", "text": { "type": "plain_text", "text": text, "emoji": false } })
            }
            Self::Divider => json!({ "type": "divider" }),
            Self::Context(lines) => {
                json!({ "type": "context", "elements": lines.iter().map(|l| mrkdwn_text(l)).collect::<Vec<_>>() })
            }
            Self::Section(text) => json!({ "type": "section", "text": mrkdwn_text(text) }),
        }
    }
}

/// `verbatim`: Slack looks for no addresses, channels or names of its own accord.
fn mrkdwn_text(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text, "verbatim": true })
}
