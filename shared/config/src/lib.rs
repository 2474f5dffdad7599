//! YAML to a checked config, every mistake at once.
//!
//! Invariant: a [`Config`] that exists is whole: every name in it resolves, every secret is set, every number is in its
//! bounds. What is wrong comes as [`Mistake`]s with field, line and mend. What is absent: networks, clocks, and any
//! default that hides a mistake.
//!
//! A section is one file in `sections/`; `infra/config/tocsin.yaml` shows them all.

#![allow(clippy::option_option, reason = "the outer says whether it could be read, the inner whether it is there")]

mod address;
mod cases;
mod clear_text;
mod config;
mod duration;
mod environment;
mod fields;
mod intake;
mod load;
mod mistake;
mod mute;
mod query;
mod reader;
mod route;
mod schema;
mod sections;
mod templates;
mod yaml;

pub use cases::{CaseAlert, Expected, RouteCase, load_cases};
pub use config::{
    ArizeApi, Cloudwatch, Config, Confirm, Datadog, Deadlines, Github, PULL, PULL_SEVERITY, Prometheus, Pull,
    Reconcile, Repository, Rule, Service, Target,
};
pub use duration::duration_secs;
pub use environment::{Environment, ProcessEnvironment, secret_names, secret_places};
pub use intake::{Grouping, Intake, Sort, Sorted};
pub use load::{DEPLOYED_CONFIG, LoadError, load, load_file, load_from_env, load_intake, load_intake_from_env};
pub use mistake::{Mistake, nearest};
pub use mute::{Inhibition, Maintenance, When};
pub use query::{ArizeQuery, CloudwatchQuery, MetricSource, Query, Template};
pub use route::{Node, Recipients, Route};
pub use schema::schema;
pub use templates::{CurrentTemplates, TemplateDirectory, TemplateMistake};
pub use yaml::CONFIG_BYTES_MAX;
