//! Any bytes as the body of a webhook, at every source there is, and at one whose mapping names an array.
//!
//! Invariant: what comes out is bounded, shows nothing that moves a cursor, and links to the web alone.
#![no_main]

use std::sync::OnceLock;

use domain::{Alert, AlertId};
use libfuzzer_sys::fuzz_target;
use secrecy::SecretString;
use sources::{
    AHEAD_SECS_MAX, ALERTS_MAX, Auth, Inbound, Kind, LABELS_MAX, LINK_CHARS_MAX, LINKS_MAX, Mapping, Source,
    TEXT_CHARS_MAX,
};
use tocsin_fuzz::{SECRET, received_at};

fn all() -> &'static [Source] {
    static ALL: OnceLock<Vec<Source>> = OnceLock::new();
    ALL.get_or_init(|| {
        let auth = || Auth::new("bearer", vec![SecretString::from(SECRET)]).expect("a scheme");
        let source = |kind: Kind, mapping| Source { name: kind.as_str().to_owned(), kind, auth: auth(), mapping };
        let own = Mapping { alerts: Some("/alerts".to_owned()), ..Mapping::default() };
        let mapped = source(Kind::Generic, Kind::Generic.default_mapping().overlay(own));
        Kind::ALL.iter().map(|kind| source(*kind, kind.default_mapping())).chain([mapped]).collect()
    })
}

fuzz_target!(|body: &[u8]| {
    let inbound = Inbound { headers: &[], query: "", body, received_at: received_at() };
    for source in all() {
        match source.decode(&inbound, &mut || AlertId::new("id")) {
            Ok(alerts) => {
                assert!(alerts.len() <= ALERTS_MAX);
                alerts.iter().for_each(check);
            }
            Err(error) => {
                let shown = error.to_string();
                assert!(shown.chars().count() <= 9000 && !shown.contains(|c: char| c.is_control()), "{shown:?}");
            }
        }
    }
});

fn check(alert: &Alert) {
    let own = [&alert.source, &alert.monitor, &alert.service, &alert.metric];
    for text in own.into_iter().chain(alert.monitor_id.as_ref()).chain(alert.labels.values()) {
        assert!(!text.is_empty() && text.chars().count() <= TEXT_CHARS_MAX, "{text:?}");
        assert!(!text.contains(|c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}')), "{text:?}");
    }
    for number in [alert.value, alert.baseline, alert.threshold].into_iter().flatten() {
        assert!(number.is_finite());
    }
    assert!(alert.observed_at.as_second() <= alert.received_at.as_second() + AHEAD_SECS_MAX);
    assert!(alert.labels.len() <= LABELS_MAX && alert.links.len() <= LINKS_MAX);
    for link in &alert.links {
        let lower = link.href.to_lowercase();
        assert!(lower.starts_with("https://") || lower.starts_with("http://"), "{lower:?}");
        assert!(link.href.chars().count() <= LINK_CHARS_MAX && !link.href.contains(['<', '>', '"', '|', '\\']));
    }
    // Numbers are read to the last digit but one.
    let numberless = Alert { value: None, baseline: None, threshold: None, ..alert.clone() };
    let written = serde_json::to_string(&numberless).expect("can be written");
    assert_eq!(serde_json::from_str::<Alert>(&written).expect("can be read"), numberless, "it survives the queue");
}
