//! The command `tocsin`.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use tocsin::{Answer, Options, run};

/// Engines and functions in one process make and drop small things all the time, on every thread.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(Answer::Done) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Err(error) => {
            // One line: the last resort when there is no command to speak.
            #[allow(clippy::print_stderr, reason = "a command line speaks on stderr")]
            {
                eprintln!("tocsin: {error:#}");
            }
            ExitCode::from(2)
        }
    }
}
