//! A storm while the functions are killed: `cargo run --profile fast -p tocsin-storm -- --alerts 100000 --kills 20 --seed 1`.
//!
//! Engines, functions and vendors are three processes. Alerts and clears of many problems are sent over several
//! connections, and sent again where no 2xx came; the functions are killed at seeded moments and start again. When all is
//! quiet, what was accepted is held against what was told. Exits 1 where a line does not hold.
//!
//! Invariant: the functions' process is ended by SIGKILL alone, and nothing but its vendors' addresses and its queues'
//! visibility timeout differs from `tocsin local`.

mod found;
mod plan;
mod processes;
mod queues;
mod reconcile;
mod sender;
mod storm;

use std::process::ExitCode;

use anyhow::ensure;
use clap::Parser;
use tocsin::{Answer, Options};

use crate::plan::ALERTS_A_PROBLEM_MAX;
use crate::processes::AS_TOCSIN;

/// A storm of alerts while the functions are killed.
#[derive(Debug, Parser)]
#[command(name = "tocsin-storm")]
struct StormArgs {
    /// Alerts and clears to be sent.
    #[arg(long, default_value_t = 2000)]
    alerts: usize,
    /// Distinct problems among them; a twentieth of the alerts without it.
    #[arg(long)]
    problems: Option<usize>,
    /// Kills of the functions' process.
    #[arg(long, default_value_t = 3)]
    kills: usize,
    /// What alerts, order and kills follow from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds that it may take until all is quiet, after the last alert was accepted.
    #[arg(long, default_value_t = 480)]
    patience: u64,
    /// Keep the processes' logs in this directory.
    #[arg(long)]
    logs: Option<std::path::PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let done = if arguments.get(1).is_some_and(|first| first == AS_TOCSIN) {
        let rest = arguments.into_iter().enumerate().filter(|(at, _)| *at != 1).map(|(_, argument)| argument);
        tocsin::run(Options::parse_from(rest)).await
    } else {
        run(StormArgs::parse_from(arguments)).await
    };
    match done {
        Ok(Answer::Done) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Err(error) => {
            #[allow(clippy::print_stderr, reason = "a command line speaks on stderr")]
            {
                eprintln!("tocsin-storm: {error:#}");
            }
            ExitCode::from(2)
        }
    }
}

async fn run(args: StormArgs) -> anyhow::Result<Answer> {
    ensure!(args.alerts > 0, "--alerts 0: there is nothing to send");
    let problems = args.problems.unwrap_or(args.alerts.div_ceil(20)).clamp(1, args.alerts);
    let each = args.alerts.div_ceil(problems);
    ensure!(
        each <= ALERTS_A_PROBLEM_MAX,
        "--problems {problems}: that is {each} alerts each, and an incident remembers {ALERTS_A_PROBLEM_MAX} twice over: \
         give more problems"
    );
    if cfg!(debug_assertions) {
        say("unoptimised: for a large storm, add --release");
    }
    web::install_crypto();
    storm::run(&args, problems).await
}

#[allow(clippy::print_stdout, reason = "a command line speaks on stdout")]
fn say(line: impl AsRef<str>) {
    println!("{}", line.as_ref());
}
