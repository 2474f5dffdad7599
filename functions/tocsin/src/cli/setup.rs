//! Options of the commands that set up and try out a config.
//!
//! Invariant: none of them names a secret: secrets are in the environment.

use std::path::PathBuf;

use clap::Args;

/// Options of `tocsin init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Where to write; made where it is not there.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Write the message templates too, to be edited.
    #[arg(long)]
    pub templates: bool,
    /// Where Tocsin will be reached, for the addresses that are printed.
    #[arg(long, value_name = "URL", default_value = "https://YOUR-ADDRESS")]
    pub url: String,
}

/// Options of `tocsin doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// The config; the bundled example without it.
    #[arg(long, env = "TOCSIN_CONFIG")]
    pub config: Option<PathBuf>,
    /// Seconds that one answer may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=120))]
    pub timeout: u64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Options of `tocsin replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The config to try.
    #[arg(long, value_name = "NEW")]
    pub config: PathBuf,
    /// The config to compare it with: the difference is printed, incident by incident.
    #[arg(long, value_name = "OLD")]
    pub against: Option<PathBuf>,
    /// What `tocsin local --record` or `TOCSIN_RECORD_DIR` kept.
    pub dir: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}
