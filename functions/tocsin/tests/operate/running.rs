//! The command `tocsin` as a process.
//!
//! Invariant: it gets no setting but the test's own, and what goes on is killed by its own handle.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

/// What is exported for a command.
pub(crate) type Settings = Vec<(String, String)>;

/// A command that goes on; killed when dropped.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    pub(crate) fn start(arguments: &[&str], settings: &[(String, String)]) -> Self {
        let mut command = tocsin(arguments, settings);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { child, lines }
    }

    /// Reads on until a line begins so, and gives the rest of it.
    pub(crate) fn line(&mut self, begins: &str) -> String {
        let lines = self.lines.by_ref().map(|line| line.expect("UTF-8"));
        let mut rest = lines.filter_map(|line| line.strip_prefix(begins).map(str::to_owned));
        rest.next().expect("the line comes before the end")
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("it is gone");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have been killed.
        let _unused = self.child.kill();
        let _unused = self.child.wait();
    }
}

fn tocsin(arguments: &[&str], settings: &[(String, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tocsin"));
    let own = ["PATH", "HOME", "TMPDIR"].iter().filter_map(|name| Some((*name, std::env::var_os(name)?)));
    command.args(arguments).env_clear().envs(own.collect::<Vec<_>>());
    command.envs(settings.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
    command
}

/// Exit status, standard output, standard error.
pub(crate) fn run(arguments: &[&str], settings: &[(String, String)]) -> (i32, String, String) {
    let output = tocsin(arguments, settings).output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

pub(crate) fn json_of(arguments: &[&str], settings: &[(String, String)]) -> Value {
    let (status, output, errors) = run(arguments, settings);
    assert_eq!((status, errors.as_str()), (0, ""));
    serde_json::from_str(&output).expect("JSON")
}

/// The engines alone, and what they say is to be exported.
pub(crate) fn engines() -> (Running, Settings) {
    let mut engines = Running::start(&["engines", "--listen", "127.0.0.1:0"], &[]);
    let exports = (0..5).map(|_| {
        let line = engines.line("export ");
        let (name, value) = line.split_once('=').expect("name=value");
        (name.to_owned(), value.to_owned())
    });
    let exports: Settings = exports.collect();
    let names: Vec<&str> = exports.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "AWS_ENDPOINT_URL_DYNAMODB",
        "AWS_ENDPOINT_URL_SQS",
        "AWS_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    ];
    assert_eq!(names, expected);
    assert_eq!(exports[0].1, exports[1].1, "one address serves both");
    (engines, exports)
}

/// The sample alert's way on those engines; the address of the pages and the incident's id.
pub(crate) fn demo(exports: &[(String, String)]) -> (Running, String, String) {
    let mut local = Running::start(&["local", "--demo", "--listen", "127.0.0.1:0"], exports);
    let url = local.line("Tocsin listens on ");
    let page = local.line("Incident: ");
    let id = page.rsplit('/').next().expect("an id").to_owned();
    (local, url, id)
}

#[track_caller]
pub(crate) fn check_refused(arguments: &[&str], settings: &[(String, String)], mention: &[&str]) {
    let (status, output, errors) = run(arguments, settings);
    assert_eq!((status, output.as_str()), (2, ""), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(mention.iter().all(|part| errors.contains(part)), "{errors}");
}
