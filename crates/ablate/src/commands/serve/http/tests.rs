use std::net::{Ipv4Addr, SocketAddr};

use super::*;

/// A server of one page, and the paths that it was asked for.
fn server() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let answer = |path: &str| {
        let page = Page { kind: "text/plain", policy: NOTHING, body: b"hello".to_vec() };
        (path == "/page").then_some(page)
    };
    std::thread::spawn(move || serve(&listener, &Arc::new(answer)));
    address
}

/// Sends some bytes, and returns what comes back until the server closes.
fn ask(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    // The server may close before it has read everything.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

fn get(method: &str, path: &str, host: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes()
}

#[track_caller]
fn check(answer: &str, status: &str) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{status}: {answer}");
    let policy = format!("Content-Security-Policy: {NOTHING}\r\n");
    for header in [policy.as_str(), "Connection: close\r\n", "nosniff\r\n", "no-store\r\n"] {
        assert!(answer.contains(header), "{header}: {answer}");
    }
}

#[test]
fn only_showing_is_allowed() {
    let address = server();
    let answer = ask(address, &get("GET", "/page", "127.0.0.1"));
    check(&answer, "200 ");
    assert!(answer.contains("Content-Length: 5\r\n") && answer.ends_with("\r\n\r\nhello"));
    let answer = ask(address, &get("HEAD", "/page?since=3", "127.0.0.1"));
    check(&answer, "200 ");
    assert!(answer.contains("Content-Length: 5\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get", "CONNECT", "X"] {
        let answer = ask(address, &get(method, "/page", "127.0.0.1"));
        check(&answer, "405 ");
        assert!(answer.contains("Allow: GET, HEAD\r\n"), "{answer}");
    }
}

#[test]
fn paths_are_known_word_for_word() {
    let address = server();
    for path in [
        "/",
        "/page/",
        "//page",
        "/./page",
        "/x/../page",
        "/../../../../etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/%70age",
        "/..\\..\\etc\\passwd",
        "/page%00",
        "/page;x",
    ] {
        check(&ask(address, &get("GET", path, "127.0.0.1")), "404 ");
    }
    for path in ["page", "*", "http://127.0.0.1/page", "../page"] {
        check(&ask(address, &get("GET", path, "127.0.0.1")), "400 ");
    }
}

#[test]
fn other_names_of_this_machine_are_turned_away() {
    let address = server();
    for host in ["127.0.0.1", "localhost", "LOCALHOST:9000", "127.0.0.1:8377"] {
        check(&ask(address, &get("GET", "/page", host)), "200 ");
    }
    for host in [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8377",
        "127.0.0.1:8377@evil.example",
        "127.0.0.1:",
        "127.0.0.1:123456",
        "0.0.0.0",
        "evil.example:127",
        "",
    ] {
        check(&ask(address, &get("GET", "/page", host)), "421 ");
    }
    // None, and two.
    check(&ask(address, b"GET /page HTTP/1.1\r\n\r\n"), "400 ");
    let two = b"GET /page HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n";
    check(&ask(address, two), "400 ");
}

#[test]
fn what_is_no_request_is_refused() {
    let address = server();
    for request in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET /page HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET /page HTTP/1.1\r\nHost localhost\r\n\r\n",
        b"GET /page HTTP/1.1\r\nHost: localhost\r\nX: \0\r\n\r\n",
    ] {
        check(&ask(address, request), "400 ");
    }
}

#[test]
fn long_requests_are_refused_before_they_are_read() {
    let address = server();
    let line = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a".repeat(1 << 20));
    check(&ask(address, line.as_bytes()), "431 ");
    // Without an end: after eight kilobytes nothing more is waited for.
    check(&ask(address, &[b'a'; HEAD]), "431 ");
    let many: String = (0..HEADERS + 1).map(|n| format!("A{n}: b\r\n")).collect();
    let many = format!("GET /page HTTP/1.1\r\nHost: localhost\r\n{many}\r\n");
    check(&ask(address, many.as_bytes()), "431 ");
    check(&ask(address, &get("GET", "/page", "localhost")), "200 ");
}

#[test]
fn slow_clients_are_in_nobodys_way() {
    let address = server();
    let slow = |count: usize| -> Vec<TcpStream> {
        let one = |_| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(b"GET /pa").unwrap();
            stream
        };
        (0..count).map(one).collect()
    };
    // Those that were just answered are open for a moment longer.
    let mut waiting = slow(CONNECTIONS - 8);
    let start = Instant::now();
    for _ in 0..3 {
        check(&ask(address, &get("GET", "/page", "localhost")), "200 ");
    }
    assert!(start.elapsed() < Duration::from_secs(5));
    // One that goes on is answered.
    let mut one = waiting.pop().unwrap();
    one.write_all(b"ge HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    one.read_to_string(&mut answer).unwrap();
    check(&answer, "200 ");
    // Too many are not let in; when they are gone there is room again.
    let until = Instant::now() + Duration::from_secs(5);
    let answered = || !ask(address, &get("GET", "/page", "localhost")).is_empty();
    while answered() {
        assert!(Instant::now() < until, "everybody is let in");
        waiting.extend(slow(8));
    }
    drop(waiting);
    while !answered() {
        assert!(Instant::now() < until, "nobody is let in");
    }
}
