//! What may be asked of the benchmarks.
//!
//! Invariant: without any option every figure can be measured that needs nothing from outside of this repository.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Figures of the whole way; without a name: receive, way, calls, start.
#[derive(Debug, Parser)]
#[command(name = "tocsin-bench")]
pub(crate) struct Options {
    /// What to measure.
    #[arg(value_enum)]
    pub(crate) names: Vec<Benchmark>,
    /// Alertmanager's binary, for `alertmanager`.
    #[arg(long, env = "TOCSIN_BENCH_ALERTMANAGER")]
    pub(crate) binary: Option<PathBuf>,
    /// The command `tocsin`, for `alertmanager`; built here without it.
    #[arg(long)]
    pub(crate) tocsin: Option<PathBuf>,
    /// Rounds of `alertmanager`.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// Alerts in one request, where many come.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) batch: u32,
    /// Distinct alerts that come at once.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) distinct: u32,
    /// Alertmanager's `group_interval`.
    #[arg(long, default_value = "30s")]
    pub(crate) group_interval: String,
    /// Keep Tocsin's table on disk instead of in memory.
    #[arg(long)]
    pub(crate) on_disk: bool,
    /// Incidents in the table, for `growth`.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 100_000])]
    pub(crate) incidents: Vec<u32>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Benchmark {
    /// Requests per second of `receive` alone.
    Receive,
    /// From a webhook to the page, at a steady rate.
    Way,
    /// AWS calls of an alert, of a duplicate and of a flood, and what they cost.
    Calls,
    /// A cold start of the `receive` binary beside the least that a function can be.
    Start,
    /// Tocsin beside Alertmanager.
    Alertmanager,
    /// An alert and a duplicate with ever more incidents in the table.
    Growth,
}

impl Benchmark {
    /// What is measured where nothing is named: all that takes minutes at most and nothing from outside.
    pub(crate) const DEFAULT: [Self; 4] = [Self::Receive, Self::Way, Self::Calls, Self::Start];
}
