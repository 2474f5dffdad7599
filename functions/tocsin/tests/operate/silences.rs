//! `tocsin silence`: a label that nothing has is told of.

use serde_json::json;

use crate::running::{demo, engines, json_of, run};

#[test]
fn a_label_that_nothing_has_is_told_of_and_silenced_all_the_same() {
    let (_engines, exports) = engines();
    let (_local, url, _) = demo(&exports);
    let silence = |matcher: &str, more: &[&str]| {
        let arguments = ["silence", matcher, "--for", "1h", "--because", "a test", "--url", &url];
        let (status, output, errors) = run(&[&arguments[..], more].concat(), &exports);
        assert_eq!((status, errors.as_str()), (0, ""), "{output}");
        assert!(output.contains(": silent until "), "{output}");
        output.lines().filter(|line| line.starts_with("warning: ")).map(str::to_owned).collect::<Vec<_>>()
    };
    // Of the incident that is open, of the alert itself, of what sources give by themselves.
    for known in ["model=gpt-4o-mini", "service=chat", "metric_kind=latency", "namespace!=chat"] {
        assert_eq!(silence(known, &[]), [""; 0], "{known}");
    }
    assert_eq!(
        silence("modle=gpt-4o-mini", &[]),
        [
            "warning: no open incident, rule or source has a label modle, so that it mutes nothing without one; did you mean model?"
        ]
    );
    let warned = silence("shard!=a", &[]);
    assert!(warned[0].contains("a label shard, so that it holds for every alert without one"), "{warned:?}");

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tocsin.yaml");
    let text = r#"
sources: { generic: { auth: { secrets: [ "${GENERIC}" ] }, mapping: { labels: { shard: /shard } } } }
rules: [ { name: one, match: { shard: a }, group_by: [service], receivers: [on-call] } ]
default: { receivers: [on-call] }
receivers: { on-call: { kind: pagerduty, routing_key: "${ROUTING_KEY}" } }
"#;
    std::fs::write(&path, text).expect("written");
    let with = ["--config", path.to_str().expect("UTF-8")];
    for known in ["shard=a", "service=chat", "model=gpt-4o-mini"] {
        assert_eq!(silence(known, &with), [""; 0], "{known}");
    }
    assert_eq!(silence("namespace=chat", &with).len(), 1, "this config's source does not map it");

    let arguments = ["silence", "modle=x", "--for", "1h", "--because", "a test", "--url", &url, "--json"];
    assert_eq!(json_of(&arguments, &exports)["unknown_labels"], json!(["modle"]));
}
