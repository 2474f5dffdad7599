//! How a value is written so that it stays a value.
//!
//! Invariant: an escaped value is shown as it is. It can neither ping, link, format (Jira), nor begin a header, a
//! divider, a list or a context line.
//!
//! Slack has no escape for `*`, `_` and `` ` ``, and asks to escape `&`, `<` and `>` only
//! (<https://docs.slack.dev/messaging/formatting-message-text#escaping>): there a value can still look bold.

use crate::text::{href_without, is_unprintable, is_web_address};

/// Stands before a Slack value that would otherwise begin a header, divider or context line. Removed once the lines
/// are read; no value can bring one, since values have no control characters.
pub(crate) const GUARD: char = '\u{1}';

/// What a template's text is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Markup {
    /// As it stands.
    Plain,
    /// Slack's, with our lines `# `, `---` and `~ `.
    Mrkdwn,
    /// The small Markdown that becomes Jira's ADF.
    Markdown,
    /// Markdown as its own specification has it (<https://spec.commonmark.org>), which Linear reads.
    CommonMark,
    /// A JSON document; a value stands inside of quotes.
    Json,
}

impl Markup {
    /// The value in this markup.
    pub(crate) fn escape(self, value: &str) -> String {
        let value = value.chars().map(|c| if is_unprintable(c) { ' ' } else { c });
        match self {
            Self::Plain => value.collect(),
            Self::Mrkdwn => mrkdwn(value),
            Self::Markdown => backslashed(value, is_markdown_sign),
            // Any ASCII punctuation may have a backslash before it; a `:` keeps a bare address from becoming a link.
            Self::CommonMark => backslashed(value, |c| c.is_ascii_punctuation()),
            Self::Json => {
                value.map(|c| if matches!(c, '"' | '\\') { format!("\\{c}") } else { c.to_string() }).collect()
            }
        }
    }

    /// A link; the text alone where the address is none that may be followed.
    pub(crate) fn link(self, href: &str, text: &str) -> String {
        let text = if text.trim().is_empty() { href } else { text };
        if !is_web_address(href) {
            return self.escape(text);
        }
        match self {
            Self::Plain if text == href => href.to_owned(),
            Self::Plain => format!("{}: {href}", self.escape(text)),
            Self::Json if text == href => self.escape(href),
            Self::Json => format!("{}: {}", self.escape(text), self.escape(href)),
            Self::Mrkdwn => {
                let text = self.escape(text).replace(GUARD, "").replace('|', "¦");
                format!("<{}|{text}>", href_without(href, &['<', '>', '|']).replace('&', "&amp;"))
            }
            Self::Markdown | Self::CommonMark => {
                format!(
                    "[{}]({})",
                    self.escape(text),
                    href_without(href, &['(', ')', '[', ']', '<', '>', '\\', '`', '*'])
                )
            }
        }
    }

    /// A line that begins a header, or an ordinary one where the markup has none.
    pub(crate) fn header(self, text: &str) -> String {
        match self {
            Self::Plain | Self::Json => self.escape(text),
            Self::Mrkdwn | Self::Markdown | Self::CommonMark => format!("# {}", self.escape(text)),
        }
    }
}

fn backslashed(value: impl Iterator<Item = char>, is_sign: impl Fn(char) -> bool) -> String {
    value.fold(String::new(), |mut escaped, c| {
        if is_sign(c) {
            escaped.push('\\');
        }
        escaped.push(c);
        escaped
    })
}

fn mrkdwn(value: impl Iterator<Item = char>) -> String {
    let mut escaped = String::new();
    for c in value {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '#' | '-' | '~' if escaped.trim_start().is_empty() => {
                escaped.push(GUARD);
                escaped.push(c);
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// Signs that mean something in our Markdown.
pub(crate) fn is_markdown_sign(c: char) -> bool {
    matches!(c, '\\' | '`' | '*' | '[' | ']' | '(' | ')' | '#' | '-' | '.')
}
