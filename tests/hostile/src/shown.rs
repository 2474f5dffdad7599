//! What a vendor shows of a message, and what no message may do.
//!
//! Invariant: written from the vendors' documents, not from our code: a mention, a link or a block that a text made is found
//! whichever way it came there.

use anyhow::{bail, ensure};
use pulldown_cmark::{Event, LinkType, Options, Parser, Tag};
use serde_json::Value;

/// Node types of a document of ours.
const NODES: [&str; 10] =
    ["doc", "heading", "paragraph", "bulletList", "orderedList", "listItem", "rule", "codeBlock", "hardBreak", "text"];

/// The beginning of a text as people see it: one line, without what moves a cursor or turns the direction.
#[must_use]
pub fn beginning(text: &str) -> String {
    let disruptive = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
            || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let spaced: String = text.chars().map(|c| if disruptive(c) { ' ' } else { c }).collect();
    let line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(40).collect::<String>().trim_end().to_owned()
}

/// Every text of a body, one a line.
#[must_use]
pub fn texts(body: &Value) -> String {
    match body {
        Value::String(text) => format!("{text}\n"),
        Value::Array(list) => list.iter().map(texts).collect(),
        Value::Object(fields) => fields.values().map(texts).collect(),
        _ => String::new(),
    }
}

/// Slack's markup as it is shown.
#[must_use]
pub fn unescaped(mrkdwn: &str) -> String {
    mrkdwn.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// Slack: in everything that is read as markup, `<` begins nothing but a link to the web, and `&` nothing but an entity.
///
/// # Errors
/// When something else does.
pub fn check_slack(text: &str, blocks: &[Value]) -> anyhow::Result<()> {
    check_mrkdwn(text)?;
    blocks.iter().try_for_each(|block| each_text(block, &mut |text| check_mrkdwn(text)))
}

fn each_text(value: &Value, check: &mut impl FnMut(&str) -> anyhow::Result<()>) -> anyhow::Result<()> {
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| each_text(item, check)),
        Value::Object(fields) => {
            let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
            ensure!(!["user", "usergroup", "broadcast", "rich_text", "markdown"].contains(&kind), "a block of {kind}");
            if kind == "mrkdwn" {
                ensure!(fields.get("verbatim") == Some(&Value::Bool(true)), "Slack looks for names by itself: {value}");
                return check(fields.get("text").and_then(Value::as_str).unwrap_or_default());
            }
            fields.values().try_for_each(|field| each_text(field, check))
        }
        _ => Ok(()),
    }
}

fn check_mrkdwn(mrkdwn: &str) -> anyhow::Result<()> {
    let mut rest = mrkdwn;
    while let Some((_, after)) = rest.split_once('<') {
        let Some((inside, next)) = after.split_once('>') else { bail!("a `<` without end: {mrkdwn:?}") };
        let Some((href, text)) = inside.split_once('|') else { bail!("{inside:?} is no link of ours") };
        check_href(href)?;
        ensure!(!text.contains(['<', '|']), "{text:?} in a link");
        rest = next;
    }
    let is_entity = |after: &str| ["amp;", "lt;", "gt;"].iter().any(|entity| after.starts_with(entity));
    ensure!(mrkdwn.split('&').skip(1).all(is_entity), "a bare `&`: {mrkdwn:?}");
    Ok(())
}

fn check_href(href: &str) -> anyhow::Result<()> {
    let lower = href.to_lowercase();
    ensure!(lower.starts_with("https://") || lower.starts_with("http://"), "{href:?} leads elsewhere than to the web");
    ensure!(!href.contains(|c: char| c.is_control() || c.is_whitespace()), "{href:?} breaks off");
    Ok(())
}

