//! `tocsin redrive`.

use std::time::Duration;

use domain::ReceiverKind;
use serde_json::Value;
use stand_ins::Slack;

use crate::running::{Running, Settings, engines, json_of, run};

/// Polls the list of deliveries until it is as wanted.
async fn deliveries(url: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    for _ in 0..300 {
        let listed = json_of(&["deliveries", "--url", url, "--json"], &[]);
        let deliveries = listed["deliveries"].as_array().expect("a list").clone();
        if wanted(&deliveries) {
            return deliveries;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the deliveries did not come to that");
}

/// The queues' addresses, as a deployed function has them.
fn with_queues(exports: &Settings) -> Settings {
    let mut settings = exports.clone();
    for queue in std::iter::once("inbox").chain(ReceiverKind::ALL.map(ReceiverKind::as_str)) {
        let (at, name) = (&exports[1].1, queue.to_uppercase());
        settings.push((format!("TOCSIN_{name}_QUEUE_URL"), format!("{at}/000000000000/tocsin-{queue}")));
        settings
            .push((format!("TOCSIN_{name}_DEAD_LETTER_QUEUE_URL"), format!("{at}/000000000000/tocsin-{queue}-dead")));
    }
    settings
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_vendor_rejected_is_brought_once_the_vendor_takes_it() {
    let (_engines, mut exports) = engines();
    let slack = Slack::start().await.expect("it starts");
    slack.only_channels(&["C0OTHER001"]);
    exports.push(("TOCSIN_SLACK_API_URL".to_owned(), format!("{}/api", slack.url())));
    let mut local = Running::start(&["local", "--listen", "127.0.0.1:0"], &exports);
    let url = local.line("Tocsin listens on ");
    let event = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/arize/latency_p95.json");
    assert_eq!(run(&["send", "--source", "arize", "--to", &url, event], &[]).0, 0);

    let is_rejected = |d: &Value| d["state"] == "rejected" && d["kind"] == "slack";
    let all = deliveries(&url, |all| all.iter().any(is_rejected)).await;
    let id = all.iter().find(|d| is_rejected(d)).and_then(|d| d["id"].as_str()).expect("it has an id").to_owned();
    let (status, dead, _) = run(&["deliveries", "--dead", "--url", &url], &[]);
    assert_eq!((status, dead.lines().count()), (0, 2), "{dead}");
    assert!(dead.contains(&id) && dead.contains("channel_not_found"), "{dead}");

    slack.only_channels(&["C0AIOPS001"]);
    let (status, told, errors) = run(&["redrive", &id, "--url", &url], &[]);
    assert_eq!((status, errors.as_str()), (0, ""), "{told}");
    assert!(told.contains(&format!("{id}  on its way again")), "{told}");
    deliveries(&url, |all| all.len() == 3 && all.iter().all(|d| d["state"] == "delivered")).await;
    assert_eq!(slack.messages().len(), 1);

    // Twice does no harm, and says so.
    let (status, told, _) = run(&["redrive", &id, "--url", &url], &[]);
    assert_eq!(status, 1);
    assert!(told.contains("it is not dead"), "{told}");
    let none = format!("{id}9");
    let (status, told, _) = run(&["redrive", &none, "--url", &url, "--json"], &[]);
    assert_eq!((status, told.contains(r#""became":"missing""#)), (1, true), "{told}");

    // Its letter goes once it is dead no more.
    let (status, told, errors) = run(&["redrive", "--all", "--table", "tocsin"], &with_queues(&exports));
    assert_eq!((status, errors.as_str()), (0, ""), "{told}");
    assert!(told.contains("dead letters: 0 back in the inbox, 1 taken out, 0 left"), "{told}");
    assert_eq!(slack.messages().len(), 1);
}
