//! What may have happened is asked after before it is sent again, and both answers are believed.

use domain::{Handle, Outcome, Transition};
use serde_json::{Value, json};

use crate::delivering::{Delivering, delivered};
use crate::fixtures::{INCIDENT, jira, jira_settings, jira_with, pagerduty, slack, time};
use crate::slack::thread;

/// A message of the channel, with the metadata of that delivery.
fn slack_message(ts: &str, event_type: &str, delivery: &str) -> Value {
    json!({
        "type": "message",
        "ts": ts,
        "metadata": {"event_type": event_type, "event_payload": {"delivery": delivery}},
    })
}

fn history(messages: &[Value]) -> String {
    json!({"ok": true, "messages": messages}).to_string()
}

fn ours() -> String {
    format!("{INCIDENT}/on-call/0")
}

#[test]
fn a_lost_post_is_looked_for_in_the_channel() {
    let request = Delivering::of(slack(), Transition::Opened).unsure_of("post").look_up("post");
    // 2026-11-23T09:12:30Z less five minutes.
    assert_eq!(
        request.url,
        "https://slack.com/api/conversations.history?channel=C0AIOPS&oldest=1795424850&limit=100\
         &include_all_metadata=true"
    );
}

#[test]
fn a_lost_post_that_is_there_is_not_posted_again() {
    let others = [
        slack_message("1795425100.000100", "tocsin_delivery", "4f2a9c01d7-2-691d8c30/on-call/0"),
        slack_message("1795425110.000100", "somebody_elses", &ours()),
        json!({"type": "message", "ts": "1795425120.000100", "text": format!("about {}", ours())}),
    ];
    let mut messages = others.to_vec();
    messages.push(slack_message("1795425150.000200", "tocsin_delivery", &ours()));
    let mut delivering = Delivering::of(slack(), Transition::Opened).unsure_of("post");
    let found = [("channel", "C0AIOPS"), ("ts", "1795425150.000200"), ("thread", "open")];
    assert_eq!(delivering.looked_up("post", 200, &history(&messages)), delivered(&found));
    delivering.check_finished();

    for absent in [history(&others), history(&[])] {
        let mut delivering = Delivering::of(slack(), Transition::Opened).unsure_of("post");
        assert_eq!(delivering.looked_up("post", 200, &absent), Outcome::Delivered(Handle::default()));
        delivering.request("post");
    }
}

#[test]
fn a_lost_post_is_looked_for_on_every_page() {
    let page = |cursor: &str| {
        let mut page = json!({"ok": true, "messages": [], "response_metadata": {"next_cursor": cursor}});
        page["has_more"] = (!cursor.is_empty()).into();
        page.to_string()
    };
    let delivering = Delivering::of(slack(), Transition::Opened).unsure_of("post");
    let further = delivering.looked_further("post", 200, &page("dGVhbTpD+/=")).map(|request| request.url);
    let first = Delivering::of(slack(), Transition::Opened).unsure_of("post").look_up("post").url;
    assert_eq!(further, Some(format!("{first}&cursor=dGVhbTpD%2B%2F%3D")));
    for last in [page(""), history(&[]), "no JSON".to_owned()] {
        assert!(delivering.looked_further("post", 200, &last).is_none(), "{last}");
    }
}

#[test]
fn a_lost_reply_is_looked_for_in_its_thread() {
    let lost = || Delivering::of(slack(), Transition::Reminded).knowing(thread()).unsure_of("reply");
    // 2026-11-23T10:12:30Z less five minutes.
    assert_eq!(
        lost().look_up("reply").url,
        "https://slack.com/api/conversations.replies?channel=C0AIOPS&oldest=1795428450&limit=100\
         &include_all_metadata=true&ts=1795425150.000200"
    );
    let messages = [slack_message("1795428751.000100", "tocsin_delivery", &ours())];
    let mut found = lost();
    assert_eq!(found.looked_up("reply", 200, &history(&messages)), delivered(&[("reply_ts", "1795428751.000100")]));
    found.check_finished();
    let mut absent = lost();
    assert_eq!(absent.looked_up("reply", 200, &history(&[])), Outcome::Delivered(Handle::default()));
    absent.request("reply");
}

