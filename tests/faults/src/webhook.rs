//! The source's side: webhooks as Arize sends them, and again where no 2xx came.
//!
//! Invariant: what was answered with 202 is written down with the ids that the answer gave.

use serde_json::{Value, json};

use crate::process::{End, Role};
use crate::setup::{NEW_SECRET, SECRET};
use crate::world::World;

/// Times that a source sends one webhook.
const SENDS_MAX: usize = 8;

/// Seconds between two of them.
const RESEND_SECS: u64 = 20;

/// One webhook as it was answered.
#[derive(Debug, Clone)]
pub struct Posted {
    /// What it was about.
    pub problem: String,
    /// Whether it says that the problem is there.
    pub firing: bool,
    /// The answer's status; 0 without an answer.
    pub status: u16,
    /// The ids of the alerts, where it was accepted.
    pub accepted: Vec<String>,
}

/// Which secret a sender uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentWith {
    /// The one it always had.
    Old,
    /// The one that takes its place.
    New,
    /// One that nobody gave it.
    Wrong,
}

impl SentWith {
    fn secret(self) -> &'static str {
        match self {
            Self::Old => SECRET,
            Self::New => NEW_SECRET,
            Self::Wrong => "bm90IGEgc2VjcmV0IG9mIGFueSBzb3VyY2Uh",
        }
    }
}

/// An alert of a problem, firing or cleared.
#[must_use]
pub fn payload(problem: &str, firing: bool) -> Value {
    let (event, status) = if firing { ("monitor.triggered", "TRIGGERED") } else { ("monitor.cleared", "CLEARED") };
    json!({
        "event": event,
        "monitor": {
            "id": format!("mon-{problem}"), "name": "Chatbot p95", "status": status, "metric": "latency_p95",
            "latest_computed_value": 4.1, "threshold": { "value": 2.5 },
            "uri": "https://app.arize.com/monitors/mon-1",
        },
        "service": "support-chatbot",
        "labels": { "model": problem, "environment": "production" },
    })
}

impl World {
    /// A problem fires: its source sends until it is taken. Whether it was.
    pub async fn fire(&self, problem: &str) -> bool {
        self.post_until_taken(problem, true, &payload(problem, true)).await
    }

    /// A problem is over: its source sends until that is taken. Whether it was.
    pub async fn clear(&self, problem: &str) -> bool {
        self.post_until_taken(problem, false, &payload(problem, false)).await
    }

    async fn post_until_taken(&self, problem: &str, firing: bool, body: &Value) -> bool {
        for sent in 0..SENDS_MAX {
            if sent > 0 {
                tokio::time::sleep(std::time::Duration::from_secs(RESEND_SECS)).await;
            }
            if self.post(problem, firing, body, SentWith::Old).await == 202 {
                return true;
            }
        }
        false
    }

    /// Sends one webhook once. The answer's status; 0 without an answer.
    pub async fn post(&self, problem: &str, firing: bool, body: &Value, with: SentWith) -> u16 {
        let process = self.process(Role::Receive);
        let answer = match process.webhook(with.secret(), body.to_string().as_bytes()).await {
            End::Returned(answer) => {
                self.release(process);
                answer
            }
            End::Crashed => {
                self.crashed.set(self.crashed.get() + 1);
                None
            }
            End::TimedOut => {
                self.timed_out.set(self.timed_out.get() + 1);
                None
            }
        };
        let status = answer.as_ref().map_or(0, |answer| answer.status().as_u16());
        let told: Value = answer
            .filter(|_| status == 202)
            .and_then(|answer| serde_json::from_slice(answer.body().as_ref()).ok())
            .unwrap_or_default();
        let accepted = told["accepted"].as_array().into_iter().flatten();
        let accepted = accepted.filter_map(|one| Some(one["alert_id"].as_str()?.to_owned())).collect();
        self.posted.borrow_mut().push(Posted { problem: problem.to_owned(), firing, status, accepted });
        status
    }
}
