//! Figures of the whole way: `cargo run --release -p tocsin-bench [receive|way|calls|start]…`, all of them without a name.
//!
//! Invariant: every figure is measured in this run, on loopback, over the adapters of the cloud; nothing is asserted, so
//! that a slow machine shows slow figures and no red test.

mod calls;
mod inputs;
mod receive_alone;
mod spread;
mod start;
mod way;

use std::process::ExitCode;

use anyhow::bail;

const BENCHMARKS: [&str; 4] = ["receive", "way", "calls", "start"];

fn main() -> ExitCode {
    let named: Vec<String> = std::env::args().skip(1).collect();
    match run(&named) {
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

fn run(named: &[String]) -> anyhow::Result<()> {
    if let Some(unknown) = named.iter().find(|name| !BENCHMARKS.contains(&name.as_str())) {
        bail!("there is no benchmark {unknown}: name some of {}", BENCHMARKS.join(", "));
    }
    if cfg!(debug_assertions) {
        say("unoptimised: for figures that mean something, add --release");
    }
    web::install_crypto();
    let wanted = |name: &str| named.is_empty() || named.iter().any(|one| one == name);
    if wanted("receive") {
        receive_alone::run()?;
    }
    let runtime = tokio::runtime::Runtime::new()?;
    if wanted("way") {
        runtime.block_on(way::run())?;
    }
    if wanted("calls") {
        runtime.block_on(calls::run())?;
    }
    if wanted("start") {
        runtime.block_on(start::run())?;
    }
    Ok(())
}

#[allow(clippy::print_stdout, reason = "a benchmark speaks on stdout")]
fn say(line: impl AsRef<str>) {
    println!("{}", line.as_ref());
}
