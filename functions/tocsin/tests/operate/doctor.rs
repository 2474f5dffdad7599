//! `tocsin doctor` against the stand-ins: what it finds, and that it leaves nothing behind.

use serde_json::Value;
use stand_ins::{Fault, StandIns};

use crate::running::{Settings, engines, run};

const CONFIG: &str = r#"
sources: { generic: { auth: { secrets: [ "${GENERIC}" ] } } }
prometheus: { url: "https://prometheus.example.com", token: "${PROMETHEUS_TOKEN}" }
datadog: { api_key: "${DD_API_KEY}", app_key: "${DD_APP_KEY}" }
github: { token: "${GITHUB_TOKEN}" }
arize_api: { key: "${ARIZE_KEY}" }
services: { support-chatbot: { repository: acme/support-chatbot } }
rules:
  - name: history
    match: { metric: drift }
    confirm: { from: arize, query: { space: s, model: m, monitor: n }, window: 10d, step: 1h, for: 1h, detectors: [iqr] }
    receivers: [pages]
default: { receivers: [pages, chat, board, tickets, issues, crm, spare] }
receivers:
  pages: { kind: pagerduty, routing_key: "${ROUTING_KEY}" }
  chat: { kind: slack, token: "${SLACK_TOKEN}", channel: C0AIOPS001 }
  board: { kind: slack, webhook_url: "${BOARD_URL}" }
  tickets: { kind: jira, base_url: "https://acme.atlassian.net", email: a@b.example, token: "${JIRA_TOKEN}", project: OPS }
  issues: { kind: linear, api_key: "${LINEAR_KEY}", team: 9cfb482a-81e3-4154-b5b9-2c805e70a02d }
  crm: { kind: webhook, url: "${CRM_URL}", secret: "${CRM_SECRET}" }
  spare: { kind: slack, token: "${SPARE_TOKEN}", channel: C0AIOPS002 }
"#;

/// A value that serves as any secret, and must never be shown.
const SECRET: &str = "c2VjcmV0IG9mIHRoZSBkb2N0b3IgdGVz";

struct Practice {
    stand_ins: StandIns,
    folder: tempfile::TempDir,
    settings: Settings,
}

impl Practice {
    async fn open() -> Self {
        let stand_ins = StandIns::start().await.expect("ports");
        stand_ins.github.seed_demo("2026-11-26T00:00:00Z".parse().expect("a time"));
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("tocsin.yaml"), CONFIG).expect("written");
        let secrets = [
            "GENERIC",
            "PROMETHEUS_TOKEN",
            "DD_API_KEY",
            "DD_APP_KEY",
            "GITHUB_TOKEN",
            "ARIZE_KEY",
            "ROUTING_KEY",
            "SLACK_TOKEN",
            "JIRA_TOKEN",
            "LINEAR_KEY",
            "CRM_SECRET",
        ];
        let mut settings: Settings = secrets.map(|name| (name.to_owned(), SECRET.to_owned())).into();
        for (name, url) in [
            ("TOCSIN_PAGERDUTY_API_URL", stand_ins.pagerduty.url()),
            ("TOCSIN_SLACK_API_URL", format!("{}/api", stand_ins.slack.url())),
            ("TOCSIN_JIRA_API_URL", stand_ins.jira.url()),
            ("TOCSIN_LINEAR_API_URL", stand_ins.linear.url()),
            ("TOCSIN_PROMETHEUS_URL", stand_ins.prometheus.url()),
            ("TOCSIN_DATADOG_API_URL", stand_ins.datadog.url()),
            ("TOCSIN_GITHUB_API_URL", stand_ins.github.url()),
            ("TOCSIN_ARIZE_API_URL", format!("{}/v2", stand_ins.arize.url())),
            ("TOCSIN_ARIZE_GRAPHQL_URL", format!("{}/graphql", stand_ins.arize.url())),
            ("BOARD_URL", stand_ins.slack.incoming_url()),
            ("CRM_URL", format!("{}/hidden-path", stand_ins.webhook.url())),
        ] {
            settings.push((name.to_owned(), url));
        }
        Self { stand_ins, folder, settings }
    }

    /// Exit status, and each check with its state and detail.
    async fn examine(&self, more: &[&str]) -> (i32, Vec<(String, String, String)>) {
        let config = self.folder.path().join("tocsin.yaml").display().to_string();
        let (settings, more) = (self.settings.clone(), more.iter().map(|m| (*m).to_owned()).collect::<Vec<_>>());
        let told = tokio::task::spawn_blocking(move || {
            let mut arguments = vec!["doctor", "--json", "--config", config.as_str()];
            arguments.extend(more.iter().map(String::as_str));
            run(&arguments, &settings)
        });
        let (status, output, errors) = told.await.expect("it ends");
        assert!(!output.contains(SECRET) && !output.contains("hidden-path") && errors.is_empty(), "{output} {errors}");
        let told: Value = serde_json::from_str(&output).expect("JSON");
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let checks = told["checks"].as_array().expect("a list");
        (status, checks.iter().map(|c| (text(&c["check"]), text(&c["state"]), text(&c["detail"]))).collect())
    }

    fn assert_untouched(&self) {
        let all = &self.stand_ins;
        assert!(all.pagerduty.events().is_empty() && all.pagerduty.changes().is_empty(), "an event was sent");
        assert!(all.slack.messages().is_empty() && all.slack.mentions().is_empty(), "a message was sent");
        assert_eq!(all.jira.created(), 0, "a ticket was made");
        assert!(all.linear.issues().is_empty() && all.linear.comments().is_empty(), "an issue was made");
        assert!(all.webhook.taken().is_empty(), "a webhook was sent");
    }
}

