//! Study files, with and without a profile.

use std::io;
use std::path::Path;

use ablate_spec::{Options, load, outline, render};

use crate::fixture;
use crate::reader::Reader;

pub(crate) const READERS: &[Reader] = &[
    Reader {
        name: "study",
        closed: false,
        whole: || std::fs::read(fixture("../experiments/smoke.toml")).unwrap(),
        read: |bytes, _| study(bytes, None),
    },
    Reader {
        name: "study-profile",
        closed: false,
        whole: || std::fs::read(fixture("../.ci/cluster.toml")).unwrap(),
        read: |bytes, _| study(bytes, Some("long")),
    },
];

fn study(bytes: &[u8], profile: Option<&str>) -> Result<(), String> {
    let read = |_: &Path| {
        String::from_utf8(bytes.to_vec())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    };
    let entry = Path::new("damaged.toml");
    let _ = outline(entry, &read);
    let options = Options { profile: profile.map(str::to_owned), ..Options::default() };
    match load(entry, &read, &options) {
        Ok(_) => Ok(()),
        Err(failure) => {
            assert!(!failure.diagnostics.is_empty(), "refused without a word");
            let said = failure.diagnostics.iter().map(|one| render(one, &failure.sources));
            Err(said.collect())
        }
    }
}
