//! Stand-ins that behave like the vendors: `PagerDuty`, Slack, Jira, Linear, any webhook, GitHub, Prometheus, Datadog,
//! `CloudWatch`, SNS, Arize; and like Lambda's Runtime API.
//!
//! Each listens on a loopback port of its own, keeps its state in memory, refuses what its vendor refuses with that
//! vendor's status and error shape, and can be told to fail. They stop when their last clone is dropped. Those of the
//! receivers can also be asked without a wire, as a router in this process.
//!
//! Invariant: a stand-in knows its vendor and nothing of us; what it shows is what the vendor would have shown.

pub mod arize;
mod clock;
pub mod cloudwatch;
pub mod datadog;
mod faults;
pub mod github;
pub mod jira;
pub mod lambda;
pub mod linear;
pub mod others;
pub mod pagerduty;
pub mod prometheus;
mod server;
pub mod slack;
pub mod sns;
pub mod webhook;

pub use arize::Arize;
pub use clock::set_time;
pub use cloudwatch::Cloudwatch;
pub use datadog::Datadog;
pub use faults::{Fault, Faults};
pub use github::Github;
pub use jira::Jira;
pub use lambda::Lambda;
pub use linear::Linear;
pub use others::Others;
pub use pagerduty::Pagerduty;
pub use prometheus::Prometheus;
pub use slack::Slack;
pub use sns::Sns;
pub use webhook::Webhook;

/// One of each.
#[derive(Debug, Clone)]
pub struct StandIns {
    /// Events API v2.
    pub pagerduty: Pagerduty,
    /// Web API.
    pub slack: Slack,
    /// Jira Cloud, REST v3.
    pub jira: Jira,
    /// GraphQL, the parts about issues and comments.
    pub linear: Linear,
    /// Any system that takes JSON.
    pub webhook: Webhook,
    /// Vendors that have none of their own.
    pub others: Others,
    /// REST, the parts about deployments and commits.
    pub github: Github,
    /// HTTP API v1, the query part.
    pub prometheus: Prometheus,
    /// Metric queries, versions 1 and 2.
    pub datadog: Datadog,
    /// `GetMetricData`.
    pub cloudwatch: Cloudwatch,
    /// REST v2, the monitors, and their history over GraphQL.
    pub arize: Arize,
}

impl StandIns {
    /// Starts all of them, without faults and with empty state. Needs a running tokio runtime.
    ///
    /// # Errors
    /// When a loopback port cannot be bound.
    pub async fn start() -> std::io::Result<Self> {
        Ok(Self {
            pagerduty: Pagerduty::start().await?,
            slack: Slack::start().await?,
            jira: Jira::start().await?,
            linear: Linear::start().await?,
            webhook: Webhook::start().await?,
            others: Others::start().await?,
            github: Github::start().await?,
            prometheus: Prometheus::start().await?,
            datadog: Datadog::start().await?,
            cloudwatch: Cloudwatch::start().await?,
            arize: Arize::start().await?,
        })
    }

    /// The origin of a vendor that people are told by. One that has no stand-in of its own takes whatever comes, and answers
    /// that.
    #[must_use]
    pub fn receiver(&self, vendor: &str, status: u16, body: &str) -> String {
        match vendor {
            "pagerduty" => self.pagerduty.url(),
            "slack" => self.slack.url(),
            "jira" => self.jira.url(),
            "linear" => self.linear.url(),
            "webhook" => self.webhook.url(),
            other => self.others.origin(other, status, body),
        }
    }
}
