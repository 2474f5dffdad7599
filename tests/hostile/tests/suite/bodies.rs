//! Bodies that are no JSON, or no alert, at every source.

use sources::Kind;
use tocsin_hostile::json_bodies::run;
use tocsin_hostile::small;
use tocsin_hostile::target::Target;

#[tokio::test(flavor = "multi_thread")]
async fn every_body_has_its_status_at_every_source_and_only_alerts_call_aws() -> anyhow::Result<()> {
    let cases = small::json_bodies();
    let seen = run(&Target::start().await?, &cases).await?;
    let sources = Kind::ALL.len();
    assert_eq!((seen.unauthenticated, seen.alone), (2 * sources * cases.len(), sources * cases.len()));
    assert_eq!(seen.inside.values().sum::<usize>(), sources * cases.len());
    assert!(seen.inside.keys().all(|status| [202, 400].contains(status)), "{seen:?}");
    Ok(())
}
