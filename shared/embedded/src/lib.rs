//! The local AWS: an embedded DynamoDB and SQS on loopback, in this process, behind the wire protocol that the AWS SDK
//! speaks: `dynoxide-rs` on `SQLite` and `rustack-sqs`.
//!
//! Invariant: only this machine reaches the engines, every request is counted before its engine sees it, and nothing
//! of AWS's semantics is decided here but what a transaction's token means: what an engine answers goes out as it is.
//!
//! # Where the engines differ from AWS
//! Both check neither signature nor credentials nor permissions, never throttle, and speak AWS JSON 1.0 only (an SDK
//! from before November 2023 asks SQS in another protocol). Answers carry no `x-amz-crc32`, which SDKs check only
//! where it is there.
//!
//! **DynamoDB**
//! - No streams, no point-in-time recovery, no backups, no `PartiQL`: those operations are unknown here.
//! - A new table is active at once.
//! - An index is as fresh as its table; AWS's lags behind. A read is always consistent, whether asked to be or not.
//! - Requests run one after another, so `TransactionConflict` and `TransactionInProgressException` never come.
//! - Expired items stay: nothing is swept. Who needs expiry puts it into the condition, as on AWS.
//! - Tokens of transactions are remembered in memory: after a restart one counts as new.
//! - A body that is no request at all is refused with other words than AWS's, under the same error code.
//! - In a directory, a write is answered once it is in `SQLite`'s write-ahead log, so it survives a killed process.
//!
//! **SQS**
//! - Queues and messages are in memory. Messages never expire, whatever `MessageRetentionPeriod` says.
//! - Bodies up to 256 KiB (AWS: 1 MiB); attributes and a batch's total are not measured.
//! - No `MessageGroupId` on a standard queue, and no `StartMessageMoveTask`: redrive is receive and send.
//! - A message whose delay or visibility ends during a long poll is seen up to one second late, and so are the counts
//!   of `GetQueueAttributes`, which on the other hand are exact.
//! - A receipt handle ends with its visibility: `DeleteMessage` with it answers 200 and deletes nothing, where AWS
//!   deletes a message that nobody received since. Handles are not checked: any text is a handle.
//! - `ChangeMessageVisibility` for what is not in flight says `MessageNotInflight`, without the prefix
//!   `AWS.SimpleQueueService.` by which the SDK knows the error.
//! - `maxReceiveCount` must be a number: the text that AWS takes as well is refused. A redrive policy may name a queue
//!   that is not there; its messages then stay where they are and are received no more.
//! - More than 10 messages asked for give 10, not an error; a timeout outside AWS's range is not refused.
//! - Deleting a queue that is not there succeeds.

mod calls;
mod dynamodb;
mod front;
mod in_process;
mod sqs;
mod tokens;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;
use tokio::sync::watch;

use crate::calls::Calls;
use crate::dynamodb::DynamoDb;
use crate::front::Both;
use crate::sqs::Sqs;

pub use crate::in_process::InProcess;

/// Where the tables live. Queues live in memory in either case, and end with the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// In memory, up to 1 GiB: everything ends with the engines.
    Memory,
    /// In one `SQLite` file in this directory, which is made if it is absent. Tables survive a restart and a killed
    /// process; queues and their messages do not.
    Directory(PathBuf),
}

/// The engines could not be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The engines check no signature, so that nobody but this machine may reach them.
    #[error("{address} is not a loopback address: the embedded engines check no signature, so listen on 127.0.0.1")]
    NotLoopback {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The address is taken, or not ours to take.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The directory is neither there nor can it be made.
    #[error("cannot make the directory {}", directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file of tables cannot be opened.
    #[error("cannot open the tables in {}: {why}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why not.
        why: String,
    },
    /// No tables can be held in memory.
    #[error("cannot hold tables in memory: {why}")]
    Memory {
        /// Why not.
        why: String,
    },
}

/// A running DynamoDB and SQS. Dropping it closes the tables, forgets the queues and ends whatever waits.
pub struct Embedded {
    dynamodb_url: String,
    sqs_url: String,
    calls: Arc<Calls>,
    _alive: watch::Sender<()>,
    _engines: Arc<Both>,
}

impl Embedded {
    /// Starts both engines on free ports of 127.0.0.1. Needs a Tokio runtime with I/O and time.
    ///
    /// # Errors
    /// When no port is free or the storage cannot be opened.
    pub async fn start(storage: Storage) -> Result<Self, StartError> {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::start_on(storage, any_port, any_port).await
    }

    /// Starts both engines on the given loopback addresses; port 0 takes a free one.
    ///
    /// # Errors
    /// When an address is taken or not loopback, or the storage cannot be opened.
    pub async fn start_on(storage: Storage, dynamodb: SocketAddr, sqs: SocketAddr) -> Result<Self, StartError> {
        let (dynamodb_listener, dynamodb_at) = front::listen(dynamodb).await?;
        let (sqs_listener, sqs_at) = front::listen(sqs).await?;
        let dynamodb = Arc::new(DynamoDb::open(&storage)?);
        let sqs = Arc::new(Sqs::new(sqs_at));
        let calls = Arc::new(Calls::default());
        let (alive, watched) = watch::channel(());
        front::serve(dynamodb_listener, &dynamodb, &calls, &watched);
        front::serve(sqs_listener, &sqs, &calls, &watched);
        Ok(Self {
            dynamodb_url: format!("http://{dynamodb_at}"),
            sqs_url: format!("http://{sqs_at}"),
            calls,
            _alive: alive,
            _engines: Arc::new(Both { dynamodb, sqs }),
        })
    }

    /// Starts both engines on one loopback address, so that one `AWS_ENDPOINT_URL` reaches both; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address is taken or not loopback, or the storage cannot be opened.
    pub async fn start_at(storage: Storage, address: SocketAddr) -> Result<Self, StartError> {
        let (listener, bound) = front::listen(address).await?;
        let dynamodb = Arc::new(DynamoDb::open(&storage)?);
        let sqs = Arc::new(Sqs::new(bound));
        let both = Arc::new(Both { dynamodb: Arc::clone(&dynamodb), sqs: Arc::clone(&sqs) });
        let calls = Arc::new(Calls::default());
        let (alive, watched) = watch::channel(());
        front::serve(listener, &both, &calls, &watched);
        let url = format!("http://{bound}");
        Ok(Self { dynamodb_url: url.clone(), sqs_url: url, calls, _alive: alive, _engines: both })
    }

    /// The endpoint of DynamoDB: `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn dynamodb_url(&self) -> &str {
        &self.dynamodb_url
    }

    /// The endpoint of SQS: `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn sqs_url(&self) -> &str {
        &self.sqs_url
    }

    /// Calls so far by operation (`PutItem`, `SendMessage`), counted at the wire: a client's own retries count, and so
    /// do calls that an engine refused. An operation never called is absent.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.calls.so_far()
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded")
            .field("dynamodb_url", &self.dynamodb_url)
            .field("sqs_url", &self.sqs_url)
            .finish_non_exhaustive()
    }
}
