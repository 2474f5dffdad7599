//! Who a message pings.
//!
//! Invariant: only what Slack parses counts: escaped text and plain text ping nobody.

use serde::Serialize;
use serde_json::Value;

use super::Message;

/// Words that ping a channel without angle brackets, where Slack is let to parse the text.
const BARE: [&str; 3] = ["@channel", "@here", "@everyone"];

/// One ping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mention {
    /// The message's channel.
    pub channel: String,
    /// The message.
    pub ts: String,
    /// What was pinged, as Slack read it: `<!channel>`, `<@U012AB3CD>`, `@here`.
    pub mention: String,
}

/// Everyone this message pings.
pub(super) fn of(message: &Message, mrkdwn: bool) -> Vec<Mention> {
    let mut found = Vec::new();
    if mrkdwn {
        bracketed(&message.text, &mut found);
    }
    for block in &message.blocks {
        inside(block, &mut found);
    }
    let mention = |mention| Mention { channel: message.channel.clone(), ts: message.ts.clone(), mention };
    found.into_iter().map(mention).collect()
}

fn inside(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| inside(item, found)),
        Value::Object(fields) => {
            let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
            match text("type") {
                "mrkdwn" | "markdown" => {
                    bracketed(text("text"), found);
                    if fields.get("verbatim").and_then(Value::as_bool) != Some(true) {
                        bare(text("text"), found);
                    }
                }
                "broadcast" => found.push(format!("<!{}>", text("range"))),
                "user" => found.push(format!("<@{}>", text("user_id"))),
                "usergroup" => found.push(format!("<!subteam^{}>", text("usergroup_id"))),
                _ => fields.values().for_each(|field| inside(field, found)),
            }
        }
        _ => {}
    }
}

fn bracketed(text: &str, found: &mut Vec<String>) {
    for piece in text.split('<').skip(1) {
        let Some((inner, _)) = piece.split_once('>') else { continue };
        let target = inner.split('|').next().unwrap_or_default();
        let channel_wide = matches!(target, "!channel" | "!here" | "!everyone" | "!group");
        let someone = target.starts_with("@U") || target.starts_with("@W") || target.starts_with("!subteam^");
        if channel_wide || someone {
            found.push(format!("<{target}>"));
        }
    }
}

fn bare(text: &str, found: &mut Vec<String>) {
    for word in text.split(|c: char| !(c.is_alphanumeric() || c == '@' || c == '_')) {
        if BARE.contains(&word) {
            found.push(word.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::of;
    use crate::slack::Message;

    fn check(text: &str, blocks: &Value, expected: &[&str]) {
        let blocks = blocks.as_array().cloned().unwrap_or_default();
        let (channel, ts) = ("C1".to_owned(), "1.000001".to_owned());
        let message = Message {
            channel,
            ts,
            thread_ts: None,
            text: text.to_owned(),
            blocks,
            metadata: None,
            edits: 0,
            edited_at: Vec::new(),
        };
        let found: Vec<String> = of(&message, true).into_iter().map(|mention| mention.mention).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn brackets_ping_and_escapes_do_not() {
        check("a <!channel> b <@U012|ann> <!subteam^S1>", &Value::Null, &["<!channel>", "<@U012>", "<!subteam^S1>"]);
        check("&lt;!channel&gt; &lt;@U1&gt; <!date^1^x|y> <https://e.org|x> < !here", &Value::Null, &[]);
        check("@channel", &Value::Null, &[]);
    }

    #[test]
    fn blocks_ping_by_their_text_type() {
        let block = |text: Value| json!([{ "type": "section", "text": text }]);
        check("", &block(json!({ "type": "mrkdwn", "text": "<!here>", "verbatim": true })), &["<!here>"]);
        check("", &block(json!({ "type": "mrkdwn", "text": "@here now", "verbatim": true })), &[]);
        check("", &block(json!({ "type": "mrkdwn", "text": "(@here) a@here" })), &["@here"]);
        check("", &block(json!({ "type": "plain_text", "text": "<!here> @here" })), &[]);
        check("", &json!([{ "type": "rich_text", "elements": [{ "type": "user", "user_id": "U1" }] }]), &["<@U1>"]);
    }
}
