//! Block Kit's limits.
//!
//! Invariant: every broken limit is reported with its JSON pointer; lengths are counted in characters.
//! Source: the Block Kit reference; the limit on the sum of all texts is undocumented (bolt-js issue 2509).

use std::collections::BTreeSet;

use serde_json::Value;

use super::Refusal;

const BLOCKS_MAX: usize = 50;
const ALL_TEXTS_CHARS_MAX: usize = 13_200;
const ID_CHARS_MAX: usize = 255;
const SECTION_CHARS_MAX: usize = 3000;
const FIELDS_MAX: usize = 10;
const FIELD_CHARS_MAX: usize = 2000;
const HEADER_CHARS_MAX: usize = 150;
const CONTEXT_ELEMENTS_MAX: usize = 10;
const ACTIONS_ELEMENTS_MAX: usize = 25;
const BUTTON_TEXT_CHARS_MAX: usize = 75;
const BUTTON_VALUE_CHARS_MAX: usize = 2000;
const URL_CHARS_MAX: usize = 3000;
const ALT_TEXT_CHARS_MAX: usize = 2000;
const MARKDOWN_CHARS_MAX: usize = 12_000;

/// Refuses what Slack refuses.
pub(super) fn check(blocks: &[Value]) -> Result<(), Refusal> {
    let mut errors = Errors::default();
    if blocks.len() > BLOCKS_MAX {
        errors.add("/blocks", "no more than 50 items allowed");
    }
    for (at, block) in blocks.iter().enumerate() {
        errors.block(&format!("/blocks/{at}"), block);
    }
    if !errors.found.is_empty() {
        return Err(Refusal::Blocks(errors.found));
    }
    if blocks.iter().map(text_chars).sum::<usize>() > ALL_TEXTS_CHARS_MAX {
        return Err(Refusal::Named("msg_blocks_too_long"));
    }
    Ok(())
}

fn text_chars(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(text_chars).sum(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| match field {
                Value::String(text) if name == "text" => text.chars().count(),
                other => text_chars(other),
            })
            .sum(),
        _ => 0,
    }
}

#[derive(Debug, Default)]
struct Errors {
    found: Vec<String>,
    block_ids: BTreeSet<String>,
}

impl Errors {
    fn add(&mut self, pointer: &str, why: &str) {
        self.found.push(format!("{why} [json-pointer:{pointer}]"));
    }

    fn block(&mut self, pointer: &str, block: &Value) {
        self.length(pointer, block, "block_id", ID_CHARS_MAX);
        if let Some(id) = block.get("block_id").and_then(Value::as_str)
            && !self.block_ids.insert(id.to_owned())
        {
            self.add(&format!("{pointer}/block_id"), "`block_id` must be unique");
        }
        match kind(block) {
            "section" => self.section(pointer, block),
            "header" => self.text(&format!("{pointer}/text"), block.get("text"), HEADER_CHARS_MAX, &["plain_text"]),
            "context" => self.elements(pointer, block, CONTEXT_ELEMENTS_MAX, Self::context_element),
            "actions" => self.elements(pointer, block, ACTIONS_ELEMENTS_MAX, Self::action_element),
            "image" => self.image(pointer, block),
            "markdown" => self.length(pointer, block, "text", MARKDOWN_CHARS_MAX),
            "divider" | "rich_text" => {}
            other => self.add(&format!("{pointer}/type"), &format!("unsupported type: {other}")),
        }
    }

    fn section(&mut self, pointer: &str, block: &Value) {
        let fields = block.get("fields");
        if block.get("text").is_none() && fields.is_none() {
            self.add(pointer, "missing required field: text");
        }
        if let Some(text) = block.get("text") {
            self.text(&format!("{pointer}/text"), Some(text), SECTION_CHARS_MAX, &["mrkdwn", "plain_text"]);
        }
        if let Some(fields) = fields {
            let items = fields.as_array().map(Vec::as_slice).unwrap_or_default();
            self.count(&format!("{pointer}/fields"), items.len(), FIELDS_MAX);
            for (at, field) in items.iter().enumerate() {
                let pointer = format!("{pointer}/fields/{at}");
                self.text(&pointer, Some(field), FIELD_CHARS_MAX, &["mrkdwn", "plain_text"]);
            }
        }
        if let Some(accessory) = block.get("accessory") {
            self.action_element(&format!("{pointer}/accessory"), accessory);
        }
    }

