//! Alerts on their way into the inbox.
//!
//! Invariant: an alert gets its rule, its severity and its fingerprint here and nowhere else, wherever it comes from.

use config::{Config, Route};
use domain::{Alert, Fingerprint};

use crate::{InboxMessage, Item};

/// Alerts are put into one message up to this size; SQS takes 256 KiB.
const MESSAGE_BYTES_MAX: usize = 200 * 1024;

/// The alert with its rules, the rule's severity if it has one, and the fingerprint that the rule gives it.
#[must_use]
pub fn item(config: &Config, mut alert: Alert) -> Item {
    let Route { rule, also } = config.route(&alert);
    alert.rule = Some(rule.name.clone());
    alert.also = also.iter().map(|rule| rule.name.clone()).collect();
    alert.severity = rule.severity.unwrap_or(alert.severity);
    Item { fingerprint: Fingerprint::of(&alert, &rule.group_by), alert }
}

/// Items in as few messages as their size allows, in order.
pub(crate) fn pack(items: Vec<Item>) -> Vec<InboxMessage> {
    let mut packed: Vec<InboxMessage> = Vec::new();
    let mut open: Vec<Item> = Vec::new();
    let mut open_bytes = 0;
    for item in items {
        let bytes = serde_json::to_string(&item).map_or(MESSAGE_BYTES_MAX, |text| text.len());
        if !open.is_empty() && open_bytes + bytes > MESSAGE_BYTES_MAX {
            packed.push(InboxMessage::Alerts { items: std::mem::take(&mut open) });
            open_bytes = 0;
        }
        open_bytes += bytes;
        open.push(item);
    }
    if !open.is_empty() {
        packed.push(InboxMessage::Alerts { items: open });
    }
    packed
}
