//! The command `tocsin`.

use std::process::ExitCode;

use clap::Parser;
use tocsin::{Answer, Options, run};

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
