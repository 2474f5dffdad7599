//! What the vendors refuse, as checks of a body. Written from their documents, not from our code.
//!
//! Lengths are counted in UTF-16 units, which is never less than characters.

use serde_json::Value;

/// `chars` and UTF-16 units differ for emoji; the larger must fit.
pub(crate) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {pointer} of {value}"))
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).unwrap_or_else(|| panic!("no list at {pointer} of {value}"))
}

fn check_length(what: &str, text: &str, max: usize) {
    assert!((1..=max).contains(&units(text)), "{what} has {} units, not 1 to {max}: {text:?}", units(text));
}

/// What is sent is what was meant: it is JSON, and reads back the same.
pub(crate) fn check_json(body: &Value) {
    let sent = serde_json::to_vec(body).expect("can be written");
    assert_eq!(serde_json::from_slice::<Value>(&sent).expect("can be read"), *body);
}

/// Events API v2, `POST /v2/enqueue`.
pub(crate) fn check_pagerduty_event(body: &Value) {
    check_json(body);
    assert!(body.to_string().len() <= 512_000, "an event has at most 512 KB, not {}", body.to_string().len());
    assert_eq!(text(body, "/routing_key").len(), 32);
    check_length("dedup_key", text(body, "/dedup_key"), 255);
    let action = text(body, "/event_action");
    if action != "trigger" {
        assert!(["acknowledge", "resolve"].contains(&action), "{action}");
        return;
    }
    check_length("summary", text(body, "/payload/summary"), 1024);
    assert!(!text(body, "/payload/summary").contains('\n'));
    assert!(!text(body, "/payload/source").is_empty());
    assert!(["critical", "error", "warning", "info"].contains(&text(body, "/payload/severity")));
    for link in list(body, "/links") {
        check_web_address(text(link, "/href"));
        assert!(!text(link, "/text").is_empty());
    }
}

fn check_web_address(href: &str) {
    let lower = href.to_lowercase();
    assert!(lower.starts_with("https://") || lower.starts_with("http://"), "{href:?} is no address for the web");
    assert!(!href.contains(|c: char| c.is_control() || c.is_whitespace()), "{href:?}");
}

/// Block Kit: every limit that is documented, and the total that is not.
pub(crate) fn check_slack_message(body: &Value) {
    check_json(body);
    check_length("text", text(body, "/text"), 40_000);
    let blocks = list(body, "/blocks");
    assert!((1..=50).contains(&blocks.len()), "{} blocks", blocks.len());
    for block in blocks {
        match text(block, "/type") {
            "header" => {
                assert_eq!(text(block, "/text/type"), "plain_text");
                check_length("header", text(block, "/text/text"), 150);
            }
            "section" => check_length("section", text(block, "/text/text"), 3000),
            "context" => {
                assert!((1..=10).contains(&list(block, "/elements").len()));
                for element in list(block, "/elements") {
                    check_length("context", text(element, "/text"), 2000);
                }
            }
            other => assert_eq!(other, "divider"),
        }
    }
    let total: usize = blocks.iter().flat_map(block_texts).chain([text(body, "/text")]).map(units).sum();
    assert!(total <= 13_200, "msg_blocks_too_long: {total}");
}

pub(crate) fn block_texts(block: &Value) -> Vec<&str> {
    let elements = block.get("elements").and_then(Value::as_array).into_iter().flatten();
    let texts = elements.map(|e| text(e, "/text"));
    block.pointer("/text/text").and_then(Value::as_str).into_iter().chain(texts).collect()
}

/// Where a value can only be shown: `<` begins nothing but a link to the web, `&` nothing but an entity.
pub(crate) fn check_mrkdwn_is_inert(mrkdwn: &str) {
    let mut rest = mrkdwn;
    while let Some((_, after)) = rest.split_once('<') {
        let (inside, next) = after.split_once('>').unwrap_or_else(|| panic!("a `<` without end: {mrkdwn:?}"));
        let (href, shown) = inside.split_once('|').unwrap_or_else(|| panic!("{inside:?} is no link of ours"));
        check_web_address(href);
        assert!(!shown.contains(['<', '|']), "{shown:?}");
        rest = next;
    }
    for after in mrkdwn.split('&').skip(1) {
        assert!(["amp;", "lt;", "gt;"].iter().any(|e| after.starts_with(e)), "a bare `&`: {mrkdwn:?}");
    }
}

