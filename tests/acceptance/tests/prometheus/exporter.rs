//! An exporter with vLLM's metric names. Invariant: each scrape sees twenty more requests of every model.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// vLLM's buckets of `vllm:e2e_request_latency_seconds`, in seconds.
const BOUNDS: [f64; 12] = [0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0];

/// Requests of one model between two scrapes.
const REQUESTS: u64 = 20;

/// A running exporter. It stops when dropped.
pub(crate) struct Exporter {
    address: SocketAddr,
    slow: Arc<AtomicBool>,
    serving: AbortHandle,
}

/// Requests so far, and how many of them were slow.
#[derive(Default)]
struct Counts {
    usual: AtomicU64,
    slow: AtomicU64,
}

impl Exporter {
    pub(crate) async fn start(models: &[&str]) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let slow = Arc::new(AtomicBool::new(false));
        let (counts, is_slow) = (Arc::new(Counts::default()), slow.clone());
        let models: Vec<String> = models.iter().map(|model| (*model).to_owned()).collect();
        let scrape = move || {
            let counter = if is_slow.load(Ordering::SeqCst) { &counts.slow } else { &counts.usual };
            counter.fetch_add(REQUESTS, Ordering::SeqCst);
            let text = text(&models, counts.usual.load(Ordering::SeqCst), counts.slow.load(Ordering::SeqCst));
            async move { text }
        };
        let router = Router::new().route("/metrics", get(scrape));
        let serving = tokio::spawn(axum::serve(listener, router).into_future()).abort_handle();
        Ok(Self { address, slow, serving })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on requests take around 8 s instead of around 1 s.
    pub(crate) fn slow(&self, slow: bool) {
        self.slow.store(slow, Ordering::SeqCst);
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A usual request takes 0.5 to 1.5 s, evenly; a slow one 5 to 10 s.
fn text(models: &[String], usual: u64, slow: u64) -> String {
    let name = "vllm:e2e_request_latency_seconds";
    let mut text = format!("# HELP {name} Histogram of e2e request latency in seconds.\n# TYPE {name} histogram\n");
    let share = |bound: f64, from: f64, to: f64| ((bound - from) / (to - from)).clamp(0.0, 1.0);
    let count = |number: u64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    for model in models {
        for bound in BOUNDS {
            let below = (count(usual) * share(bound, 0.5, 1.5) + count(slow) * share(bound, 5.0, 10.0)).floor();
            let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\",model_name=\"{model}\"}} {below}");
        }
        let (all, sum) = (usual + slow, count(usual) + 7.5 * count(slow));
        let _ = writeln!(text, "{name}_bucket{{le=\"+Inf\",model_name=\"{model}\"}} {all}");
        let _ =
            writeln!(text, "{name}_count{{model_name=\"{model}\"}} {all}\n{name}_sum{{model_name=\"{model}\"}} {sum}");
    }
    text
}