#[test]
fn a_lost_answer_on_the_way_leads_into_a_look_up() {
    let mut posting = Delivering::of(slack(), Transition::Opened);
    posting.answered("post", 503, "");
    posting.look_up("post");
    let mut creating = Delivering::of(jira(), Transition::Opened);
    creating.answered("create", 502, "<html>bad gateway</html>");
    creating.look_up("create");
}

#[test]
fn a_lost_ticket_is_searched_by_its_label() {
    let lost = || Delivering::of(jira(), Transition::Opened).unsure_of("create");
    // project = "OPS" AND labels = "tocsin-4f2a9c01d7-3-6922d230" ORDER BY created ASC
    assert_eq!(
        lost().look_up("create").url,
        "https://acme.atlassian.net/rest/api/3/search/jql?jql=project%20%3D%20%22OPS%22%20AND%20labels%20%3D%20\
         %22tocsin-4f2a9c01d7-3-6922d230%22%20ORDER%20BY%20created%20ASC&fields=key&maxResults=1"
    );
    let mut found = lost();
    let answer = r#"{"issues":[{"id":"10042","key":"OPS-42"}],"isLast":true}"#;
    assert_eq!(found.looked_up("create", 200, answer), delivered(&[("key", "OPS-42")]));
    found.check_finished();
    let mut absent = lost();
    assert_eq!(absent.looked_up("create", 200, r#"{"issues":[],"isLast":true}"#), delivered(&[]));
    absent.request("create");
}

#[test]
fn a_lost_ticket_without_labels_is_searched_by_its_text() {
    let settings = tocsin_receivers::jira::Settings { labels: false, project: "A \"B\\".to_owned(), ..jira_settings() };
    let url = Delivering::of(jira_with(settings), Transition::Opened).unsure_of("create").look_up("create").url;
    // project = "A \"B\\" AND text ~ "\"4f2a9c01d7-3-6922d230\"" ORDER BY created ASC
    let jql = "project%20%3D%20%22A%20%5C%22B%5C%5C%22%20AND%20text%20~%20%22%5C%224f2a9c01d7-3-6922d230%5C%22%22";
    assert!(url.contains(&format!("?jql={jql}%20ORDER%20BY%20created%20ASC&")), "{url}");
}

fn comment(id: &str, line: &str) -> Value {
    let paragraph = |text: &str| json!({"type": "paragraph", "content": [{"type": "text", "text": text}]});
    json!({"id": id, "body": {"type": "doc", "version": 1, "content": [paragraph("Escalated"), paragraph(line)]}})
}

#[test]
fn a_lost_comment_is_looked_for_among_the_tickets_comments() {
    let lost =
        || Delivering::of(jira(), Transition::Escalated).knowing(Handle::with("key", "OPS-42")).unsure_of("comment");
    assert_eq!(
        lost().look_up("comment").url,
        "https://acme.atlassian.net/rest/api/3/issue/OPS-42/comment?maxResults=100&orderBy=-created"
    );
    // Delivery 0 is not delivery 01, nor a line that only mentions it.
    let others = [
        comment("1", &format!("Tocsin delivery {}1", ours())),
        comment("2", &format!("see Tocsin delivery {}", ours())),
        json!({"id": "3"}),
    ];
    let mut comments = others.to_vec();
    comments.push(comment("4", &format!("Tocsin delivery {}", ours())));
    let mut found = lost();
    let outcome = found.looked_up("comment", 200, &json!({"comments": comments}).to_string());
    assert_eq!(outcome, delivered(&[("comment", "4")]));
    found.check_finished();
    let mut absent = lost();
    assert_eq!(absent.looked_up("comment", 200, &json!({"comments": others}).to_string()), delivered(&[]));
    absent.request("comment");
}

#[test]
fn a_comment_of_ours_is_found_again_by_what_it_says() {
    let mut delivering = Delivering::of(jira(), Transition::Escalated).knowing(Handle::with("key", "OPS-42"));
    let written = delivering.body("comment")["body"].clone();
    delivering.progress.uncertain = Some("comment".to_owned());
    let comments = json!({"comments": [{"id": "10100", "body": written}]});
    let outcome = delivering.looked_up("comment", 200, &comments.to_string());
    assert_eq!(outcome, delivered(&[("comment", "10100")]));
}

#[test]
fn a_lost_move_is_seen_at_the_tickets_status() {
    let status = |category: &str| json!({"fields": {"status": {"statusCategory": {"key": category}}}}).to_string();
    let closing = || {
        let mut delivering =
            Delivering::of(jira(), Transition::Resolved).knowing(Handle::with("key", "OPS-42")).unsure_of("transition");
        delivering.progress.done = vec!["comment".to_owned(), "transitions".to_owned()];
        delivering.progress.handle = Handle::with("transition_id", "31");
        delivering
    };
    assert_eq!(closing().look_up("transition").url, "https://acme.atlassian.net/rest/api/3/issue/OPS-42?fields=status");
    let mut closed = closing();
    assert_eq!(closed.looked_up("transition", 200, &status("done")), delivered(&[("closed", "yes")]));
    closed.check_finished();
    let mut open = closing();
    assert_eq!(open.looked_up("transition", 200, &status("indeterminate")), delivered(&[]));
    open.request("transition");

    let reopening = || {
        let mut delivering = Delivering::of(jira(), Transition::Opened)
            .after_ticket("OPS-7", time("2026-11-23T09:00:00Z"))
            .unsure_of("reopen");
        delivering.progress.handle = Handle::with("key", "OPS-7").and("earlier", "11");
        delivering
    };
    let mut open = reopening();
    assert_eq!(open.looked_up("reopen", 200, &status("new")), delivered(&[("reopened", "yes")]));
    open.request("comment");
    let mut closed = reopening();
    assert_eq!(closed.looked_up("reopen", 200, &status("done")), delivered(&[]));
    closed.request("reopen");
}

#[test]
fn an_answer_that_tells_nothing_is_not_taken_for_absence() {
    let unread = ["", "<html>", "{}", r#"{"ok":"yes"}"#, "[]", "null"];
    for body in unread {
        let mut slack = Delivering::of(slack(), Transition::Opened).unsure_of("post");
        assert!(matches!(slack.looked_up("post", 200, body), Outcome::Retry { .. }), "{body}");
        let mut jira = Delivering::of(jira(), Transition::Opened).unsure_of("create");
        assert!(matches!(jira.looked_up("create", 200, body), Outcome::Retry { .. }), "{body}");
    }
    for status in [429, 500, 503] {
        let mut slack = Delivering::of(slack(), Transition::Opened).unsure_of("post");
        assert!(matches!(slack.looked_up("post", status, ""), Outcome::Retry { .. }), "{status}");
        let mut jira = Delivering::of(jira(), Transition::Opened).unsure_of("create");
        assert!(matches!(jira.looked_up("create", status, ""), Outcome::Retry { .. }), "{status}");
    }
    let rate_limited = r#"{"ok":false,"error":"ratelimited"}"#;
    let mut slack = Delivering::of(slack(), Transition::Opened).unsure_of("post");
    assert!(matches!(slack.looked_up("post", 200, rate_limited), Outcome::Retry { .. }));
}

#[test]
fn a_vendor_that_will_not_tell_is_told_apart() {
    let mut slack = Delivering::of(slack(), Transition::Opened).unsure_of("post");
    let refused = slack.looked_up("post", 200, r#"{"ok":false,"error":"missing_scope"}"#);
    assert_eq!(refused, Outcome::Rejected { why: "Slack answered missing_scope".to_owned() });
    let mut jira = Delivering::of(jira(), Transition::Opened).unsure_of("create");
    let refused = jira.looked_up("create", 403, r#"{"errorMessages":["no permission to browse"]}"#);
    assert_eq!(refused, Outcome::Rejected { why: "Jira answered 403: no permission to browse".to_owned() });
}

#[test]
fn a_look_up_waits_until_it_can_be_believed() {
    let delays = [pagerduty(), slack(), jira()].map(|receiver| receiver.lookup_delay_secs());
    assert_eq!(delays, [0, 2, 15], "Jira's search is eventually consistent");
}
