//! `tocsin replay` over a recording, and the recording that `tocsin local --record` makes.

use std::path::Path;

use serde_json::json;

use crate::running::{Running, check_refused, json_of, run};

/// Alerts of the recording, two minutes apart.
const ALERTS: u32 = 1000;

const CONFIG: &str = r#"
sources: { arize: { auth: { kind: bearer, secrets: [ "${ARIZE}" ] } } }
rules:
  - name: latency
    match: { metric: latency_p95 }
    group_by: [service, metric, model]
    cooldown: COOLDOWN
    receivers: [on-call, ai-ops, tickets]
default: { receivers: [ai-ops] }
receivers:
  on-call: { kind: pagerduty, routing_key: "${ROUTING_KEY}" }
  ai-ops: { kind: slack, token: "${SLACK}", channel: C0AIOPS001 }
  tickets: { kind: jira, base_url: "https://acme.atlassian.net", email: a@b.example, token: "${JIRA}", project: OPS }
"#;

/// Ten models take turns: five fire and clear in turn, five fire and never clear.
fn recording(folder: &Path, alerts: u32) {
    let mut lines = String::new();
    let begin: i64 = 1_793_000_000;
    for number in 0..alerts {
        let at = begin + i64::from(number) * 120;
        let model = number % 10;
        let turn = number / 10;
        let status = if model < 5 && turn % 2 == 1 { "resolved" } else { "triggered" };
        lines.push_str(&line(at, model, status));
    }
    std::fs::write(folder.join("webhooks-2026-10-25.jsonl"), lines).expect("written");
}

/// One webhook as it is kept.
fn line(at: i64, model: u32, status: &str) -> String {
    let at = jiff::Timestamp::from_second(at).expect("a time");
    let mut line = json!({ "source": "arize", "received_at": at, "body": {
        "service": "chatbot", "metric": "latency_p95", "monitor": format!("p95 of {model}"), "status": status,
        "labels": { "model": format!("m{model}") },
    } })
    .to_string();
    line.push('\n');
    line
}

fn config(folder: &Path, name: &str, cooldown: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, CONFIG.replace("COOLDOWN", cooldown)).expect("written");
    path.display().to_string()
}

fn number(output: &str, what: &str) -> Vec<u64> {
    let line = output.lines().find(|line| line.starts_with(what)).expect("the row is there");
    line.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

#[test]
fn a_changed_cooldown_is_told_exactly_and_twice_alike() {
    let folder = tempfile::tempdir().expect("a folder");
    recording(folder.path(), ALERTS);
    let (long, short) = (config(folder.path(), "long.yaml", "1h"), config(folder.path(), "short.yaml", "1m"));
    let dir = folder.path().to_str().expect("UTF-8");
    let arguments = ["replay", "--config", &short, "--against", &long, dir];
    let first = run(&arguments, &[]);
    assert_eq!((first.0, first.2.as_str()), (0, ""), "{}", first.1);
    assert_eq!(run(&arguments, &[]), first, "two runs differ");
    let output = first.1;
    assert!(output.starts_with("1000 webhooks, 1000 alerts and clears, "), "{output}");

    for (row, meaning) in [
        ("incidents", "problems that opened"),
        ("pages", "calls that wake someone"),
        ("suppressed: duplicate", "an incident that was open"),
        ("suppressed: cooling_down", "in the cooldown"),
    ] {
        let found = output.lines().find(|line| line.starts_with(row)).expect("the row is there");
        assert!(found.contains(meaning), "{found}");
    }
    let pages = number(&output, "pages");
    let [before, after] = pages[..] else { panic!("{output}") };
    assert!(before < after && before >= 10, "{output}");
    assert!(output.contains(&format!("(+{})", after - before)), "{output}");
    // The difference, line by line, is what the totals say.
    let added = output.lines().filter(|line| line.starts_with("+ ") && line.contains("page on-call opened")).count();
    let removed = output.lines().filter(|line| line.starts_with("- ") && line.contains("page on-call opened")).count();
    assert_eq!(
        u64::try_from(added).expect("small") + before,
        u64::try_from(removed).expect("small") + after,
        "{output}"
    );
    let differing = output.lines().filter(|line| line.starts_with(['+', '-', '~'])).count();
    assert!(output.contains(&format!("{differing} incidents differ:")), "{output}");
}

#[test]
fn what_nobody_was_told_of_has_its_reason_and_the_same_config_differs_in_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    recording(folder.path(), 200);
    let long = config(folder.path(), "long.yaml", "1h");
    let dir = folder.path().to_str().expect("UTF-8");
    let alone = json_of(&["replay", "--json", "--config", &long, dir], &[]);
    let totals = &alone["new"];
    // Those that clear open every 80 minutes, of 400; the others once.
    assert_eq!(["incidents", "pages", "tickets"].map(|name| totals[name].as_u64()), [Some(30); 3], "{totals}");
    // An opening and an end each; what never clears has no end.
    assert_eq!(totals["messages"].as_u64(), Some(55), "{totals}");
    let suppressed = json!({ "already_resolved": 25, "cooling_down": 25, "duplicate": 95 });
    assert_eq!(totals["suppressed"], suppressed);
    let same = run(&["replay", "--config", &long, "--against", &long, dir], &[]).1;
    assert!(same.ends_with("no incident differs\n"), "{same}");
}

