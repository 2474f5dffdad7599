//! Runs a command.
//!
//! Invariant: this is the one place that prints; commands are handed a way to say a line.

use std::sync::Arc;

use pipeline::SystemClock;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::check::check;
use crate::cli::{Command, LocalArgs, Options};
use crate::detect::detect;
use crate::doctor::doctor;
use crate::engines::engines;
use crate::example::config_text;
use crate::follow;
use crate::init::init;
use crate::local::{Local, LocalOptions, run_demo};
use crate::redrive::redrive;
use crate::render::render;
use crate::replay::replay;
use crate::route::route;
use crate::send::send;
use crate::silence::silence;

/// What a command comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Done.
    Done,
    /// It ran, and the answer is "no".
    No,
}

/// Runs the command, `local --demo` without one.
///
/// # Errors
/// Bad usage or unreadable input; the text names the place and the mend.
pub async fn run(options: Options) -> anyhow::Result<Answer> {
    let mut say = print;
    match options.command.unwrap_or(Command::Local(LocalArgs::default())) {
        Command::Local(args) => local(args, &mut say).await,
        Command::Send(args) => send(&args, &mut say).await,
        Command::Check(args) => check(&args, &mut say),
        Command::Route(args) => route(&args, &mut say),
        Command::Silence(args) => silence(&args).await,
        Command::Render(args) => render(&args, &mut say),
        Command::Init(args) => init(&args, &mut say),
        Command::Doctor(args) => doctor(&args, &mut say).await,
        Command::Replay(args) => replay(&args, &mut say).await,
        Command::Detect(args) => detect(&args),
        Command::Engines(args) => engines(args, &mut say).await,
        Command::Incidents(args) => follow::incidents(&args).await,
        Command::Timeline(args) => follow::timeline(&args).await,
        Command::Children(args) => follow::children(&args).await,
        Command::Deliveries(args) => follow::deliveries(&args).await,
        Command::Verify(args) => follow::verify(&args).await,
        Command::Redrive(args) => redrive(&args).await,
    }
}

#[allow(clippy::print_stdout, reason = "a command line speaks on stdout")]
#[allow(clippy::needless_pass_by_value, reason = "lines are made to be said")]
fn print(line: String) {
    println!("{line}");
}

async fn local(args: LocalArgs, say: &mut impl FnMut(String)) -> anyhow::Result<Answer> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(filter);
    let metrics = args.metrics.then(|| aws::metrics("tocsin".to_owned(), Arc::new(SystemClock), std::io::stdout));
    tracing_subscriber::registry().with(log).with(metrics).init();
    let (config_name, config_text) = config_text(args.config.as_deref())?;
    let options = LocalOptions {
        listen: args.listen,
        config_name,
        config_text,
        templates: args.templates,
        data: args.data,
        record: args.record,
        clock: Arc::new(SystemClock),
    };
    let mut local = Local::start(options).await?;
    say(format!("Tocsin listens on http://{}", local.address()));
    local.notes().iter().for_each(|note| say(format!("  {note}")));
    if args.demo {
        say(String::new());
        run_demo(&local, say).await?;
    }
    say(format!("Page: http://{}/", local.address()));
    if args.once {
        local.quiet().await?;
        return Ok(Answer::Done);
    }
    tokio::select! {
        () = local.run() => {}
        stopped = tokio::signal::ctrl_c() => stopped?,
    }
    Ok(Answer::Done)
}
