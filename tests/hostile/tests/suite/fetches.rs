//! Links are shown, never fetched, and nothing that an alert says decides who is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use sources::Kind;
use tocsin_hostile::shown::texts;
use tocsin_hostile::target::Target;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Counts who comes.
struct Trap {
    address: String,
    connections: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Trap {
    async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        let accepting = tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Ok(Self { address, connections, accepting })
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Trap {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// An alert that names an address wherever one could be taken for something to read.
fn alert(address: &str, event: &str) -> Value {
    let url = |path: &str| format!("http://{address}/{path}");
    json!({
        "event": event,
        "monitor": {
            "id": url("monitor-id"), "name": url("name"), "metric": "latency_p95", "uri": url("uri"),
            "link": url("monitor-link"), "url": url("monitor-url"), "webhook_url": url("hook"),
            "model": { "name": url("model-name") },
        },
        "service": url("service"), "link": url("link"), "links": [url("first"), url("second")], "url": url("url"),
        "callback_url": url("callback"), "image_url": url("image.png"), "generatorURL": url("generator"),
        "externalURL": url("external"), "runbook": url("runbook"), "dashboard": url("dashboard"),
        "repository": url("repository"), "$ref": url("schema.json"), "avatar": url("avatar"),
        "labels": {
            "model": url("model"), "environment": url("environment"), "endpoint": url("endpoint"),
            "runbook_url": url("runbook-url"), "repository": url("repository"),
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn no_link_of_an_alert_is_fetched() -> anyhow::Result<()> {
    let trap = Trap::start().await?;
    let target = Target::start().await?;
    let headers: Vec<(String, String)> = [
        ("host", "{}"),
        ("x-forwarded-host", "{}"),
        ("x-original-url", "http://{}/original"),
        ("forwarded", "host={};proto=http"),
        ("referer", "http://{}/referer"),
        ("origin", "http://{}"),
        ("webhook-callback", "http://{}/callback"),
        ("webhook-allowed-origin", "http://{}"),
    ]
    .map(|(name, value)| (name.to_owned(), value.replace("{}", &trap.address)))
    .into();
    for event in ["monitor.triggered", "monitor.cleared"] {
        let body = alert(&trap.address, event).to_string();
        assert_eq!(target.post_signed(Kind::Arize, body.as_bytes()).await?.status, 202);
        let mut forwarded = headers.clone();
        forwarded.push(("authorization".to_owned(), tocsin::LOCAL_SECRET.to_owned()));
        assert_eq!(target.post("arize", &forwarded, body.as_bytes()).await?.status, 202);
        target.quiet().await?;
    }
    let listed = target.get("/api/incidents").await?;
    let id = listed["incidents"][0]["id"].as_str().expect("an incident").to_owned();
    target.page(&format!("/incidents/{id}")).await?;
    let vendors = target.local.stand_ins();
    let read = texts(&json!([
        vendors.pagerduty.events().iter().map(|event| event.body.clone()).collect::<Vec<_>>(),
        vendors.slack.messages(),
        vendors.jira.issues(),
    ]));
    for shown in ["uri", "first", "second"] {
        let link = format!("http://{}/{shown}", trap.address);
        assert!(read.contains(&link), "{link} is shown nowhere");
    }
    assert_eq!(trap.connections(), 0, "somebody followed a link");
    // The trap does count.
    drop(tokio::net::TcpStream::connect(&trap.address).await?);
    tokio::time::timeout(std::time::Duration::from_secs(5), async {
        while trap.connections() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_asks_its_vendor_for_no_preview() -> anyhow::Result<()> {
    let target = Target::start().await?;
    let body = alert("127.0.0.1:9", "monitor.triggered").to_string();
    assert_eq!(target.post_signed(Kind::Arize, body.as_bytes()).await?.status, 202);
    target.quiet().await?;
    let vendors = target.local.stand_ins();
    let page = &vendors.pagerduty.triggers()[0].body;
    assert!(page.get("images").is_none(), "PagerDuty loads what stands there: {page}");
    let kinds = |value: &Value| value["type"].as_str().map(str::to_owned);
    let blocks = vendors.slack.messages().iter().flat_map(|m| m.blocks.clone()).collect::<Vec<_>>();
    assert!(blocks.iter().filter_map(kinds).all(|kind| kind != "image"), "{blocks:?}");
    let tickets = json!(vendors.jira.issues()).to_string();
    assert!(!tickets.contains("inlineCard") && !tickets.contains("mediaSingle"), "{tickets}");
    Ok(())
}
