//! `tocsin engines`, and the commands that follow incidents.

use aws::{Clients, Endpoints};
use serde_json::Value;

use crate::running::{check_refused, demo, engines, json_of, run};
use crate::tamper;

#[test]
fn incidents_outlive_their_functions_and_read_the_same_from_table_and_address() {
    let (_engines, exports) = engines();
    let (mut local, url, id) = demo(&exports);
    for command in [&["incidents"][..], &["timeline", &id], &["deliveries"], &["deliveries", "--dead"]] {
        let at = |place: [&str; 2]| json_of(&[command, &place, &["--json"]].concat(), &exports);
        let (of_table, of_address) = (at(["--table", "tocsin"]), at(["--url", &url]));
        assert_eq!(of_table, of_address, "{command:?}");
    }
    local.kill();

    let listed = json_of(&["incidents", "--table", "tocsin", "--json"], &exports);
    assert_eq!(listed.pointer("/incidents/0/id"), Some(&Value::from(id.as_str())));
    let named = [exports.clone(), vec![("TOCSIN_TABLE".to_owned(), "tocsin".to_owned())]].concat();
    let (status, table, _) = run(&["incidents"], &named);
    let mut lines = table.lines();
    assert_eq!((status, lines.clone().count()), (0, 2));
    assert!(lines.next().is_some_and(|header| header.starts_with("ID ")), "{table}");
    let row: Vec<&str> = lines.next().expect("a row").split_whitespace().collect();
    assert_eq!(row[..6], [&id, "open", "error", "support-chatbot", "latency_p95", "1"].map(|cell| cell));

    let (_, timeline, _) = run(&["timeline", &id, "--table", "tocsin"], &exports);
    for told in ["suspect: deployment", "the detectors confirmed it; telling on-call, ai-ops, tickets", "/tickets/0"] {
        assert!(timeline.contains(told), "{told} in {timeline}");
    }
    let deliveries = json_of(&["deliveries", "--table", "tocsin", "--json"], &exports);
    let listed = deliveries["deliveries"].as_array().expect("a list");
    assert_eq!(listed.iter().map(|d| &d["state"]).collect::<Vec<_>>(), ["delivered"; 3]);
    let dead = json_of(&["deliveries", "--dead", "--table", "tocsin", "--json"], &exports);
    assert_eq!(dead.to_string(), r#"{"deliveries":[]}"#);

    let (_engines_again, other) = engines();
    let (status, _, errors) = run(&["incidents", "--table", "tocsin"], &other);
    assert_eq!(status, 2);
    assert!(errors.contains("table tocsin cannot be read"), "other engines know nothing: {errors}");
}

#[tokio::test]
async fn a_timeline_that_was_changed_or_cut_is_named_by_its_first_wrong_entry() {
    let (_engines, exports) = engines();
    let (_local, url, id) = demo(&exports);
    let check = |expected: i32, mention: &str| {
        for place in [["--table", "tocsin"], ["--url", &url]] {
            let (status, output, errors) = run(&["verify", &id, place[0], place[1]], &exports);
            assert_eq!((status, errors.as_str()), (expected, ""), "{output}");
            assert!(output.starts_with(&format!("{id}: ")) && output.contains(mention), "{output}");
            let (again, json, _) = run(&["verify", &id, place[0], place[1], "--json"], &exports);
            assert_eq!(again, expected);
            assert!(json.contains(if expected == 0 { r#""holds":true"# } else { r#""holds":false"# }), "{json}");
        }
    };
    check(0, "the timeline holds, 4 entries");
    let event = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/arize/cleared.json");
    assert_eq!(run(&["send", "--source", "arize", "--to", &url, event], &[]).0, 0);
    let state = || json_of(&["timeline", &id, "--url", &url, "--json"], &[])["state"].clone();
    while state() != "resolved" {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    check(0, "the timeline holds, 6 entries");

    let address = exports[0].1.as_str();
    let clients = Clients::local(&Endpoints::at(address, address));
    let before = tamper::timeline(&clients, &id).await;
    tamper::change(&clients, &before, "latency_p95", "latency_p50").await;
    check(1, "broken at entry 0: its content was changed");

    tamper::restore(&clients, &before).await;
    check(0, "the timeline holds");
    tamper::cut(&clients, &before).await;
    check(1, "it is missing: the incident knows of it");
}

#[test]
fn what_cannot_be_read_is_one_line_with_its_place_and_mend() {
    let nowhere = "http://127.0.0.1:9";
    check_refused(&["incidents", "--url", nowhere], &[], &[nowhere, "no answer", "--table"]);
    check_refused(&["deliveries", "--dead", "--url", nowhere], &[], &[nowhere, "no answer"]);
    check_refused(&["verify", "a b", "--url", nowhere], &[], &["a b", "letters, digits and dashes"]);
    check_refused(&["incidents", "--table", "tocsin"], &[], &["--table tocsin", "AWS_", "is not set"]);
    check_refused(&["redrive", "one", "--url", nowhere], &[], &["\"one\"", "tocsin deliveries --dead"]);
    check_refused(&["redrive", "--all", "--url", nowhere], &[], &[nowhere, "no answer"]);
    check_refused(&["engines", "--listen", "0.0.0.0:0"], &[], &["0.0.0.0:0", "not a loopback address", "--listen"]);

    let (_engines, exports) = engines();
    check_refused(&["incidents", "--table", "none-such"], &exports, &["table none-such cannot be read"]);
    let at = exports[0].1.as_str();
    check_refused(&["incidents", "--url", at], &exports, &[at, "`tocsin local`"]);
    let redrive = ["redrive", "--all", "--table", "tocsin"];
    check_refused(&redrive, &exports, &["TOCSIN_INBOX_DEAD_LETTER_QUEUE_URL", "TOCSIN_JIRA_QUEUE_URL"]);
    let (_local, url, _) = demo(&exports);
    check_refused(&["timeline", "none-such", "--url", &url], &[], &[&url, "none-such", "tocsin incidents"]);
    check_refused(&["verify", "none-such", "--table", "tocsin"], &exports, &["none-such", "tocsin incidents"]);
}
