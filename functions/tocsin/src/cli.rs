//! The commands and their options.
//!
//! Invariant: names and exit statuses here are what scripts rely on: 0 done, 1 the answer is "no", 2 bad usage or
//! unreadable input.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use domain::{Matcher, Timestamp};

use crate::detect::parse_param;

mod setup;

pub(crate) use setup::{DoctorArgs, InitArgs, ReplayArgs};

/// Stands between anomaly detection and the people on call: one problem, one incident, with its likely cause.
#[derive(Debug, Parser)]
#[command(name = "tocsin", version)]
pub struct Options {
    /// What to do; without it: `local --demo`.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole orchestrator in this process, on an embedded `DynamoDB` and SQS.
    Local(LocalArgs),
    /// Sign and post events as a source would.
    Send(SendArgs),
    /// Validate a config and its templates; every mistake at once.
    Check(CheckArgs),
    /// Print which rule an alert comes to, whom it tells, and why; or test a file of cases.
    Route(RouteArgs),
    /// Mute alerts by their labels for a while, list what is muted, or end it.
    Silence(SilenceArgs),
    /// Print the exact request that a receiver would be sent, or write a page of all messages.
    Render(RenderArgs),
    /// Write a commented config, and print how to register the webhooks.
    Init(InitArgs),
    /// Ask every vendor that the config names whether it is ready; nothing is created or changed anywhere.
    Doctor(DoctorArgs),
    /// Run recorded webhooks through a config: who would be told of what, and what another config would change.
    Replay(ReplayArgs),
    /// Score a CSV file's points as they come: one row out for each.
    Detect(DetectArgs),
    /// Run only the embedded `DynamoDB` and SQS, so that the functions can be killed while they live.
    Engines(EnginesArgs),
    /// List incidents, newest first.
    Incidents(ListArgs),
    /// Show what happened in an incident, and its deliveries.
    Timeline(IncidentArgs),
    /// List the children of a grouped incident.
    Children(IncidentArgs),
    /// List deliveries, newest first.
    Deliveries(DeliveriesArgs),
    /// Check the hash chain of an incident's timeline; exits 1 when it does not hold.
    Verify(IncidentArgs),
    /// Try again what was given up; exits 1 when a delivery that was named is not tried.
    Redrive(RedriveArgs),
}

/// Where incidents are read: a table, or a running `tocsin local`.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    /// The deployed table, with the region and credentials of the environment. `TOCSIN_TABLE` names it as well.
    #[arg(long, conflicts_with = "url")]
    pub table: Option<String>,
    /// A running `tocsin local`; <http://127.0.0.1:8787> where no table is named.
    #[arg(long)]
    pub url: Option<String>,
}

/// Options of `tocsin incidents`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Where.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Options of `tocsin timeline`, `tocsin children` and `tocsin verify`.
#[derive(Debug, Args)]
pub struct IncidentArgs {
    /// The incident's id.
    pub id: String,
    /// Where.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Options of `tocsin deliveries`.
#[derive(Debug, Args)]
pub struct DeliveriesArgs {
    /// Only those that a vendor rejected, or that were given up.
    #[arg(long)]
    pub dead: bool,
    /// Where.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Options of `tocsin engines`.
#[derive(Debug, Args)]
pub struct EnginesArgs {
    /// Where both listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8788")]
    pub listen: SocketAddr,
    /// Keep tables in this directory across restarts; in memory without it. Queues are in memory.
    #[arg(long)]
    pub data: Option<PathBuf>,
}

/// Options of `tocsin local`.
#[derive(Debug, Args)]
pub struct LocalArgs {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8787")]
    pub listen: SocketAddr,
    /// The config; the bundled example without it.
    #[arg(long, env = "TOCSIN_CONFIG")]
    pub config: Option<PathBuf>,
    /// Message templates; the bundled ones without it.
    #[arg(long, env = "TOCSIN_TEMPLATES")]
    pub templates: Option<PathBuf>,
    /// Keep incidents in this directory across restarts; in memory without it.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Keep what comes in, as far as the config reads it, in this directory, for `tocsin replay`.
    #[arg(long, env = "TOCSIN_RECORD_DIR", value_name = "DIR")]
    pub record: Option<PathBuf>,
    /// Fire the sample alert and print its way.
    #[arg(long)]
    pub demo: bool,
    /// Exit when all queues are empty.
    #[arg(long)]
    pub once: bool,
    /// Print what is counted as the deployed functions do: lines in `CloudWatch`'s Embedded Metric Format.
    #[arg(long)]
    pub metrics: bool,
}

impl Default for LocalArgs {
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 8787));
        Self {
            listen,
            config: None,
            templates: None,
            data: None,
            record: None,
            demo: true,
            once: false,
            metrics: false,
        }
    }
}

/// Options of `tocsin send`.
#[derive(Debug, Args)]
pub struct SendArgs {
    /// The source's name in the config.
    #[arg(long)]
    pub source: String,
    /// Where Tocsin listens.
    #[arg(long, default_value = "http://127.0.0.1:8787")]
    pub to: String,
    /// The secret to sign with; the config's own without it.
    #[arg(long)]
    pub secret: Option<String>,
    /// The config that names the source; the bundled example without it.
    #[arg(long, env = "TOCSIN_CONFIG")]
    pub config: Option<PathBuf>,
    /// The events.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
}

