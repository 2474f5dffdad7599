//! What goes wrong next.
//!
//! Invariant: a counted fault hits exactly as many requests as it was given, in the order in which faults were
//! scripted; the lasting one comes after all of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::server::lock;

/// One way to fail. Unless it says otherwise the vendor has not taken the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This status. An empty body becomes the vendor's own error shape.
    Status {
        /// 100 to 999; any other number becomes 500.
        status: u16,
        /// Seconds, sent as `Retry-After`.
        retry_after_secs: Option<u64>,
        /// Sent as it is.
        body: String,
    },
    /// 200 with `{"ok":false,"error":…}`: how Slack fails.
    OkFalse {
        /// The error's name.
        error: String,
    },
    /// Waits, then takes the request and answers. A client that hangs up meanwhile was not heard.
    Delay(Duration),
    /// Takes the request, then closes the connection without a byte: the answer is lost.
    Reset,
    /// Closes the connection without reading the request's body.
    RefuseThenClose,
    /// 200 with a body that is no JSON.
    Garbage,
    /// 200 with a JSON body of 10 MB.
    Huge,
    /// Reads the request and never answers.
    Hang,
}

impl Fault {
    /// A status with the vendor's own error shape and no `Retry-After`.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Status { status, retry_after_secs: None, body: String::new() }
    }
}

#[derive(Debug)]
struct Counted {
    path_contains: String,
    left: usize,
    fault: Fault,
}

#[derive(Debug, Default)]
struct Script {
    counted: VecDeque<Counted>,
    lasting: Option<Fault>,
}

/// One vendor's script of faults. A clone scripts the same vendor.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    script: Arc<Mutex<Script>>,
}

impl Faults {
    /// The next `n` requests fail so, after those scripted before.
    pub fn next(&self, n: usize, fault: Fault) {
        self.on("", n, fault);
    }

    /// Every request fails so, once the counted faults are used up. Replaces an earlier lasting fault.
    pub fn always(&self, fault: Fault) {
        lock(&self.script).lasting = Some(fault);
    }

    /// The next `n` requests whose path contains this text fail so, after those scripted before.
    pub fn on(&self, path_contains: &str, n: usize, fault: Fault) {
        lock(&self.script).counted.push_back(Counted { path_contains: path_contains.to_owned(), left: n, fault });
    }

    /// Nothing fails any more.
    pub fn clear(&self) {
        *lock(&self.script) = Script::default();
    }

    /// The fault for a request to this path, which is used up by it.
    pub(crate) fn take(&self, path: &str) -> Option<Fault> {
        let mut script = lock(&self.script);
        script.counted.retain(|counted| counted.left > 0);
        match script.counted.iter_mut().find(|counted| path.contains(&counted.path_contains)) {
            Some(counted) => {
                counted.left -= 1;
                Some(counted.fault.clone())
            }
            None => script.lasting.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Faults};

    #[test]
    fn counted_faults_come_in_order_and_before_the_lasting_one() {
        let faults = Faults::default();
        faults.always(Fault::Hang);
        faults.next(2, Fault::Reset);
        faults.on("/comment", 1, Fault::Garbage);
        let taken: Vec<_> =
            ["/comment", "/issue", "/issue", "/comment", "/comment"].map(|path| faults.take(path)).into();
        let expected = [Fault::Reset, Fault::Reset, Fault::Hang, Fault::Garbage, Fault::Hang].map(Some);
        assert_eq!(taken, expected);
        faults.clear();
        assert_eq!(faults.take("/comment"), None);
    }

    #[test]
    fn zero_requests_is_no_fault() {
        let faults = Faults::default();
        faults.next(0, Fault::Reset);
        assert_eq!(faults.take("/"), None);
    }
}
