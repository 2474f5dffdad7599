//! Texts that were made to break what reads or shows them.

use domain::Transition;
use tocsin_hostile::{messages, naughty, small};

#[tokio::test(flavor = "multi_thread")]
async fn every_string_becomes_one_incident_that_shows_it_and_does_nothing() -> anyhow::Result<()> {
    let strings = small::naughty();
    let seen = naughty::run(&strings).await?;
    assert_eq!(seen.accepted, 4 * strings.len());
    assert!(seen.delivered >= 9 * strings.len(), "{seen:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_string_in_every_field_is_taken_by_every_vendor_at_every_transition() -> anyhow::Result<()> {
    for text in small::naughty() {
        let sent = messages::run(&text).await.map_err(|error| error.context(format!("{text:?}")))?;
        assert_eq!(sent, messages::FIELDS.len() * Transition::ALL.len() * 3);
    }
    Ok(())
}