#[test]
fn what_a_cooldown_held_back_opens_when_it_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let begin: i64 = 1_793_000_000;
    let minutes = [(0, "triggered"), (10, "resolved"), (20, "triggered"), (75, "triggered")];
    let lines = minutes.map(|(minute, status)| line(begin + minute * 60, 1, status)).concat();
    std::fs::write(folder.path().join("webhooks-2026-10-25.jsonl"), lines).expect("written");
    let config = config(folder.path(), "config.yaml", "1h");
    let dir = folder.path().to_str().expect("UTF-8");
    let totals = &json_of(&["replay", "--json", "--config", &config, dir], &[])["new"];
    assert_eq!(["pages", "messages"].map(|name| totals[name].as_u64()), [Some(2), Some(3)], "{totals}");
    assert_eq!(totals["suppressed"], json!({ "cooling_down": 1, "duplicate": 1 }));
}

#[test]
fn what_cannot_be_replayed_is_told_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = config(folder.path(), "config.yaml", "1h");
    let dir = folder.path().to_str().expect("UTF-8");
    check_refused(&["replay", "--config", &config, dir], &[], &["holds no webhook", "--record"]);
    let file = folder.path().join("webhooks-2026-10-25.jsonl");
    std::fs::write(&file, "{}\n").expect("written");
    check_refused(&["replay", "--config", &config, dir], &[], &["webhooks-2026-10-25.jsonl:1", "no recorded webhook"]);
    let unread = r#"{"source":"gone","received_at":"2026-10-25T00:00:00Z","body":{}}"#;
    std::fs::write(&file, format!("{unread}\n{unread}\n")).expect("written");
    let (status, output, _) = run(&["replay", "--config", &config, dir], &[]);
    assert_eq!((status, number(&output, "unread: no source gone")), (0, vec![2]), "{output}");
    check_refused(&["replay", "--config", "nowhere.yaml", dir], &[], &["nowhere.yaml", "cannot be read"]);
}

#[test]
fn local_records_what_the_config_reads_and_replay_reads_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("kept");
    let kept = kept.to_str().expect("UTF-8");
    let mut local = Running::start(&["local", "--listen", "127.0.0.1:0", "--record", kept], &[]);
    let url = local.line("Tocsin listens on ");
    let event = include_str!("../../../../events/arize/latency_p95.json");
    let mut body: serde_json::Value = serde_json::from_str(event).expect("JSON");
    body["prompt"] = "canary of a prompt".into();
    body["monitor_owner"] = "canary of a person".into();
    let sent = folder.path().join("event.json");
    std::fs::write(&sent, body.to_string()).expect("written");
    let sent = sent.to_str().expect("UTF-8");
    assert_eq!(run(&["send", "--source", "arize", "--to", &url, sent], &[]).0, 0);
    // A webhook that is not taken is not kept.
    let wrong = ["send", "--source", "arize", "--to", &url, "--secret", "0123456789abcdefg", sent];
    assert_eq!(run(&wrong, &[]).0, 1);
    local.kill();
    let files: Vec<_> = std::fs::read_dir(kept).expect("made").map(|file| file.expect("read").path()).collect();
    let text = std::fs::read_to_string(&files[0]).expect("UTF-8");
    assert_eq!((files.len(), text.lines().count()), (1, 1));
    for absent in ["canary", "authorization", "dG9jc2luIGxvY2FsIHNlY3JldCBvbmx5", "0123456789abcdefg"] {
        assert!(!text.contains(absent), "{absent} was kept: {text}");
    }
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/config/tocsin.yaml");
    let (status, output, errors) = run(&["replay", "--config", example, kept], &[]);
    assert_eq!((status, errors.as_str()), (0, ""));
    assert_eq!(
        (number(&output, "pages"), number(&output, "messages"), number(&output, "tickets")),
        (vec![1], vec![1], vec![1])
    );
    assert!(output.contains("metrics are not asked"), "{output}");
}
