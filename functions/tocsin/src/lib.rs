//! The command line, and the whole orchestrator in one process.
//!
//! Invariant: `tocsin local` runs the handlers of the Lambda functions on the adapters of the cloud, against engines on
//! loopback. What is absent: any shortcut past a queue or the table.

mod check;
mod cli;
mod detect;
mod doctor;
mod engines;
mod events;
mod example;
mod follow;
mod init;
mod local;
mod redrive;
mod rehearsal;
mod render;
mod replay;
mod route;
mod run;
mod send;
mod silence;
mod told;

pub use cli::{Command, Options};
pub use local::{LOCAL_SECRET, Local, LocalError, LocalOptions};
pub use run::{Answer, run};
