//! Following a study while it goes on: feeds, `status --watch`, `serve`.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::sandbox::{Sandbox, TINY};

/// One variant whose training takes some seconds.
fn lasting_study() -> String {
    let (base, _) = TINY.split_once("\n[[design.list]]").unwrap();
    let base = base.replace("seeds = [1, 2]", "seeds = [1]");
    base.replace("tokens = 5120", "tokens = 1024000") + "\n[[design.list]]\nname = \"long\"\n"
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The links to trainings below a folder.
fn trainings(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_symlink() {
            found.push(entry.path());
        } else {
            found.extend(trainings(&entry.path()));
        }
    }
    found.sort();
    found
}

/// Every training of a finished study can be followed, and what was written there is what is in its result:
/// every step once, however often it was interrupted.
pub(crate) fn assert_feeds_are_whole(root: &Path, study: &str) {
    let found = trainings(&root.join("data/live").join(study));
    assert!(!found.is_empty());
    for training in found {
        let to = fs::canonicalize(&training).unwrap();
        let name = to.file_name().unwrap().to_str().unwrap().strip_prefix("train-").unwrap();
        let own = lines(&root.join("data/store/train").join(name).join("metrics.jsonl"));
        let mut feed = lines(&training.join("metrics.jsonl"));
        let steps = own.iter().map(|line| line["step"].as_u64().unwrap()).max().unwrap();
        for line in &mut feed {
            let line = line.as_object_mut().unwrap();
            assert!(line.remove("time").unwrap().as_f64().unwrap() > 1.7e9);
            assert_eq!(line.remove("steps").unwrap().as_u64(), Some(steps));
        }
        assert_eq!(feed, own, "{}", training.display());
        let events = fs::read_dir(&training).unwrap().flatten();
        let is_event = |name: &str| name.starts_with("events.out.tfevents.");
        let count = events.filter(|e| is_event(e.file_name().to_str().unwrap())).count();
        assert!(count > 0, "{}", training.display());
    }
}

/// A command that goes on until it is ended, in any case with its test.
struct Running(Child);