/// Options of `tocsin check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The config; the bundled example without it.
    #[arg(env = "TOCSIN_CONFIG")]
    pub config: Option<PathBuf>,
    /// Message templates to check; the bundled ones without it.
    #[arg(long, env = "TOCSIN_TEMPLATES")]
    pub templates: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Options of `tocsin route`.
#[derive(Debug, Args)]
pub struct RouteArgs {
    /// An event, as its source would send it.
    #[arg(long, required_unless_present = "cases", conflicts_with = "cases")]
    pub event: Option<PathBuf>,
    /// Cases: alerts, and where each should go. Exits 1 where one goes elsewhere.
    #[arg(long)]
    pub cases: Option<PathBuf>,
    /// The event's source; the name of the event's folder without it.
    #[arg(long)]
    pub source: Option<String>,
    /// When it comes, for instance 2026-12-01T22:00:00Z; now without it.
    #[arg(long, value_parser = moment)]
    pub at: Option<Timestamp>,
    /// Who should be told, `none` for nobody. Exits 1 where others are.
    #[arg(long, value_delimiter = ',', requires = "event")]
    pub expect: Option<Vec<String>>,
    /// The config; the bundled example without it.
    #[arg(long, env = "TOCSIN_CONFIG")]
    pub config: Option<PathBuf>,
    /// Print JSON, a line each.
    #[arg(long)]
    pub json: bool,
}

/// Options of `tocsin silence`.
#[derive(Debug, Args)]
pub struct SilenceArgs {
    /// What is muted: label=value, label!=value, label=~regex or label!~regex; all of them must hold.
    #[arg(value_name = "MATCHER", value_parser = Matcher::parse, required_unless_present_any = ["list", "end"])]
    pub matchers: Vec<Matcher>,
    /// For how long, for instance 2h.
    #[arg(long = "for", value_name = "DURATION", value_parser = config::duration_secs, required_unless_present_any = ["list", "end", "until"])]
    pub for_secs: Option<u64>,
    /// Until when, instead.
    #[arg(long, conflicts_with = "for_secs", value_parser = moment)]
    pub until: Option<Timestamp>,
    /// From when on; now without it.
    #[arg(long, value_parser = moment)]
    pub from: Option<Timestamp>,
    /// Why, for whoever wonders.
    #[arg(long, required_unless_present_any = ["list", "end"])]
    pub because: Option<String>,
    /// Who says so.
    #[arg(long, env = "USER", default_value = "")]
    pub by: String,
    /// List the silences that have not ended.
    #[arg(long, conflicts_with_all = ["matchers", "end"])]
    pub list: bool,
    /// End this one now.
    #[arg(long, value_name = "ID", conflicts_with = "matchers")]
    pub end: Option<String>,
    /// Config file whose rules and mappings say which labels there are, beside those of open incidents.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Where.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Options of `tocsin render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// The receiver's name in the config.
    #[arg(long, required_unless_present = "out", conflicts_with = "out")]
    pub receiver: Option<String>,
    /// Write a page with every receiver's message of every transition into this folder instead.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// An event, as its source would send it.
    #[arg(long)]
    pub event: PathBuf,
    /// The event's source; the name of the event's folder without it.
    #[arg(long)]
    pub source: Option<String>,
    /// Which transition to tell of.
    #[arg(long, default_value = "opened")]
    pub transition: String,
    /// The config; the bundled example without it.
    #[arg(long, env = "TOCSIN_CONFIG")]
    pub config: Option<PathBuf>,
    /// Message templates; the bundled ones without it.
    #[arg(long, env = "TOCSIN_TEMPLATES")]
    pub templates: Option<PathBuf>,
}

/// Options of `tocsin detect`.
#[derive(Debug, Args)]
pub struct DetectArgs {
    /// The detector; `auto`, which takes no parameters, without it.
    #[arg(long)]
    pub detector: Option<String>,
    /// One of its parameters, as `name=number`; may be given several times.
    #[arg(long = "param", value_name = "NAME=NUMBER", value_parser = parse_param)]
    pub params: Vec<(String, f64)>,
    /// Which deviations count: above, below or both. The detector's own default without it.
    #[arg(long)]
    pub direction: Option<String>,
    /// The config that holds the rule; the bundled example without it.
    #[arg(long, env = "TOCSIN_CONFIG")]
    pub config: Option<PathBuf>,
    /// A rule's detectors, instead of one that is named here.
    #[arg(long)]
    pub rule: Option<String>,
    /// Seconds between two points; those between the first two rows, or the rule's, without it.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub step: Option<u32>,
    /// Seconds for which the metric must be anomalous; one point, or the rule's, without it.
    #[arg(long = "for", value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub for_secs: Option<u32>,
    /// Smallest deviation that matters, in the metric's unit; none, or the rule's, without it.
    #[arg(long, value_name = "NUMBER")]
    pub min_effect: Option<f64>,
    /// CSV with the header `timestamp,value` or `timestamp,value,total`; standard input without it.
    pub file: Option<PathBuf>,
}

/// Options of `tocsin redrive`.
#[derive(Debug, Args)]
pub struct RedriveArgs {
    /// Deliveries, as `tocsin deliveries --dead` names them.
    #[arg(value_name = "DELIVERY", required_unless_present = "all", conflicts_with = "all")]
    pub ids: Vec<String>,
    /// Every one of them, and the dead letters.
    #[arg(long)]
    pub all: bool,
    /// Where. With a table, the queues' addresses are read from the environment as the functions read them.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// A time on the command line.
fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| format!("`{text}` is no time: write for instance 2026-12-01T22:00:00Z"))
}
