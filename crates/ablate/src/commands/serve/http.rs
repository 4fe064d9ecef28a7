//! A server of a few pages for one person: HTTP/1.1, `GET` and `HEAD`, one request a connection.
//!
//! Nothing of a request is used but its method, its path, which must be one that is known word for word,
//! and its host, which must be this machine: a page of somebody else whose name points here (DNS
//! rebinding) is turned away. Every connection has a thread, a limit of bytes and a deadline, so that one
//! that is slow or says nothing is in nobody's way.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Bytes of a request's head at most.
const HEAD: usize = 8 << 10;
/// Headers of a request at most.
const HEADERS: usize = 64;
/// Connections at the same time.
const CONNECTIONS: usize = 64;
/// A request must be there within this time, and its answer taken within the other.
const DEADLINES: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(60));
/// How long what a client still sends is read before its connection is closed.
const LINGER: Duration = Duration::from_secs(1);

/// What is sent.
pub struct Page {
    /// Its type.
    pub kind: &'static str,
    /// What a browser may do with it (Content-Security-Policy).
    pub policy: &'static str,
    pub body: Vec<u8>,
}

/// Finds the page of a path; none where there is no such page.
pub type Answer = dyn Fn(&str) -> Option<Page> + Send + Sync;

/// Answers until the process ends.
pub fn serve<A>(listener: &TcpListener, answer: &Arc<A>)
where
    A: Fn(&str) -> Option<Page> + Send + Sync + 'static,
{
    let open = Arc::new(AtomicUsize::new(0));
    loop {
        let Ok((stream, _)) = listener.accept() else {
            // Too many open files, say: others are closed soon.
            std::thread::sleep(Duration::from_millis(50));
            continue;
        };
        let slot = Slot(Arc::clone(&open));
        if open.fetch_add(1, Ordering::SeqCst) >= CONNECTIONS {
            // Dropped: closed.
            continue;
        }
        let answer = Arc::clone(answer);
        // Where no thread can be had, the connection is closed.
        let _ = std::thread::Builder::new().spawn(move || {
            let _slot = slot;
            // Whoever does not listen is not told.
            let _ = connection(stream, &*answer);
        });
    }
}

/// A connection that is counted for as long as it is open.
struct Slot(Arc<AtomicUsize>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn connection(mut stream: TcpStream, answer: &Answer) -> io::Result<()> {
    let response = match head(&mut stream)? {
        Ok(head) => respond(&head, answer),
        Err(refused) => refused.response(false),
    };
    send(&mut stream, &response)?;
    // What was not read yet would make the system take back what was just sent.
    stream.shutdown(Shutdown::Write)?;
    let until = Instant::now() + LINGER;
    let mut rest = [0; 1024];
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|t| !t.is_zero()) {
        stream.set_read_timeout(Some(left))?;
        if stream.read(&mut rest)? == 0 {
            break;
        }
    }
    Ok(())
}

/// Why a request is not answered with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Malformed,
    TooLong,
    TooSlow,
    Method,
    Host,
    Unknown,
}

impl Refusal {
    fn status(self) -> &'static str {
        match self {
            Self::Malformed => "400 Bad Request",
            Self::TooLong => "431 Request Header Fields Too Large",
            Self::TooSlow => "408 Request Timeout",
            Self::Method => "405 Method Not Allowed",
            Self::Host => "421 Misdirected Request",
            Self::Unknown => "404 Not Found",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Malformed => "this is not a request that is understood here\n",
            Self::TooLong => "the request is too long\n",
            Self::TooSlow => "the request took too long\n",
            Self::Method => "this server only shows: GET and HEAD\n",
            Self::Host => "this server is 127.0.0.1 or localhost, and answers to no other name\n",
            Self::Unknown => "there is no such page\n",
        }
    }

    fn response(self, bare: bool) -> Vec<u8> {
        let page = Page {
            kind: "text/plain; charset=utf-8",
            policy: NOTHING,
            body: self.words().as_bytes().to_vec(),
        };
        let more = if self == Self::Method { "Allow: GET, HEAD\r\n" } else { "" };
        response(self.status(), &page, more, bare)
    }
}

/// The policy of what is no page.
pub const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// Reads until the end of a head. Where the client goes away there is nobody to answer.
fn head(stream: &mut TcpStream) -> io::Result<Result<Vec<u8>, Refusal>> {
    let until = Instant::now() + DEADLINES.0;
    let mut bytes = Vec::with_capacity(1024);
    loop {
        let Some(left) = until.checked_duration_since(Instant::now()).filter(|t| !t.is_zero())
        else {
            return Ok(Err(Refusal::TooSlow));
        };
        stream.set_read_timeout(Some(left))?;
        let mut part = [0; 1024];
        match stream.read(&mut part) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => bytes.extend_from_slice(&part[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Ok(Err(Refusal::TooSlow));
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if ends(&bytes) {
            return Ok(Ok(bytes));
        }
        if bytes.len() >= HEAD {
            return Ok(Err(Refusal::TooLong));
        }
    }
}

/// Whether there is an empty line.
fn ends(bytes: &[u8]) -> bool {
    let has = |end: &[u8]| bytes.windows(end.len()).any(|window| window == end);
    has(b"\r\n\r\n") || has(b"\n\n")
}

fn respond(head: &[u8], answer: &Answer) -> Vec<u8> {
    let (path, bare) = match request(head) {
        Ok(request) => request,
        Err(refused) => return refused.response(false),
    };
    match answer(path) {
        Some(page) => response("200 OK", &page, "", bare),
        None => Refusal::Unknown.response(bare),
    }
}

/// The path that is asked for, and whether only the head of the answer is.
fn request(head: &[u8]) -> Result<(&str, bool), Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::TooLong),
        _ => return Err(Refusal::Malformed),
    }
    let bare = match request.method {
        Some("GET") => false,
        Some("HEAD") => true,
        _ => return Err(Refusal::Method),
    };
    let mut hosts = request.headers.iter().filter(|h| h.name.eq_ignore_ascii_case("host"));
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return Err(Refusal::Malformed) };
    if !is_here(host.value) {
        return Err(Refusal::Host);
    }
    let path = request.path.ok_or(Refusal::Malformed)?;
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    if path.starts_with('/') { Ok((path, bare)) } else { Err(Refusal::Malformed) }
}

/// Whether a host is this machine by its own name. The port may be that of a tunnel.
fn is_here(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    let (name, port) = host.trim().split_once(':').unwrap_or((host.trim(), "80"));
    let known = name == "127.0.0.1" || name.eq_ignore_ascii_case("localhost");
    known && !port.is_empty() && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit())
}

fn response(status: &str, page: &Page, more: &str, bare: bool) -> Vec<u8> {
    let Page { kind, policy, body } = page;
    let mut response = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Content-Security-Policy: {policy}\r\nX-Content-Type-Options: nosniff\r\n\
         Cross-Origin-Resource-Policy: same-origin\r\nReferrer-Policy: no-referrer\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n{more}\r\n",
        body.len()
    )
    .into_bytes();
    if !bare {
        response.extend_from_slice(body);
    }
    response
}

/// Sends within a deadline, however little of it is taken at a time.
fn send(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    let until = Instant::now() + DEADLINES.1;
    for part in bytes.chunks(64 << 10) {
        let left = until.checked_duration_since(Instant::now()).filter(|t| !t.is_zero());
        stream.set_write_timeout(Some(left.ok_or(ErrorKind::TimedOut)?))?;
        stream.write_all(part)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
