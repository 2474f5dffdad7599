//! Slack: every limit of Block Kit, at it and one over.

use serde_json::{Value, json};
use tocsin_stand_ins::Slack;

use crate::slack::post;

fn mrkdwn(chars: usize) -> Value {
    json!({ "type": "mrkdwn", "text": "ü".repeat(chars) })
}

fn plain(chars: usize) -> Value {
    json!({ "type": "plain_text", "text": "ü".repeat(chars) })
}

fn section(chars: usize) -> Value {
    json!({ "type": "section", "text": mrkdwn(chars) })
}

fn fields(items: usize, chars: usize) -> Value {
    json!({ "type": "section", "fields": vec![mrkdwn(chars); items] })
}

fn context(items: usize) -> Value {
    json!({ "type": "context", "elements": vec![mrkdwn(1); items] })
}

fn buttons(items: usize) -> Value {
    json!({ "type": "actions", "elements": vec![json!({ "type": "button", "text": plain(1) }); items] })
}

/// An action block whose one button has one field of this length.
fn button(field: &str, chars: usize) -> Value {
    let mut button = json!({ "type": "button", "text": plain(1) });
    button[field] = if field == "text" { plain(chars) } else { json!("x".repeat(chars)) };
    json!({ "type": "actions", "elements": [button] })
}

fn image(url_chars: usize, alt_chars: usize) -> Value {
    json!({ "type": "image", "image_url": "x".repeat(url_chars), "alt_text": "ü".repeat(alt_chars) })
}

fn named(chars: usize) -> Value {
    json!({ "type": "divider", "block_id": "x".repeat(chars) })
}

async fn check_refused(vendor: &Slack, blocks: &[Value], error: &str) {
    let answer = post(vendor, &json!({ "channel": "C1", "text": "fallback", "blocks": blocks })).await;
    assert_eq!((answer.status, &answer.body["error"]), (200, &json!("invalid_blocks")), "{error}");
    let errors = answer.body["errors"].as_array().unwrap();
    assert!(errors.contains(&json!(error)), "{error}: {errors:?}");
    let messages = answer.body["response_metadata"]["messages"].as_array().unwrap();
    assert!(messages.contains(&json!(format!("[ERROR] {error}"))), "{messages:?}");
}

async fn check_taken(vendor: &Slack, blocks: &[Value], what: &str) {
    let answer = post(vendor, &json!({ "channel": "C1", "text": "fallback", "blocks": blocks })).await;
    assert_eq!(answer.body["ok"], true, "{what}: {}", answer.body);
}

#[tokio::test]
async fn each_limit_holds_at_it_and_is_broken_one_over() {
    let vendor = Slack::start().await.unwrap();
    let cases = [
        (section(3000), section(3001), "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
        (fields(10, 1), fields(11, 1), "no more than 10 items allowed [json-pointer:/blocks/0/fields]"),
        (fields(1, 2000), fields(1, 2001), "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]"),
        (
            json!({ "type": "header", "text": plain(150) }),
            json!({ "type": "header", "text": plain(151) }),
            "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
        ),
        (context(10), context(11), "no more than 10 items allowed [json-pointer:/blocks/0/elements]"),
        (buttons(25), buttons(26), "no more than 25 items allowed [json-pointer:/blocks/0/elements]"),
        (
            button("text", 75),
            button("text", 76),
            "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
        ),
        (
            button("value", 2000),
            button("value", 2001),
            "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]",
        ),
        (
            button("url", 3000),
            button("url", 3001),
            "must be less than 3001 characters [json-pointer:/blocks/0/elements/0/url]",
        ),
        (
            button("action_id", 255),
            button("action_id", 256),
            "must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]",
        ),
        (named(255), named(256), "must be less than 256 characters [json-pointer:/blocks/0/block_id]"),
        (image(3000, 1), image(3001, 1), "must be less than 3001 characters [json-pointer:/blocks/0/image_url]"),
        (image(1, 2000), image(1, 2001), "must be less than 2001 characters [json-pointer:/blocks/0/alt_text]"),
    ];
    for (at_limit, beyond, error) in &cases {
        check_taken(&vendor, std::slice::from_ref(at_limit), error).await;
        check_refused(&vendor, std::slice::from_ref(beyond), error).await;
    }
    assert_eq!(vendor.messages().len(), cases.len());
}

#[tokio::test]
async fn a_message_has_50_blocks_and_13_200_characters() {
    let vendor = Slack::start().await.unwrap();
    check_taken(&vendor, &vec![json!({ "type": "divider" }); 50], "50 blocks").await;
    let error = "no more than 50 items allowed [json-pointer:/blocks]";
    check_refused(&vendor, &vec![json!({ "type": "divider" }); 51], error).await;

    let long = |last: usize| [section(3000), section(3000), section(3000), section(3000), section(last)];
    check_taken(&vendor, &long(1200), "13,200 characters").await;
    let answer = post(&vendor, &json!({ "channel": "C1", "blocks": long(1201) })).await;
    assert_eq!(answer.body, json!({ "ok": false, "error": "msg_blocks_too_long" }));
}

#[tokio::test]
async fn blocks_of_a_wrong_form_are_refused_with_the_place() {
    let vendor = Slack::start().await.unwrap();
    let cases = [
        (json!({ "type": "banner" }), "unsupported type: banner [json-pointer:/blocks/0/type]"),
        (json!({ "type": "section" }), "missing required field: text [json-pointer:/blocks/0]"),
        (
            json!({ "type": "section", "text": { "type": "mrkdwn", "text": "" } }),
            "must be more than 0 characters [json-pointer:/blocks/0/text/text]",
        ),
        (
            json!({ "type": "header", "text": mrkdwn(1) }),
            "must be a valid enum value [json-pointer:/blocks/0/text/type]",
        ),
        (
            json!({ "type": "actions", "elements": [{ "type": "button", "text": mrkdwn(1) }] }),
            "must be a valid enum value [json-pointer:/blocks/0/elements/0/text/type]",
        ),
        (context(0), "no fewer than 1 items allowed [json-pointer:/blocks/0/elements]"),
        (fields(0, 1), "no fewer than 1 items allowed [json-pointer:/blocks/0/fields]"),
        (json!({ "type": "image", "image_url": "x" }), "missing required field: alt_text [json-pointer:/blocks/0]"),
        (json!({ "type": "image", "alt_text": "x" }), "missing required field: image_url [json-pointer:/blocks/0]"),
    ];
    for (block, error) in cases {
        check_refused(&vendor, &[block], error).await;
    }
    let twice = "`block_id` must be unique [json-pointer:/blocks/1/block_id]";
    check_refused(&vendor, &[named(3), named(3)], twice).await;
    assert!(vendor.messages().is_empty());
}
