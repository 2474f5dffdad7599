//! `tocsin init`, `check` and `render` as a user runs them, one after the other.

use std::collections::BTreeSet;
use std::path::Path;

use crate::running::{check_refused, run};

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).expect("it is there")
}

#[test]
fn what_init_writes_passes_check_and_holds_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("new");
    let arguments = ["init", dir.to_str().expect("UTF-8"), "--templates", "--url", "https://alerts.acme.example"];
    let (status, output, errors) = run(&arguments, &[]);
    assert_eq!((status, errors.as_str()), (0, ""));
    let config = dir.join("tocsin.yaml");
    let written = text(&config);
    assert_eq!(written, include_str!("../../../../infra/config/tocsin.yaml"));

    let secrets: Vec<(&str, &str)> = output
        .lines()
        .filter_map(|line| line.strip_prefix("  export ")?.strip_suffix('\'')?.split_once("='"))
        .collect();
    let names: Vec<&str> = secrets.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["TOCSIN_ARIZE_SECRET", "TOCSIN_GENERIC_SECRET"]);
    let (_, again, _) = run(&["init", folder.path().join("other").to_str().expect("UTF-8")], &[]);
    for (_, secret) in &secrets {
        assert!(secret.len() >= 40 && !written.contains(secret) && !again.contains(secret), "{secret}");
    }
    assert_eq!(secrets.iter().map(|(_, secret)| secret).collect::<BTreeSet<_>>().len(), secrets.len());
    for source in ["arize", "alertmanager", "grafana", "datadog", "cloudwatch", "generic"] {
        assert!(output.contains(&format!("https://alerts.acme.example/alerts/{source}")), "{source}: {output}");
    }
    for command in ["check", "route", "render", "local", "doctor"] {
        assert!(output.contains(&format!("\n  tocsin {command} ")), "{command}: {output}");
    }

    let (config, templates) = (config.to_str().expect("UTF-8"), dir.join("templates"));
    let settings: Vec<(String, String)> = secrets.iter().map(|(n, s)| ((*n).to_owned(), (*s).to_owned())).collect();
    let checked = run(&["check", config, "--templates", templates.to_str().expect("UTF-8")], &settings);
    assert_eq!(checked, (0, format!("{config}: no mistakes\n"), String::new()));
}

#[test]
fn init_overwrites_nothing_and_writes_nothing_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let template = folder.path().join("templates/slack/reply.hbs");
    std::fs::create_dir_all(template.parent().expect("a folder")).expect("made");
    std::fs::write(&template, "mine").expect("written");
    let dir = folder.path().to_str().expect("UTF-8");
    check_refused(&["init", dir, "--templates"], &[], &["templates/slack/reply.hbs", "nothing is overwritten"]);
    assert_eq!(text(&template), "mine");
    assert!(!folder.path().join("tocsin.yaml").exists());
    assert_eq!(run(&["init", dir], &[]).0, 0);
    check_refused(&["init", dir], &[], &["tocsin.yaml", "nothing is overwritten"]);
}

#[test]
fn check_tells_of_config_and_templates_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    std::fs::create_dir(dir.join("slack")).expect("made");
    let once = "*{{headline}}*\n{{#if (eq transition \"escalated\")}}{{unknown_helper headline}}{{/if}}";
    std::fs::write(dir.join("slack/reply.hbs"), once).expect("written");
    std::fs::write(dir.join("slack/message.hbs"), "{{#if headline}}").expect("written");
    let config = dir.join("tocsin.yaml");
    let bad = include_str!("../../../../infra/config/tocsin.yaml").replace("cooldown: 30m", "cool_down: 30m");
    std::fs::write(&config, bad.replace("${SLACK_BOT_TOKEN}", "open-sesame")).expect("written");
    let (config, templates) = (config.to_str().expect("UTF-8"), dir.to_str().expect("UTF-8"));
    let (status, output, errors) = run(&["check", config, "--templates", templates], &[]);
    assert_eq!((status, errors.as_str()), (1, ""), "{output}");
    for part in [
        "rules.latency.cool_down: there is no such field here; did you mean `cooldown`?",
        "receivers.ai-ops.token: a secret must not stand in the file;",
        "slack/message.hbs:1: ",
        "slack/reply.hbs:2: ",
        "; seen in escalated of ",
    ] {
        assert!(output.contains(part), "{part} is not in\n{output}");
    }
    assert_eq!(output.lines().count(), 4, "{output}");
}

#[test]
fn render_prints_one_request_or_writes_a_page_of_all() {
    let event = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/arize/latency_p95.json");
    let (status, output, _) = run(&["render", "--receiver", "on-call", "--event", event], &[]);
    assert_eq!(status, 0);
    let request: serde_json::Value = serde_json::from_str(&output).expect("JSON");
    assert_eq!(
        (request["step"].as_str(), request["body"]["routing_key"].as_str()),
        (Some("trigger"), Some("[hidden]"))
    );
    check_refused(
        &["render", "--receiver", "nobody", "--event", event],
        &[],
        &["--receiver nobody", "on-call, ai-ops"],
    );

    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("preview");
    let (status, output, errors) = run(&["render", "--event", event, "--out", out.to_str().expect("UTF-8")], &[]);
    assert_eq!((status, errors.as_str()), (0, ""));
    let page = text(Path::new(output.trim_end()));
    for part in ["on-call", "ai-ops", "tickets", "opened", "resolved", "reopened", "chat.update"] {
        assert!(page.contains(part), "{part}");
    }
}
