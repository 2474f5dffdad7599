//! Figures of the whole way: `cargo run --profile fast -p tocsin-bench -- --help` names them.
//!
//! Invariant: every figure is measured in this run, on loopback, over the adapters of the cloud; nothing is asserted of a
//! figure, so that a slow machine shows slow figures and no red test.

mod alertmanager;
mod calls;
mod cost;
mod functions;
mod growth;
mod inputs;
mod memory;
mod meter;
mod options;
mod receive_alone;
mod sink;
mod spread;
mod start;
mod way;
mod wire;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::options::{Benchmark, Options};

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[allow(clippy::print_stderr, reason = "a benchmark speaks on stderr")]
            {
                eprintln!("tocsin-bench: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> anyhow::Result<()> {
    if cfg!(debug_assertions) {
        say("unoptimised: for figures that mean something, add --release");
    }
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    web::install_crypto();
    let all = Benchmark::DEFAULT.to_vec();
    for wanted in if options.names.is_empty() { &all } else { &options.names } {
        measure(*wanted, options)?;
    }
    Ok(())
}

fn measure(wanted: Benchmark, options: &Options) -> anyhow::Result<()> {
    // A load and its sink must leave the other processes their core.
    let narrow = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = tokio::runtime::Runtime::new;
    match wanted {
        Benchmark::Receive => receive_alone::run(),
        Benchmark::Way => runtime()?.block_on(way::run()),
        Benchmark::Calls => runtime()?.block_on(async {
            calls::run().await?;
            cost::run().await
        }),
        Benchmark::Start => runtime()?.block_on(start::run()),
        Benchmark::Alertmanager => narrow()?.block_on(alertmanager::run(options)),
        Benchmark::Growth => runtime()?.block_on(growth::run(options)),
    }
}

#[allow(clippy::print_stdout, reason = "a benchmark speaks on stdout")]
fn say(line: impl AsRef<str>) {
    println!("{}", line.as_ref());
}
