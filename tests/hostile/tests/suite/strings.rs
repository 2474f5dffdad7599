//! Texts that were made to break what reads or shows them.

use futures::{StreamExt, TryStreamExt, stream};
use tocsin_hostile::receivers::names;
use tocsin_hostile::{every_source, messages, naughty, small};

/// Strings that are sent at the same time.
const AT_ONCE: usize = 2;

#[tokio::test(flavor = "multi_thread")]
async fn every_string_becomes_one_incident_that_shows_it_and_does_nothing() -> anyhow::Result<()> {
    let strings = small::naughty();
    let seen = naughty::run(&strings).await?;
    assert_eq!(seen.accepted, 4 * strings.len());
    assert!(seen.delivered >= 3 * names().len() * strings.len(), "{seen:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_string_through_every_source_reaches_every_receiver() -> anyhow::Result<()> {
    let strings = small::naughty();
    let seen = every_source::run(&strings).await?;
    let sent = 3 * sources::Kind::ALL.len() * strings.len();
    assert_eq!(seen.accepted + seen.refused, sent, "{seen:?}");
    assert!(seen.accepted * 10 > sent * 9, "{seen:?}");
    assert_eq!(seen.delivered, seen.accepted * names().len(), "{seen:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_string_in_every_field_is_taken_by_every_vendor_at_every_transition() -> anyhow::Result<()> {
    let run = |text: String| async move {
        let sent = messages::run(&text).await.map_err(|error| error.context(format!("{text:?}")))?;
        assert_eq!(sent, messages::deliveries()?);
        anyhow::Ok(())
    };
    stream::iter(small::naughty())
        .map(|text| tokio::spawn(run(text)))
        .buffer_unordered(AT_ONCE)
        .map(|done| done?)
        .try_collect()
        .await
}
