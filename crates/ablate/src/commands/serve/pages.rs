//! What there is to be shown: a fixed set of paths, and the files of the study's report.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::http::{NOTHING, Page};
use crate::live::{Follower, Look, Series};

const PAGE: &str = include_str!("pages/live.html");
const STYLE: &str = include_str!("pages/live.css");
const SCRIPT: &str = include_str!("pages/live.js");

/// A look serves everybody who asks for so long.
const FRESH: Duration = Duration::from_millis(500);
/// How deep the folders of a report are.
const DEPTH: usize = 3;

/// Of the page that follows: its own style, script, typeface and data, and nothing else from anywhere.
const OWN: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
    connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Of a report: all of it is in the page, and it has no script.
const REPORT: &str = "default-src 'none'; style-src 'unsafe-inline'; font-src data:; \
    img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The pages of a study.
pub struct Pages {
    follower: Mutex<Following>,
    report: PathBuf,
}

struct Following {
    follower: Follower,
    last: Option<(Instant, Vec<u8>)>,
}

/// What the page asks for again and again.
#[derive(Serialize)]
struct Live<'a> {
    #[serde(flatten)]
    look: &'a Look,
    series: Vec<Series>,
    /// Whether there is a report.
    report: bool,
}

impl Pages {
    /// Of the study that is followed, with its report in this folder once there is one.
    pub fn new(follower: Follower, report: PathBuf) -> Self {
        Self { follower: Mutex::new(Following { follower, last: None }), report }
    }

    /// The page of a path.
    pub fn answer(&self, path: &str) -> Option<Page> {
        let own = |kind, body: &[u8]| Some(Page { kind, policy: OWN, body: body.to_vec() });
        match path {
            "/" => own("text/html; charset=utf-8", PAGE.as_bytes()),
            "/style.css" => own("text/css; charset=utf-8", ablate_report::STYLE.as_bytes()),
            "/live.css" => own("text/css; charset=utf-8", STYLE.as_bytes()),
            "/live.js" => own("text/javascript; charset=utf-8", SCRIPT.as_bytes()),
            "/regular.woff2" => own("font/woff2", ablate_report::REGULAR),
            "/semibold.woff2" => own("font/woff2", ablate_report::SEMIBOLD),
            "/live.json" => {
                let body = self.live()?;
                Some(Page { kind: "application/json", policy: NOTHING, body })
            }
            _ => self.file(path),
        }
    }

    fn live(&self) -> Option<Vec<u8>> {
        // Whoever panicked with it left what the next look makes anew.
        let mut following = self.follower.lock().unwrap_or_else(|broken| broken.into_inner());
        if let Some((when, bytes)) = &following.last
            && when.elapsed() < FRESH
        {
            return Some(bytes.clone());
        }
        // A store that cannot be read now may be the next time: the page says that it lost contact.
        let look = following.follower.look().ok()?;
        let series = following.follower.series();
        let report = self.report.join("index.html").is_file();
        let bytes = serde_json::to_vec(&Live { look: &look, series, report }).ok()?;
        following.last = Some((Instant::now(), bytes.clone()));
        Some(bytes)
    }

    /// A file of the report. The folder is listed and the path looked up among what is found: no path is
    /// ever made from what was asked for.
    fn file(&self, path: &str) -> Option<Page> {
        let mut found = Vec::new();
        list(&self.report, "/report", DEPTH, &mut found);
        let (_, file) = found.into_iter().find(|(name, _)| name == path)?;
        let kind = match file.extension().and_then(|end| end.to_str()).unwrap_or_default() {
            "html" => "text/html; charset=utf-8",
            "svg" => "image/svg+xml",
            "png" => "image/png",
            "json" => "application/json",
            "md" | "tex" | "csv" | "toml" | "txt" => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        };
        Some(Page { kind, policy: REPORT, body: fs::read(file).ok()? })
    }
}

/// Files below a folder with the paths under which a browser asks for them. Links are not followed, and
/// nothing that is hidden is shown.
fn list(folder: &Path, prefix: &str, depth: usize, found: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        let path = format!("{prefix}/{}", encoded(name));
        if kind.is_file() {
            found.push((path, entry.path()));
        } else if kind.is_dir() && depth > 1 {
            list(&entry.path(), &path, depth - 1, found);
        }
    }
}

/// A name as it stands in a URL.
fn encoded(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out += &format!("%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn files_of_the_report_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let report = folder.path().join("report");
        fs::create_dir_all(report.join("tables/more/deep")).unwrap();
        let files =
            ["index.html", "tables/a b.md", "tables/é.csv", ".hidden", "tables/more/deep/x.md"];
        for file in files {
            fs::write(report.join(file), file).unwrap();
        }
        fs::write(folder.path().join("secret.txt"), "secret").unwrap();
        symlink(folder.path().join("secret.txt"), report.join("link.txt")).unwrap();
        symlink(folder.path(), report.join("up")).unwrap();
        let mut found = Vec::new();
        list(&report, "/report", DEPTH, &mut found);
        let mut names: Vec<String> = found.into_iter().map(|(name, _)| name).collect();
        names.sort();
        let expect = ["/report/index.html", "/report/tables/%C3%A9.csv", "/report/tables/a%20b.md"];
        assert_eq!(names, expect);
    }

    #[test]
    fn the_page_refers_to_what_is_served() {
        let referred = ["/style.css", "/live.css", "/live.js"];
        for name in referred {
            assert!(PAGE.contains(&format!("\"{name}\"")), "{name}");
        }
        assert!(STYLE.contains("/regular.woff2") && STYLE.contains("/semibold.woff2"));
        assert!(SCRIPT.contains("/live.json"));
        for text in [PAGE, STYLE, SCRIPT] {
            for outside in ["http://", "https://", "//cdn", "@import", "eval(", "innerHTML"] {
                let text = text.replace("http://www.w3.org/2000/svg", "");
                assert!(!text.contains(outside), "{outside}");
            }
        }
        // The policy allows neither styles nor scripts in the page itself.
        for inline in ["<style", "style=", "onclick", "<script>"] {
            assert!(!PAGE.contains(inline), "{inline}");
        }
    }
}
