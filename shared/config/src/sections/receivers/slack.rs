//! `kind: slack`: a bot token and a channel, or an incoming webhook's address.
//!
//! Invariant: the channel is one that Slack can look up or post to.

use ::receivers::slack::{BASE_URL, Settings, incoming};

use crate::address;
use crate::environment::token;
use crate::reader::Value;
use crate::sections::outside::base_url;

/// Characters of a channel's name or id, at most.
const CHANNEL_CHARS_MAX: usize = 80;

pub(crate) fn read(value: &Value<'_>) -> Option<Settings> {
    let fields = value.fields(&["kind", "base_url", "token", "channel"])?;
    let base_url = base_url(&fields, "base_url", Some(BASE_URL), "TOCSIN_SLACK_API_URL");
    let token = fields.required("token", token);
    let channel = fields.required("channel", channel);
    Some(Settings { base_url: base_url?, token: token?, channel: channel? })
}

/// The address says both who posts and where.
pub(crate) fn read_incoming(value: &Value<'_>) -> Option<incoming::Settings> {
    let fields = value.fields(&["kind", "webhook_url"])?;
    Some(incoming::Settings { url: fields.required("webhook_url", address::secret_called)? })
}

/// An id (`C0123ABCD`, `G…`, `D…`) or a name with `#`.
fn channel(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    let id = text.starts_with(['C', 'G', 'D']) && text.len() >= 9;
    let id = id && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let name = text.strip_prefix('#').is_some_and(|name| {
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_') && !has_capitals(name)
    });
    if (id || name) && text.chars().count() <= CHANNEL_CHARS_MAX {
        return Some(text);
    }
    value.fail("this is no channel", "write its id, for instance C0123ABCD, or \"#name\" in quotes")
}

fn has_capitals(name: &str) -> bool {
    name.chars().any(char::is_uppercase)
}
