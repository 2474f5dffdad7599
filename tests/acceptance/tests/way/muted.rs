//! Who is not told: silences, maintenance, hours, phases, and what an open incident explains.

use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};
use stand_ins::Fault;
use tocsin_acceptance::{World, cleared, events, firing};

const CONFIG: &str = include_str!("../../src/config.yaml");

/// The suite's config with sections more, and fields more in its rule.
fn config(sections: &str, fields: &str) -> String {
    let rule = CONFIG.replacen("    cooldown: 30m\n", &format!("    cooldown: 30m\n{fields}"), 1);
    assert!(rule != CONFIG || fields.is_empty());
    format!("{sections}{rule}")
}

fn in_secs(world: &World, secs: i64) -> anyhow::Result<Timestamp> {
    use pipeline::ports::Clock;
    Ok(Timestamp::from_second(world.clock.now().as_second() + secs)?)
}

/// The reason of the newest incident, whose alerts nobody is told of.
async fn suppressed(world: &World) -> anyhow::Result<String> {
    let newest = world.newest().await?;
    assert_eq!(events(&newest).last().map(String::as_str), Some("suppressed"), "{newest}");
    Ok(newest["suppressed_because"]["reason"].as_str().unwrap_or_default().to_owned())
}

async fn silence(world: &World, silence: &Value) -> anyhow::Result<u16> {
    Ok(world.client().post(world.url("/api/silences")).json(silence).send().await?.status().as_u16())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_still_fires_when_its_silence_ends_is_told_then() -> anyhow::Result<()> {
    let world = World::start().await?;
    let until = in_secs(&world, 5)?;
    let matchers = json!([{ "label": "model", "test": { "glob": "gpt-4o*" } }]);
    let body =
        json!({ "id": "s-1", "matchers": matchers, "from": Timestamp::MIN, "until": until, "because": "a test" });
    assert_eq!(silence(&world, &body).await?, 200);
    assert_eq!(silence(&world, &json!({ "id": "s-2", "matchers": [], "from": "x" })).await?, 422);
    // Whatever was read of silences before is too old by then.
    world.clock.advance(31);
    let body = json!({ "id": "s-1", "matchers": matchers, "from": Timestamp::MIN, "until": in_secs(&world, 5)?, "because": "a test" });
    assert_eq!(silence(&world, &body).await?, 200);
    world.post(&firing("gpt-4o-mini")).await?;
    world.post(&firing("claude")).await?;
    let vendors = world.stand_ins();
    let told = |world: &World| world.stand_ins().pagerduty.triggers().len();
    for _ in 0..40 {
        if told(&world) == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(told(&world), 1, "the silence is for one model");
    let incidents = world.incidents().await?;
    let muted = incidents.iter().find(|i| i["labels"]["model"] == "gpt-4o-mini").expect("it is on record");
    assert_eq!((&muted["state"], &muted["suppressed_because"]["reason"]), (&json!("resolved"), &json!("silenced")));
    assert!(muted["suppressed_text"].as_str().is_some_and(|text| text.contains("silence s-1")), "{muted}");
    // Nobody sends it again: it is looked at when the silence ends.
    for _ in 0..200 {
        if told(&world) == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    world.quiet().await?;
    assert_eq!(vendors.pagerduty.triggers().len(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_that_is_ended_mutes_nothing_more_and_a_clear_is_told_through_one() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    let matchers = json!([{ "label": "service", "test": { "one_of": ["support-chatbot"] } }]);
    let body = json!({ "id": "s-1", "matchers": matchers, "from": Timestamp::MIN, "until": in_secs(&world, 3600)?, "because": "" });
    assert_eq!(silence(&world, &body).await?, 200);
    world.clock.advance(31);
    world.post(&firing("claude")).await?;
    world.post(&cleared("gpt-4o-mini")).await?;
    world.quiet().await?;
    let actions: Vec<String> = world.stand_ins().pagerduty.events().into_iter().map(|e| e.action).collect();
    assert_eq!(actions, ["trigger", "resolve"], "whoever was told that it began is told that it ended");
    let list = world.get("/api/silences").await?;
    assert_eq!(list["silences"].as_array().map(Vec::len), Some(1));
    let end = |id: &str| world.client().post(world.url(&format!("/api/silences/{id}/end"))).json(&json!({})).send();
    assert_eq!(end("s-1").await?.json::<Value>().await?, json!({ "ended": true }));
    assert_eq!(end("s-1").await?.json::<Value>().await?, json!({ "ended": false }));
    world.clock.advance(31);
    world.post(&firing("claude")).await?;
    world.quiet().await?;
    assert_eq!(world.stand_ins().pagerduty.triggers().len(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn maintenance_and_hours_hold_back_and_say_which() -> anyhow::Result<()> {
    let always = "time_intervals:\n  always: { times: [ { from: \"00:00\", to: \"24:00\" } ] }\n  \
                  never: { times: [ { years: [1999] } ] }\n";
    let maintenance = "maintenance:\n  move: { match: { service: support-chatbot }, during: always }\n";
    for (sections, fields, reason) in [
        (format!("{always}{maintenance}"), "", "maintenance"),
        (always.to_owned(), "    mute_time_intervals: always\n", "muted_time"),
        (always.to_owned(), "    active_time_intervals: never\n", "outside_active_time"),
    ] {
        let world = World::with_config(&config(&sections, fields), None).await?;
        world.post(&firing("gpt-4o-mini")).await?;
        world.quiet().await?;
        assert_eq!(suppressed(&world).await?, reason);
        assert_eq!(
            world.stand_ins().pagerduty.events().len() + world.stand_ins().slack.messages().len(),
            0,
            "{reason}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phase_tells_as_many_as_it_says_and_the_timeline_whom_it_did_not() -> anyhow::Result<()> {
    for (phase, pages, messages) in [("observe", 0, 0), ("notify", 0, 1), ("page", 1, 1)] {
        let world = World::with_config(&config("", &format!("    phase: {phase}\n")), None).await?;
        world.post(&firing("gpt-4o-mini")).await?;
        world.quiet().await?;
        let vendors = world.stand_ins();
        assert_eq!((vendors.pagerduty.triggers().len(), vendors.slack.messages().len()), (pages, messages), "{phase}");
        let newest = world.newest().await?;
        assert_eq!(
            (&newest["state"], events(&newest).contains(&"withheld".to_owned())),
            (&json!("open"), phase != "page")
        );
        world.post(&cleared("gpt-4o-mini")).await?;
        world.quiet().await?;
        assert_eq!(world.newest().await?["state"], "resolved", "{phase}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_not_told_of_the_opening_is_shown_no_counts() -> anyhow::Result<()> {
    for (phase, messages) in [("observe", 0), ("notify", 1)] {
        let fields = format!("    phase: {phase}\n    children: [endpoint]\n");
        let world = World::with_config(&config("", &fields), None).await?;
        for endpoint in ["/v1/chat", "/v1/embed"] {
            let mut alert = firing("gpt-4o-mini");
            alert["labels"]["endpoint"] = json!(endpoint);
            world.post(&alert).await?;
            world.quiet().await?;
        }
        // Counts are shown a second after the opening.
        world.clock.advance(5);
        tokio::time::sleep(Duration::from_secs(3)).await;
        world.quiet().await?;
        assert_eq!(world.newest().await?["children"]["total"], 2, "{phase}");
        assert_eq!(world.stand_ins().slack.messages().len(), messages, "{phase}");
        assert_eq!(world.stand_ins().pagerduty.events().len(), 0, "{phase}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_incident_explains_others_until_it_is_over() -> anyhow::Result<()> {
    let inhibit = "inhibit:\n  - { source: { model: gateway }, target: { metric: latency_p95 }, equal: [service] }\n";
    let world = World::with_config(&config(inhibit, ""), None).await?;
    world.post(&firing("gateway")).await?;
    world.quiet().await?;
    let explains = world.newest().await?["id"].as_str().unwrap_or_default().to_owned();
    world.post(&firing("gpt-4o-mini")).await?;
    // It explains others, not itself.
    world.post(&firing("gateway")).await?;
    world.quiet().await?;
    let vendors = world.stand_ins();
    assert_eq!(vendors.pagerduty.triggers().len(), 1);
    let incidents = world.incidents().await?;
    let muted = incidents.iter().find(|i| i["labels"]["model"] == "gpt-4o-mini").expect("it is on record");
    assert_eq!(muted["suppressed_because"]["reason"], "inhibited");
    assert_eq!(muted["suppressed_because"]["incident"], json!(explains));
    world.post(&cleared("gateway")).await?;
    world.quiet().await?;
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    assert_eq!(vendors.pagerduty.triggers().len(), 2, "nothing explains it any more");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_is_told_of_explains_nothing() -> anyhow::Result<()> {
    let inhibit = "inhibit:\n  - { source: { model: gateway }, target: { metric: latency_p95 }, equal: [service] }\n";
    let observed = "    rules: [ { name: gateway, match: { model: gateway }, phase: observe } ]\n";
    let world = World::with_config(&config(inhibit, observed), None).await?;
    for (model, pages) in [("gateway", 0), ("gpt-4o-mini", 1)] {
        world.post(&firing(model)).await?;
        world.quiet().await?;
        assert_eq!(world.stand_ins().pagerduty.triggers().len(), pages, "{model}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_form_could_send_changes_nothing() -> anyhow::Result<()> {
    let world = World::start().await?;
    let until = in_secs(&world, 3600)?;
    let matchers = json!([{ "label": "service", "test": { "one_of": ["support-chatbot"] } }]);
    let body = json!({ "id": "s-1", "matchers": matchers, "from": Timestamp::MIN, "until": until, "because": "" });
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        for path in ["/api/silences", "/api/silences/s-1/end", "/api/redrive"] {
            let request = world.client().post(world.url(path)).header("content-type", media_type);
            assert_eq!(request.body(body.to_string()).send().await?.status().as_u16(), 415, "{media_type} {path}");
        }
    }
    assert_eq!(world.get("/api/silences").await?["silences"], json!([]));
    Ok(())
}

/// A rule that is only tried out has an incident; the same problem becomes critical, which another rule pages for.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_only_observed_is_told_to_those_whom_its_severity_calls() -> anyhow::Result<()> {
    let critical = "  - { name: critical, match: { metric: latency_p95, severity: critical }, group_by: [service, metric, model], receivers: [on-call] }\n";
    let text = CONFIG.replacen("  - name: latency\n", &format!("{critical}  - name: latency\n    phase: observe\n"), 1);
    let world = World::with_config(&text, None).await?;
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    let vendors = world.stand_ins();
    assert_eq!((vendors.pagerduty.triggers().len(), vendors.slack.messages().len()), (0, 0));
    let mut worse = firing("gpt-4o-mini");
    worse["severity"] = "critical".into();
    world.post(&worse).await?;
    world.quiet().await?;
    assert_eq!(world.incidents().await?.len(), 1, "it is one problem");
    let triggers = vendors.pagerduty.triggers();
    assert_eq!(triggers.len(), 1, "{}", world.newest().await?);
    assert_eq!(triggers[0].body["payload"]["severity"], "critical");
    world.post(&cleared("gpt-4o-mini")).await?;
    world.until_state("resolved").await?;
    world.quiet().await?;
    let told: Vec<String> = vendors.pagerduty.events().into_iter().map(|event| event.action).collect();
    assert_eq!(told, ["trigger", "resolve"]);
    Ok(())
}

/// A step calls no more people than its rule's phase lets it.
#[tokio::test(flavor = "multi_thread")]
async fn a_phase_holds_for_the_steps_of_an_escalation() -> anyhow::Result<()> {
    for (phase, messages) in [("observe", 0), ("notify", 2)] {
        let fields = format!("    phase: {phase}\n    escalate: [ {{ after: 30m, receivers: [on-call] }} ]\n");
        let world = World::with_config(&config("", &fields), None).await?;
        world.post(&firing("gpt-4o-mini")).await?;
        world.quiet().await?;
        world.clock.advance(1800 + 301);
        assert_eq!(world.local.sweep().sweep(Duration::from_secs(20)).await.looks, 1);
        world.quiet().await?;
        assert_eq!(world.newest().await?["escalations"], 1);
        let vendors = world.stand_ins();
        assert_eq!(vendors.pagerduty.triggers().len(), 0, "{phase} pages nobody");
        assert_eq!(vendors.slack.messages().len(), messages, "{phase}");
    }
    Ok(())
}

/// Hours begin in which the rule tells nobody, while the detectors are asked: who was asked for is told.
#[tokio::test(flavor = "multi_thread")]
async fn hours_that_change_while_the_detectors_are_asked_leave_nobody_untold() -> anyhow::Result<()> {
    let clock = World::start().await?;
    let begins = in_secs(&clock, 120)?.to_string();
    let ends = in_secs(&clock, 2 * 3600)?.to_string();
    let of_day = |time: &str| time.get(11..16).map(str::to_owned).unwrap_or_default();
    let times = format!("{{ from: \"{}\", to: \"{}\" }}", of_day(&begins), of_day(&ends));
    let nights = format!("time_intervals: {{ nights: {{ time_zone: UTC, times: [ {times} ] }} }}\n");
    let world = World::with_config(&config(&nights, "    mute_time_intervals: [nights]\n"), None).await?;
    let prometheus = &world.stand_ins().prometheus;
    prometheus.faults().next(1, Fault::Delay(Duration::from_secs(1)));
    let before = prometheus.requests();
    world.post(&firing("gpt-4o-mini")).await?;
    while prometheus.requests() == before {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    world.clock.advance(180);
    world.quiet().await?;
    let newest = world.newest().await?;
    assert_eq!(newest["state"], "open", "{newest}");
    assert_eq!(world.stand_ins().pagerduty.triggers().len(), 1, "{newest}");
    Ok(())
}

/// The suite's config, whose rule tells Slack, and on-call too where it is critical.
fn critical_pages() -> String {
    let pages = "rules:\n  - name: critical\n    match: { metric: latency_p95, severity: critical }\n    \
                 group_by: [service, metric, model]\n    cooldown: 4s\n    receivers: [on-call, ai-ops]\n";
    let config = CONFIG.replace("cooldown: 30m", "cooldown: 4s").replace("[on-call, ai-ops, tickets]", "[ai-ops]");
    config.replace("rules:\n", pages).replace("default: { receivers: [ai-ops] }", "default: { receivers: [tickets] }")
}

fn of_severity(severity: &str) -> Value {
    let mut alert = firing("gpt-4o-mini");
    alert["severity"] = json!(severity);
    alert
}

/// On-call is paged within some seconds, once.
async fn paged(world: &World) -> anyhow::Result<()> {
    for _ in 0..300 {
        if !world.stand_ins().pagerduty.triggers().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    world.quiet().await?;
    let triggers = world.stand_ins().pagerduty.triggers();
    assert_eq!(triggers.len(), 1, "{}", world.newest().await?);
    assert_eq!(triggers[0].body["payload"]["severity"], "critical");
    assert_eq!(world.newest().await?["severity"], "critical");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_worse_under_a_silence_pages_when_that_ends() -> anyhow::Result<()> {
    let world = World::with_config(&critical_pages(), None).await?;
    world.post(&of_severity("warning")).await?;
    world.quiet().await?;
    assert_eq!(world.stand_ins().slack.messages().len(), 1);
    let body = json!({ "id": "s-1", "matchers": [{ "label": "model", "test": { "glob": "*" } }],
        "from": Timestamp::MIN, "until": in_secs(&world, 31 + 5)?, "because": "a test" });
    assert_eq!(silence(&world, &body).await?, 200);
    world.clock.advance(31);
    // Its source says so once.
    world.post(&of_severity("critical")).await?;
    let muted = world.until_state("open").await?;
    assert_eq!((&muted["severity"], world.stand_ins().pagerduty.triggers().len()), (&json!("warning"), 0));
    paged(&world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worst_of_what_a_cooldown_holds_back_opens_when_it_ends() -> anyhow::Result<()> {
    let world = World::with_config(&critical_pages(), None).await?;
    world.post(&of_severity("warning")).await?;
    world.quiet().await?;
    world.post(&cleared("gpt-4o-mini")).await?;
    world.until_state("resolved").await?;
    for severity in ["warning", "critical", "warning"] {
        world.post(&of_severity(severity)).await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let held = world.newest().await?;
    assert_eq!((&held["state"], &held["suppressed_because"]["reason"]), (&json!("resolved"), &json!("cooling_down")));
    paged(&world).await
}