    fn elements(&mut self, pointer: &str, block: &Value, max: usize, each: fn(&mut Self, &str, &Value)) {
        let elements = block.get("elements").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        self.count(&format!("{pointer}/elements"), elements.len(), max);
        for (at, element) in elements.iter().enumerate() {
            each(self, &format!("{pointer}/elements/{at}"), element);
        }
        let ids: Vec<&str> = elements.iter().filter_map(|element| element.get("action_id")?.as_str()).collect();
        if ids.iter().collect::<BTreeSet<_>>().len() < ids.len() {
            self.add(&format!("{pointer}/elements"), "`action_id` must be unique");
        }
    }

    fn context_element(&mut self, pointer: &str, element: &Value) {
        match kind(element) {
            "image" => self.image(pointer, element),
            _ => self.text(pointer, Some(element), SECTION_CHARS_MAX, &["mrkdwn", "plain_text"]),
        }
    }

    fn action_element(&mut self, pointer: &str, element: &Value) {
        self.length(pointer, element, "action_id", ID_CHARS_MAX);
        match kind(element) {
            "button" => {
                self.text(&format!("{pointer}/text"), element.get("text"), BUTTON_TEXT_CHARS_MAX, &["plain_text"]);
                self.length(pointer, element, "value", BUTTON_VALUE_CHARS_MAX);
                self.length(pointer, element, "url", URL_CHARS_MAX);
                if element.get("style").and_then(Value::as_str).is_some_and(|s| s != "primary" && s != "danger") {
                    self.add(&format!("{pointer}/style"), "must be a valid enum value");
                }
            }
            "image" => self.image(pointer, element),
            "overflow" | "static_select" | "users_select" | "datepicker" | "checkboxes" | "radio_buttons" => {}
            other => self.add(&format!("{pointer}/type"), &format!("unsupported type: {other}")),
        }
    }

    fn image(&mut self, pointer: &str, image: &Value) {
        if image.get("image_url").is_none() && image.get("slack_file").is_none() {
            self.add(pointer, "missing required field: image_url");
        }
        if image.get("alt_text").and_then(Value::as_str).is_none() {
            self.add(pointer, "missing required field: alt_text");
        }
        self.length(pointer, image, "image_url", URL_CHARS_MAX);
        self.length(pointer, image, "alt_text", ALT_TEXT_CHARS_MAX);
    }

    fn text(&mut self, pointer: &str, object: Option<&Value>, max: usize, kinds: &[&str]) {
        let Some(object) = object else {
            return self.add(pointer, "missing required field: text");
        };
        if !kinds.contains(&kind(object)) {
            self.add(&format!("{pointer}/type"), "must be a valid enum value");
        }
        match object.get("text").and_then(Value::as_str) {
            None => self.add(pointer, "missing required field: text"),
            Some("") => self.add(&format!("{pointer}/text"), "must be more than 0 characters"),
            Some(_) => self.length(pointer, object, "text", max),
        }
    }

    fn length(&mut self, pointer: &str, object: &Value, field: &str, max: usize) {
        match object.get(field) {
            Some(Value::String(text)) if text.chars().count() > max => {
                self.add(&format!("{pointer}/{field}"), &format!("must be less than {} characters", max + 1));
            }
            None | Some(Value::String(_)) => {}
            Some(_) => self.add(&format!("{pointer}/{field}"), "must be a string"),
        }
    }

    fn count(&mut self, pointer: &str, items: usize, max: usize) {
        if items == 0 {
            self.add(pointer, "no fewer than 1 items allowed");
        } else if items > max {
            self.add(pointer, &format!("no more than {max} items allowed"));
        }
    }
}

fn kind(object: &Value) -> &str {
    object.get("type").and_then(Value::as_str).unwrap_or_default()
}
