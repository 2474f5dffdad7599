//! A kept webhook is read as the whole one was, and holds nothing that no mapping reads.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use domain::{Alert, AlertId, Timestamp};
use secrecy::SecretString;
use serde_json::{Value, json};
use tocsin_sources::{Auth, DecodeError, Inbound, Kind, Mapping, Source};

const SECRET: &str = "dG9jc2luIGxvY2FsIHNlY3JldCBvbmx5";

fn source(kind: Kind, custom: Mapping) -> Source {
    let auth = Auth::new("bearer", vec![SecretString::from(SECRET)]).expect("a secret");
    Source { name: kind.as_str().to_owned(), kind, auth, mapping: kind.default_mapping().overlay(custom) }
}

fn whole(source: &Source, body: &[u8]) -> Result<Vec<Alert>, DecodeError> {
    let inbound = Inbound { headers: &[], query: "", body, received_at: Timestamp::UNIX_EPOCH };
    source.decode(&inbound, &mut || AlertId::new("a"))
}

fn kept(source: &Source, body: &[u8]) -> (Value, Vec<Alert>) {
    let kept = source.redacted(body).expect("it was decoded");
    let alerts = source.decode_redacted(&kept, Timestamp::UNIX_EPOCH, &mut || AlertId::new("a"));
    (kept, alerts.expect("it is read again"))
}

#[test]
fn every_event_is_read_again_as_it_was() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events");
    let mut read = 0;
    for kind in Kind::ALL {
        let source = source(*kind, Mapping::default());
        for file in std::fs::read_dir(root.join(kind.as_str())).into_iter().flatten() {
            let path = file.expect("it is read").path();
            let body = std::fs::read(&path).expect("it is read");
            let Ok(alerts) = whole(&source, &body) else { continue };
            let (kept, again) = kept(&source, &body);
            assert_eq!(again, alerts, "{}", path.display());
            assert!(kept.to_string().len() <= body.len(), "{}", path.display());
            read += 1;
        }
    }
    assert!(read > 15, "{read}");
}

#[test]
fn what_no_pointer_names_is_not_kept() {
    let canary = "canary of a prompt";
    let alert = json!({
        "name": "p95", "metric": "latency", "status": "triggered", "prompt": canary, "labels": { "model": "m", "user": canary },
        "spans": [ { "completion": canary } ], "link": ["https://a.example/1", "https://a.example/2"],
        "threshold": { "value": 2.5, "note": canary }, "service": { "name": "chat", "owner": canary },
    });
    let arize = source(Kind::Arize, Mapping::default());
    let (one, alerts) = kept(&arize, alert.to_string().as_bytes());
    assert!(!one.to_string().contains("canary"), "{one}");
    assert_eq!((alerts[0].threshold, alerts[0].service.as_str(), alerts[0].links.len()), (Some(2.5), "chat", 2));

    // A list of alerts, one of which the pointers reach into a list of its own.
    let custom = Mapping {
        alerts: Some("/batch/alerts".to_owned()),
        labels: [("second".to_owned(), vec!["/tags/1".to_owned()]), ("all".to_owned(), vec![String::new()])].into(),
        ..Mapping::default()
    };
    let generic = source(Kind::Arize, custom);
    let body = json!({ "batch": { "by": canary, "alerts": [
        { "name": "a", "tags": [canary, "kept", canary] }, { "name": "b", "prompt": canary },
    ] } });
    let (several, alerts) = kept(&generic, body.to_string().as_bytes());
    assert_eq!(alerts, whole(&generic, body.to_string().as_bytes()).expect("it is decoded"));
    assert_eq!(several, json!({ "batch": { "alerts": [ { "name": "a", "tags": [null, "kept"] }, { "name": "b" } ] } }));
    assert_eq!(alerts[0].labels["second"], "kept");

    let none = json!({ "batch": { "alerts": [] } }).to_string();
    assert!(kept(&generic, none.as_bytes()).1.is_empty());
}
