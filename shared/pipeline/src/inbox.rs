//! Alerts on their way into the inbox.
//!
//! Invariant: an alert gets its rule, its severity and its fingerprint here and nowhere else, wherever it comes from.

use config::{Sort, Sorted};
use domain::{Alert, Fingerprint};

use crate::{InboxMessage, Item};

/// Alerts are put into one message up to this size; SQS takes 256 KiB.
const MESSAGE_BYTES_MAX: usize = 200 * 1024;

/// The alert with its rules, the rule's severity if it has one, and the fingerprint that the rule gives it.
#[must_use]
pub fn item(rules: &impl Sort, mut alert: Alert) -> Item {
    let Sorted { rule, also, group_by, severity } = rules.sort(&alert);
    alert.rule = Some(rule.to_owned());
    alert.also = also.into_iter().map(str::to_owned).collect();
    alert.severity = severity.unwrap_or(alert.severity);
    Item { fingerprint: Fingerprint::of(&alert, group_by), alert }
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