/// Jira: a document of headings, paragraphs and lists; no mention, no card, no link but to the web. Its marks, counted.
///
/// # Errors
/// When there is anything else.
pub fn check_document(document: &Value) -> anyhow::Result<usize> {
    let kind = document["type"].as_str().unwrap_or_default();
    ensure!(NODES.contains(&kind), "a node of type {kind:?}: {document}");
    let mut count = 0;
    for mark in document["marks"].as_array().into_iter().flatten() {
        count += 1;
        match mark["type"].as_str().unwrap_or_default() {
            "strong" | "code" => {}
            "link" => check_href(mark["attrs"]["href"].as_str().unwrap_or_default())?,
            other => bail!("a mark of type {other:?}: {document}"),
        }
    }
    for child in document["content"].as_array().into_iter().flatten() {
        count += check_document(child)?;
    }
    Ok(count)
}

/// Linear: Markdown of headings, paragraphs and lists, read with everything that an editor may add to it; no HTML, no
/// picture, no code but the names of commits, no link but to the web. Its marks, counted.
///
/// # Errors
/// When there is anything else.
pub fn check_markdown(text: &str) -> anyhow::Result<usize> {
    let mut count = 0;
    for event in Parser::new_ext(text, Options::all()) {
        match event {
            Event::Start(Tag::Link { link_type: LinkType::Inline, dest_url, .. }) => {
                check_href(&dest_url)?;
                count += 1;
            }
            Event::Start(Tag::Strong | Tag::Heading { .. }) | Event::Code(_) => count += 1,
            Event::Start(Tag::Paragraph | Tag::List(_) | Tag::Item)
            | Event::End(_)
            | Event::Text(_)
            | Event::SoftBreak
            | Event::HardBreak => {}
            other => bail!("{other:?} in {text:?}"),
        }
    }
    Ok(count)
}

/// What Linear shows of it, one line.
#[must_use]
pub fn shown_markdown(text: &str) -> String {
    let shown = Parser::new_ext(text, Options::all()).map(|event| match event {
        Event::Text(text) | Event::Code(text) => text.into_string(),
        Event::End(_) | Event::SoftBreak | Event::HardBreak => " ".to_owned(),
        _ => String::new(),
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_pings_links_or_formats_is_found() {
        for text in ["<!channel>", "<@U1>", "<javascript:x|y>", "a & b", "< b", "<https://a b|c>", "<https://a.b>"] {
            assert!(check_slack(text, &[]).is_err(), "{text}");
            let block = json!({ "type": "section", "text": { "type": "mrkdwn", "text": text, "verbatim": true } });
            assert!(check_slack("", &[block]).is_err(), "{text}");
        }
        assert!(check_slack("&lt;!channel&gt; <https://a.b/c|d> &amp;amp;", &[]).is_ok());
        let parsed = json!({ "type": "section", "text": { "type": "mrkdwn", "text": "@here" } });
        assert!(check_slack("", &[parsed]).is_err());
        let text = |marks| json!({ "type": "doc", "content": [{ "type": "text", "text": "a", "marks": marks }] });
        assert_eq!(check_document(&text(json!([{ "type": "strong" }]))).ok(), Some(1));
        assert!(check_document(&text(json!([{ "type": "link", "attrs": { "href": "javascript:x" } }]))).is_err());
        assert!(check_document(&json!({ "type": "doc", "content": [{ "type": "mention" }] })).is_err());
    }

    #[test]
    fn what_markdown_adds_is_found() {
        assert_eq!(check_markdown("# a\n- **b** `c` [d](https://e.example)\n\n1. f").ok(), Some(4));
        for text in ["<b>a</b>", "![a](https://b.example)", "[a](javascript:b)", "<https://a.example>", "*a*", "~~a~~"]
        {
            assert!(check_markdown(text).is_err(), "{text}");
        }
        for text in ["```\na\n```", "> a", "a | b\n--|--\nc | d", "- [ ] a", "---", "a[^1]\n\n[^1]: b", "$a$"] {
            assert!(check_markdown(text).is_err(), "{text}");
        }
        assert_eq!(shown_markdown("a \\*b\\* &amp; **c**").trim(), "a *b* & c");
    }

    #[test]
    fn a_beginning_is_one_line_of_what_can_be_shown() {
        assert_eq!(beginning(" a\r\n\u{202e}b\u{feff}\u{3000}c "), "a b c");
        assert_eq!(beginning(&"x".repeat(50)), "x".repeat(40));
    }
}