impl Running {
    fn start(sandbox: &Sandbox, arguments: &[&str], stdout: Stdio) -> Self {
        let mut command = sandbox.command(arguments);
        Self(command.stdout(stdout).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Asks it to end, and returns its exit code.
    fn end(mut self, signal: i32) -> Option<i32> {
        // SAFETY: the child was not waited for yet, so its id is still its own.
        unsafe { libc::kill(i32::try_from(self.0.id()).unwrap(), signal) };
        self.0.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `ablate serve` on a port that was free, and its address.
fn serve(sandbox: &Sandbox) -> (Running, SocketAddr) {
    let mut server =
        Running::start(sandbox, &["serve", "tiny.toml", "--port", "0"], Stdio::piped());
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("http://").unwrap().strip_suffix('/').unwrap();
    let address: SocketAddr = address.parse().unwrap();
    assert!(address.ip().is_loopback(), "{address}");
    (server, address)
}

/// Head and body of the answer to a request.
fn ask(address: SocketAddr, method: &str, path: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let body = answer.split_off(end + 4);
    (String::from_utf8(answer).unwrap(), body)
}

fn live(address: SocketAddr) -> Value {
    let (head, body) = ask(address, "GET", "/live.json");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn a_finished_study_is_shown_as_it_is() {
    let sandbox = Sandbox::with_study(TINY);
    let root = sandbox.root();
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    assert_feeds_are_whole(&root, "tiny");
    let names: Vec<String> = trainings(&root.join("data/live/tiny"))
        .iter()
        .map(|path| path.strip_prefix(root.join("data/live/tiny")).unwrap().display().to_string())
        .collect();
    assert_eq!(names, ["deep/seed-1", "deep/seed-2", "plain/seed-1", "plain/seed-2"]);

    // What was trained before there were feeds gets them with the next run; results stay untouched.
    fs::remove_dir_all(root.join("data/store/live")).unwrap();
    fs::remove_dir_all(root.join("data/live")).unwrap();
    let before = crate::outcome::snapshot(&root);
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    assert_feeds_are_whole(&root, "tiny");
    assert!(crate::outcome::snapshot(&root) == before);
    assert!(sandbox.succeed(&["gc"]).contains("0 of "));

    let shown = sandbox.succeed(&["status", "tiny.toml", "--watch"]);
    assert!(shown.contains("done") && shown.matches("20/20").count() == 4, "{shown}");

    let (server, address) = serve(&sandbox);
    let look = live(address);
    assert_eq!((look["state"].as_str(), look["report"].as_bool()), (Some("done"), Some(true)));
    assert_eq!(look["runs"].as_array().unwrap().len(), 4);
    for series in look["series"].as_array().unwrap() {
        assert_eq!(series["train"].as_array().unwrap().len(), 20, "{series}");
    }
    // The report, byte for byte, and what lies beside it; nothing above it, and nothing else.
    let (head, body) = ask(address, "GET", "/report/index.html");
    assert!(head.contains("Content-Security-Policy: default-src 'none'"), "{head}");
    assert_eq!(body, fs::read(sandbox.report().join("index.html")).unwrap());
    let (_, body) = ask(address, "GET", "/report/scores.parquet");
    assert_eq!(body, fs::read(sandbox.report().join("scores.parquet")).unwrap());
    for path in [
        "/report/",
        "/report/../../data/store/threads.json",
        "/report/..%2f..%2fdata%2fstore%2fthreads.json",
        "/report/%2e%2e/%2e%2e/desk/tiny.toml",
        "/report//index.html",
        "/report/index.html/",
        "/tiny.toml",
        "/../desk/tiny.toml",
    ] {
        let (head, _) = ask(address, "GET", path);
        assert!(head.starts_with("HTTP/1.1 404"), "{path}: {head}");
    }
    let (head, body) = ask(address, "HEAD", "/");
    assert!(head.starts_with("HTTP/1.1 200") && body.is_empty(), "{head}");
    let (head, _) = ask(address, "DELETE", "/report/index.html");
    assert!(head.starts_with("HTTP/1.1 405"), "{head}");
    assert!(sandbox.report().join("index.html").exists());

    // The port is taken: by the server itself.
    let port = address.port().to_string();
    let ended = sandbox.ablate(&["serve", "tiny.toml", "--port", &port]);
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains(&format!("port {port} is taken")), "{ended}");
    assert_eq!(server.end(libc::SIGINT), Some(0));
    // A free port can be named.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let server = Running::start(&sandbox, &["serve", "tiny.toml", "--port", &free], Stdio::null());
    let until = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(format!("127.0.0.1:{free}")).is_err() {
        assert!(Instant::now() < until, "nobody listens on {free}");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(server.end(libc::SIGTERM), Some(0));
}

#[test]
fn a_training_is_followed_to_its_end() {
    let sandbox = Sandbox::with_study(&lasting_study());
    let (_server, address) = serve(&sandbox);
    let look = live(address);
    assert_eq!((look["state"].as_str(), look["done"].as_u64()), (Some("waiting"), Some(0)));
    assert_eq!(look["runs"][0]["stage"], "corpus");

    // Somebody looks before anything runs, and is not told that it is over.
    let arguments = ["status", "tiny.toml", "--watch", "--interval", "0.1"];
    let mut watch = Running::start(&sandbox, &arguments, Stdio::piped());
    let mut run = Running::start(&sandbox, &["run", "tiny.toml", "--quiet"], Stdio::null());
    let mut steps = Vec::new();
    while run.0.try_wait().unwrap().is_none() {
        let look = live(address);
        let training = &look["runs"][0];
        if training["stage"] == "train" && !training["step"].is_null() {
            assert_eq!(training["steps"], 4000);
            assert!(training["host"].is_string() || training["state"] != "running", "{training}");
            let points = look["series"][0]["train"].as_array().unwrap();
            let last = points.last().unwrap()[0].as_u64().unwrap();
            assert_eq!(training["step"].as_u64(), Some(last));
            if steps.last() != Some(&last) {
                steps.push(last);
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(run.0.wait().unwrap().code(), Some(0));
    assert!(steps.len() >= 2 && steps.is_sorted(), "the curve does not grow: {steps:?}");

    let mut shown = String::new();
    watch.0.stdout.take().unwrap().read_to_string(&mut shown).unwrap();
    assert_eq!(watch.0.wait().unwrap().code(), Some(0), "it ends with the study");
    assert!(!shown.contains('\u{1b}'), "no escapes where there is no terminal");
    let first = shown.lines().next().unwrap();
    assert!(first.contains("0 of ") && first.contains("nobody is at work"), "{shown}");
    assert!(shown.matches(" stages done, running").count() >= 2, "{shown}");
    assert!(shown.contains("tokens/s") && shown.contains("4000/4000"), "{shown}");
    assert!(shown.trim_end().lines().last().unwrap().contains("done"), "{shown}");
}

/// A terminal of so many lines and columns: where a program writes to, and where its keeper reads.
fn terminal(lines: u16, columns: u16) -> (OwnedFd, File) {
    let (mut keeper, mut program) = (0, 0);
    let size = libc::winsize { ws_row: lines, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let (name, modes) = (std::ptr::null_mut(), std::ptr::null());
    // SAFETY: the pointers are to variables of this function, and openpty fills both on success.
    let opened = unsafe { libc::openpty(&mut keeper, &mut program, name, modes, &size) };
    assert_eq!(opened, 0);
    // SAFETY: both were just opened and belong to nobody else.
    unsafe { (OwnedFd::from_raw_fd(program), File::from_raw_fd(keeper)) }
}

#[test]
fn a_terminal_is_drawn_in_place() {
    let sandbox = Sandbox::with_study(TINY);
    let (program, mut keeper) = terminal(10, 60);
    let arguments = ["status", "tiny.toml", "--watch", "--interval", "0.1"];
    let mut command = sandbox.command(&arguments);
    command.env("TERM", "xterm-256color").stdout(program).stderr(Stdio::null());
    let watch = Running(command.spawn().unwrap());
    // The command keeps the other end open otherwise, and the reading would not end.
    drop(command);
    let reader = std::thread::spawn(move || {
        let mut shown = Vec::new();
        // Reading ends with an error when nobody has the other end any more.
        let _ = keeper.read_to_end(&mut shown);
        String::from_utf8(shown).unwrap()
    });
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(watch.end(libc::SIGINT), Some(130));
    let shown = reader.join().unwrap();
    assert!(shown.starts_with("\u{1b}[?25l") && shown.ends_with("\u{1b}[?25h"), "{shown:?}");
    let tables = shown.matches("0 of ").count();
    assert!(tables >= 2, "{shown:?}");
    assert!(shown.contains("\u{1b}[") && shown.contains("waiting"), "{shown:?}");
    // As a terminal would show it: one table, whose lines fit.
    let screen = Screen::of(&shown, 10);
    assert_eq!(screen.iter().filter(|line| line.contains("0 of ")).count(), 1, "{screen:?}");
    assert!(screen.iter().all(|line| line.chars().count() <= 60), "{screen:?}");
    assert_eq!(screen.iter().filter(|line| line.contains("waiting")).count(), 4, "{screen:?}");
}

/// What is on a screen after some output: only what `console` sends is understood.
struct Screen;

impl Screen {
    fn of(output: &str, height: usize) -> Vec<String> {
        let (mut lines, mut row) = (vec![String::new()], 0_usize);
        let mut characters = output.chars().peekable();
        while let Some(c) = characters.next() {
            match c {
                '\n' => {
                    row += 1;
                    if row == lines.len() {
                        lines.push(String::new());
                    }
                }
                '\r' => {}
                '\u{1b}' => {
                    let mut parameter = String::new();
                    assert_eq!(characters.next(), Some('['));
                    let command = loop {
                        match characters.next().unwrap() {
                            c if c.is_ascii_alphabetic() => break c,
                            c => parameter.push(c),
                        }
                    };
                    match command {
                        'A' => row -= parameter.parse::<usize>().unwrap_or(1),
                        'B' => row += parameter.parse::<usize>().unwrap_or(1),
                        'K' => lines[row].clear(),
                        'h' | 'l' => {}
                        other => panic!("{parameter}{other}"),
                    }
                    assert!(lines.len() <= height, "the table has scrolled away");
                }
                c => lines[row].push(c),
            }
        }
        lines
    }
}
