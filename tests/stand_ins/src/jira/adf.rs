//! The Atlassian Document Format: which node may stand where.
//!
//! Invariant: a document passes only if each node has a known type, stands under a parent that allows it, and has the
//! attributes that its type needs. Source: the ADF JSON schema, version 1 (the nodes a service would write).

use serde_json::Value;
use thiserror::Error;

/// Where a document is malformed, and how.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("{pointer}: {why}")]
pub(super) struct Malformed {
    pointer: String,
    why: String,
}

const KEYS: [&str; 6] = ["type", "content", "text", "marks", "attrs", "version"];
const LISTS: [&str; 2] = ["bulletList", "orderedList"];
const INLINE: [&str; 7] = ["text", "hardBreak", "mention", "emoji", "inlineCard", "date", "status"];
const MARKS: [&str; 10] =
    ["strong", "em", "code", "link", "strike", "underline", "subsup", "textColor", "backgroundColor", "annotation"];
const PANEL_TYPES: [&str; 6] = ["info", "note", "warning", "success", "error", "custom"];
const DOC: [&str; 12] = [
    "paragraph",
    "heading",
    "bulletList",
    "orderedList",
    "codeBlock",
    "blockquote",
    "rule",
    "panel",
    "table",
    "expand",
    "mediaSingle",
    "mediaGroup",
];
const CELL: [&str; 9] =
    ["paragraph", "heading", "bulletList", "orderedList", "codeBlock", "blockquote", "rule", "panel", "mediaGroup"];
const PANEL: [&str; 6] = ["paragraph", "heading", "bulletList", "orderedList", "codeBlock", "rule"];
const ITEM: [&str; 5] = ["paragraph", "bulletList", "orderedList", "codeBlock", "mediaSingle"];

/// Checks a whole document.
pub(super) fn check(document: &Value) -> Result<(), Malformed> {
    if kind(document) != "doc" {
        return malformed("", "the root must be of type doc");
    }
    if document.get("version").and_then(Value::as_u64) != Some(1) {
        return malformed("/version", "must be 1");
    }
    if !document.get("content").is_some_and(Value::is_array) {
        return malformed("/content", "is missing");
    }
    node(document, "")
}

/// All text of a document; blocks are apart by a space.
pub(super) fn text(node: &Value) -> String {
    let own = node.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
    let inner: String = content(node).iter().map(text).collect();
    let space = if INLINE.contains(&kind(node)) { "" } else { " " };
    format!("{own}{inner}{space}")
}

fn node(value: &Value, pointer: &str) -> Result<(), Malformed> {
    let Some(fields) = value.as_object() else {
        return malformed(pointer, "a node must be an object");
    };
    if let Some(key) = fields.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return malformed(pointer, &format!("unknown property {key}"));
    }
    if fields.get("content").is_some_and(|content| !content.is_array()) {
        return malformed(pointer, "content must be an array");
    }
    let kind = kind(value);
    let (allowed, least) = children(kind);
    let content = content(value);
    if content.len() < least {
        return malformed(pointer, &format!("{kind} must have content"));
    }
    if let Err(why) = attributes(kind, value) {
        return malformed(pointer, &why);
    }
    if kind == "listItem" && content.first().is_some_and(|first| LISTS.contains(&self::kind(first))) {
        return malformed(pointer, "listItem must not begin with a list");
    }
    for (at, child) in content.iter().enumerate() {
        let pointer = format!("{pointer}/content/{at}");
        let child_kind = self::kind(child);
        if !allowed.contains(&child_kind) {
            return malformed(&pointer, &format!("{child_kind} is not allowed in {kind}"));
        }
        if kind == "codeBlock" && child.get("marks").is_some() {
            return malformed(&pointer, "no marks are allowed in codeBlock");
        }
        node(child, &pointer)?;
    }
    Ok(())
}

/// Which types may stand in a type, and how many at least.
fn children(kind: &str) -> (&'static [&'static str], usize) {
    match kind {
        "doc" => (&DOC, 0),
        "paragraph" | "heading" => (&INLINE, 0),
        "bulletList" | "orderedList" => (&["listItem"], 1),
        "listItem" | "blockquote" => (&ITEM, 1),
        "codeBlock" => (&["text"], 0),
        "panel" => (&PANEL, 1),
        "table" => (&["tableRow"], 1),
        "tableRow" => (&["tableHeader", "tableCell"], 0),
        "expand" | "tableHeader" | "tableCell" => (&CELL, 1),
        "mediaSingle" | "mediaGroup" => (&["media"], 1),
        _ => (&[], 0),
    }
}

fn attributes(kind: &str, node: &Value) -> Result<(), String> {
    let attr = |name: &str| node.get("attrs").and_then(|attrs| attrs.get(name));
    let needs = |name: &str| match attr(name).and_then(Value::as_str) {
        Some(text) if !text.is_empty() => Ok(()),
        _ => Err(format!("{kind} needs attrs.{name}")),
    };
    match kind {
        "text" => text_node(node),
        "heading" if !attr("level").and_then(Value::as_u64).is_some_and(|level| (1..=6).contains(&level)) => {
            Err("heading needs attrs.level from 1 to 6".to_owned())
        }
        "panel" if !attr("panelType").and_then(Value::as_str).is_some_and(|kind| PANEL_TYPES.contains(&kind)) => {
            Err("panel needs a known attrs.panelType".to_owned())
        }
        "orderedList" if attr("order").is_some_and(|order| order.as_u64().is_none()) => {
            Err("orderedList needs a whole number as attrs.order".to_owned())
        }
        "emoji" => needs("shortName"),
        "mention" | "media" => needs("id"),
        "date" => needs("timestamp"),
        "inlineCard" => needs("url"),
        "status" => needs("text").and_then(|()| needs("color")),
        _ => Ok(()),
    }
}

