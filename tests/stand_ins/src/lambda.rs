//! Lambda's Runtime API, as a function's process sees it (version 2018-06-01).
//!
//! Invariant: invocations are handed out one after another, in order, and each is answered once. A process that polls
//! while there is none waits, as on AWS.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::Path as FilePath;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot, watch};

use crate::clock::now;
use crate::server::{Server, lock};

/// What an invocation is told of its function.
const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:tocsin";

/// A process's answer: what it returned, or the error that it reported.
pub type Answer = Result<Value, Value>;

struct Invocation {
    id: String,
    event: Value,
    timeout: Duration,
}

#[derive(Default)]
struct Inner {
    waiting: VecDeque<Invocation>,
    answers: HashMap<String, oneshot::Sender<Answer>>,
    invoked: u64,
}

struct Host {
    inner: Mutex<Inner>,
    arrived: Notify,
    polls: watch::Sender<u64>,
}

/// A function's process. It is ended when dropped, as Lambda ends a sandbox: without being asked.
#[derive(Debug)]
pub struct Function(Child);

impl Function {
    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // One that ended by itself is no news here: who waits for its answer has a timeout.
        let _unused = self.0.kill();
        let _unused = self.0.wait();
    }
}

/// A running stand-in for one function's sandbox.
#[derive(Clone)]
pub struct Lambda {
    host: Arc<Host>,
    server: Arc<Server>,
}

impl Lambda {
    /// Starts it.
    ///
    /// # Errors
    /// When a loopback port cannot be bound.
    pub async fn start() -> io::Result<Self> {
        let host = Host { inner: Mutex::default(), arrived: Notify::new(), polls: watch::Sender::new(0) };
        let host = Arc::new(host);
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .with_state(host.clone());
        let shape = |status: StatusCode| json!({ "errorType": status.as_str(), "errorMessage": "" });
        Ok(Self { host, server: Arc::new(Server::start(router, shape).await?) })
    }

    /// Starts a function's binary with nothing in its environment but what Lambda sets, and `settings`. Its log goes
    /// to `stdout`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, binary: &FilePath, settings: &[(String, String)], stdout: Stdio) -> io::Result<Function> {
        let mut command = Command::new(binary);
        command.env_clear().envs(self.environment()).envs(settings.iter().map(|(name, value)| (name, value)));
        Ok(Function(command.stdin(Stdio::null()).stdout(stdout).spawn()?))
    }

    /// How a function finds its Runtime API and knows itself.
    fn environment(&self) -> Vec<(&'static str, String)> {
        let address = self.server.url().trim_start_matches("http://").to_owned();
        let text = str::to_owned;
        vec![
            ("AWS_LAMBDA_RUNTIME_API", address),
            ("AWS_LAMBDA_FUNCTION_NAME", text("tocsin")),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", text("128")),
            ("AWS_LAMBDA_FUNCTION_VERSION", text("$LATEST")),
            ("AWS_LAMBDA_LOG_STREAM_NAME", text("stream")),
            ("AWS_LAMBDA_LOG_GROUP_NAME", text("group")),
            ("AWS_REGION", text("us-east-1")),
            ("AWS_ACCESS_KEY_ID", text("local")),
            ("AWS_SECRET_ACCESS_KEY", text("local")),
        ]
    }

    /// Returns when the process asks for its first invocation: it is initialised.
    pub async fn first_poll(&self) {
        let mut polls = self.host.polls.subscribe();
        // The sender lives as long as we do.
        let _unused = polls.wait_for(|polls| *polls > 0).await;
    }

    /// Hands the process an event and waits for its answer; `None` when the stand-in ended first.
    pub async fn invoke(&self, event: Value, timeout: Duration) -> Option<Answer> {
        let (sender, receiver) = oneshot::channel();
        {
            let mut inner = lock(&self.host.inner);
            inner.invoked += 1;
            let id = format!("{:08}-0000-4000-8000-000000000000", inner.invoked);
            inner.answers.insert(id.clone(), sender);
            inner.waiting.push_back(Invocation { id, event, timeout });
        }
        self.host.arrived.notify_one();
        receiver.await.ok()
    }
}

async fn next(State(host): State<Arc<Host>>) -> Response {
    host.polls.send_modify(|polls| *polls += 1);
    loop {
        let invocation = lock(&host.inner).waiting.pop_front();
        let Some(invocation) = invocation else {
            host.arrived.notified().await;
            continue;
        };
        let timeout_ms = i64::try_from(invocation.timeout.as_millis()).unwrap_or(i64::MAX / 2);
        let deadline = now().as_millisecond() + timeout_ms;
        let headers = [
            ("lambda-runtime-aws-request-id", invocation.id),
            ("lambda-runtime-deadline-ms", deadline.to_string()),
            ("lambda-runtime-invoked-function-arn", FUNCTION_ARN.to_owned()),
        ];
        return (headers, Json(invocation.event)).into_response();
    }
}

async fn response(State(host): State<Arc<Host>>, Path(id): Path<String>, body: Bytes) -> Response {
    answered(&host, &id, Ok(serde_json::from_slice(&body).unwrap_or(Value::Null)))
}

async fn error(State(host): State<Arc<Host>>, Path(id): Path<String>, body: Bytes) -> Response {
    answered(&host, &id, Err(serde_json::from_slice(&body).unwrap_or(Value::Null)))
}

fn answered(host: &Host, id: &str, answer: Answer) -> Response {
    match lock(&host.inner).answers.remove(id) {
        Some(waiting) => {
            // Who asked may have given up; the process has answered all the same.
            let _unused = waiting.send(answer);
            (StatusCode::ACCEPTED, Json(json!({ "status": "OK" }))).into_response()
        }
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}
