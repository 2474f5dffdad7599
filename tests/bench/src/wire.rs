//! As much of HTTP/1.1 as a load needs: whole messages with `Content-Length`, over connections that stay open.
//!
//! Invariant: it allocates nothing for a message beyond one buffer for each connection, so that what is measured is the
//! other side.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longest message that is read, in bytes.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// One message: its first line and headers, and its body.
pub(crate) struct Message<'a> {
    pub(crate) head: &'a [u8],
    pub(crate) body: &'a [u8],
}

/// An open connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Bytes at the buffer's beginning that were handed out.
    taken: usize,
}

impl Connection {
    /// To a server.
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        Self::over(TcpStream::connect(address).await.with_context(|| format!("{address} does not answer"))?)
    }

    /// Over what was accepted.
    pub(crate) fn over(stream: TcpStream) -> anyhow::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024), taken: 0 })
    }

    /// Sends a request as it is and returns the answer's status.
    pub(crate) async fn status_of(&mut self, request: &[u8]) -> anyhow::Result<u16> {
        self.write(request).await?;
        let answer = self.read().await?.context("the connection was closed before an answer came")?;
        let status = answer.head.get(9..12).and_then(|digits| str::from_utf8(digits).ok()?.parse().ok());
        status.context("the answer has no status")
    }

    /// Sends a request and returns the answer's body.
    pub(crate) async fn body_of(&mut self, request: &[u8]) -> anyhow::Result<Vec<u8>> {
        self.write(request).await?;
        let answer = self.read().await?.context("the connection was closed before an answer came")?;
        Ok(answer.body.to_vec())
    }

    /// Sends bytes as they are.
    pub(crate) async fn write(&mut self, message: &[u8]) -> anyhow::Result<()> {
        Ok(self.stream.write_all(message).await?)
    }

    /// The next message; `None` when the other side has closed.
    pub(crate) async fn read(&mut self) -> anyhow::Result<Option<Message<'_>>> {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        let head = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            if !self.more().await? {
                return Ok(None);
            }
        };
        let length = content_length(&self.buffer[..head])?;
        while self.buffer.len() < head + length {
            if !self.more().await? {
                bail!("the connection was closed within a message");
            }
        }
        self.taken = head + length;
        Ok(Some(Message { head: &self.buffer[..head], body: &self.buffer[head..self.taken] }))
    }

    async fn more(&mut self) -> anyhow::Result<bool> {
        if self.buffer.len() > MESSAGE_BYTES_MAX {
            bail!("a message is longer than {MESSAGE_BYTES_MAX} bytes");
        }
        Ok(self.stream.read_buf(&mut self.buffer).await? > 0)
    }
}

/// A whole request with a JSON body.
pub(crate) fn post(path: &str, headers: &str, body: &str) -> Vec<u8> {
    message(path, "application/json", headers, body.as_bytes())
}

/// A whole request with a body of some media type.
pub(crate) fn message(path: &str, media_type: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {media_type}\r\n{headers}Content-Length: \
         {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// A whole request without a body.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").into_bytes()
}

/// Where the needle begins.
pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn content_length(head: &[u8]) -> anyhow::Result<usize> {
    let head = str::from_utf8(head).context("a head that is no text")?;
    for line in head.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            return value.trim().parse().context("a length that is no number");
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            bail!("a message in chunks, which is not read here");
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn messages_that_come_together_are_read_one_by_one() -> anyhow::Result<()> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let mut sender = TcpStream::connect(listener.local_addr()?).await?;
        let mut both = post("/a", "", "first");
        both.extend(post("/b", "X: y\r\n", "second"));
        sender.write_all(&both).await?;
        drop(sender);
        let mut connection = Connection::over(listener.accept().await?.0)?;
        for expected in ["first", "second"] {
            let message = connection.read().await?.context("a message")?;
            assert_eq!(message.body, expected.as_bytes());
        }
        assert!(connection.read().await?.is_none());
        Ok(())
    }

    #[test]
    fn a_length_is_found_in_any_case_and_chunks_are_refused() -> anyhow::Result<()> {
        assert_eq!(content_length(b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 12\r\n\r\n")?, 12);
        assert_eq!(content_length(b"HTTP/1.1 200 OK\r\n\r\n")?, 0);
        assert!(content_length(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        Ok(())
    }
}