#[track_caller]
fn check(checks: &[(String, String, String)], name: &str, state: &str, parts: &[&str]) {
    let (_, found, detail) = checks.iter().find(|(own, ..)| own == name).expect("it is checked");
    assert_eq!(found, state, "{name}: {detail}");
    assert!(parts.iter().all(|part| detail.contains(part)), "{name}: {detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_vendor_is_asked_and_nothing_is_made_anywhere() {
    let practice = Practice::open().await;
    let (status, checks) = practice.examine(&[]).await;
    let names: Vec<&str> = checks.iter().map(|(name, ..)| name.as_str()).collect();
    let receivers = ["pages", "chat", "board", "tickets", "issues", "crm", "spare"].map(|n| format!("receivers.{n}"));
    let mut expected: Vec<&str> = receivers.iter().map(String::as_str).collect();
    expected.extend(["prometheus", "datadog", "github", "arize_api"]);
    assert_eq!(names, expected);
    check(&checks, "receivers.pages", "ok", &["PagerDuty", "only an event proves it"]);
    check(&checks, "receivers.chat", "ok", &["tocsin in Acme", "C0AIOPS001 can be read"]);
    check(&checks, "receivers.board", "ok", &["only a message proves"]);
    check(&checks, "receivers.tickets", "ok", &["may create Task in OPS"]);
    check(&checks, "receivers.issues", "ok", &["Engineering"]);
    check(&checks, "receivers.crm", "ok", &["answers"]);
    check(&checks, "receivers.spare", "skipped", &["no credentials; set SPARE_TOKEN"]);
    check(&checks, "prometheus", "ok", &["answers a query"]);
    check(&checks, "datadog", "ok", &["both keys"]);
    check(&checks, "github", "ok", &["4999 requests left", "1 repositories"]);
    check(&checks, "arize_api", "ok", &["history's key"]);
    assert_eq!(status, 0);
    let all = &practice.stand_ins;
    let asked = [
        all.pagerduty.requests(),
        all.slack.requests(),
        all.jira.requests(),
        all.linear.requests(),
        all.webhook.requests(),
        all.github.requests(),
        all.prometheus.requests(),
        all.datadog.requests(),
        all.arize.requests(),
    ];
    assert_eq!(asked, [1, 3, 2, 1, 1, 2, 1, 2, 2]);
    practice.assert_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_with_its_mend() {
    let practice = Practice::open().await;
    let all = &practice.stand_ins;
    all.pagerduty.faults().always(Fault::status(503));
    all.slack.faults().on("auth.test", 1, Fault::OkFalse { error: "invalid_auth".to_owned() });
    all.jira.only_projects(&["ENG"]);
    all.linear.faults().always(Fault::status(401));
    all.webhook.faults().always(Fault::Hang);
    all.prometheus.faults().always(Fault::Garbage);
    all.datadog.faults().on("/api/v1/query", 1, Fault::status(403));
    all.github.require_token(Some("another"));
    all.arize.fail_graphql("UNAUTHENTICATED");
    let (status, checks) = practice.examine(&["--timeout", "2"]).await;
    check(&checks, "receivers.pages", "failed", &["answers 503"]);
    check(&checks, "receivers.chat", "failed", &["invalid_auth", "xoxb-"]);
    check(&checks, "receivers.tickets", "failed", &["project OPS", "404", "create issues in OPS"]);
    check(&checks, "receivers.issues", "failed", &["401", "api_key"]);
    check(&checks, "receivers.crm", "failed", &["did not answer in time"]);
    check(&checks, "prometheus", "failed", &["no JSON"]);
    check(&checks, "datadog", "failed", &["403", "timeseries_query"]);
    check(&checks, "github", "failed", &["401", "new token"]);
    check(&checks, "arize_api", "failed", &["history", "graphql_key"]);
    assert_eq!(status, 1);
    practice.assert_untouched();

    all.jira.only_projects(&["OPS"]);
    let config = CONFIG.replace("project: OPS", "project: OPS, issue_type: Epic");
    std::fs::write(practice.folder.path().join("tocsin.yaml"), config).expect("written");
    all.slack.faults().on("conversations.history", 1, Fault::OkFalse { error: "not_in_channel".to_owned() });
    let (_, checks) = practice.examine(&["--timeout", "2"]).await;
    check(&checks, "receivers.tickets", "failed", &["no issue type Epic", "Task, Bug"]);
    check(&checks, "receivers.chat", "failed", &["not_in_channel", "invite the app"]);
    practice.assert_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployed_table_and_its_queues_are_asked() {
    let mut practice = Practice::open().await;
    let (engines, exports) = tokio::task::spawn_blocking(engines).await.expect("they start");
    practice.settings.extend(exports.clone());
    practice.settings.push(("TOCSIN_TABLE".to_owned(), "tocsin".to_owned()));
    practice
        .settings
        .push(("TOCSIN_INBOX_QUEUE_URL".to_owned(), format!("{}/000000000000/tocsin-inbox", exports[1].1)));
    let (status, checks) = practice.examine(&[]).await;
    check(&checks, "table", "failed", &["TOCSIN_TABLE", "dynamodb:GetItem"]);
    check(&checks, "queues", "failed", &["sqs:GetQueueAttributes"]);
    assert_eq!(status, 1);

    // `tocsin local` makes both on the engines.
    let settings = exports.clone();
    let local = tokio::task::spawn_blocking(move || {
        let mut local = crate::running::Running::start(&["local", "--listen", "127.0.0.1:0"], &settings);
        local.line("Tocsin listens on ");
        local
    });
    let local = local.await.expect("it starts");
    let (status, checks) = practice.examine(&[]).await;
    check(&checks, "table", "ok", &["tocsin can be read"]);
    check(&checks, "queues", "ok", &["1 queues answer", "0 messages"]);
    assert_eq!(status, 0);
    drop((local, engines));
}