/// `POST /rest/api/3/issue`.
pub(crate) fn check_jira_ticket(body: &Value) {
    check_json(body);
    let summary = text(body, "/fields/summary");
    check_length("summary", summary, 255);
    assert!(!summary.contains(['\n', '\r']), "{summary:?}");
    assert!(!text(body, "/fields/project/key").is_empty() && !text(body, "/fields/issuetype/name").is_empty());
    check_document(&body["fields"]["description"]);
    for label in body.pointer("/fields/labels").and_then(Value::as_array).into_iter().flatten() {
        assert!(label.as_str().is_some_and(|l| !l.is_empty() && !l.contains(' ')), "{label}");
    }
}

/// `POST /rest/api/3/issue/{key}/comment`.
pub(crate) fn check_jira_comment(body: &Value) {
    check_json(body);
    check_document(&body["body"]);
}

/// Atlassian Document Format, version 1, as far as we write it.
pub(crate) fn check_document(document: &Value) {
    assert_eq!((text(document, "/type"), &document["version"]), ("doc", &Value::from(1)));
    assert!(!list(document, "/content").is_empty());
    list(document, "/content").iter().for_each(check_block);
    assert!(units(&document.to_string()) <= 32_767, "a text field has at most 32,767 characters");
}

fn check_block(block: &Value) {
    match text(block, "/type") {
        "rule" => assert!(block.get("content").is_none()),
        "heading" => {
            assert!(block.pointer("/attrs/level").and_then(Value::as_u64).is_some_and(|l| (1..=6).contains(&l)));
            check_line(block);
        }
        "paragraph" => check_line(block),
        kind => {
            assert!(["bulletList", "orderedList"].contains(&kind), "{block}");
            assert!(!list(block, "/content").is_empty(), "an empty list: {block}");
            for item in list(block, "/content") {
                assert_eq!((text(item, "/type"), list(item, "/content").len()), ("listItem", 1));
                assert_eq!(text(item, "/content/0/type"), "paragraph");
                check_line(&item["content"][0]);
            }
        }
    }
}

/// Text and hard breaks, never an empty text node.
fn check_line(parent: &Value) {
    assert!(!list(parent, "/content").is_empty(), "an empty paragraph: {parent}");
    for node in list(parent, "/content") {
        if text(node, "/type") == "hardBreak" {
            continue;
        }
        assert_eq!(text(node, "/type"), "text");
        let shown = text(node, "/text");
        assert!(!shown.is_empty() && !shown.contains(char::is_control), "{node}");
        let marks = node.get("marks").map_or(&[][..], |_| list(node, "/marks"));
        let kinds: Vec<&str> = marks.iter().map(|m| text(m, "/type")).collect();
        assert!(kinds.iter().all(|k| ["strong", "code", "link"].contains(k)), "{node}");
        assert!(!(kinds.contains(&"code") && kinds.contains(&"strong")), "{node}");
        marks.iter().filter(|m| text(m, "/type") == "link").for_each(|m| check_web_address(text(m, "/attrs/href")));
    }
}

/// `issueCreate` of Linear's schema: a UUID of version 4, a team, a title on one line, a priority of 0 to 4.
pub(crate) fn check_linear_issue(body: &Value) {
    check_json(body);
    check_uuid(text(body, "/variables/input/id"));
    check_uuid(text(body, "/variables/input/teamId"));
    let title = text(body, "/variables/input/title");
    check_length("title", title, 255);
    assert!(!title.contains('\n'), "{title:?}");
    assert!(!text(body, "/variables/input/description").trim().is_empty());
    let priority = body.pointer("/variables/input/priority").map_or(Some(0), Value::as_u64);
    assert!(priority.is_some_and(|priority| priority <= 4), "{body}");
}

/// `commentCreate`.
pub(crate) fn check_linear_comment(body: &Value) {
    check_json(body);
    check_uuid(text(body, "/variables/input/id"));
    assert!(
        !text(body, "/variables/input/body").trim().is_empty() && !text(body, "/variables/input/issueId").is_empty()
    );
}

fn check_uuid(id: &str) {
    let lengths: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
    let (version, variant) = (id.as_bytes()[14], id.as_bytes()[19]);
    assert!(version == b'4' && b"89ab".contains(&variant), "{id} is not of version 4");
}