fn text_node(node: &Value) -> Result<(), String> {
    if node.get("text").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Err("text must not be empty".to_owned());
    }
    let marks = node.get("marks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let kinds: Vec<&str> = marks.iter().map(kind).collect();
    if let Some(unknown) = kinds.iter().find(|mark| !MARKS.contains(mark)) {
        return Err(format!("unknown mark {unknown}"));
    }
    if kinds.contains(&"code") && kinds.iter().any(|mark| !matches!(*mark, "code" | "link" | "annotation")) {
        return Err("the mark code goes with link alone".to_owned());
    }
    let links = marks.iter().filter(|mark| kind(mark) == "link");
    for link in links {
        if link.pointer("/attrs/href").and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err("the mark link needs attrs.href".to_owned());
        }
    }
    Ok(())
}

fn kind(node: &Value) -> &str {
    node.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn content(node: &Value) -> &[Value] {
    node.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn malformed(pointer: &str, why: &str) -> Result<(), Malformed> {
    Err(Malformed { pointer: pointer.to_owned(), why: why.to_owned() })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{check, text};

    fn doc(content: &Value) -> Value {
        json!({ "type": "doc", "version": 1, "content": content })
    }

    fn words(text: &str) -> Value {
        json!({ "type": "paragraph", "content": [{ "type": "text", "text": text }] })
    }

    #[track_caller]
    fn check_refused(content: &Value, expected: &str) {
        let refusal = check(&doc(content)).expect_err("must be refused").to_string();
        assert_eq!(refusal, expected);
    }

    #[test]
    fn well_formed_documents_pass() {
        let item = json!({ "type": "listItem", "content": [words("a"), { "type": "bulletList", "content": [
            { "type": "listItem", "content": [words("b")] }] }] });
        let link =
            json!({ "type": "text", "text": "x", "marks": [{ "type": "link", "attrs": { "href": "https://e.org" } }] });
        let content = json!([
            { "type": "heading", "attrs": { "level": 6 }, "content": [{ "type": "text", "text": "h" }] },
            { "type": "orderedList", "attrs": { "order": 1 }, "content": [item] },
            { "type": "panel", "attrs": { "panelType": "warning" }, "content": [words("p")] },
            { "type": "codeBlock", "attrs": { "language": "text" }, "content": [{ "type": "text", "text": "c" }] },
            { "type": "rule" },
            { "type": "paragraph", "content": [link, { "type": "hardBreak" }] },
            { "type": "paragraph" },
        ]);
        assert_eq!(check(&doc(&content)), Ok(()));
        assert_eq!(check(&doc(&json!([]))), Ok(()));
        assert_eq!(text(&doc(&json!([words("one"), words("two")]))).trim(), "one two");
    }

    #[test]
    fn malformed_documents_are_refused_with_the_place() {
        check_refused(&json!([{ "type": "text", "text": "x" }]), "/content/0: text is not allowed in doc");
        check_refused(
            &json!([{ "type": "paragraph", "content": [{ "type": "text", "text": "" }] }]),
            "/content/0/content/0: text must not be empty",
        );
        check_refused(
            &json!([{ "type": "heading", "attrs": { "level": 7 } }]),
            "/content/0: heading needs attrs.level from 1 to 6",
        );
        check_refused(&json!([{ "type": "bulletList", "content": [] }]), "/content/0: bulletList must have content");
        check_refused(
            &json!([{ "type": "bulletList", "content": [words("x")] }]),
            "/content/0/content/0: paragraph is not allowed in bulletList",
        );
        check_refused(&json!([{ "type": "blink" }]), "/content/0: blink is not allowed in doc");
        check_refused(&json!([{ "type": "rule", "style": "x" }]), "/content/0: unknown property style");
        check_refused(
            &json!([{ "type": "paragraph", "content": [{ "type": "text", "text": "x", "marks": [
                { "type": "code" }, { "type": "strong" }] }] }]),
            "/content/0/content/0: the mark code goes with link alone",
        );
        let link = json!({ "type": "text", "text": "x", "marks": [{ "type": "link" }] });
        check_refused(
            &json!([{ "type": "paragraph", "content": [link] }]),
            "/content/0/content/0: the mark link needs attrs.href",
        );
    }

    #[test]
    fn only_version_one_with_content_is_a_document() {
        for wrong in [
            json!({ "type": "doc", "content": [] }),
            json!({ "type": "doc", "version": 2, "content": [] }),
            json!({ "type": "doc", "version": 1 }),
            json!({ "type": "paragraph", "version": 1, "content": [] }),
            json!([]),
        ] {
            assert!(check(&wrong).is_err(), "{wrong}");
        }
    }
}
